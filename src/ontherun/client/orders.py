"""Order: one order of this session, from request to end; and the table that finds the order a report is about."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Final, NamedTuple, Protocol, TypeVar

from ontherun.client.errors import (
    CancelRefused,
    ClientError,
    InquiryRefused,
    NotApplied,
    OrderEnded,
    OrderRefused,
    Refused,
    ReplaceRefused,
)
from ontherun.client.reports import (
    Accepted,
    BusinessRejected,
    Cancelled,
    CancelRejected,
    Eliminated,
    MassCancelled,
    Modified,
    OrderReport,
    Rejected,
    ReplaceRejected,
    Report,
    Status,
    Traded,
)
from ontherun.client.values import Price, name, price_text
from ontherun.ilink.messages.enums import SideReq as Side
from ontherun.ilink.messages.enums import TimeInForce

T = TypeVar("T")

_REFUSALS: Final[dict[str, tuple[type[Refused], str]]] = {
    "F": (CancelRefused, "cancel"),
    "G": (ReplaceRefused, "replace"),
}
"""The error for a business reject of a request, by MsgType (35)."""


class Terms(NamedTuple):
    """What was asked for."""

    cl_ord_id: str
    security: str
    security_id: int
    side: Side
    price: Decimal
    order_qty: int
    time_in_force: TimeInForce
    min_qty: int | None = None
    display_qty: int | None = None
    expire_date: date | None = None
    exec_inst: int = 0
    execution_mode: int = 0


class Requester(Protocol):
    """The session, as an order sees it."""

    async def cancel(self, order: "OrderBase", /) -> Cancelled:
        """Cancel this order."""

    async def replace(
        self, order: "OrderBase", /, *, price: Price | None = None, quantity: int | None = None
    ) -> Modified:
        """Replace this order."""


class OrderState(Enum):
    """Where an order is, as far as the reports so far tell."""

    SENT = "sent, not answered"
    WORKING = "working"
    FILLED = "filled"
    CANCELLED = "cancelled"
    ELIMINATED = "eliminated"
    REJECTED = "rejected"
    UNKNOWN = "its request was lost"


class OrderBase:
    """What an order of this session is, in both flavours.

    `price`, `order_qty`, `cum_qty`, `leaves_qty`, `order_id` (None until accepted) and `state` follow the reports;
    `reports` holds all that came, oldest first.
    """

    def __init__(self, terms: Terms, session: Requester) -> None:
        self._session = session
        self.cl_ord_id = terms.cl_ord_id
        self.security = terms.security
        self.security_id = terms.security_id
        self.side = terms.side
        self.price = terms.price
        self.order_qty = terms.order_qty
        self.time_in_force: TimeInForce | int = terms.time_in_force
        self.min_qty = terms.min_qty
        self.display_qty = terms.display_qty
        self.expire_date = terms.expire_date
        self.exec_inst = terms.exec_inst
        self.execution_mode = terms.execution_mode
        self.order_id: int | None = None
        self.cum_qty = 0
        self.leaves_qty = terms.order_qty
        self.state = OrderState.SENT
        self.reports: list[Report] = []
        self._failure: ClientError | None = None
        self._waiting: list[asyncio.Future[None]] = []

    def __repr__(self) -> str:
        terms = f"{name(self.side)} {self.order_qty} {self.security} at {price_text(self.price)}"
        return f"<Order {self.cl_ord_id}: {terms}, {self.state.value}>"

    @property
    def ended_with(self) -> Report | None:
        """The report that ended the order, or None while it may still trade."""
        ended = self.state not in (OrderState.SENT, OrderState.WORKING, OrderState.UNKNOWN)
        return self.reports[-1] if ended else None

    @property
    def trades(self) -> tuple[Traded, ...]:
        """The trades so far."""
        return tuple(report for report in self.reports if isinstance(report, Traded))

    async def until_accepted(self) -> Accepted:
        """Wait for the acceptance; raises OrderRefused, or NotApplied or Disconnected when the request was lost."""
        return await self._until(lambda: next((r for r in self.reports if isinstance(r, Accepted)), None))

    async def until_ended(self) -> Report:
        """Wait for the last report; raises what `until_accepted` raises."""
        return await self._until(lambda: None if self.state is OrderState.REJECTED else self.ended_with)

    async def until_filled(self) -> tuple[Traded, ...]:
        """Wait for the last trade; raises OrderEnded when it ends otherwise, and what `until_accepted` raises."""
        last = await self.until_ended()
        if self.state is not OrderState.FILLED:
            raise OrderEnded(f"{self!r} was not filled: {last}", last)
        return self.trades

    async def until_report(self, place: int) -> Report | None:
        """Wait for the report at this place in `reports`; None when there will be none."""
        await self._until(lambda: True if len(self.reports) > place or self.ended_with else None)
        return self.reports[place] if len(self.reports) > place else None

    async def _until(self, test: Callable[[], T | None]) -> T:
        while True:
            found = test()
            if found is not None:
                return found
            if self._failure is not None:
                raise self._failure
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def fail(self, error: ClientError) -> None:
        """The request never got there, or nobody will hear of the order any more: whoever waits gets `error`."""
        if self.ended_with is None:
            self._failure = error
            if self.state is OrderState.SENT:
                self.state = OrderState.UNKNOWN
            self._wake()

    def take(self, report: Report) -> None:
        """Follow a report about this order."""
        self.reports.append(report)
        if isinstance(report, OrderReport) and report.order_id is not None:
            self.order_id = report.order_id
        match report:
            case Rejected() | BusinessRejected():
                self.state, self.leaves_qty = OrderState.REJECTED, 0
                self._failure = OrderRefused(repr(self), report)
            case Accepted() | Modified():
                self._restate(report)
            case Traded():
                self.cum_qty, self.leaves_qty = report.cum_qty, report.leaves_qty
                self.state = OrderState.FILLED if report.filled else OrderState.WORKING
            case Cancelled() | MassCancelled():
                self.state, self.leaves_qty = OrderState.CANCELLED, 0
            case Eliminated():
                self.state, self.leaves_qty = OrderState.ELIMINATED, 0
        self._wake()

    def _restate(self, report: Accepted | Modified) -> None:
        self.state, self._failure = OrderState.WORKING, None
        self.cl_ord_id, self.order_qty, self.time_in_force = report.cl_ord_id, report.order_qty, report.time_in_force
        self.min_qty, self.display_qty, self.expire_date = report.min_qty, report.display_qty, report.expire_date
        self.exec_inst, self.execution_mode = report.exec_inst, report.execution_mode
        self.price = self.price if report.price is None else report.price
        if isinstance(report, Modified):
            self.cum_qty, self.leaves_qty = report.cum_qty, report.leaves_qty
        else:
            self.leaves_qty = report.order_qty


class Order(OrderBase):
    """An order of an asyncio session."""

    async def accepted(self) -> Accepted:
        """Wait until the venue accepts the order.

        Raises OrderRefused, or NotApplied or Disconnected when the request was lost.
        """
        return await self.until_accepted()

    async def filled(self) -> tuple[Traded, ...]:
        """Wait until the order is filled; its trades.

        Raises OrderEnded when it ends otherwise, and what `accepted` raises.
        """
        return await self.until_filled()

    async def ended(self) -> Report:
        """Wait until nothing can happen to the order any more; the last report. Raises what `accepted` raises."""
        return await self.until_ended()

    async def updates(self) -> AsyncIterator[Report]:
        """Every report of this order, from the first to the one that ends it."""
        place = 0
        while (report := await self.until_report(place)) is not None:
            yield report
            place += 1

    async def cancel(self) -> Cancelled:
        """Cancel the order; see `Session.cancel`."""
        return await self._session.cancel(self)

    async def replace(self, *, price: Price | None = None, quantity: int | None = None) -> Modified:
        """Give the order another price or quantity; see `Session.replace`."""
        return await self._session.replace(self, price=price, quantity=quantity)


class Request:
    """A request under way: its number, and who waits for its answer. `order` is None for another process's order."""

    __slots__ = ("answer", "order", "order_request_id", "parts", "seq_num")

    def __init__(self, order: OrderBase | None, order_request_id: int, answer: "asyncio.Future[Report] | None") -> None:
        self.order = order
        self.order_request_id = order_request_id
        self.answer = answer
        self.parts: list[Report] = []  # what came of an answer in several reports
        self.seq_num = 0


