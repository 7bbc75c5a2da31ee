"""The SDK for programs without an event loop: the same names, plain calls.

A session runs the asyncio one in a thread of its own, so keep-alive and recovery go on while the program does other
things. Every method may be called from any thread. Calls that wait take `timeout` (s, None: for ever) and raise
TimeoutError; what they waited for stays under way.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack, cast

from ontherun.client import session as aio
from ontherun.client.errors import Disconnected
from ontherun.client.keyfile import KeyFile
from ontherun.client.login import Login
from ontherun.client.options import SessionOptions
from ontherun.client.orders import OrderBase, Requester, Terms
from ontherun.client.reports import Accepted, AffectedOrder, Cancelled, Modified, Report, Status, Traded
from ontherun.client.requests import OrderOptions
from ontherun.client.values import Price
from ontherun.ilink.client_session import Numbered
from ontherun.ilink.messages.enums import SideReq as Side
from ontherun.ilink.messages.enums import TimeInForce

T = TypeVar("T")


class _Thread:
    """An event loop in a daemon thread."""

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(self._until_stopped())

    async def _until_stopped(self) -> None:
        await self._stop.wait()

    def stop(self) -> None:
        """End the loop and its thread."""
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()


def _result(work: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop, timeout: float | None) -> T:
    """Run in the loop and wait; without the loop, after `close`, what is known already is the answer."""
    if loop.is_closed():
        try:
            work.send(None)
        except StopIteration as done:
            return cast("T", done.value)
        work.close()
        raise Disconnected("the session was closed")
    future = asyncio.run_coroutine_threadsafe(work, loop)
    try:
        return future.result(timeout)
    except BaseException:
        future.cancel()
        raise


class Order(OrderBase):
    """An order; see `ontherun.client.Order`."""

    def __init__(self, terms: Terms, session: Requester, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(terms, session)
        self._loop = loop

    def accepted(self, timeout: float | None = None) -> Accepted:
        """Wait until the venue accepts the order. Raises OrderRefused, NotApplied or Disconnected."""
        return self._run(self.until_accepted(), timeout)

    def filled(self, timeout: float | None = None) -> tuple[Traded, ...]:
        """Wait until the order is filled; its trades. Raises OrderEnded when it ends otherwise."""
        return self._run(self.until_filled(), timeout)

    def ended(self, timeout: float | None = None) -> Report:
        """Wait until nothing can happen to the order any more; the last report."""
        return self._run(self.until_ended(), timeout)

    def updates(self, timeout: float | None = None) -> Iterator[Report]:
        """Every report of this order, from the first to the one that ends it; `timeout` for each."""
        place = 0
        while (report := self._run(self.until_report(place), timeout)) is not None:
            yield report
            place += 1

    def cancel(self, timeout: float | None = None) -> Cancelled:
        """Cancel the order; see `Session.cancel`."""
        return self._run(self._session.cancel(self), timeout)

    def replace(
        self, *, price: Price | None = None, quantity: int | None = None, timeout: float | None = None
    ) -> Modified:
        """Give the order another price or quantity; see `Session.replace`."""
        return self._run(self._session.replace(self, price=price, quantity=quantity), timeout)

    def _run(self, work: Coroutine[Any, Any, T], timeout: float | None) -> T:
        return _result(work, self._loop, timeout)


class Session:
    """A logged-in session; see `ontherun.client.Session`. `connect` makes it; `close` it, or use `with`."""

    def __init__(self, login: Login, **options: Unpack[SessionOptions]) -> None:
        """Log in. Raises what `connect` raises."""
        self._session = aio.Session(login, make_order=self._order, **options)
        self._thread = _Thread(f"ontherun {login.key.session_id}")
        try:
            self._run(self._session.open(), None)
        except BaseException:
            self._thread.stop()
            raise

    def __repr__(self) -> str:
        return repr(self._session)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def login(self) -> Login:
        """What the session logs in with."""
        return self._session.login

    @property
    def uuid(self) -> int:
        """The UUID that both sides number under."""
        return self._session.uuid

    @property
    def established(self) -> bool:
        """Whether orders can be sent now."""
        return self._session.established

    @property
    def backup_ready(self) -> bool:
        """Whether the connection to the designated backup is established."""
        return self._session.backup_ready

    @property
    def orders(self) -> tuple[Order, ...]:
        """The orders of this process that may still trade, oldest first."""
        return cast("tuple[Order, ...]", self._session.orders)

    def ready(self, timeout: float | None = None) -> None:
        """Wait until orders can be sent (again). Raises what ended the session."""
        self._run(self._session.ready(), timeout)

    def rotate_key(self, key: KeyFile, timeout: float | None = None) -> None:
        """Log out and in again with another key pair of the session; UUID, numbers and orders stay."""
        self._run(self._session.rotate_key(key), timeout)

    def close(self) -> None:
        """Log out by Terminate, which leaves the orders working; reports that come before the answer are taken."""
        if not self._thread.loop.is_closed():
            self._run(self._session.close(), None)
            self._thread.stop()

    def drop(self) -> None:
        """Lose the connection, as a broken cable would; for tests of what happens then."""
        self._thread.loop.call_soon_threadsafe(self._session.drop)

    def buy(self, security: str | int, price: Price, quantity: int, **options: Unpack[OrderOptions]) -> Order:
        """Send a limit order to buy; the Order tells what becomes of it."""
        return cast("Order", self._run(self._session.buy(security, price, quantity, **options), None))

    def sell(self, security: str | int, price: Price, quantity: int, **options: Unpack[OrderOptions]) -> Order:
        """Send a limit order to sell."""
        return cast("Order", self._run(self._session.sell(security, price, quantity, **options), None))

    def cancel(
        self,
        order: Order | int | str,
        *,
        security: str | int | None = None,
        side: Side | None = None,
        timeout: float | None = None,
    ) -> Cancelled:
        """Cancel an order and wait for the answer. Raises CancelRefused, NotApplied or Disconnected."""
        return self._run(self._session.cancel(order, security=security, side=side), timeout)

    def replace(
        self,
        order: Order | int | str,
        *,
        price: Price | None = None,
        quantity: int | None = None,
        security: str | int | None = None,
        side: Side | None = None,
        time_in_force: TimeInForce | None = None,
        ofm_override: bool = False,
        timeout: float | None = None,
    ) -> Modified:
        """Give an order another price or quantity and wait for the answer. Raises ReplaceRefused, or as `cancel`."""
        return self._run(
            self._session.replace(
                order,
                price=price,
                quantity=quantity,
                security=security,
                side=side,
                time_in_force=time_in_force,
                ofm_override=ofm_override,
            ),
            timeout,
        )

    def mass_cancel(
        self,
        *,
        security: str | int | None = None,
        group: str = "",
        segment: int | None = None,
        side: Side | None = None,
        time_in_force: TimeInForce | None = None,
        timeout: float | None = None,
    ) -> tuple[AffectedOrder, ...]:
        """Cancel the session's working orders in a scope; those that went. Raises InquiryRefused, or as `cancel`."""
        return self._run(
            self._session.mass_cancel(
                security=security, group=group, segment=segment, side=side, time_in_force=time_in_force
            ),
            timeout,
        )

    def order_status(self, order: Order | int, timeout: float | None = None) -> Status:
        """Ask how a working order stands. Raises InquiryRefused, NotApplied or Disconnected."""
        return self._run(self._session.order_status(order), timeout)

    def mass_status(
        self,
        *,
        security: str | int | None = None,
        group: str = "",
        segment: int | None = None,
        time_in_force: TimeInForce | None = None,
        timeout: float | None = None,
    ) -> tuple[Status, ...]:
        """Ask how the working orders in a scope stand. Raises as `order_status`, also where there is no order."""
        return self._run(
            self._session.mass_status(security=security, group=group, segment=segment, time_in_force=time_in_force),
            timeout,
        )

    def send(self, message: Numbered) -> int:
        """Send any business message of the protocol; its number."""
        return self._run(self._session.send(message), None)

    def reports(self, timeout: float | None = None) -> Iterator[Report]:
        """Every report of the session, each once, in order; for one reader. Ends with the session.

        Raises TimeoutError when none comes for `timeout` s, and ReportsLost; call again to read on.
        """
        feed = self._session.feed
        while True:
            if not feed.ready:
                self._run(feed.wait(), timeout)  # giving up here loses nothing
            report = self._run(feed.next(), None)
            if report is None:
                return
            yield report

    def _order(self, terms: Terms, session: Requester) -> Order:
        return Order(terms, session, self._thread.loop)

    def _run(self, work: Coroutine[Any, Any, T], timeout: float | None) -> T:
        return _result(work, self._thread.loop, timeout)


def connect(login: Login, **options: Unpack[SessionOptions]) -> Session:
    """Log in to a gateway: `with connect(login) as session`, or `session = connect(login)` and `session.close()`.

    For the options see SessionOptions. Raises LoginRefused, Disconnected, or StateError.
    """
    return Session(login, **options)
