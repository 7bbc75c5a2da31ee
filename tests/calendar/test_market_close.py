"""The next close, overridden days, and closes across changes of the clocks."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontherun.calendar import (
    CENTRAL,
    EU,
    LONDON,
    NEW_YORK,
    SECOND,
    US_ACTIVES,
    US_REPO,
    calendar_of_segment,
    instant,
    local,
    months_later,
)


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def test_the_close_of_a_day_is_a_wall_clock_time_so_its_instant_moves_with_daylight_saving() -> None:
    assert US_ACTIVES.close_on(date(2026, 3, 6)) == utc("2026-03-06T22:30:00")
    assert US_ACTIVES.close_on(date(2026, 3, 9)) == utc("2026-03-09T21:30:00")  # clocks went forward on the 8th
    assert US_ACTIVES.close_on(date(2026, 10, 30)) == utc("2026-10-30T21:30:00")
    assert US_ACTIVES.close_on(date(2026, 11, 2)) == utc("2026-11-02T22:30:00")  # and back on the 1st


def test_the_clocks_of_london_change_on_other_days_than_those_of_new_york() -> None:
    assert EU.close_on(date(2026, 3, 27)) == utc("2026-03-27T17:30:00")
    assert EU.close_on(date(2026, 3, 30)) == utc("2026-03-30T16:30:00")
    assert US_ACTIVES.close_on(date(2026, 3, 27)) == utc("2026-03-27T21:30:00")


def test_half_past_five_in_new_york_is_half_past_four_in_chicago_all_year() -> None:
    for day in (date(2026, 1, 5), date(2026, 7, 6), date(2026, 3, 9), date(2026, 11, 2)):
        close = US_ACTIVES.close_on(day)
        assert close is not None
        assert local(close, CENTRAL).time() == time(16, 30)


def test_the_next_close_is_the_present_one_until_the_nanosecond_of_the_close() -> None:
    monday, tuesday = utc("2026-11-23T22:30:00"), utc("2026-11-24T22:30:00")
    assert US_ACTIVES.next_close(monday - 1) == monday
    assert US_ACTIVES.next_close(monday) == monday
    assert US_ACTIVES.next_close(monday + 1) == tuesday


def test_the_next_close_skips_weekends_and_holidays_and_knows_early_closes() -> None:
    assert US_ACTIVES.next_close(utc("2026-11-26T12:00:00")) == utc("2026-11-27T19:00:00")
    assert US_ACTIVES.next_close(utc("2026-11-27T19:00:01")) == utc("2026-11-30T22:30:00")
    assert US_ACTIVES.next_close(utc("2026-12-25T12:00:00")) == utc("2026-12-28T22:30:00")


def test_the_day_of_an_instant_is_the_one_in_the_market_s_zone() -> None:
    assert US_ACTIVES.day_of(utc("2026-11-24T04:59:59")) == date(2026, 11, 23)
    assert US_ACTIVES.day_of(utc("2026-11-24T05:00:00")) == date(2026, 11, 24)


def test_a_single_day_is_overridden_without_touching_the_rules() -> None:
    overridden = US_ACTIVES.with_overrides({date(2026, 12, 24): None, date(2026, 12, 25): time(12)})
    assert overridden.close_on(date(2026, 12, 24)) is None
    assert overridden.close_on(date(2026, 12, 25)) == utc("2026-12-25T17:00:00")
    assert overridden.with_overrides({date(2026, 12, 25): time(13)}).close_time(date(2026, 12, 24)) is None
    assert US_ACTIVES.close_time(date(2026, 12, 25)) is None


def test_a_weekend_day_can_be_opened() -> None:
    overridden = US_ACTIVES.with_overrides({date(2026, 11, 28): time(15)})
    assert overridden.next_close(utc("2026-11-27T20:00:00")) == utc("2026-11-28T20:00:00")


@pytest.mark.parametrize(
    ("segment", "calendar"), [(40, US_ACTIVES), (48, US_ACTIVES), (42, US_REPO), (44, EU), (46, EU), (7, US_ACTIVES)]
)
def test_each_market_segment_has_its_calendar(segment: int, calendar: object) -> None:
    assert calendar_of_segment(segment) is calendar


@settings(max_examples=100, deadline=None)
@given(st.integers(0, utc("2199-12-20T00:00:00")))
def test_the_next_close_is_never_before_and_at_most_five_days_ahead(now: int) -> None:
    close = US_ACTIVES.next_close(now)
    assert now <= close <= now + 5 * 86_400 * SECOND
    assert US_ACTIVES.next_close(close) == close
    assert US_ACTIVES.close_on(US_ACTIVES.day_of(close)) == close


def test_an_hour_that_exists_twice_means_its_first_occurrence() -> None:
    assert instant(date(2026, 11, 1), time(1, 30), NEW_YORK) == utc("2026-11-01T05:30:00")


def test_an_hour_that_does_not_exist_is_read_with_the_offset_from_before() -> None:
    assert instant(date(2026, 3, 8), time(2, 30), NEW_YORK) == utc("2026-03-08T07:30:00")
    assert instant(date(2026, 3, 29), time(1, 30), LONDON) == utc("2026-03-29T01:30:00")


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 3, 2), 12, date(2027, 3, 2)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 12, 31), 12, date(2027, 12, 31)),
        (date(2026, 10, 31), 1, date(2026, 11, 30)),
        (date(2026, 11, 15), 1, date(2026, 12, 15)),
    ],
)
def test_months_later_is_the_same_day_or_the_last_of_a_shorter_month(day: date, months: int, later: date) -> None:
    assert months_later(day, months) == later


def test_a_year_has_a_close_on_each_of_its_trading_days_and_no_other() -> None:
    close, closes = utc("2026-01-01T00:00:00"), 0
    while (close := US_ACTIVES.next_close(close + 1)) < utc("2027-01-01T12:00:00"):
        closes += 1
    days = (date(2026, 1, 1) + timedelta(count) for count in range(365))
    assert closes == sum(US_ACTIVES.is_trading_day(day) for day in days) == 250
