"""Refusals: the numbered frames that say why a message was not carried out, and the line about it for the log."""

from typing import TYPE_CHECKING, NamedTuple

from ontherun.gateway.lane import Lane, Owner
from ontherun.gateway.new_order import NewOrder
from ontherun.gateway.reports import next_number
from ontherun.ilink.codes import BusinessRejectReason
from ontherun.ilink.messages import (
    BY_TEMPLATE,
    BusinessReject,
    ExecutionReportReject,
    NewOrderSingle,
    OrderCancelReject,
    OrderCancelReplaceReject,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    OrderMassActionRequest,
    OrderMassStatusRequest,
    OrderStatusRequest,
    PartyDetailsDefinitionRequest,
)
from ontherun.market.events import BusinessRejected, CancelRejected, OrderRejected, ReplaceRejected
from ontherun.sbe import DecodeError
from ontherun.sbe.framing import HEADER
from ontherun.sbe.message import PRINTABLE, Fault

if TYPE_CHECKING:
    from ontherun.gateway.engine import Engine

Decoded = (
    NewOrderSingle
    | OrderCancelReplaceRequest
    | OrderCancelRequest
    | OrderMassActionRequest
    | OrderMassStatusRequest
    | OrderStatusRequest
    | PartyDetailsDefinitionRequest
)
Request = NewOrder | Decoded

REASON_OF_FAULT = {
    "missing": BusinessRejectReason.CONDITIONALLY_REQUIRED_FIELD_MISSING,
    "value": BusinessRejectReason.ENUM_NOT_SUPPORTED,
    "range": BusinessRejectReason.VALUE_OUT_OF_RANGE,
    "text": BusinessRejectReason.INVALID_TEXT,
}
_SAYING = {
    "missing": "is required and was not given",
    "value": "is not in the enumeration",
    "range": "is out of range",
    "text": "has a character outside 32..126",
}


class Refusal(NamedTuple):
    """One refused business message, for the log."""

    session: str
    template_id: int
    seq_num: int
    answer: int
    """Template of the reject: 521, 523, 535 or 536."""
    reason: int
    text: str


def undecodable(engine: "Engine", lane: Lane, data: bytes, position: int, error: DecodeError, now: int) -> None:
    """BusinessReject 109: the number was readable and is consumed, the rest was not."""
    _bare_reject(engine, lane, data, position, BusinessRejectReason.COULD_NOT_BE_DECODED, str(error), now)


def unsupported(engine: "Engine", lane: Lane, data: bytes, position: int, now: int) -> None:
    """BusinessReject 3: a message that this segment does not take."""
    name = BY_TEMPLATE[HEADER.unpack_from(data, position)[3]].__name__
    reason = BusinessRejectReason.UNSUPPORTED_MESSAGE_TYPE
    _bare_reject(engine, lane, data, position, reason, f"{name} is not supported on segment {engine.segment_id}", now)


def throttled(engine: "Engine", lane: Lane, data: bytes, position: int, now: int) -> None:
    """BusinessReject 8: Messaging Controls do not let the message pass."""
    reason = BusinessRejectReason.THROTTLE_LIMIT_EXCEEDED
    over = [rate for rate in engine.rates(lane, now) if rate.per_second >= rate.limits.reject]
    rates = ", ".join(f"{rate.module.name} {rate.per_second:.0f}/s, limit {rate.limits.reject}/s" for rate in over)
    _bare_reject(engine, lane, data, position, reason, f"Volume Controls initiated reject: {rates}", now)


def internal_error(engine: "Engine", lane: Lane, data: bytes, position: int, error: Exception, now: int) -> None:
    """BusinessReject 138 for a mistake of ours. It is as deterministic as everything else, so recovery makes it
    again."""
    engine.errors.append(error)
    _bare_reject(
        engine, lane, data, position, BusinessRejectReason.INTERNAL_TECHNICAL_ERROR, "internal technical error", now
    )


def faulty(engine: "Engine", lane: Lane, request: Decoded, fault: Fault, now: int) -> None:
    """BusinessReject for a field that the protocol does not allow as it stands."""
    name = next(field.name for field in request.FIELDS if field.tag == fault.tag)
    text = f"{name} ({fault.tag}) {_SAYING[fault.kind]}"
    _business_reject(engine, lane, request, REASON_OF_FAULT[fault.kind], text.encode(), fault.tag, now)


def refuse(
    engine: "Engine", lane: Lane, request: Decoded, reason: BusinessRejectReason, text: bytes, tag: int, now: int
) -> None:
    """BusinessReject for what a message asks, the field with `tag` at fault."""
    _business_reject(engine, lane, request, reason, text, tag, now)


def business(engine: "Engine", event: BusinessRejected, now: int) -> None:
    """BusinessReject (521) that the market asked for."""
    assert isinstance(event.request, Request)
    _business_reject(engine, _lane_of(event.owner), event.request, event.reason, event.text, event.ref_tag, now)


