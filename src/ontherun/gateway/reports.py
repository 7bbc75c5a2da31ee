"""Execution reports: what the market said about an order, as the numbered frame that its owner receives.

Every function takes the event and `now` (ns), takes the next number of the owner's lane and leaves the frame there.
Fields that BrokerTec does not fill are null (schema id 8 version 9; CME client wiki, iLink Binary Order Entry for
BrokerTec Markets). Text goes out as it came in, but for SenderID, which the exchange upper-cases.
"""

from struct import Struct
from typing import TYPE_CHECKING

from ontherun.gateway.acceptance import NO_CROSS, NO_STOP, accept, frame_start
from ontherun.gateway.lane import Lane, Owner
from ontherun.ilink.messages import (
    INT64_NULL,
    UINT8_NULL,
    UINT16_NULL,
    UINT32_NULL,
    UINT64_NULL,
    ExecutionReportCancel,
    ExecutionReportElimination,
    ExecutionReportModify,
    ExecutionReportTradeOutright,
    ExecutionReportTradeOutrightNoFills,
    ExecutionReportTradeOutrightNoOrderEvents,
)
from ontherun.ilink.messages.composites import Decimal64NULL
from ontherun.market.book import Order
from ontherun.market.events import OrderAccepted, OrderCancelled, OrderEliminated, OrderModified, OrderTraded
from ontherun.sbe.framing import HEADER

if TYPE_CHECKING:
    from ontherun.gateway.engine import Engine

PARTIALLY_FILLED = 1
FILLED = 2
"""OrdStatus (39) of a trade report: a number there, not a character."""

FIFO = 1
"""FillYieldType (1622) names the match algorithm; the code of price-time priority is inferred."""

BINARY_TRADE_REPORTING = 100
"""OrderEventReason (1798)."""

NO_WORKUP = 9
"""Ownership (7191): not applicable, as on all US Treasuries since work-up ended there."""

# Packed by a struct of its own for the same reasons as an acceptance.
_TRADE = Struct("<H10sIQ40s20s20sQqQq8sQQQQ16s5siIII")
_TRADE_QUANTITIES = Struct("<IIIIHHBBBBBBBBBBBBB")
_TRADE_START = frame_start(ExecutionReportTradeOutright)
_NO_DECIMAL = Struct("<qb").pack(*Decimal64NULL())
_TRADE_REST = (  # DiscretionPrice to DisplayLimitPrice
    Struct("<qHBHH").pack(INT64_NULL, UINT16_NULL, UINT8_NULL, UINT16_NULL, UINT16_NULL)
    + _NO_DECIMAL * 2
    + Struct("<qqBq").pack(INT64_NULL, INT64_NULL, UINT8_NULL, INT64_NULL)
)
_ONE_FILL = Struct("<HBqI2sB")
_ORDER_EVENTS = Struct("<HB")
_ORDER_EVENT = Struct("<q5sIIBB")
_ORDER_EVENT_REST = _NO_DECIMAL * 2  # ContraGrossTradeAmt, ContraCalculatedCcyLastQty
_NO_WORKUP_REST = bytes([NO_WORKUP]) + _TRADE_REST
_FILL_SIZE = ExecutionReportTradeOutrightNoFills.BLOCK_LENGTH
_ORDER_EVENT_SIZE = ExecutionReportTradeOutrightNoOrderEvents.BLOCK_LENGTH
_TRADE_SIZE = HEADER.size + ExecutionReportTradeOutright.BLOCK_LENGTH + _ONE_FILL.size + _ORDER_EVENTS.size

_trade = _TRADE.pack
_trade_quantities = _TRADE_QUANTITIES.pack
_elimination = ExecutionReportElimination.pack
_modify = ExecutionReportModify.pack
_cancel = ExecutionReportCancel.pack


def next_number(engine: "Engine", lane: Lane) -> int:
    """Take the lane's next outbound SeqNum; the caller appends the frame."""
    stream = lane.stream
    number = stream.next_outbound
    stream.next_outbound = number + 1
    if not lane.out:
        lane.first = number
        engine.touched.append(lane)
    return number


def acceptance(engine: "Engine", event: OrderAccepted, now: int) -> None:
    """ExecutionReportNew (522)."""
    accept(engine, lane_of(event.order), event.order, event.exec_id, now)


def trade(engine: "Engine", event: OrderTraded, now: int) -> None:
    """ExecutionReportTradeOutright (525) with one fill and an order event for each counter order."""
    order = event.order
    lane = lane_of(order)
    terms = order.terms
    price = event.price
    events = event.order_events
    listed = [
        _ORDER_EVENT.pack(price, b"", exec_id, qty, event_type, BINARY_TRADE_REPORTING) + _ORDER_EVENT_REST
        for exec_id, qty, event_type in events
    ]
    lane.out.append(
        b"".join(
            (
                _trade(
                    _TRADE_SIZE + _ORDER_EVENT_SIZE * len(events),
                    _TRADE_START,
                    next_number(engine, lane),
                    lane.stream.uuid,
                    event.exec_id,
                    terms.sender_id.upper(),
                    terms.cl_ord_id,
                    terms.party_details_list_req_id,
                    price,
                    order.order_id,
                    terms.price,
                    NO_STOP,
                    now,
                    now,
                    terms.order_request_id,
                    event.sec_exec_id,
                    NO_CROSS,
                    terms.location,
                    terms.security_id,
                    terms.order_qty,
                    event.qty,
                    event.cum_qty,
                ),
                _trade_quantities(
                    event.md_trade_entry_id,
                    event.side_trade_id,
                    UINT32_NULL,  # TradeLinkID
                    event.leaves_qty,
                    event.trade_date,
                    terms.expire_date,
                    PARTIALLY_FILLED if event.leaves_qty else FILLED,
                    terms.ord_type,
                    terms.side,
                    terms.time_in_force,
                    terms.manual_order_indicator,
                    0,  # PossRetransFlag
                    event.aggressor,
                    UINT8_NULL,  # CrossType
                    terms.exec_inst,
                    terms.execution_mode,
                    terms.liquidity_flag,
                    terms.managed_order,
                    terms.short_sale_type,
                ),
                _NO_WORKUP_REST,
                _ONE_FILL.pack(_FILL_SIZE, 1, price, event.qty, b"00", FIFO),
                _ORDER_EVENTS.pack(_ORDER_EVENT_SIZE, len(events)),
                *listed,
            )
        )
    )


