"""Trades that the venue cancels or corrects afterwards: ExecutionReportTradeAddendumOutright (548) to both sides.

A trade is named by its OrderEventExecID (1797), which both sides' reports share. What the addendum repeats is read from
those reports, so it stands in the journal with the command. The match itself stays as it was: no quantity comes back to
the orders. The addendum has an OrderEventExecID of its own, and 6555, 9703, 1507 and 19 name what it changes.

Source: CME client wiki, trade cancel and correction for BrokerTec; schema id 8 version 9. That an aggressor's report
with several counter orders is cancelled part by part is ours.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ontherun.gateway.reports import BINARY_TRADE_REPORTING, FIFO, next_number
from ontherun.ilink.messages import (
    ExecutionReportTradeAddendumOutright,
    ExecutionReportTradeAddendumOutrightNoFills,
    ExecutionReportTradeAddendumOutrightNoOrderEvents,
    ExecutionReportTradeOutright,
)
from ontherun.ilink.messages.enums import OrdStatusTrdCxl, TradeAddendum
from ontherun.journal import Outbox

if TYPE_CHECKING:
    from ontherun.gateway.engine import Engine

_SIDES = 2
_AT_ONCE = 2_500
"""Messages of a session that are read at a time, from the last one back."""

_TRADE, _ADDENDUM = ExecutionReportTradeOutright.TEMPLATE_ID, ExecutionReportTradeAddendumOutright.TEMPLATE_ID


class TradeNotFoundError(LookupError):
    """No such trade among the messages of the sessions' present UUIDs, or it was changed already."""


class Side(NamedTuple):
    """The report of one side of a trade: the lane it went to, and its frame."""

    lane: int
    frame: bytes


def sides_of(engine: "Engine", outbox: "Outbox[tuple[str, int]]", order_event_exec_id: int) -> list[Side]:
    """The last reports of both sides of a trade. Raises TradeNotFoundError."""
    found: list[Side] = []
    for lane in engine.lanes.values():
        kept = outbox.stored(lane.key)
        for stop in range(kept.stop, kept.start, -_AT_ONCE):
            first = max(stop - _AT_ONCE, kept.start)
            read = reversed(outbox.read(lane.key, first, stop - first))
            found += [Side(lane.number, frame) for frame in read if _is_about(frame, order_event_exec_id)]
            if len(found) == _SIDES:
                return found
    raise TradeNotFoundError(f"no trade has OrderEventExecID {order_event_exec_id}")


def write(engine: "Engine", value: Mapping[str, object], now: int) -> int:
    """Tell both sides that a trade is cancelled (548 with H) or corrected (G); the new OrderEventExecID.

    `value` is the journal entry: `event`, `price` and `qty` (null: cancelled) and `sides`.
    """
    price, qty, listed = value["price"], value["qty"], value["sides"]
    assert isinstance(listed, list)
    sides = [(engine.lane_numbered(lane), bytes.fromhex(frame)) for lane, frame in listed]
    numbers = engine.market.number_addendum(len(sides))
    for (lane, frame), (exec_id, sec_exec_id, side_trade_id) in zip(sides, numbers.reports, strict=True):
        report = _decoded(frame)
        part = next(each for each in report.no_order_events if each.order_event_exec_id == value["event"])
        cancelled = price is None
        last_px = part.order_event_px if price is None else int(str(price))
        last_qty = part.order_event_qty if qty is None else int(str(qty))
        event_type = TradeAddendum.TRADE_CANCEL if cancelled else TradeAddendum.TRADE_CORRECTION
        status = OrdStatusTrdCxl.TRADE_CANCEL if cancelled else OrdStatusTrdCxl.TRADE_CORRECTION
        lane.out.append(
            ExecutionReportTradeAddendumOutright(
                seq_num=next_number(engine, lane),
                uuid=lane.stream.uuid,
                exec_id=exec_id,
                sender_id=report.sender_id,
                cl_ord_id=report.cl_ord_id,
                party_details_list_req_id=report.party_details_list_req_id,
                last_px=last_px,
                order_id=report.order_id,
                transact_time=now,
                sending_time_epoch=now,
                sec_exec_id=sec_exec_id,
                orig_secondary_execution_id=report.sec_exec_id,
                location=report.location,
                security_id=report.security_id,
                last_qty=last_qty,
                side_trade_id=side_trade_id,
                orig_side_trade_id=report.side_trade_id,
                trade_date=report.trade_date,
                ord_status=status,
                exec_type=status,
                side=report.side,
                manual_order_indicator=report.manual_order_indicator,
                poss_retrans_flag=0,
                exec_inst=report.exec_inst,
                execution_mode=report.execution_mode,
                liquidity_flag=report.liquidity_flag,
                managed_order=report.managed_order,
                short_sale_type=report.short_sale_type,
                md_trade_entry_id=report.md_trade_entry_id,
                exec_ref_id=report.exec_id,
                no_fills=[
                    ExecutionReportTradeAddendumOutrightNoFills(
                        fill_px=last_px, fill_qty=last_qty, fill_exec_id=b"00", fill_yield_type=FIFO
                    )
                ],
                no_order_events=[
                    ExecutionReportTradeAddendumOutrightNoOrderEvents(
                        order_event_px=last_px,
                        order_event_exec_id=numbers.order_event_exec_id,
                        order_event_qty=last_qty,
                        order_event_type=event_type,
                        order_event_reason=BINARY_TRADE_REPORTING,
                        original_order_event_exec_id=part.order_event_exec_id,
                    )
                ],
            ).encode()
        )
    return numbers.order_event_exec_id


def _is_about(frame: bytes, order_event_exec_id: int) -> bool:
    """Whether a frame reports this trade. Raises TradeNotFoundError where it says that the trade is another now."""
    if int.from_bytes(frame[6:8], "little") not in (_TRADE, _ADDENDUM):
        return False
    report = _decoded(frame)
    events = report.no_order_events
    if isinstance(report, ExecutionReportTradeAddendumOutright):
        (event,) = report.no_order_events
        if event.original_order_event_exec_id == order_event_exec_id:
            raise TradeNotFoundError(
                f"trade {order_event_exec_id} was changed already: it is {event.order_event_exec_id} now"
            )
        if report.ord_status == OrdStatusTrdCxl.TRADE_CANCEL and event.order_event_exec_id == order_event_exec_id:
            raise TradeNotFoundError(f"trade {order_event_exec_id} is a cancelled one")
    return any(event.order_event_exec_id == order_event_exec_id for event in events)


def _decoded(frame: bytes) -> ExecutionReportTradeOutright | ExecutionReportTradeAddendumOutright:
    if int.from_bytes(frame[6:8], "little") == _TRADE:
        return ExecutionReportTradeOutright.decode(frame)
    return ExecutionReportTradeAddendumOutright.decode(frame)
