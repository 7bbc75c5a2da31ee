"""The book of one instrument: price levels, each a queue of orders in time priority.

Made for the order path. Both sides keep their prices under a signed key, the price for bids and its negative for
offers, so that the best price is always the last key of an ascending list and one comparison serves both. A level is
a doubly linked list through the orders themselves, so that joining the queue and leaving it from anywhere take
constant time. The number of levels is bounded by the price limits (a sorted list of a few thousand integers is faster
than any tree in this language); nothing depends on the number of orders.

Resting orders refer to each other. An order that leaves the book drops these references at once, so that memory is
freed by reference counting: the process runs without the cyclic collector.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Final

from ontherun.market.instruments import Instrument
from ontherun.market.terms import BUY, UINT8_NULL, OrderTerms, Owner, PartyDetails

OFM_UNDECIDED: Final = UINT8_NULL
"""``Order.ofm_override`` before the first replace."""

MAX_PASSED: Final = 65_536


class Order:
    """An accepted order.

    ``terms`` is the request in force as it was received: the NewOrderSingle, after a replace the
    OrderCancelReplaceRequest. Quantities are in lots. LeavesQty counts what is shown and what is hidden;
    ``hidden_qty`` is 0 without DisplayQty. ``priority`` is the number of the event that gave the order its place in
    the queue: smaller is older. ``namesakes`` is the index in which the order's ClOrdID must be unique while it
    works. ``level``, ``prev`` and ``next`` belong to the queue; ``level`` is set while queued.
    """

    __slots__ = (
        "book",
        "cum_qty",
        "hidden_qty",
        "leaves_qty",
        "level",
        "namesakes",
        "next",
        "ofm_override",
        "order_id",
        "owner",
        "party_details",
        "prev",
        "priority",
        "terms",
    )
    level: "Level"

    def __init__(
        self,
        order_id: int,
        owner: Owner,
        terms: OrderTerms,
        party_details: PartyDetails,
        book: "Book",
        namesakes: dict[bytes, "Order"],
    ) -> None:
        self.order_id = order_id
        self.owner = owner
        self.terms = terms
        self.party_details = party_details
        self.book = book
        self.namesakes = namesakes
        self.leaves_qty = terms.order_qty
        self.cum_qty = 0
        self.hidden_qty = 0
        self.ofm_override = OFM_UNDECIDED
        self.priority = 0
        self.prev: Order | None = None
        self.next: Order | None = None

    def __repr__(self) -> str:
        return f"Order({self.order_id}, {self.owner.sender_comp}, leaves {self.leaves_qty})"


class Level:
    """The orders of one side at one price, oldest first. Never empty while it is part of its side."""

    __slots__ = ("head", "key", "price", "side", "tail")

    def __init__(self, side: "BookSide", key: int, price: int, order: Order) -> None:
        self.side = side
        self.key = key
        self.price = price
        self.head: Order | None = order
        self.tail: Order | None = order

    def __iter__(self) -> Iterator[Order]:
        order = self.head
        while order is not None:
            yield order
            order = order.next

    def remove(self, order: Order) -> None:
        """Take an order out of the queue, and the level out of its side with its last order."""
        before, behind = order.prev, order.next
        if before is None:
            self.head = behind
        else:
            before.next = behind
            order.prev = None
        if behind is None:
            self.tail = before
            if before is None:
                self.side.drop(self.key)
        else:
            behind.prev = before
            order.next = None


class BookSide:
    """The levels of one side; ``keys`` ascend, so the best price is last.

    ``only_best`` is set while only-best orders may work here; then they all work at the best price.
    """

    __slots__ = ("keys", "levels", "only_best")

    def __init__(self) -> None:
        self.keys: list[int] = []
        self.levels: dict[int, Level] = {}
        self.only_best = False

    def __iter__(self) -> Iterator[Level]:
        for key in reversed(self.keys):
            yield self.levels[key]

    def append(self, order: Order, key: int, price: int) -> None:
        """Queue an order last at its price."""
        level = self.levels.get(key)
        if level is None:
            self.levels[key] = order.level = Level(self, key, price, order)
            insort(self.keys, key)
            return
        order.level = level
        order.prev = tail = level.tail
        level.tail = order
        if tail is not None:
            tail.next = order

    def drop(self, key: int) -> None:
        """Take an empty level away."""
        del self.levels[key]
        keys = self.keys
        if keys[-1] == key:
            keys.pop()
        else:
            del keys[bisect_left(keys, key)]

    def best_besides(self, order: Order | None) -> Level | None:
        """The best level when this order is left out; None where there is none."""
        for key in reversed(self.keys):
            level = self.levels[key]
            if level.head is not order or level.tail is not order:
                return level
        return None

    def available(self, limit: int, wanted: int) -> int:
        """How much could be traded with keys from ``limit`` up, hidden quantity included, counted up to ``wanted``."""
        found = 0
        for key in reversed(self.keys):
            if key < limit:
                break
            for order in self.levels[key]:
                found += order.leaves_qty
                if found >= wanted:
                    return wanted
        return found


class Book:
    """Both sides of one instrument.

    ``passed_prices`` and ``passed_quantities`` remember what has passed every check of the instrument, so that an order
    with them need not be checked again: reference data does not change under a book. They stay small: prices are
    bounded by limits and tick, and both stop at ``MAX_PASSED``. The prices are empty while something works in the book
    that every further order has to be looked at for: all-or-none books, and only-best orders.
    """

    __slots__ = ("all_or_none", "asks", "bids", "instrument", "passed_prices", "passed_quantities")

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.all_or_none = instrument.all_or_none
        self.passed_prices: set[int] = set()
        self.passed_quantities: set[int] = set()
        self.bids = BookSide()
        self.asks = BookSide()

    def remember(self, price: int, qty: int) -> None:
        """Note a price and a quantity that have passed every check."""
        watched = self.all_or_none or self.bids.only_best or self.asks.only_best
        if not watched and len(self.passed_prices) < MAX_PASSED:
            self.passed_prices.add(price)
        if len(self.passed_quantities) < MAX_PASSED:
            self.passed_quantities.add(qty)

    def keep_at_best(self, side: BookSide) -> None:
        """Note that an only-best order rests on this side: every further order may be a better one."""
        side.only_best = True
        self.passed_prices.clear()

    def sides(self, side: int, price: int) -> tuple[BookSide, BookSide, int]:
        """Where an order of Side (54) at a price rests, what it trades against, and its key where it rests.

        The negative of that key is the lowest key that it can trade with on the other side.
        """
        return (self.bids, self.asks, price) if side == BUY else (self.asks, self.bids, -price)

    def crossed(self) -> bool:
        """Whether the best bid is at or above the best offer."""
        bids, asks = self.bids.keys, self.asks.keys
        return bool(bids) and bool(asks) and bids[-1] + asks[-1] >= 0

    def orders(self) -> Iterator[Order]:
        """Every resting order: bids, then offers, each best price first and oldest first."""
        for side in (self.bids, self.asks):
            for level in side:
                yield from level
