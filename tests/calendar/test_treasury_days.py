"""Treasury trading days against an independent calendar, and the rules one by one."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from ontherun.calendar import EU, MARKETS, NEW_YORK, US_ACTIVES, US_REPO, easter, treasury_days

YEARS = range(2022, 2036)


@pytest.fixture(scope="module")
def sifma() -> dict[date, time]:
    """Day -> close in New York, as pandas-market-calendars has it."""
    calendars = pytest.importorskip("pandas_market_calendars")
    schedule = calendars.get_calendar("SIFMA_US").schedule(
        f"{YEARS[0]}-01-01", f"{YEARS[-1]}-12-31", tz="America/New_York"
    )
    return {day.date(): close.time() for day, close in schedule["market_close"].items()}


def every_day(years: range) -> list[date]:
    first, last = date(years[0], 1, 1), date(years[-1], 12, 31)
    return [first + timedelta(count) for count in range((last - first).days + 1)]


def test_every_day_of_2022_to_2035_is_open_closes_early_or_is_closed_as_sifma_recommends(
    sifma: dict[date, time],
) -> None:
    ours = {day: US_ACTIVES.close_time(day) for day in every_day(YEARS)}
    assert {day: close for day, close in ours.items() if close is not None} == sifma
    assert len(ours) == 5113


def test_every_close_of_2022_to_2035_is_the_same_instant(sifma: dict[date, time]) -> None:
    for day, close in sifma.items():
        expected = datetime.combine(day, close, ZoneInfo("America/New_York")).astimezone(UTC)
        assert US_ACTIVES.close_on(day) == int(expected.timestamp()) * 10**9


def test_the_regular_close_is_half_past_five_in_new_york(sifma: dict[date, time]) -> None:
    assert set(sifma.values()) == {time(17, 30), time(14), time(12)}
    assert US_ACTIVES.close == time(17, 30)
    assert US_ACTIVES.zone is NEW_YORK


@pytest.mark.parametrize(
    "day",
    [
        date(2026, 1, 1),
        date(2026, 1, 19),
        date(2026, 2, 16),
        date(2026, 5, 25),
        date(2026, 6, 19),
        date(2026, 7, 3),
        date(2026, 9, 7),
        date(2026, 10, 12),
        date(2026, 11, 11),
        date(2026, 11, 26),
        date(2026, 12, 25),
        date(2027, 1, 1),
    ],
)
def test_the_closed_days_of_2026(day: date) -> None:
    assert not US_ACTIVES.is_trading_day(day)
    assert US_ACTIVES.close_on(day) is None


@pytest.mark.parametrize(
    ("day", "close"),
    [
        (date(2026, 4, 3), time(12)),
        (date(2026, 5, 22), time(14)),
        (date(2026, 7, 2), time(14)),
        (date(2026, 11, 27), time(14)),
        (date(2026, 12, 24), time(14)),
        (date(2026, 12, 31), time(14)),
    ],
)
def test_the_early_closes_of_2026(day: date, close: time) -> None:
    assert US_ACTIVES.close_time(day) == close


def test_good_friday_on_a_jobs_report_day_is_open_until_noon_and_its_thursday_is_whole() -> None:
    assert US_ACTIVES.close_time(date(2026, 4, 2)) == time(17, 30)
    assert US_ACTIVES.close_time(date(2026, 4, 3)) == time(12)


def test_any_other_good_friday_is_closed_and_its_thursday_ends_early() -> None:
    assert US_ACTIVES.close_time(date(2025, 4, 17)) == time(14)
    assert US_ACTIVES.close_time(date(2025, 4, 18)) is None


def test_a_holiday_on_a_sunday_moves_to_monday() -> None:
    assert not US_ACTIVES.is_trading_day(date(2023, 1, 2))
    assert not US_ACTIVES.is_trading_day(date(2022, 12, 26))


def test_only_juneteenth_independence_day_and_christmas_move_from_saturday_to_friday() -> None:
    assert not US_ACTIVES.is_trading_day(date(2027, 6, 18))
    assert not US_ACTIVES.is_trading_day(date(2026, 7, 3))
    assert not US_ACTIVES.is_trading_day(date(2027, 12, 24))
    assert US_ACTIVES.is_trading_day(date(2027, 12, 31))  # 1 January 2028 is a Saturday
    assert US_ACTIVES.is_trading_day(date(2023, 11, 10))  # 11 November 2023 is a Saturday


def test_juneteenth_is_a_holiday_since_2022() -> None:
    assert date(2021, 6, 18) not in treasury_days(2021).closed
    assert date(2022, 6, 20) in treasury_days(2022).closed


@pytest.mark.parametrize(
    ("year", "day"),
    [(1818, (3, 22)), (2000, (4, 23)), (2024, (3, 31)), (2025, (4, 20)), (2026, (4, 5)), (2038, (4, 25))],
)
def test_easter(year: int, day: tuple[int, int]) -> None:
    assert easter(year) == date(year, *day)


def test_the_euro_markets_are_closed_on_the_closing_days_of_target() -> None:
    closed = [day for day in every_day(range(2026, 2027)) if day.weekday() < 5 and not EU.is_trading_day(day)]
    assert closed == [date(2026, *day) for day in ((1, 1), (4, 3), (4, 6), (5, 1), (12, 25))]
    assert EU.is_trading_day(date(2026, 11, 26))


def test_us_repo_keeps_the_treasury_calendar() -> None:
    assert all(US_REPO.close_on(day) == US_ACTIVES.close_on(day) for day in every_day(range(2026, 2028)))


def test_every_market_is_found_by_its_name() -> None:
    assert all(MARKETS[name].name == name for name in ("US actives", "US repo", "EU"))
