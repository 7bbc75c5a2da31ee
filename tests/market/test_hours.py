"""Trading hours: the phases of days, as the exchange publishes them."""

import itertools
from datetime import date, datetime, time, timedelta

import pytest

from ontherun.calendar import LONDON, NEW_YORK, SECOND
from ontherun.market.hours import POST_CLOSE, Phase, hours_of_segment
from ontherun.market.states import SecurityTradingStatus as Status

ACTIVES = hours_of_segment(40)


def at(day, clock, zone=NEW_YORK):
    return int(datetime.combine(day, time.fromisoformat(clock), zone).timestamp()) * SECOND


def number(day):
    return (day - date(1970, 1, 1)).days


@pytest.mark.parametrize(
    ("day", "pre_open", "opens"),
    [
        (date(2027, 1, 4), "17:30", "18:30"),  # a Monday in winter: opens on Sunday
        (date(2027, 1, 5), "18:15", "18:30"),
        (date(2027, 1, 8), "18:15", "18:30"),
        (date(2027, 7, 12), "18:30", "19:30"),  # in summer
        (date(2027, 7, 13), "19:15", "19:30"),
    ],
)
def test_a_day_of_the_us_actives_begins_on_the_evening_before(day, pre_open, opens):
    evening = day - timedelta(1)
    assert ACTIVES.phases_of(day) == [
        Phase(at(evening, pre_open), Status.PRE_OPEN, number(day)),
        Phase(at(evening, opens), Status.OPEN, number(day)),
        Phase(at(day, "17:30"), Status.POST_CLOSE, number(day), ends_day=True),
        Phase(at(day, "17:30") + POST_CLOSE, Status.CLOSED, number(day)),
    ]


def test_an_early_close_and_a_holiday_are_the_calendars():
    friday = date(2026, 11, 27)  # the day after Thanksgiving
    assert ACTIVES.phases_of(friday)[2].at == at(friday, "14:00")
    assert ACTIVES.phases_of(friday - timedelta(1)) == []


def test_the_weekend_is_closed():
    friday, sunday = date(2027, 1, 8), date(2027, 1, 10)
    assert ACTIVES.phase_at(at(friday, "17:29")).status is Status.OPEN
    assert ACTIVES.phase_at(at(friday, "17:30")).status is Status.POST_CLOSE
    assert ACTIVES.phase_at(at(sunday, "17:29")) == Phase(
        at(friday, "17:30") + POST_CLOSE, Status.CLOSED, number(friday)
    )
    assert ACTIVES.phase_at(at(sunday, "17:30")).status is Status.PRE_OPEN


@pytest.mark.parametrize("segment", [40, 42, 44, 46, 48])
def test_phases_follow_one_another_without_end_and_without_overlap(segment):
    hours = hours_of_segment(segment)
    coming = hours.after(at(date(2026, 12, 20), "12:00"))
    phases = [next(coming) for _ in range(400)]
    assert [phase.at for phase in phases] == sorted({phase.at for phase in phases})
    for earlier, later in itertools.pairwise(phases):
        assert hours.phase_at(later.at - 1) == earlier
        assert hours.phase_at(later.at) == later
        assert later.trade_date >= earlier.trade_date


def test_the_eu_markets_open_in_the_morning():
    day = date(2027, 1, 5)
    assert [phase.at for phase in hours_of_segment(46).phases_of(day)[:2]] == [
        at(day, "06:45", LONDON),
        at(day, "07:00", LONDON),
    ]