def elimination(engine: "Engine", event: OrderEliminated, now: int) -> None:
    """ExecutionReportElimination (524)."""
    order = event.order
    lane = lane_of(order)
    terms = order.terms
    lane.out.append(
        _elimination(
            next_number(engine, lane),
            lane.stream.uuid,
            event.exec_id,
            terms.sender_id.upper(),
            terms.cl_ord_id,
            terms.party_details_list_req_id,
            order.order_id,
            terms.price,
            INT64_NULL,  # StopPx
            now,
            now,
            terms.order_request_id,
            UINT64_NULL,  # CrossID
            UINT64_NULL,  # HostCrossID
            terms.location,
            terms.security_id,
            order.cum_qty,
            terms.order_qty,
            terms.min_qty,
            terms.display_qty,
            terms.expire_date,
            terms.ord_type,
            terms.side,
            terms.time_in_force,
            terms.manual_order_indicator,
            0,  # PossRetransFlag
            UINT8_NULL,  # CrossType
            terms.exec_inst,
            terms.execution_mode,
            terms.liquidity_flag,
            terms.managed_order,
            terms.short_sale_type,
            INT64_NULL,  # DiscretionPrice
            INT64_NULL,  # ReservationPrice
            UINT8_NULL,  # PriorityIndicator
        )
    )


def modify(engine: "Engine", event: OrderModified, now: int) -> None:
    """ExecutionReportModify (531)."""
    order = event.order
    lane = lane_of(order)
    terms = order.terms
    lane.out.append(
        _modify(
            next_number(engine, lane),
            lane.stream.uuid,
            event.exec_id,
            terms.sender_id.upper(),
            terms.cl_ord_id,
            terms.party_details_list_req_id,
            order.order_id,
            terms.price,
            INT64_NULL,  # StopPx
            now,
            now,
            terms.order_request_id,
            UINT64_NULL,  # CrossID
            UINT64_NULL,  # HostCrossID
            terms.location,
            terms.security_id,
            terms.order_qty,
            event.cum_qty,
            event.leaves_qty,
            terms.min_qty,
            terms.display_qty,
            terms.expire_date,
            UINT16_NULL,  # DelayDuration
            terms.ord_type,
            terms.side,
            terms.time_in_force,
            terms.manual_order_indicator,
            0,  # PossRetransFlag
            UINT8_NULL,  # SplitMsg
            UINT8_NULL,  # CrossType
            terms.exec_inst,
            terms.execution_mode,
            terms.liquidity_flag,
            terms.managed_order,
            terms.short_sale_type,
            UINT64_NULL,  # DelayToTime
            INT64_NULL,  # DiscretionPrice
            UINT8_NULL,  # PriorityIndicator
        )
    )


def cancel(engine: "Engine", event: OrderCancelled, now: int) -> None:
    """ExecutionReportCancel (534): the requester's identifiers where a request asked for it, else the order's own."""
    order = event.order
    lane = lane_of(order)
    terms = order.terms
    asked = event.request or terms
    lane.out.append(
        _cancel(
            next_number(engine, lane),
            lane.stream.uuid,
            event.exec_id,
            asked.sender_id.upper(),
            asked.cl_ord_id,
            asked.party_details_list_req_id,
            order.order_id,
            terms.price,
            INT64_NULL,  # StopPx
            now,
            now,
            asked.order_request_id,
            UINT64_NULL,  # CrossID
            UINT64_NULL,  # HostCrossID
            asked.location,
            terms.security_id,
            terms.order_qty,
            order.cum_qty,
            terms.min_qty,
            terms.display_qty,
            terms.expire_date,
            UINT16_NULL,  # DelayDuration
            terms.ord_type,
            terms.side,
            terms.time_in_force,
            asked.manual_order_indicator,
            0,  # PossRetransFlag
            UINT8_NULL,  # SplitMsg
            event.restatement_reason,
            UINT8_NULL,  # CrossType
            terms.exec_inst,
            terms.execution_mode,
            asked.liquidity_flag,
            terms.managed_order,
            terms.short_sale_type,
            UINT64_NULL,  # DelayToTime
            INT64_NULL,  # DiscretionPrice
            INT64_NULL,  # ReservationPrice
            UINT8_NULL,  # PriorityIndicator
            b"",  # OrigOrderUser
            b"",  # CancelText
        )
    )


def lane_of(order: Order) -> Lane:
    """The lane that an order's reports go to: the gateway's own Owner, which the market handed back."""
    owner = order.owner
    assert owner.__class__ is Owner
    return owner.lane
