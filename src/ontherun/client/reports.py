"""Reports: what the venue says about orders, as typed objects. `str(report)` is one line that a person understands.

Prices are Decimal, quantities int, texts str, nulls None, codes enum members (a bare int where a newer venue sends what
the enum does not list), times ns since the epoch. `report.message` is the message as it was received.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from enum import IntEnum
from types import MappingProxyType
from typing import Any, Final

from ontherun.client.instruments import Instruments
from ontherun.client.values import (
    duration,
    member,
    name,
    optional,
    price_text,
    text,
    to_decimal,
    to_optional_decimal,
)
from ontherun.ilink import messages
from ontherun.ilink.codes import BusinessRejectReason
from ontherun.ilink.messages import UINT8_NULL, UINT16_NULL, UINT32_NULL, UINT64_NULL, Message
from ontherun.ilink.messages.enums import ExecReason, TimeInForce
from ontherun.ilink.messages.enums import SideReq as Side
from ontherun.market.refusals import RejectReason

_NO_ORDER: Final = 0
"""OrderID of a refused order that never got one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A numbered message from the venue. `again`: PossRetransFlag (9765), it was fetched after a loss."""

    seq_num: int
    uuid: int
    again: bool
    sending_time: int
    message: Message = field(repr=False)

    def __str__(self) -> str:
        return type(self.message).__name__


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReport(Report):
    """A report about one order or one request. `order_id` is None for an order that never came to be."""

    cl_ord_id: str
    order_id: int | None
    order_request_id: int
    sender_id: str
    exec_id: str
    transact_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsReport(OrderReport):
    """A report that repeats the order's terms."""

    security: str
    security_id: int
    side: Side | int
    price: Decimal | None
    order_qty: int
    time_in_force: TimeInForce | int

    @property
    def terms(self) -> str:
        """The order in words: "buy 5 UB10 at 99-16+"."""
        price = "no price" if self.price is None else price_text(self.price)
        return f"{name(self.side)} {self.order_qty} {self.security} at {price}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(TermsReport):
    """ExecutionReportNew (522): the order was accepted."""

    min_qty: int | None
    display_qty: int | None

    def __str__(self) -> str:
        return f"accepted: {self.terms}, {duration(self.time_in_force)}, order {self.order_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected(TermsReport):
    """ExecutionReportReject (523): the order was refused; `reason` is OrdRejReason (103), `text` the venue's words."""

    reason: RejectReason | int
    text: str

    @property
    def why(self) -> str:
        """Code, its name and the venue's words."""
        return _why(self.reason, self.text)

    def __str__(self) -> str:
        return f"rejected: {self.terms}: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Eliminated(TermsReport):
    """ExecutionReportElimination (524): the rest is gone, unasked: FAK or FOK not filled, end of the day."""

    cum_qty: int

    def __str__(self) -> str:
        return f"eliminated: {self.terms}, {duration(self.time_in_force)}, {_filled(self.cum_qty, self.order_qty)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled(TermsReport):
    """ExecutionReportCancel (534). `restatement`: why the venue cancelled unasked (378), None after a request."""

    cum_qty: int
    restatement: ExecReason | int | None

    def __str__(self) -> str:
        unasked = "" if self.restatement is None else f" by the venue ({name(self.restatement)})"
        return f"cancelled{unasked}: {self.terms}, {_filled(self.cum_qty, self.order_qty)}, order {self.order_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Modified(TermsReport):
    """ExecutionReportModify (531): the order was replaced; these are its terms now."""

    min_qty: int | None
    display_qty: int | None
    cum_qty: int
    leaves_qty: int

    def __str__(self) -> str:
        return f"replaced: {self.terms}, {self.leaves_qty} open, order {self.order_id}"


@dataclass(frozen=True, slots=True)
class Fill:
    """One entry of NoOrderEvents (1795): the part of a trade done with one counter order."""

    exec_id: int
    price: Decimal
    qty: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Traded(TermsReport):
    """ExecutionReportTradeOutright (525): `last_qty` was done at `last_px`; `leaves_qty` is still open.

    The aggressor gets one for each price, with a `Fill` for each counter order; a resting order one for each match.
    """

    last_px: Decimal
    last_qty: int
    cum_qty: int
    leaves_qty: int
    aggressor: bool
    sec_exec_id: int
    side_trade_id: int
    md_trade_entry_id: int
    trade_date: int
    fills: tuple[Fill, ...]

    @property
    def filled(self) -> bool:
        """Whether nothing is left open (OrdStatus 2)."""
        return self.leaves_qty == 0

    def __str__(self) -> str:
        done = "bought" if self.side == Side.BUY else "sold"
        rest = "filled" if self.filled else f"{self.leaves_qty} open"
        trade = f"{done} {self.last_qty} {self.security} at {price_text(self.last_px)}"
        return f"traded: {trade}, {rest}, order {self.order_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRejected(OrderReport):
    """OrderCancelReject (535): the cancel was refused; `reason` is CxlRejReason (102)."""

    reason: RejectReason | int
    text: str

    @property
    def why(self) -> str:
        """Code, its name and the venue's words."""
        return _why(self.reason, self.text)

    def __str__(self) -> str:
        return f"cancel rejected: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceRejected(OrderReport):
    """OrderCancelReplaceReject (536): the replace was refused, the order stays as it was; `reason` is 102."""

    reason: RejectReason | int
    text: str

    @property
    def why(self) -> str:
        """Code, its name and the venue's words."""
        return _why(self.reason, self.text)

    def __str__(self) -> str:
        return f"replace rejected: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessRejected(Report):
    """BusinessReject (521): a message was refused before any order rule looked at it.

    `reason` is BusinessRejectReason (380); `ref_seq_num` the refused message's number, None when it was not consumed;
    `ref_tag` the field at fault (371); `ref_msg_type` its tag 35; `ref_id` its OrderRequestID or the like (379).
    """

    reason: BusinessRejectReason | int
    text: str
    ref_seq_num: int | None
    ref_tag: int | None
    ref_msg_type: str
    ref_id: int | None

    @property
    def why(self) -> str:
        """Code, its name and the venue's words."""
        return _why(self.reason, self.text)

    def __str__(self) -> str:
        field_at_fault = "" if self.ref_tag is None else f", tag {self.ref_tag}"
        return f"business reject: {self.why}{field_at_fault}"


def _why(reason: RejectReason | BusinessRejectReason | int, words: str) -> str:
    known = f" ({name(reason)})" if isinstance(reason, RejectReason | BusinessRejectReason) else ""
    return f"{int(reason)}{known}{': ' + words if words else ''}"


def _filled(cum_qty: int, order_qty: int) -> str:
    return "unfilled" if not cum_qty else f"{cum_qty} of {order_qty} filled"


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


def _quantities(message: Any) -> dict[str, Any]:
    return {
        "min_qty": optional(message.min_qty, UINT32_NULL),
        "display_qty": optional(message.display_qty, UINT32_NULL),
    }


def _accepted(message: Any, instruments: Instruments) -> Accepted:
    return Accepted(**_terms(message, instruments), **_quantities(message))


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
        **_quantities(message),
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
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, IntEnum):
        return {"code": int(value), "name": value.name}
    if isinstance(value, Fill):
        return {"exec_id": value.exec_id, "price": str(value.price), "qty": value.qty}
    return [_plain(part) for part in value] if isinstance(value, tuple) else value
