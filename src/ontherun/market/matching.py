"""Matching: the books of a segment, the orders that work in them, and the numbers that it gives out.

Price, then time. An incoming order trades at the price of the resting order; a display quantity order shows its next
part at the end of the queue. One trade entry (MDTradeEntryID) per price, one order event (OrderEventExecID) per pair of
orders.

Source: CME client wiki, BrokerTec market functionality and binary trade reporting; schema id 8 version 9, template 525.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

from ontherun.market.book import Book, BookSide, Order
from ontherun.market.events import (
    FILLED,
    NO_LONGER_BEST,
    PARTIALLY_FILLED,
    SELF_MATCH_NEWEST,
    SELF_MATCH_OLDEST,
    Event,
    OrderCancelled,
    OrderEliminated,
    OrderEvent,
    OrderTraded,
)
from ontherun.market.instruments import Instrument
from ontherun.market.policy import SegmentPolicy
from ontherun.market.self_match import meetings
from ontherun.market.states import SecurityTradingStatus
from ontherun.market.terms import (
    FILL_OR_KILL,
    IMMEDIATE,
    ONLY_BEST,
    PASSIVE,
    UINT32_NULL,
    UINT64_NULL,
    OrderTerms,
)

_NUMBERS_PER_SEGMENT: Final = 10**13
"""OrderID and SecExecID are the segment id and thirteen digits: unique over segments, exact as JSON numbers."""

MAX_ORDER_EVENTS: Final = 254
"""The most entries of a group on the wire: an aggressor that meets more orders at one price gets a further report."""

_DAY_NS: Final = 86_400 * 10**9
_OPEN: Final = SecurityTradingStatus.OPEN


class Matching:
    """Books, working orders and counters, and what can be done with orders that have passed every check."""

    __slots__ = (
        "_books",
        "_executions",
        "_md_trade_entries",
        "_number_base",
        "_order_events",
        "_order_ids",
        "_orders",
        "_side_trades",
        "_working",
        "exec_format",
        "policy",
        "segment_id",
        "state_since",
        "status",
        "trade_date",
    )
    exec_format: bytes
    """The ExecID of an execution, with its number to be filled in."""
    trade_date: int
    """The trading day in days since the epoch; 0 where the segment keeps no hours: then it is the UTC day of `now`."""

    state_since: int
    """When the status was set last, ns since the epoch; 0 before."""

    def __init__(self, segment_id: int, instruments: Iterable[Instrument], policy: SegmentPolicy | None = None) -> None:
        self.segment_id = segment_id
        self.policy = policy or SegmentPolicy()
        self.status = _OPEN
        self.trade_date = 0
        self.state_since = 0
        self._books: dict[int, Book] = {}
        for instrument in instruments:
            if instrument.segment != segment_id:
                raise ValueError(f"{instrument.symbol} belongs to segment {instrument.segment}, not to {segment_id}")
            if instrument.security_id in self._books:
                raise ValueError(f"{instrument.symbol}: SecurityID {instrument.security_id} is used twice")
            self._books[instrument.security_id] = Book(instrument)
        self._orders: dict[int, Order] = {}
        self._working: dict[str, dict[bytes, Order]] = {}
        self._number_base = segment_id * _NUMBERS_PER_SEGMENT
        self._order_ids = 0
        self._executions = 0
        self._side_trades = 0
        self._md_trade_entries = 0
        self._order_events = 0
        self.exec_format = b"%d:%%d" % segment_id

    @property
    def books(self) -> Mapping[int, Book]:
        """The books by SecurityID, to be read only."""
        return self._books

    def state(self) -> tuple[object, ...]:
        """All that later events depend on, as nested tuples: counters, status, and each book in priority order."""
        counters = (self._order_ids, self._executions, self._side_trades, self._md_trade_entries, self._order_events)
        books = tuple((key, tuple(_order_state(order) for order in book.orders())) for key, book in self._books.items())
        return (self.segment_id, int(self.status), counters, books, self.trade_date, self.state_since)

    def state_digest(self) -> str:
        """SHA-256 of ``state()`` in hex: equal after recovery to what it was before."""
        return hashlib.sha256(repr(self.state()).encode()).hexdigest()

    def _place(self, order: Order, own: BookSide, opposite: BookSide, key: int, now: int, events: list[Event]) -> None:
        """Trade an order that is in no queue, then rest or eliminate what is left."""
        terms = order.terms
        time_in_force = terms.time_in_force
        keys = opposite.keys
        if keys and keys[-1] >= -key and self.status is _OPEN and terms.execution_mode != PASSIVE:
            if order.party_details.self_match_prevention_id != UINT64_NULL or self.policy.self_match_prevention:
                if self._trade_with_others(order, opposite, -key, now, events):
                    return
            elif order.book.all_or_none:
                self._trade_whole(order, opposite, -key, now, events)
            elif time_in_force != FILL_OR_KILL or opposite.available(-key, order.leaves_qty) == order.leaves_qty:
                self._trade(order, opposite, -key, now, events)
        leaves = order.leaves_qty
        if not leaves:
            return
        if time_in_force in IMMEDIATE:
            events.append(OrderEliminated(order, self._exec_id()))
            return
        if own.only_best and own.keys and key > own.keys[-1]:
            self._no_longer_best(own, events)
        if terms.exec_inst & ONLY_BEST:
            order.book.keep_at_best(own)
        own.append(order, key, terms.price)
        order.hidden_qty = leaves - terms.display_qty if terms.display_qty < leaves else 0
        order.priority = self._executions
        self._orders[order.order_id] = order
        order.namesakes[terms.cl_ord_id] = order

    def _reaches(self, order: Order, min_qty: int, opposite: BookSide, key: int) -> bool:
        """Whether an order with this key could trade MinQty at once; true of an order without."""
        if min_qty == UINT32_NULL:
            return True
        if self.status is not _OPEN:
            return False
        return meetings(order, opposite, -key, compulsory=self.policy.self_match_prevention).reachable >= min_qty

    def _trade_with_others(self, order: Order, opposite: BookSide, limit: int, now: int, events: list[Event]) -> bool:
        """Trade an order that must not meet resting orders of its own; whether that ended it (the newest goes)."""
        met = meetings(order, opposite, limit, compulsory=self.policy.self_match_prevention)
        if order.terms.time_in_force == FILL_OR_KILL and met.reachable < order.leaves_qty:
            return False
        for own in met.own:
            self._remove(own)
            events.append(OrderCancelled(own, None, SELF_MATCH_OLDEST, self._exec_id()))
        if order.book.all_or_none:
            if not met.stopped:
                self._trade_whole(order, opposite, limit, now, events)
        elif met.reachable:
            keep = order.leaves_qty - met.reachable if met.stopped else 0
            self._trade(order, opposite, limit, now, events, keep)
        if met.stopped:
            events.append(OrderCancelled(order, None, SELF_MATCH_NEWEST, self._exec_id()))
        return met.stopped

    def _trade(
        self, order: Order, opposite: BookSide, limit: int, now: int, events: list[Event], keep: int = 0
    ) -> None:
        """Match all but `keep` against the other side: best price first, oldest first, at the resting order's price."""
        trade_date = self._day(now)
        keys = opposite.keys
        leaves = order.leaves_qty
        number_base, exec_format = self._number_base, self.exec_format
        executions, side_trades, order_event = self._executions, self._side_trades, self._order_events
        entry, traded_level = self._md_trade_entries, None
        while leaves > keep and keys and keys[-1] >= limit:
            level = opposite.levels[keys[-1]]
            price = level.price
            if level is not traded_level:
                traded_level = level
                entry += 1
            order_events: list[OrderEvent] = []
            last_event = order_event + MAX_ORDER_EVENTS
            before = leaves
            resting = level.head
            while leaves > keep and resting is not None and order_event != last_event:
                left = resting.leaves_qty
                shown = left - resting.hidden_qty
                wanted = leaves - keep
                qty = shown if shown < wanted else wanted  # noqa: FURB136 - min() costs three times as much
                leaves -= qty
                resting.leaves_qty = left = left - qty
                resting.cum_qty = cum_qty = resting.cum_qty + qty
                executions += 1
                side_trades += 1
                order_event += 1
                order_events.append((order_event, qty, PARTIALLY_FILLED if leaves else FILLED))
                events.append(
                    OrderTraded(
                        resting,
                        exec_format % executions,
                        price,
                        qty,
                        cum_qty,
                        left,
                        False,
                        number_base + executions,
                        side_trades,
                        entry,
                        trade_date,
                        [(order_event, qty, PARTIALLY_FILLED if left else FILLED)],
                    )
                )
                if not left:
                    level.remove(resting)
                    del self._orders[resting.order_id]
                    del resting.namesakes[resting.terms.cl_ord_id]
                elif qty == shown:
                    self._refresh(resting, executions)
                resting = level.head
            traded = before - leaves
            order.cum_qty = cum_qty = order.cum_qty + traded
            executions += 1
            side_trades += 1
            events.append(
                OrderTraded(
                    order,
                    exec_format % executions,
                    price,
                    traded,
                    cum_qty,
                    leaves,
                    True,
                    number_base + executions,
                    side_trades,
                    entry,
                    trade_date,
                    order_events,
                )
            )
        order.leaves_qty = leaves
        self._executions, self._side_trades = executions, side_trades
        self._md_trade_entries, self._order_events = entry, order_event

    def _trade_whole(self, order: Order, opposite: BookSide, key: int, now: int, events: list[Event]) -> None:
        """Match an all-or-none order against the oldest of equal price and equal quantity, or not at all."""
        level = opposite.levels.get(key)
        qty = order.leaves_qty
        resting = next((other for other in level or () if other.leaves_qty == qty), None)
        if level is None or resting is None:
            return
        self._md_trade_entries += 1
        self._order_events += 1
        trade_date = self._day(now)
        self._remove(resting)
        for each in (resting, order):
            each.leaves_qty = 0
            each.cum_qty += qty
            self._executions = executions = self._executions + 1
            self._side_trades += 1
            events.append(
                OrderTraded(
                    each,
                    self.exec_format % executions,
                    level.price,
                    qty,
                    each.cum_qty,
                    0,
                    each is order,
                    self._number_base + executions,
                    self._side_trades,
                    self._md_trade_entries,
                    trade_date,
                    [(self._order_events, qty, FILLED)],
                )
            )

    def _no_longer_best(self, side: BookSide, events: list[Event]) -> None:
        """Cancel the only-best orders of the best level: a better price is about to join."""
        side.only_best = False
        for order in list(side.levels[side.keys[-1]]):
            if order.terms.exec_inst & ONLY_BEST:
                self._remove(order)
                events.append(OrderCancelled(order, None, NO_LONGER_BEST, self._exec_id()))

    def _refresh(self, order: Order, executions: int) -> None:
        """Show the next part of a display quantity order, last in the queue of its price."""
        level = order.level
        if level.tail is not order:
            level.remove(order)
            level.side.append(order, level.key, level.price)
        order.hidden_qty = max(order.leaves_qty - order.terms.display_qty, 0)
        order.priority = executions

    def _uncross(self, book: Book, now: int, events: list[Event]) -> None:
        """Let the orders of a crossed book come in again, one by one in time priority."""
        orders = sorted(book.orders(), key=lambda order: order.priority)
        for order in orders:
            self._remove(order)
        for order in orders:
            self._executions += 1  # a place in the queue of its own
            self._place(order, *book.sides(order.terms.side, order.terms.price), now, events)

    def _remove(self, order: Order) -> None:
        order.level.remove(order)
        del self._orders[order.order_id]
        del order.namesakes[order.terms.cl_ord_id]

    def _day(self, now: int) -> int:
        """The trading day in days since the epoch."""
        return self.trade_date or now // _DAY_NS

    def _exec_id(self) -> bytes:
        self._executions = executions = self._executions + 1
        return self.exec_format % executions


def _order_state(order: Order) -> tuple[object, ...]:
    quantities = (order.leaves_qty, order.hidden_qty, order.cum_qty)
    request = tuple(getattr(order.terms, name) for name in OrderTerms.__annotations__)
    details = order.party_details
    guard = (details.self_match_prevention_id, details.self_match_prevention_instruction)
    owner = (order.owner.sender_comp, details.account, *guard)
    return (order.order_id, *owner, order.priority, *quantities, order.ofm_override, *request)
