"""Trades that are cancelled or corrected, as recovery tells them again."""

import pytest
from tests.gateway.test_engine import NOW, PRICE, order, started

from ontherun.gateway.addenda import TradeNotFoundError, sides_of
from ontherun.gateway.engine import Engine
from ontherun.gateway.entries import Entry, Kind, json_body
from ontherun.ilink import messages as m
from ontherun.journal import Outbox


def traded(outbox: "Outbox[tuple[str, int]]") -> Engine:
    """An engine in which AAA bought 2 and 3 from BBB in one order; what was said is in the outbox."""
    engine = started()
    for session, frame in (
        ("BBB", order(1, side=2, order_qty=2).encode()),
        ("BBB", order(2, side=2, order_qty=3).encode()),
        ("AAA", order(1).encode()),
    ):
        engine.take(engine.lanes[session], frame, 0, len(frame), NOW)
    engine.outputs_crc()
    for lane in engine.touched:
        outbox.append(lane.key, lane.first, len(lane.out), lane.joined)
    engine.end_turn()
    return engine


@pytest.fixture
def outbox(tmp_path):  # type: ignore[no-untyped-def]
    opened: Outbox[tuple[str, int]] = Outbox(tmp_path / "outbox.bin")
    yield opened
    opened.close()


def addendum(engine: Engine, outbox: "Outbox[tuple[str, int]]", event: int, price: int | None, qty: int | None) -> None:
    listed = [[side.lane, side.frame.hex()] for side in sides_of(engine, outbox, event)]
    body = json_body({"event": event, "price": price, "qty": qty, "sides": listed})
    engine.apply(Entry(Kind.ADDENDUM, 0, NOW + 9, body))


def test_one_part_of_an_aggressors_trade_is_cancelled_for_both_sides(outbox: "Outbox[tuple[str, int]]") -> None:
    engine = traded(outbox)
    before = engine.market.state()[3]
    addendum(engine, outbox, 2, None, None)
    for session, side in (("AAA", 1), ("BBB", 2)):
        (frame,) = engine.lanes[session].out
        report = m.decode(frame)
        assert isinstance(report, m.ExecutionReportTradeAddendumOutright)
        (event,) = report.no_order_events
        assert (report.side, report.last_qty, report.last_px, report.transact_time) == (side, 3, PRICE, NOW + 9)
        assert (event.order_event_exec_id, event.original_order_event_exec_id) == (3, 2)
        assert (report.ord_status, event.order_event_type) == (ord("H"), 100)
    assert engine.market.state()[3] == before  # no quantity comes back


def test_the_same_entry_gives_the_same_bytes(outbox: "Outbox[tuple[str, int]]") -> None:
    engine = traded(outbox)
    listed = [[side.lane, side.frame.hex()] for side in sides_of(engine, outbox, 1)]
    entry = Entry(Kind.ADDENDUM, 0, NOW, json_body({"event": 1, "price": PRICE, "qty": 1, "sides": listed}))
    engine.apply(entry)
    first = engine.outputs_crc()
    outbox.clear()
    again = traded(outbox)
    again.apply(entry)
    assert again.outputs_crc() == first
    assert again.market.state_digest() == engine.market.state_digest()


def test_a_trade_that_never_was_is_not_found(outbox: "Outbox[tuple[str, int]]") -> None:
    with pytest.raises(TradeNotFoundError, match="no trade has OrderEventExecID 9"):
        sides_of(traded(outbox), outbox, 9)
