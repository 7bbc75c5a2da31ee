"""What the venue does to a segment: its states, the end of the day, and orders that it takes out unasked."""

from collections.abc import Iterable
from typing import NamedTuple

from ontherun.market.book import Order
from ontherun.market.events import Event, OrderCancelled, OrderEliminated
from ontherun.market.matching import Matching
from ontherun.market.states import SecurityTradingStatus
from ontherun.market.terms import GOOD_TILL, GOOD_TILL_CANCEL, GOOD_TILL_DATE, Owner

_OPEN = SecurityTradingStatus.OPEN


class AddendumNumbers(NamedTuple):
    """OrderEventExecID (1797), and for each report ExecID, SecExecID (527) and SideTradeID (1506)."""

    order_event_exec_id: int
    reports: list[tuple[bytes, int, int]]


class Days(Matching):
    """The commands of the venue. ``now`` is in ns since the epoch, UTC."""

    __slots__ = ()

    def set_state(self, status: int, now: int, trade_date: int | None = None) -> list[Event]:
        """Put the segment into a SecurityTradingStatus, on this trading day (days since the epoch) where one is given.

        Opening matches what crossed while orders were collected. Raises ValueError for a status that does not exist.
        """
        self.status = SecurityTradingStatus(status)
        self.state_since = now
        if trade_date is not None:
            self.trade_date = trade_date
        events: list[Event] = []
        if self.status is _OPEN:
            for book in self._books.values():
                if book.crossed():
                    self._uncross(book, now, events)
        return events

    def end_of_day(self, now: int) -> list[Event]:
        """Eliminate the day orders, and the GTD orders whose ExpireDate (432) has come, oldest OrderID first."""
        today = self._day(now)
        return self._eliminate(order for order in self._orders.values() if _ends_with(order, today))

    def new_on_the_run(self, security_id: int, now: int) -> list[Event]:  # noqa: ARG002 - commands share one shape
        """Eliminate the GTC and GTD orders of an instrument: the next security of its tenor becomes on-the-run.

        Source: CME client wiki, New BrokerTec GTC and GTD orders. Raises KeyError for an unknown SecurityID.
        """
        book = self._books[security_id]
        return self._eliminate(order for order in book.orders() if order.terms.time_in_force in GOOD_TILL)

    def cancel_day_orders(self, owner: Owner, reason: int, now: int) -> list[Event]:  # noqa: ARG002
        """Cancel, unasked, the working orders of the owner's SenderComp that are neither GTC nor GTD.

        ``reason`` is ExecRestatementReason (378), 100 where a connection was lost.
        """
        return self._cancel(
            [order for order in self.orders_of(owner) if order.terms.time_in_force not in GOOD_TILL], reason
        )

    def cancel_order(self, order_id: int, reason: int, now: int) -> list[Event]:  # noqa: ARG002
        """Cancel one working order, unasked. Raises KeyError when no such order works."""
        return self._cancel([self._orders[order_id]], reason)

    def number_addendum(self, reports: int) -> AddendumNumbers:
        """The numbers of a trade that the venue cancels or corrects: of the trade, and of this many reports."""
        self._order_events += 1
        numbers = []
        for _ in range(reports):
            exec_id = self._exec_id()
            self._side_trades += 1
            numbers.append((exec_id, self._number_base + self._executions, self._side_trades))
        return AddendumNumbers(self._order_events, numbers)

    @property
    def orders_accepted(self) -> int:
        """How many orders were accepted since the segment's beginning."""
        return self._order_ids

    @property
    def orders_working(self) -> int:
        """How many orders are working."""
        return len(self._orders)

    def orders_of(self, owner: Owner) -> list[Order]:
        """The working orders of the owner's SenderComp by OrderID."""
        return sorted(self._working.get(owner.sender_comp, {}).values(), key=_by_order_id)

    def _eliminate(self, orders: Iterable[Order]) -> list[Event]:
        events: list[Event] = []
        for order in sorted(orders, key=_by_order_id):
            self._remove(order)
            events.append(OrderEliminated(order, self._exec_id()))
        return events

    def _cancel(self, orders: Iterable[Order], reason: int) -> list[Event]:
        events: list[Event] = []
        for order in orders:
            self._remove(order)
            events.append(OrderCancelled(order, None, reason, self._exec_id()))
        return events


def _ends_with(order: Order, day: int) -> bool:
    """Whether an order ends with this day, in days since the epoch."""
    terms = order.terms
    if terms.time_in_force == GOOD_TILL_DATE:
        return terms.expire_date <= day
    return terms.time_in_force != GOOD_TILL_CANCEL


def _by_order_id(order: Order) -> int:
    return order.order_id
