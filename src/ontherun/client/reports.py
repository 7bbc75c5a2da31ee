"""Reports: what the venue says about orders, as typed objects. `str(report)` is one line that a person understands.

Prices are Decimal, quantities int, texts str, nulls None, codes enum members (a bare int where a newer venue sends what
the enum does not list), times ns since the epoch. `report.message` is the message as it was received.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from ontherun.client.values import (
    duration,
    name,
    price_text,
)
from ontherun.ilink.codes import BusinessRejectReason
from ontherun.ilink.messages import Message
from ontherun.ilink.messages.enums import ExecReason, OrderStatus, TimeInForce
from ontherun.ilink.messages.enums import SideReq as Side
from ontherun.market.refusals import RejectReason


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
    expire_date: date | None
    exec_inst: int
    execution_mode: int

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
    expire_date: date | None
    exec_inst: int
    execution_mode: int
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


@dataclass(frozen=True, slots=True)
class AffectedOrder:
    """One entry of NoAffectedOrders (534): an order that a mass action cancelled, and what was open of it."""

    cl_ord_id: str
    order_id: int
    qty: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MassCancelled(Report):
    """OrderMassActionReport (562), or a fragment of it: `total` orders went, `orders` lists those of this fragment.

    `reason` is MassActionRejectReason (1376), None where the request was accepted.
    """

    order_request_id: int
    report_id: int
    reason: int | None
    total: int
    orders: tuple[AffectedOrder, ...]
    last_fragment: bool

    @property
    def why(self) -> str:
        """The code in words."""
        return f"MassActionRejectReason {self.reason}"

    def __str__(self) -> str:
        return f"mass cancel: {self.total} orders" if self.reason is None else f"mass cancel rejected: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(TermsReport):
    """ExecutionReportStatus (532): how a working order stands; `status_id` is the request's own id (790 or 584).

    `last`: LastRptRequested (912) of a mass status, None in answer to an order status.
    """

    status: OrderStatus | int
    cum_qty: int
    leaves_qty: int
    status_id: int
    last: bool | None

    def __str__(self) -> str:
        return f"status {name(self.status)}: {self.terms}, {self.leaves_qty} open, order {self.order_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeChanged(Report):
    """ExecutionReportTradeAddendumOutright (548): the venue cancelled a trade, or corrected it to `last_qty` at
    `last_px`.

    `exec_id` is the trade's OrderEventExecID (1797) from now on, `original_exec_id` what it was (6555); None where the
    venue names no event. The order's quantities stay as they were.
    """

    cl_ord_id: str
    order_id: int
    security: str
    security_id: int
    side: Side | int
    cancelled: bool
    last_px: Decimal
    last_qty: int
    exec_id: int | None
    original_exec_id: int | None

    def __str__(self) -> str:
        trade = f"{name(self.side)} {self.last_qty} {self.security} at {price_text(self.last_px)}"
        return f"trade {self.original_exec_id} {'cancelled' if self.cancelled else 'corrected'}: {trade}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyDetailsTaken(Report):
    """PartyDetailsDefinitionRequestAck (519): party details were taken."""

    party_details_list_req_id: int

    def __str__(self) -> str:
        return f"party details {self.party_details_list_req_id} taken"


def _why(reason: RejectReason | BusinessRejectReason | int, words: str) -> str:
    known = f" ({name(reason)})" if isinstance(reason, RejectReason | BusinessRejectReason) else ""
    return f"{int(reason)}{known}{': ' + words if words else ''}"


def _filled(cum_qty: int, order_qty: int) -> str:
    return "unfilled" if not cum_qty else f"{cum_qty} of {order_qty} filled"
