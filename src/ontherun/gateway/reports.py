"""Execution reports: what the market said about an order, as the numbered frame that its owner receives.

Every function takes the event and `now` (ns), takes the next number of the owner's lane and leaves the frame there.
Fields that BrokerTec does not fill are null (schema id 8 version 9; CME client wiki, iLink Binary Order Entry for
BrokerTec Markets). Text goes out as it came in, but for SenderID, which the exchange upper-cases.
"""

from typing import TYPE_CHECKING

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
    ExecutionReportNew,
    ExecutionReportTradeOutright,
    ExecutionReportTradeOutrightNoFills,
    ExecutionReportTradeOutrightNoOrderEvents,
)
from ontherun.ilink.messages.composites import Decimal64NULL
from ontherun.market.book import Order
from ontherun.market.events import OrderAccepted, OrderCancelled, OrderEliminated, OrderModified, OrderTraded

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

_NO_MANTISSA, _NO_EXPONENT = Decimal64NULL()
_new = ExecutionReportNew.pack
_trade = ExecutionReportTradeOutright.pack
_fill = ExecutionReportTradeOutrightNoFills.pack
_order_event = ExecutionReportTradeOutrightNoOrderEvents.pack
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


def new(engine: "Engine", lane: Lane, event: OrderAccepted, now: int) -> None:
    """ExecutionReportNew (522) to the lane that sent the order. Each order comes this way, so it calls nothing that
    it need not."""
    order = event.order
    terms = order.terms
    stream = lane.stream
    number = stream.next_outbound
    stream.next_outbound = number + 1
    if not lane.out:
        lane.first = number
        engine.touched.append(lane)
    lane.out.append(
        _new(
            number,
            stream.uuid,
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
            INT64_NULL,  # ReservationPrice
            UINT8_NULL,  # PriorityIndicator
        )
    )


def trade(engine: "Engine", event: OrderTraded, now: int) -> None:
    """ExecutionReportTradeOutright (525) with one fill and an order event for each counter order."""
    order = event.order
    lane = lane_of(order)
    terms = order.terms
    price = event.price
    lane.out.append(
        _trade(
            next_number(engine, lane),
            lane.stream.uuid,
            event.exec_id,
            terms.sender_id.upper(),
            terms.cl_ord_id,
            terms.party_details_list_req_id,
            price,
            order.order_id,
            terms.price,
            INT64_NULL,  # StopPx
            now,
            now,
            terms.order_request_id,
            event.sec_exec_id,
            UINT64_NULL,  # CrossID
            UINT64_NULL,  # HostCrossID
            terms.location,
            terms.security_id,
            terms.order_qty,
            event.qty,
            event.cum_qty,
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
            NO_WORKUP,
            INT64_NULL,  # DiscretionPrice
            UINT16_NULL,  # TrdType
            UINT8_NULL,  # ExecRestatementReason
            UINT16_NULL,  # SettlDate
            UINT16_NULL,  # MaturityDate
            _NO_MANTISSA,  # CalculatedCcyLastQty
            _NO_EXPONENT,
            _NO_MANTISSA,  # GrossTradeAmt
            _NO_EXPONENT,
            INT64_NULL,  # BenchmarkPrice
            INT64_NULL,  # ReservationPrice
            UINT8_NULL,  # PriorityIndicator
            INT64_NULL,  # DisplayLimitPrice
            [_fill(price, event.qty, b"00", FIFO)],
            [
                _order_event(
                    price,
                    b"",
                    exec_id,
                    qty,
                    event_type,
                    BINARY_TRADE_REPORTING,
                    _NO_MANTISSA,
                    _NO_EXPONENT,
                    _NO_MANTISSA,
                    _NO_EXPONENT,
                )
                for exec_id, qty, event_type in event.order_events
            ],
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
