"""The acceptance of an order: ExecutionReportNew (522), which every order gets, and most nothing else.

Nulls and texts are as in `reports`.
"""

from struct import Struct
from typing import TYPE_CHECKING

from ontherun.gateway.lane import Lane
from ontherun.gateway.new_order import NewOrder
from ontherun.ilink.messages import INT64_NULL, UINT8_NULL, UINT16_NULL, UINT64_NULL, ExecutionReportNew
from ontherun.ilink.messages.enums import OrdType
from ontherun.market.book import Order
from ontherun.market.terms import BUY, SELL
from ontherun.sbe.framing import ENCODING_TYPE, HEADER
from ontherun.sbe.message import Message

if TYPE_CHECKING:
    from ontherun.gateway.engine import Engine


def frame_start(message: type[Message]) -> bytes:
    """What stands between the size and the block of a message's frame."""
    return HEADER.pack(0, ENCODING_TYPE, message.BLOCK_LENGTH, message.TEMPLATE_ID, message.SCHEMA_ID, message.VERSION)[
        2:
    ]


# An order costs one or two of these reports, so they are packed by structs of their own, in which neighbours that never
# differ are one constant: each value costs, and Python passes a call with more than thirty of them through a list.
_PLAIN = Struct("<12sIQ40s20s20sQQq8sQQQ21siI49s")
_PLAIN_START = _PLAIN.size.to_bytes(2, "little") + frame_start(ExecutionReportNew)
_PLAIN_END = Struct("<12sBBBB4sB28s")
NO_STOP = INT64_NULL.to_bytes(8, "little")  # StopPx
NO_CROSS = b"\xff" * 16  # CrossID, HostCrossID
_PLAIN_LIMIT = b"\xff" * 12  # MinQty, DisplayQty, ExpireDate, DelayDuration
_PLAIN_ORIGINAL = b"\x00\xff\xff\x00"  # PossRetransFlag, SplitMsg, CrossType; ExecInst
_PLAIN_REST = b"\xff" * 3 + Struct("<QqqB").pack(  # LiquidityFlag, ManagedOrder, ShortSaleType;
    UINT64_NULL,
    INT64_NULL,
    INT64_NULL,
    UINT8_NULL,  # DelayToTime, DiscretionPrice, ReservationPrice, PriorityIndicator
)

_plain = _PLAIN.pack
_new = ExecutionReportNew.pack


def accept(engine: "Engine", lane: Lane, order: Order, exec_id: bytes, now: int) -> None:
    """ExecutionReportNew (522) to the lane that sent the order. Each order comes this way, so it calls little."""
    terms = order.terms
    stream = lane.stream
    number = stream.next_outbound
    stream.next_outbound = number + 1
    out = lane.out
    if not out:
        lane.first = number
        engine.touched.append(lane)
    if not isinstance(terms, NewOrder):
        out.append(_any_new(number, stream.uuid, order, exec_id, now))
        return
    location, buy, sell = terms.form.accepted or _accepted(terms)
    out.append(
        _plain(
            _PLAIN_START,
            number,
            stream.uuid,
            exec_id,
            terms.sender_id.upper(),
            terms.cl_ord_id,
            terms.party_details_list_req_id,
            order.order_id,
            terms.price,
            NO_STOP,
            now,
            now,
            terms.order_request_id,
            location,
            terms.security_id,
            terms.order_qty,
            buy if terms.side == BUY else sell,
        )
    )


def _accepted(order: NewOrder) -> tuple[bytes, bytes, bytes]:
    """How acceptances of all orders of a form say what the form says."""
    buy, sell = (
        _PLAIN_END.pack(
            _PLAIN_LIMIT,
            OrdType.LIMIT,
            side,
            order.time_in_force,
            order.manual_order_indicator,
            _PLAIN_ORIGINAL,
            order.execution_mode,
            _PLAIN_REST,
        )
        for side in (BUY, SELL)
    )
    order.form.accepted = accepted = (NO_CROSS + order.location.ljust(5, b"\0"), buy, sell)
    return accepted


def _any_new(number: int, uuid: int, order: Order, exec_id: bytes, now: int) -> bytes:
    """The same for an order with anything unusual about it."""
    terms = order.terms
    return _new(
        number,
        uuid,
        exec_id,
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