class Orders:
    """The session's orders and requests under way, found by what a report says."""

    def __init__(self) -> None:
        self._by_order_id: dict[int, OrderBase] = {}
        self._by_cl_ord_id: dict[str, OrderBase] = {}
        self._by_request_id: dict[int, Request] = {}
        self._by_seq_num: dict[int, Request] = {}

    @property
    def working(self) -> tuple[OrderBase, ...]:
        """Every order that may still trade, oldest first."""
        return tuple(self._by_cl_ord_id.values())

    def find(self, which: int | str) -> OrderBase | None:
        """The live order with this OrderID or ClOrdID."""
        return self._by_order_id.get(which) if isinstance(which, int) else self._by_cl_ord_id.get(which)

    def sent(self, request: Request, seq_num: int) -> None:
        """A request left under this number."""
        request.seq_num = seq_num
        self._by_seq_num[seq_num] = request
        self._by_request_id[request.order_request_id] = request
        if request.order is not None and request.answer is None:
            self._by_cl_ord_id[request.order.cl_ord_id] = request.order

    def take(self, report: Report) -> int | None:
        """Hand a report to the order and the request that it is about, if they are ours.

        Returns the refused request's number for a business reject.
        """
        if isinstance(report, BusinessRejected):
            return self._business_rejected(report)
        if isinstance(report, MassCancelled):
            self._inquiry(report.order_request_id, report, last=report.last_fragment)
            for gone in filter(None, [self._by_order_id.get(affected.order_id) for affected in report.orders]):
                self._follow(gone, report)
        elif isinstance(report, Status):
            self._inquiry(report.status_id, report, last=report.last is not False)
        elif isinstance(report, OrderReport):
            request = self._by_request_id.get(report.order_request_id)
            if request is not None and _answers(report, request):
                self._forget(request)
                _answer(request, report)
            order = self._by_order_id.get(report.order_id or 0) if request is None else request.order
            if order is not None:
                self._follow(order, report)
        return None

    def not_applied(self, first: int, count: int, resent: Mapping[int, int]) -> None:
        """The venue never got the requests with these numbers; `resent` has the new numbers of those sent again."""
        never = {n: self._by_seq_num.pop(n) for n in list(self._by_seq_num) if first <= n < first + count}
        for seq_num, request in never.items():
            if seq_num in resent:
                request.seq_num = resent[seq_num]
                self._by_seq_num[request.seq_num] = request
            else:
                self._fail(request, NotApplied(seq_num))

    def renumbered(self) -> None:
        """A new UUID began: earlier numbers mean nothing now; the requests are still found by their own ids."""
        self._by_seq_num.clear()

    def fail(self, error: ClientError) -> None:
        """Nothing will be heard any more."""
        for request in list(self._by_request_id.values()):
            self._fail(request, error)
        for order in self.working:
            order.fail(error)

    def _fail(self, request: Request, error: ClientError) -> None:
        self._forget(request)
        if request.answer is not None:
            if not request.answer.done():
                request.answer.set_exception(error)
        elif request.order is not None:
            self._by_cl_ord_id.pop(request.order.cl_ord_id, None)
            request.order.fail(error)

    def _forget(self, request: Request) -> None:
        self._by_request_id.pop(request.order_request_id, None)
        if self._by_seq_num.get(request.seq_num) is request:
            del self._by_seq_num[request.seq_num]

    def _inquiry(self, request_id: int, report: Report, *, last: bool) -> None:
        """A part of an answer over many orders."""
        request = self._by_request_id.get(request_id)
        if request is not None:
            request.parts.append(report)
            if last:
                self._forget(request)
                _answer(request, report)

    def _follow(self, order: OrderBase, report: Report) -> None:
        before = order.cl_ord_id
        order.take(report)
        self._by_cl_ord_id.pop(before, None)
        if order.order_id is not None:
            self._by_order_id[order.order_id] = order
        if order.ended_with is None:
            self._by_cl_ord_id[order.cl_ord_id] = order
        elif order.order_id is not None:
            del self._by_order_id[order.order_id]

    def _business_rejected(self, report: BusinessRejected) -> int | None:
        request = None if report.ref_seq_num is None else self._by_seq_num.get(report.ref_seq_num)
        if request is None and report.ref_id is not None:
            request = self._by_request_id.get(report.ref_id)
        if request is None:
            return None
        self._forget(request)
        if request.answer is None:
            if request.order is not None:
                self._by_cl_ord_id.pop(request.order.cl_ord_id, None)
                request.order.take(report)
        elif not request.answer.done():
            kind, what = _REFUSALS.get(report.ref_msg_type, (InquiryRefused, "request"))
            request.answer.set_exception(kind(what, report))
        return request.seq_num


def _answers(report: OrderReport, request: Request) -> bool:
    """Whether the report, which carries the request's id, is the answer to it and not what happened meanwhile."""
    if request.answer is None:  # a new order: whatever is said of it
        return True
    unasked = isinstance(report, Cancelled) and report.restatement is not None
    return not unasked and isinstance(report, Cancelled | CancelRejected | Modified | ReplaceRejected)


def _answer(request: Request, report: Report) -> None:
    if request.answer is None or request.answer.done():
        return
    match report:
        case CancelRejected():
            request.answer.set_exception(CancelRefused("cancel", report))
        case ReplaceRejected():
            request.answer.set_exception(ReplaceRefused("replace", report))
        case MassCancelled() if report.reason is not None:
            request.answer.set_exception(InquiryRefused("mass cancel", report))
        case _:
            request.answer.set_result(report)
