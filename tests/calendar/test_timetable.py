"""When requests are carried out: 12:00 and 16:00 Central on business days."""

from datetime import date, datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontherun.calendar import AT_ONCE, CENTRAL, EXCHANGE, SECOND, RequestKind, local

SESSION, PROTOCOL = RequestKind.ORDER_ENTRY_SESSION, RequestKind.SESSION_PROTOCOL
DROP_COPY, MARKET_DATA = RequestKind.DROP_COPY_GROUP, RequestKind.MARKET_DATA_SESSION


def central(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=CENTRAL).timestamp()) * SECOND


def test_an_order_entry_session_asked_for_before_noon_takes_effect_the_same_day() -> None:
    assert EXCHANGE.effective_at(SESSION, central("2026-11-23 09:00")) == central("2026-11-23 12:00")
    assert EXCHANGE.effective_at(SESSION, central("2026-11-23 12:00") - 1) == central("2026-11-23 12:00")


def test_an_order_entry_session_asked_for_at_noon_or_later_takes_effect_the_next_business_day() -> None:
    for asked in ("2026-11-23 12:00", "2026-11-23 12:01", "2026-11-23 23:59"):
        assert EXCHANGE.effective_at(SESSION, central(asked)) == central("2026-11-24 12:00")


@pytest.mark.parametrize("kind", [PROTOCOL, DROP_COPY, MARKET_DATA])
def test_protocols_drop_copy_and_market_data_are_done_at_four(kind: RequestKind) -> None:
    assert EXCHANGE.effective_at(kind, central("2026-11-23 09:00")) == central("2026-11-23 16:00")
    assert EXCHANGE.effective_at(kind, central("2026-11-23 15:59")) == central("2026-11-23 16:00")
    assert EXCHANGE.effective_at(kind, central("2026-11-23 16:00")) == central("2026-11-24 16:00")


@pytest.mark.parametrize(
    ("asked", "effective"),
    [
        ("2026-11-20 13:00", "2026-11-23 12:00"),  # Friday afternoon
        ("2026-11-21 09:00", "2026-11-23 12:00"),  # Saturday
        ("2026-11-25 13:00", "2026-11-27 12:00"),  # the day before Thanksgiving
        ("2026-11-26 09:00", "2026-11-27 12:00"),  # Thanksgiving
        ("2026-12-24 12:00", "2026-12-28 12:00"),  # over Christmas
        ("2026-12-31 12:00", "2027-01-04 12:00"),  # over New Year
    ],
)
def test_weekends_and_holidays_roll_to_the_next_business_day(asked: str, effective: str) -> None:
    assert EXCHANGE.effective_at(SESSION, central(asked)) == central(effective)


def test_an_early_close_of_the_market_is_a_business_day_like_any_other() -> None:
    assert EXCHANGE.effective_at(MARKET_DATA, central("2026-11-27 15:00")) == central("2026-11-27 16:00")


def test_a_later_live_date_wins_over_the_processing_date() -> None:
    asked = central("2026-11-23 09:00")
    assert EXCHANGE.effective_at(SESSION, asked, date(2026, 12, 1)) == central("2026-12-01 12:00")


def test_the_processing_date_wins_over_an_earlier_live_date() -> None:
    asked = central("2026-11-23 13:00")
    for live_date in (date(2026, 11, 1), date(2026, 11, 23)):
        assert EXCHANGE.effective_at(SESSION, asked, live_date) == central("2026-11-24 12:00")


def test_a_live_date_on_a_holiday_moves_to_the_next_business_day() -> None:
    asked = central("2026-11-23 09:00")
    assert EXCHANGE.effective_at(SESSION, asked, date(2026, 11, 26)) == central("2026-11-27 12:00")


def test_the_run_stays_at_noon_in_chicago_when_the_clocks_change() -> None:
    for day in ("2026-03-06", "2026-03-09", "2026-10-30", "2026-11-02"):
        effective = EXCHANGE.effective_at(SESSION, central(f"{day} 08:00"))
        assert local(effective, CENTRAL).time() == time(12)
    assert EXCHANGE.effective_at(SESSION, central("2026-03-06 13:00")) - central("2026-03-06 12:00") == (
        71 * 3600 * SECOND  # over the weekend on which the clocks go forward
    )


def test_at_once_nobody_waits_but_for_the_live_date() -> None:
    asked = central("2026-11-21 09:00")
    assert AT_ONCE.effective_at(SESSION, asked) == asked
    assert AT_ONCE.effective_at(SESSION, asked, date(2026, 11, 21)) == asked
    assert AT_ONCE.effective_at(SESSION, asked, date(2026, 11, 22)) == central("2026-11-22 00:00")
    assert AT_ONCE.at_once
    assert AT_ONCE.next_runs(asked) == {}


def test_the_next_runs_are_what_a_countdown_shows() -> None:
    assert EXCHANGE.next_runs(central("2026-11-23 13:00")) == {
        SESSION: central("2026-11-24 12:00"),
        PROTOCOL: central("2026-11-23 16:00"),
        DROP_COPY: central("2026-11-23 16:00"),
        MARKET_DATA: central("2026-11-23 16:00"),
    }


def test_every_kind_of_request_has_its_run_at_the_exchange() -> None:
    assert set(EXCHANGE.runs) == set(RequestKind)
    assert not EXCHANGE.at_once


@settings(max_examples=100, deadline=None)
@given(st.integers(0, central("2199-12-01 00:00")), st.sampled_from(list(RequestKind)))
def test_a_request_takes_effect_later_than_it_was_submitted_on_a_business_day(asked: int, kind: RequestKind) -> None:
    effective = EXCHANGE.effective_at(kind, asked)
    assert effective > asked
    shown = local(effective, CENTRAL)
    assert EXCHANGE.is_business_day(shown.date())
    assert shown.time() == EXCHANGE.runs[kind]
    assert EXCHANGE.effective_at(kind, effective - 1) == effective
