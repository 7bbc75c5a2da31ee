"""A venue that keeps the exchange's hours, under a clock that is moved over the end of a trading day."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.raw_client import RawClient
from tests.support.venue_thread import VenueThread

from ontherun.ilink import messages as m
from ontherun.market.benchmarks import BENCHMARKS
from ontherun.market.states import SecurityTradingStatus as Status
from ontherun.registry import LabClock

NOTE = BENCHMARKS[0].security_id
PRICE = 99 * 10**9


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[VenueThread]:
    with VenueThread(tmp_path / "data", segments={40: BENCHMARKS}, hours="exchange", lab=True) as running:
        yield running


def travel(venue: VenueThread, to: str) -> Status:
    """Move the venue's clock to a time in UTC; the market's state then."""
    at = int(datetime.fromisoformat(to).replace(tzinfo=UTC).timestamp()) * 10**9

    def move() -> Status:
        clock = venue.venue.registry.clock
        assert isinstance(clock, LabClock)
        clock.take(clock.at(at, stand_still=True))
        venue.venue.segments[40].keep_hours()
        return venue.venue.segments[40].engine.market.status

    return venue.call(move)


def test_the_day_ends_and_the_next_one_begins(venue: VenueThread) -> None:
    with RawClient(venue.address(40), venue.key()) as client:
        client.log_in()
        assert travel(venue, "2027-01-06T12:00:00") is Status.OPEN
        client.order(NOTE, 1, PRICE, 1, b"DAY")
        client.expect(m.ExecutionReportNew)
        client.order(NOTE, 1, PRICE, 1, b"STAYS", time_in_force=1)
        client.expect(m.ExecutionReportNew)
        assert travel(venue, "2027-01-06T22:31:00") is Status.POST_CLOSE
        assert client.expect(m.ExecutionReportElimination).cl_ord_id == b"DAY"
        assert travel(venue, "2027-01-06T23:14:00") is Status.CLOSED
        assert travel(venue, "2027-01-06T23:15:00") is Status.PRE_OPEN
        assert travel(venue, "2027-01-06T23:30:00") is Status.OPEN
        client.order(NOTE, 2, PRICE, 1, b"SELL")
        client.expect(m.ExecutionReportNew)
        resting = client.expect(m.ExecutionReportTradeOutright)
        assert (resting.cl_ord_id, resting.trade_date) == (b"STAYS", 20825)  # 2027-01-07


def test_a_clock_that_is_moved_back_ends_no_day(venue: VenueThread) -> None:
    with RawClient(venue.address(40), venue.key()) as client:
        client.log_in()
        assert travel(venue, "2027-01-06T12:00:00") is Status.OPEN
        client.order(NOTE, 1, PRICE, 1, b"DAY")
        client.expect(m.ExecutionReportNew)
        assert travel(venue, "2027-01-05T22:40:00") is Status.POST_CLOSE
        assert travel(venue, "2027-01-05T23:40:00") is Status.OPEN
        client.order(NOTE, 2, PRICE, 1, b"SELL")
        client.expect(m.ExecutionReportNew)
        assert client.expect(m.ExecutionReportTradeOutright).cl_ord_id == b"DAY"
