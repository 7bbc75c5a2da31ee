"""Session: log in, trade, receive reports, and survive the loss of the connection. For asyncio."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import TypeVar, Unpack, cast

from ontherun.client.errors import ClientError, ReportsLost
from ontherun.client.feed import Feed
from ontherun.client.instruments import Instruments
from ontherun.client.keyfile import KeyFile
from ontherun.client.link import Link
from ontherun.client.login import Login
from ontherun.client.options import BACKLOG, SessionOptions, link_options
from ontherun.client.orders import Order, OrderBase, Orders, Request, Requester, Terms
from ontherun.client.reading import read_report
from ontherun.client.reports import AffectedOrder, BusinessRejected, Cancelled, MassCancelled, Modified, Report, Status
from ontherun.client.requests import NO_MODE, Maker, OrderOptions, Scope, base36
from ontherun.client.state import StateFile
from ontherun.client.values import Price, to_decimal, to_wire
from ontherun.ilink.client_events import BusinessMessage, MessagesLost, NumbersNotApplied
from ontherun.ilink.client_inbound import ClientMemory
from ontherun.ilink.client_session import Numbered
from ontherun.ilink.messages import decode
from ontherun.ilink.messages.enums import SideReq as Side
from ontherun.ilink.messages.enums import TimeInForce
from ontherun.sbe import DecodeError

ReportT = TypeVar("ReportT", bound=Report)


class Session:
    """A logged-in session on one market segment. `connect` makes it; every method belongs to one event loop.

    Orders come back as `Order` objects; `reports()` yields every report of the session. After a loss the session logs
    in again by itself, under the same UUID, and fetches what it missed; what was never applied raises NotApplied.
    """

    def __init__(
        self,
        login: Login,
        *,
        make_order: Callable[[Terms, Requester], OrderBase] = Order,
        **options: Unpack[SessionOptions],
    ) -> None:
        """Nothing is connected before `open`. Raises StateError."""
        state = options.get("state")
        self._clock = options.get("clock", time.time_ns)
        self._instruments = Instruments(login.instruments)
        self._maker = Maker(login)
        self._orders = Orders()
        self.feed = Feed(options.get("backlog", BACKLOG))
        self._make_order = make_order
        self._last_id = 0
        self._link = Link(
            login,
            self,
            None if state is None else StateFile(state, login.key.session_id),
            link_options(options, self._clock),
        )

    def __repr__(self) -> str:
        login = self._link.login
        where = f"{login.key.session_id} ({login.key.firm}) at {login.host}:{login.port}"
        return f"<Session {where}, {'established' if self.established else 'not established'}>"

    async def __aenter__(self) -> "Session":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # The session

    @property
    def login(self) -> Login:
        """What the session logs in with."""
        return self._link.login

    @property
    def uuid(self) -> int:
        """The UUID that both sides number under, 0 before the first login."""
        return self._link.memory.uuid

    @property
    def established(self) -> bool:
        """Whether orders can be sent now."""
        return self._link.established

    @property
    def backup_ready(self) -> bool:
        """Whether the connection to the designated backup is established."""
        return self._link.backup_ready

    @property
    def orders(self) -> tuple[OrderBase, ...]:
        """The orders of this process that may still trade, oldest first."""
        return self._orders.working

    async def open(self) -> None:
        """Log in; `connect` does it. Raises LoginRefused or Disconnected."""
        await self._link.open()

    async def ready(self) -> None:
        """Wait until orders can be sent (again). Raises what ended the session."""
        await self._link.ready()

    async def rotate_key(self, key: KeyFile) -> None:
        """Log out and in again with another key pair of the session; UUID, numbers and orders stay.

        Raises LoginRefused or Disconnected, which also end the session.
        """
        await self._link.rotate(key)

    async def close(self) -> None:
        """Log out by Terminate, which leaves the orders working; reports that come before the answer are taken."""
        await self._link.close()

    def drop(self) -> None:
        """Lose the connection, as a broken cable would; for tests of what happens then."""
        self._link.drop()

    # Trading

    async def buy(self, security: str | int, price: Price, quantity: int, **options: Unpack[OrderOptions]) -> Order:
        """Send a limit order to buy; the Order tells what becomes of it.

        `security`: symbol or SecurityID; `price`: "99-16+", "99.515625", Decimal or whole points; `quantity` in the
        instrument's unit (US Treasuries: USD 1,000,000 face); for the options see OrderOptions. Raises Disconnected,
        UnknownSecurity, ValueError (price), EncodeError (a value that does not fit its field).
        """
        return self._enter(Side.BUY, security, price, quantity, options)

    async def sell(self, security: str | int, price: Price, quantity: int, **options: Unpack[OrderOptions]) -> Order:
        """Send a limit order to sell; see `buy`."""
        return self._enter(Side.SELL, security, price, quantity, options)

    async def cancel(
        self, order: OrderBase | int | str, *, security: str | int | None = None, side: Side | None = None
    ) -> Cancelled:
        """Cancel an order and wait for the answer. Raises CancelRefused, NotApplied or Disconnected.

        `order`: an Order, or an OrderID (int) or ClOrdID (str) with its `security` and `side`.
        """
        known = order if isinstance(order, OrderBase) else self._orders.find(order)
        security_id, side = self._which(known, security, side)
        request_id = self._next_id()
        message = self._maker.cancel(
            security_id,
            side,
            order_id=_order_id(known, order),
            cl_ord_id=_cl_ord_id(known, order) or base36(request_id),
            order_request_id=request_id,
            now=self._clock(),
        )
        return await self._answer(known, request_id, message, Cancelled)

    async def replace(
        self,
        order: OrderBase | int | str,
        *,
        price: Price | None = None,
        quantity: int | None = None,
        security: str | int | None = None,
        side: Side | None = None,
        time_in_force: TimeInForce | None = None,
        ofm_override: bool = False,
    ) -> Modified:
        """Give an order another price or quantity and wait for the answer.

        `order` as in `cancel`; price and quantity that are not given stay as they are in an Order, and must be given
        for an OrderID or ClOrdID. `ofm_override` (OFMOverride, 9768): in-flight mitigation. Raises ReplaceRefused,
        NotApplied or Disconnected.
        """
        known = order if isinstance(order, OrderBase) else self._orders.find(order)
        security_id, side = self._which(known, security, side)
        if known is not None:
            price = known.price if price is None else price
            quantity = known.order_qty if quantity is None else quantity
        if price is None or quantity is None:
            raise ValueError("price and quantity are needed to replace an order that this process did not send")
        request_id = self._next_id()
        message = self._maker.replace(
            security_id,
            side,
            to_wire(price),
            quantity,
            order_id=_order_id(known, order),
            cl_ord_id=_cl_ord_id(known, order) or base36(request_id),
            order_request_id=request_id,
            now=self._clock(),
            time_in_force=time_in_force or (known.time_in_force if known else TimeInForce.DAY),
            expire_date=known.expire_date if known else None,
            min_qty=known.min_qty if known else None,
            display_qty=known.display_qty if known else None,
            exec_inst=known.exec_inst if known else 0,
            execution_mode=known.execution_mode if known else NO_MODE,
            ofm_override=ofm_override,
        )
        return await self._answer(known, request_id, message, Modified)

    async def mass_cancel(
        self,
        *,
        security: str | int | None = None,
        group: str = "",
        segment: int | None = None,
        side: Side | None = None,
        time_in_force: TimeInForce | None = None,
    ) -> tuple[AffectedOrder, ...]:
        """Cancel the session's working orders in an instrument, a group, a market segment, or all; those that went.

        `side` and `time_in_force` (DAY, GTC, GTD) narrow it. Raises InquiryRefused, NotApplied or Disconnected.
        """
        request_id = self._next_id()
        scope = self._scope(security, group, segment)
        message = self._maker.mass_cancel(scope, side, time_in_force, request_id, self._clock())
        parts = await self._parts(request_id, message)
        return tuple(order for part in parts if isinstance(part, MassCancelled) for order in part.orders)

    async def order_status(self, order: OrderBase | int) -> Status:
        """Ask how a working order stands, an Order or an OrderID. Raises InquiryRefused, NotApplied or Disconnected."""
        order_id = order if isinstance(order, int) else order.order_id
        if order_id is None:
            raise ValueError("an order has a status once it was accepted")
        request_id = self._next_id()
        message = self._maker.order_status(order_id, request_id, self._clock())
        return await self._answer(None, request_id, message, Status)

    async def mass_status(
        self,
        *,
        security: str | int | None = None,
        group: str = "",
        segment: int | None = None,
        time_in_force: TimeInForce | None = None,
    ) -> tuple[Status, ...]:
        """Ask how the working orders in a scope stand, as in `mass_cancel`. Raises what `order_status` raises, also
        where there is no order."""
        request_id = self._next_id()
        scope = self._scope(security, group, segment)
        message = self._maker.mass_status(scope, time_in_force, request_id, self._clock())
        return tuple(part for part in await self._parts(request_id, message) if isinstance(part, Status))

    async def send(self, message: Numbered) -> int:
        """Send any business message of the protocol; its number. The answer comes through `reports()`."""
        return self._link.send(message)

    def reports(self) -> AsyncIterator[Report]:
        """Every report of the session, each once, in order, from the login on; for one reader. Ends with the session.

        Raises ReportsLost where reports are missing; call again to read on. With a state file a report counts as read
        when the next one is asked for: what was not read is fetched again after a restart.
        """
        return self.feed.read()

    # Requests

    def _enter(self, side: Side, security: str | int, price: Price, quantity: int, options: OrderOptions) -> Order:
        security_id = self._instruments.security_id(security)
        wire_price = to_wire(price)
        request_id = self._next_id()
        message = self._maker.new_order(security_id, side, wire_price, quantity, request_id, self._clock(), options)
        order = self._make_order(
            Terms(
                message.cl_ord_id.decode("ascii"),
                self._instruments.symbol(security_id),
                security_id,
                side,
                to_decimal(wire_price),
                quantity,
                options.get("time_in_force", TimeInForce.DAY),
                options.get("min_qty"),
                options.get("display_qty"),
                options.get("expire_date"),
                message.exec_inst,
                message.execution_mode,
            ),
            self,
        )
        self._orders.sent(Request(order, request_id, None), self._link.send(message))
        return cast("Order", order)

    async def _answer(
        self, order: OrderBase | None, request_id: int, message: Numbered, kind: type[ReportT]
    ) -> ReportT:
        answer: asyncio.Future[Report] = asyncio.get_running_loop().create_future()
        self._orders.sent(Request(order, request_id, answer), self._link.send(message))
        report = await answer
        assert isinstance(report, kind)
        return report

    async def _parts(self, request_id: int, message: Numbered) -> list[Report]:
        """Send a request over many orders; every report of its answer."""
        answer: asyncio.Future[Report] = asyncio.get_running_loop().create_future()
        request = Request(None, request_id, answer)
        self._orders.sent(request, self._link.send(message))
        await answer
        return request.parts

    def _scope(self, security: str | int | None, group: str, segment: int | None) -> Scope:
        security_id = None if security is None else self._instruments.security_id(security)
        return Scope(security_id, group, segment)

    def _which(self, known: OrderBase | None, security: str | int | None, side: Side | None) -> tuple[int, Side]:
        if known is not None:
            return known.security_id, known.side
        if security is None or side is None:
            raise ValueError("security and side are needed for an order that this process did not send")
        return self._instruments.security_id(security), side

    def _next_id(self) -> int:
        """An OrderRequestID (2422) that no earlier process used: microseconds since the epoch, and never the same."""
        self._last_id = max(self._clock() // 1000, self._last_id + 1)
        return self._last_id

    # What the link tells

    def on_business(self, event: BusinessMessage) -> None:
        """A report."""
        try:
            message = decode(event.frame)
        except DecodeError as error:
            self.feed.lose(ReportsLost(1, f"number {event.seq_num} could not be decoded: {error}"))
            return
        report = read_report(message, self._instruments)
        seq_num = self._orders.take(report)
        if seq_num is not None and isinstance(report, BusinessRejected) and report.ref_seq_num is None:
            self._link.rewind(seq_num)
        self.feed.put(report)

    def on_not_applied(self, event: NumbersNotApplied, resent: Mapping[int, int]) -> None:
        """Requests that never arrived."""
        self._orders.not_applied(event.from_seq_no, event.count, resent)

    def on_messages_lost(self, event: MessagesLost) -> None:
        """Reports that cannot be fetched."""
        numbers = f"{event.from_seq_no} to {event.from_seq_no + event.count - 1} of UUID {event.uuid}"
        self.feed.lose(ReportsLost(event.count, f"numbers {numbers} could not be fetched: {event.reason}"))

    def on_new_uuid(self) -> None:
        """Numbers begin again."""
        self._orders.renumbered()

    def on_end(self, error: ClientError) -> None:
        """The session is over: nobody waits any longer."""
        self._orders.fail(error)
        self.feed.end()

    def unread(self, memory: ClientMemory) -> ClientMemory:
        """What a restart has to fetch again."""
        return self.feed.unread(memory)


def _order_id(known: OrderBase | None, order: OrderBase | int | str) -> int | None:
    if known is not None:
        return known.order_id
    return order if isinstance(order, int) else None


def _cl_ord_id(known: OrderBase | None, order: OrderBase | int | str) -> str:
    if known is not None:
        return known.cl_ord_id
    return order if isinstance(order, str) else ""