def new(engine: "Engine", event: OrderRejected, now: int) -> None:
    """ExecutionReportReject (523)."""
    lane, terms = _lane_of(event.owner), event.request
    lane.out.append(
        ExecutionReportReject(
            seq_num=next_number(engine, lane),
            uuid=lane.stream.uuid,
            text=event.text[:256],
            exec_id=event.exec_id,
            sender_id=terms.sender_id.upper(),
            cl_ord_id=terms.cl_ord_id,
            party_details_list_req_id=terms.party_details_list_req_id,
            order_id=event.order_id,
            price=terms.price,
            stop_px=terms.stop_px,
            transact_time=now,
            sending_time_epoch=now,
            order_request_id=terms.order_request_id,
            location=terms.location,
            security_id=terms.security_id,
            order_qty=terms.order_qty,
            min_qty=terms.min_qty,
            display_qty=terms.display_qty,
            ord_rej_reason=event.reason,
            expire_date=terms.expire_date,
            ord_type=terms.ord_type,
            side=terms.side,
            time_in_force=terms.time_in_force,
            manual_order_indicator=terms.manual_order_indicator,
            poss_retrans_flag=0,
            exec_inst=terms.exec_inst,
            execution_mode=terms.execution_mode,
            liquidity_flag=terms.liquidity_flag,
            managed_order=terms.managed_order,
            short_sale_type=terms.short_sale_type,
        ).encode()
    )
    _remember(
        engine,
        lane,
        NewOrderSingle.TEMPLATE_ID,
        terms.seq_num,
        ExecutionReportReject.TEMPLATE_ID,
        event.reason,
        event.text,
    )


def cancel(engine: "Engine", event: CancelRejected, now: int) -> None:
    """OrderCancelReject (535)."""
    _cancel_reject(engine, event, OrderCancelReject, OrderCancelRequest.TEMPLATE_ID, now)


def replace(engine: "Engine", event: ReplaceRejected, now: int) -> None:
    """OrderCancelReplaceReject (536)."""
    _cancel_reject(engine, event, OrderCancelReplaceReject, OrderCancelReplaceRequest.TEMPLATE_ID, now)


def _cancel_reject(
    engine: "Engine",
    event: CancelRejected | ReplaceRejected,
    message: type[OrderCancelReject | OrderCancelReplaceReject],
    refused: int,
    now: int,
) -> None:
    lane, request = _lane_of(event.owner), event.request
    lane.out.append(
        message(
            seq_num=next_number(engine, lane),
            uuid=lane.stream.uuid,
            text=event.text[:256],
            exec_id=event.exec_id,
            sender_id=request.sender_id.upper(),
            cl_ord_id=request.cl_ord_id,
            party_details_list_req_id=request.party_details_list_req_id,
            order_id=event.order_id,
            transact_time=now,
            sending_time_epoch=now,
            order_request_id=request.order_request_id,
            location=request.location,
            cxl_rej_reason=event.reason,
            manual_order_indicator=request.manual_order_indicator,
            poss_retrans_flag=0,
            liquidity_flag=request.liquidity_flag,
        ).encode()
    )
    _remember(engine, lane, refused, request.seq_num, message.TEMPLATE_ID, event.reason, event.text)


def _bare_reject(
    engine: "Engine", lane: Lane, data: bytes, position: int, reason: BusinessRejectReason, text: str, now: int
) -> None:
    """A BusinessReject that knows no more of the message than its template and number."""
    template = HEADER.unpack_from(data, position)[3]
    seq_num = lane.stream.next_inbound - 1
    said = text.encode("ascii", "replace")[:256]
    lane.out.append(
        BusinessReject(
            seq_num=next_number(engine, lane),
            uuid=lane.stream.uuid,
            text=said,
            sending_time_epoch=now,
            ref_seq_num=seq_num,
            business_reject_reason=reason,
            ref_msg_type=BY_TEMPLATE[template].MSG_TYPE.encode(),
            poss_retrans_flag=0,
        ).encode()
    )
    _remember(engine, lane, template, seq_num, BusinessReject.TEMPLATE_ID, reason, said)


def _business_reject(
    engine: "Engine",
    lane: Lane,
    request: Request,
    reason: BusinessRejectReason | int,
    text: bytes,
    ref_tag: int,
    now: int,
) -> None:
    sender_id, location, manual = b"", b"", 255
    if not isinstance(request, PartyDetailsDefinitionRequest):
        sender_id, location, manual = request.sender_id, request.location, request.manual_order_indicator
    lane.out.append(
        BusinessReject(
            seq_num=next_number(engine, lane),
            uuid=lane.stream.uuid,
            text=text[:256],
            sender_id=_printable(sender_id).upper(),
            party_details_list_req_id=request.party_details_list_req_id,
            sending_time_epoch=now,
            business_reject_ref_id=_id_of(request),
            location=_printable(location),
            ref_seq_num=request.seq_num,
            ref_tag_id=ref_tag,
            business_reject_reason=reason,
            ref_msg_type=request.MSG_TYPE.encode(),
            poss_retrans_flag=0,
            manual_order_indicator=manual if manual in (0, 1) else 255,
        ).encode()
    )
    _remember(engine, lane, request.TEMPLATE_ID, request.seq_num, BusinessReject.TEMPLATE_ID, reason, text)


def _id_of(request: Request) -> int:
    """BusinessRejectRefID (379): the client's own number of the request."""
    if isinstance(request, OrderMassStatusRequest):
        return request.mass_status_req_id
    if isinstance(request, PartyDetailsDefinitionRequest):
        return request.party_details_list_req_id
    return request.ord_status_req_id if isinstance(request, OrderStatusRequest) else request.order_request_id


def _printable(text: bytes) -> bytes:
    """A text to echo: nothing, where echoing it would break the protocol's own rule on text."""
    return b"" if text.translate(None, PRINTABLE) else text


def _remember(engine: "Engine", lane: Lane, template: int, seq_num: int, answer: int, reason: int, text: bytes) -> None:
    engine.refusals.append(
        Refusal(lane.stream.session, template, seq_num, answer, int(reason), text.decode("ascii", "replace"))
    )


def _lane_of(owner: object) -> Lane:
    assert isinstance(owner, Owner)
    return owner.lane
