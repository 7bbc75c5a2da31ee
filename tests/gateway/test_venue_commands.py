"""What the venue does to the market: journaled, reported, and said again by recovery."""

import pytest
from tests.gateway.test_engine import NOW, order, said, started

from ontherun.gateway.engine import Engine
from ontherun.gateway.entries import Entry, Kind, json_body
from ontherun.ilink import messages as m
from ontherun.market.policy import SegmentPolicy


def send(engine: Engine, session: str, frame: bytes) -> None:
    lane = engine.lanes[session]
    assert engine.take(lane, frame, 0, len(frame), NOW) == len(frame)


def command(engine: Engine, name: str, **given: int) -> None:
    """Carry a command out as recovery does, from its entry."""
    engine.apply(Entry(Kind.COMMAND, 0, NOW + 9, json_body({"do": name, **given})))


def test_the_end_of_the_day_eliminates_what_does_not_stay() -> None:
    engine = started()
    send(engine, "AAA", order(1).encode() + order(2, time_in_force=1).encode())
    said(engine)
    command(engine, "end_of_day")
    (report,) = said(engine)
    assert isinstance(report, m.ExecutionReportElimination)
    assert (report.cl_ord_id, report.transact_time) == (b"ORDER1", NOW + 9)


def test_a_cancel_by_the_venue_says_why() -> None:
    engine = started()
    send(engine, "AAA", order(1).encode())
    (accepted,) = said(engine)
    assert isinstance(accepted, m.ExecutionReportNew)
    command(engine, "cancel_order", order_id=accepted.order_id, reason=111)
    (report,) = said(engine)
    assert isinstance(report, m.ExecutionReportCancel)
    assert report.exec_restatement_reason == 111


def test_a_state_and_its_trading_day_hold_for_what_follows() -> None:
    engine = started()
    command(engine, "set_state", status=21, trade_date=20_000)
    send(engine, "AAA", order(1).encode())
    send(engine, "BBB", order(1, side=2, time_in_force=3).encode())
    (refused,) = [m.decode(frame) for frame in engine.lanes["BBB"].out]
    assert isinstance(refused, m.ExecutionReportReject)
    assert refused.ord_rej_reason == 2130
    said(engine)
    command(engine, "set_state", status=17)
    send(engine, "BBB", order(2, side=2, time_in_force=3).encode())
    (bought,) = said(engine)
    assert isinstance(bought, m.ExecutionReportTradeOutright)
    assert bought.trade_date == 20_000


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("no such command", {}),
        ("set_state", {"status": 99}),
        ("cancel_order", {"order_id": 7, "reason": 111}),
        ("new_on_the_run", {"security_id": 7}),
    ],
)
def test_what_cannot_be_done_changes_nothing(name: str, given: dict[str, int]) -> None:
    engine = started()
    send(engine, "AAA", order(1).encode())
    before = engine.market.state()
    with pytest.raises((LookupError, ValueError)):
        engine.command(name, given, NOW)
    assert engine.market.state() == before


def test_an_engine_without_orders_takes_commands() -> None:
    engine = Engine(40, SegmentPolicy())
    command(engine, "end_of_day")
    assert engine.outputs_crc() == 0
