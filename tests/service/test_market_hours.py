"""A venue that keeps the exchange's hours, under a clock that is moved over the end of a trading day.

The days are those of the trading week that runs, because the next one ends every session.
"""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support.raw_client import RawClient
from tests.support.venue_thread import VenueThread

from ontherun.ilink import messages as m
from ontherun.market.benchmarks import BENCHMARKS
from ontherun.market.hours import Phase, hours_of_segment
from ontherun.market.states import SecurityTradingStatus as Status
from ontherun.registry import LabClock

NOTE = BENCHMARKS[0].security_id
PRICE = 99 * 10**9
MINUTE = 60 * 10**9


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[VenueThread]:
    with VenueThread(tmp_path / "data", segments={40: BENCHMARKS}, hours="exchange", lab=True) as running:
        yield running


def two_days(venue: VenueThread) -> tuple[list[Phase], list[Phase]]:
    """The phases of two trading days of the running week, one after the other."""
    hours = hours_of_segment(40)
    began = datetime.fromtimestamp(venue.venue.segments[40].engine.week // 10**9, UTC).date()
    days = [hours.phases_of(began + timedelta(number)) for number in range(1, 6)]
    return next((one, two) for one, two in itertools.pairwise(days) if one and two)


def travel(venue: VenueThread, at: int) -> Status:
    """Move the venue's clock to a time, ns; the market's state then."""

    def move() -> Status:
        clock = venue.venue.registry.clock
        assert isinstance(clock, LabClock)
        clock.take(clock.at(at, stand_still=True))
        venue.venue.segments[40].keep_hours()
        return venue.venue.segments[40].engine.market.status

    return venue.call(move)


def test_the_day_ends_and_the_next_one_begins(venue: VenueThread) -> None:
    (_, opens, post_close, closed), (pre_open, again, *_) = two_days(venue)
    with RawClient(venue.address(40), venue.key()) as client:
        client.log_in()
        assert travel(venue, opens.at + MINUTE) is Status.OPEN
        client.order(NOTE, 1, PRICE, 1, b"DAY")
        client.expect(m.ExecutionReportNew)
        client.order(NOTE, 1, PRICE, 1, b"STAYS", time_in_force=1)
        client.expect(m.ExecutionReportNew)
        assert travel(venue, post_close.at + MINUTE) is Status.POST_CLOSE
        assert client.expect(m.ExecutionReportElimination).cl_ord_id == b"DAY"
        assert travel(venue, closed.at + MINUTE) is Status.CLOSED
        assert travel(venue, pre_open.at) is Status.PRE_OPEN
        assert travel(venue, again.at) is Status.OPEN
        client.order(NOTE, 2, PRICE, 1, b"SELL")
        client.expect(m.ExecutionReportNew)
        resting = client.expect(m.ExecutionReportTradeOutright)
        assert (resting.cl_ord_id, resting.trade_date) == (b"STAYS", again.trade_date)


def test_a_clock_that_is_moved_back_ends_no_day(venue: VenueThread) -> None:
    (_, _, post_close, _), (_, opens, *_) = two_days(venue)
    with RawClient(venue.address(40), venue.key()) as client:
        client.log_in()
        assert travel(venue, opens.at + MINUTE) is Status.OPEN
        client.order(NOTE, 1, PRICE, 1, b"DAY")
        client.expect(m.ExecutionReportNew)
        assert travel(venue, post_close.at + MINUTE) is Status.POST_CLOSE
        assert travel(venue, opens.at + MINUTE) is Status.OPEN
        client.order(NOTE, 2, PRICE, 1, b"SELL")
        client.expect(m.ExecutionReportNew)
        assert client.expect(m.ExecutionReportTradeOutright).cl_ord_id == b"DAY"
