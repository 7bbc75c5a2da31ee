"""Reading: from a decoded message of the venue to the report that it is."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date
from decimal import Decimal
from enum import IntEnum
from types import MappingProxyType
from typing import Any, Final

from ontherun.client.instruments import Instruments
from ontherun.client.reports import (
    Accepted,
    AffectedOrder,
    BusinessRejected,
    Cancelled,
    CancelRejected,
    Eliminated,
    Fill,
    MassCancelled,
    Modified,
    PartyDetailsTaken,
    Rejected,
    ReplaceRejected,
    Report,
    Status,
    TradeChanged,
    Traded,
)
from ontherun.client.values import (
    member,
    optional,
    text,
    to_date,
    to_decimal,
    to_optional_decimal,
)
from ontherun.ilink import messages
from ontherun.ilink.codes import BusinessRejectReason
from ontherun.ilink.messages import UINT8_NULL, UINT16_NULL, UINT32_NULL, UINT64_NULL, Message
from ontherun.ilink.messages.enums import ExecReason, ExecTypTrdCxl, OrderStatus, TimeInForce
from ontherun.ilink.messages.enums import SideReq as Side
from ontherun.market.refusals import RejectReason

_NO_ORDER: Final = 0
"""OrderID of a refused order that never got one."""

# What is the same in every report is read by the same function; `Any`, because the generated classes share no base.


def _report(message: Any) -> dict[str, Any]:
    return {
        "seq_num": message.seq_num,
        "uuid": message.uuid,
        "again": message.poss_retrans_flag == 1,
        "sending_time": getattr(message, "sending_time_epoch", 0),
        "message": message,
    }


def _order(message: Any) -> dict[str, Any]:
    return _report(message) | {
        "cl_ord_id": text(message.cl_ord_id),
        "order_id": optional(message.order_id, _NO_ORDER),
        "order_request_id": message.order_request_id,
        "sender_id": text(message.sender_id),
        "exec_id": text(message.exec_id),
        "transact_time": message.transact_time,
    }


def _terms(message: Any, instruments: Instruments) -> dict[str, Any]:
    time_in_force = optional(message.time_in_force, UINT8_NULL)
    return _order(message) | {
        "security": instruments.symbol(message.security_id),
        "security_id": message.security_id,
        "side": member(Side, message.side),
        "price": to_optional_decimal(message.price),
        "order_qty": message.order_qty,
        "time_in_force": TimeInForce.DAY if time_in_force is None else member(TimeInForce, time_in_force),
    }


def _qualifiers(message: Any) -> dict[str, Any]:
    return {
        "min_qty": optional(message.min_qty, UINT32_NULL),
        "display_qty": optional(message.display_qty, UINT32_NULL),
        "expire_date": to_date(message.expire_date),
        "exec_inst": message.exec_inst,
        "execution_mode": message.execution_mode,
    }


def _accepted(message: Any, instruments: Instruments) -> Accepted:
    return Accepted(**_terms(message, instruments), **_qualifiers(message))


def _rejected(message: Any, instruments: Instruments) -> Rejected:
    return Rejected(
        **_terms(message, instruments),
        reason=member(RejectReason, message.ord_rej_reason),
        text=text(message.text),
    )


def _eliminated(message: Any, instruments: Instruments) -> Eliminated:
    return Eliminated(**_terms(message, instruments), cum_qty=message.cum_qty)


def _cancelled(message: Any, instruments: Instruments) -> Cancelled:
    unasked = optional(message.exec_restatement_reason, UINT8_NULL)
    return Cancelled(
        **_terms(message, instruments),
        cum_qty=message.cum_qty,
        restatement=None if unasked is None else member(ExecReason, unasked),
    )


def _modified(message: Any, instruments: Instruments) -> Modified:
    return Modified(
        **_terms(message, instruments),
        **_qualifiers(message),
        cum_qty=message.cum_qty,
        leaves_qty=message.leaves_qty,
    )


def _traded(message: Any, instruments: Instruments) -> Traded:
    return Traded(
        **_terms(message, instruments),
        last_px=to_decimal(message.last_px),
        last_qty=message.last_qty,
        cum_qty=message.cum_qty,
        leaves_qty=message.leaves_qty,
        aggressor=message.aggressor_indicator == 1,
        sec_exec_id=message.sec_exec_id,
        side_trade_id=message.side_trade_id,
        md_trade_entry_id=message.md_trade_entry_id,
        trade_date=message.trade_date,
        fills=tuple(
            Fill(event.order_event_exec_id, to_decimal(event.order_event_px), event.order_event_qty)
            for event in message.no_order_events
        ),
    )


def _cancel_rejected(message: Any, _: Instruments) -> CancelRejected:
    return CancelRejected(
        **_order(message), reason=member(RejectReason, message.cxl_rej_reason), text=text(message.text)
    )


def _replace_rejected(message: Any, _: Instruments) -> ReplaceRejected:
    return ReplaceRejected(
        **_order(message), reason=member(RejectReason, message.cxl_rej_reason), text=text(message.text)
    )


def _business_rejected(message: Any, _: Instruments) -> BusinessRejected:
    return BusinessRejected(
        **_report(message),
        reason=member(BusinessRejectReason, message.business_reject_reason),
        text=text(message.text),
        ref_seq_num=optional(message.ref_seq_num, UINT32_NULL),
        ref_tag=optional(message.ref_tag_id, UINT16_NULL),
        ref_msg_type=text(message.ref_msg_type),
        ref_id=optional(message.business_reject_ref_id, UINT64_NULL),
    )


def _mass_cancelled(message: Any, _: Instruments) -> MassCancelled:
    return MassCancelled(
        **_report(message),
        order_request_id=message.order_request_id,
        report_id=message.mass_action_report_id,
        reason=optional(message.mass_action_reject_reason, UINT8_NULL),
        total=message.total_affected_orders,
        orders=tuple(
            AffectedOrder(text(order.orig_ci_ord_id), order.affected_order_id, order.cxl_quantity)
            for order in message.no_affected_orders
        ),
        last_fragment=message.last_fragment == 1,
    )


def _status(message: Any, instruments: Instruments) -> Status:
    mass = optional(message.mass_status_req_id, UINT64_NULL)
    last = optional(message.last_rpt_requested, UINT8_NULL)
    return Status(
        **_terms(message, instruments),
        status=member(OrderStatus, message.ord_status),
        cum_qty=message.cum_qty,
        leaves_qty=message.leaves_qty,
        status_id=message.ord_status_req_id if mass is None else mass,
        last=None if last is None else last == 1,
    )


def _trade_changed(message: Any, instruments: Instruments) -> TradeChanged:
    event = next(iter(message.no_order_events), None)
    return TradeChanged(
        **_report(message),
        cl_ord_id=text(message.cl_ord_id),
        order_id=message.order_id,
        security=instruments.symbol(message.security_id),
        security_id=message.security_id,
        side=member(Side, message.side),
        cancelled=message.exec_type == ExecTypTrdCxl.TRADE_CANCEL,
        last_px=to_decimal(message.last_px),
        last_qty=message.last_qty,
        exec_id=None if event is None else event.order_event_exec_id,
        original_exec_id=None if event is None else event.original_order_event_exec_id,
    )


def _party_details_taken(message: Any, _: Instruments) -> PartyDetailsTaken:
    return PartyDetailsTaken(**_report(message), party_details_list_req_id=message.party_details_list_req_id)


_READERS: Final[Mapping[type[Message], Callable[[Any, Instruments], Report]]] = MappingProxyType(
    {
        messages.ExecutionReportNew: _accepted,
        messages.ExecutionReportReject: _rejected,
        messages.ExecutionReportElimination: _eliminated,
        messages.ExecutionReportTradeOutright: _traded,
        messages.ExecutionReportModify: _modified,
        messages.ExecutionReportCancel: _cancelled,
        messages.OrderCancelReject: _cancel_rejected,
        messages.OrderCancelReplaceReject: _replace_rejected,
        messages.BusinessReject: _business_rejected,
        messages.OrderMassActionReport: _mass_cancelled,
        messages.ExecutionReportStatus: _status,
        messages.ExecutionReportTradeAddendumOutright: _trade_changed,
        messages.PartyDetailsDefinitionRequestAck: _party_details_taken,
    }
)


def read_report(message: Message, instruments: Instruments) -> Report:
    """The report that a business message from the venue is; a plain `Report` for a message that has no class here."""
    reader = _READERS.get(type(message))
    return reader(message, instruments) if reader else Report(**_report(message))


def as_values(report: Report) -> dict[str, object]:
    """A report as JSON values, under its fields' names: prices as text, codes as {"code", "name"}."""
    values: dict[str, object] = {"report": type(report).__name__, "template": type(report.message).__name__}
    values |= {f.name: _plain(getattr(report, f.name)) for f in fields(report) if f.name != "message"}
    return values


def _plain(value: object) -> object:
    if isinstance(value, Decimal | date):
        return str(value)
    if isinstance(value, IntEnum):
        return {"code": int(value), "name": value.name}
    if isinstance(value, AffectedOrder):
        return {"cl_ord_id": value.cl_ord_id, "order_id": value.order_id, "qty": value.qty}
    if isinstance(value, Fill):
        return {"exec_id": value.exec_id, "price": str(value.price), "qty": value.qty}
    return [_plain(part) for part in value] if isinstance(value, tuple) else value
