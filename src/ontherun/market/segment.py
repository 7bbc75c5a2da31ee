"""One market segment: commands in, events out.

Deterministic: the same commands with the same times give the same events, numbers included, which is what recovery
rests on. A refused command changes nothing but the counter of ExecIDs.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

from ontherun.market import refusals
from ontherun.market.book import MAX_PASSED_PRICES, OFM_UNDECIDED, Book, BookSide, Order
from ontherun.market.checks import cancel_refusal, new_order_refusal, replace_refusal
from ontherun.market.events import (
    FILLED,
    PARTIALLY_FILLED,
    BusinessRejected,
    CancelRejected,
    Event,
    OrderAccepted,
    OrderCancelled,
    OrderEliminated,
    OrderEvent,
    OrderModified,
    OrderRejected,
    OrderTraded,
    ReplaceRejected,
)
from ontherun.market.instruments import Instrument
from ontherun.market.policy import ExhaustedReplace, OFMChain, SegmentPolicy
from ontherun.market.refusals import BusinessRefusal, Refusal
from ontherun.market.states import SecurityTradingStatus
from ontherun.market.terms import (
    BUY,
    FILL_AND_KILL,
    FILL_OR_KILL,
    LIMIT,
    PASSIVE,
    SELL,
    UINT8_NULL,
    UINT32_NULL,
    UINT64_NULL,
    NewOrderSingle,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    OrderTerms,
    Owner,
    PartyDetails,
)

_NUMBERS_PER_SEGMENT: Final = 10**13
"""OrderID and SecExecID are the segment id and thirteen digits: unique over segments, exact as JSON numbers."""

_DAY_NS: Final = 86_400 * 10**9
_OPEN: Final = SecurityTradingStatus.OPEN


class MarketSegment:
    """The books, the working orders and the counters of one segment.

    ``now`` is always in ns since the epoch, UTC. Every command returns its events in the order in which they
    happened; for one owner that is the order in which the reports are to be sent.
    """

    __slots__ = (
        "_books",
        "_exec_format",
        "_executions",
        "_md_trade_entries",
        "_number_base",
        "_order_events",
        "_order_ids",
        "_orders",
        "_side_trades",
        "_working",
        "policy",
        "segment_id",
        "status",
    )

    def __init__(self, segment_id: int, instruments: Iterable[Instrument], policy: SegmentPolicy | None = None) -> None:
        self.segment_id = segment_id
        self.policy = policy or SegmentPolicy()
        self.status = _OPEN
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
        self._exec_format = b"%d:%%d" % segment_id

    # What a client asks for

    def new_order(self, owner: Owner, order: NewOrderSingle, now: int) -> list[Event]:
        """Check and place a new order: accepted, then traded, rested or eliminated; or refused."""
        details = owner.party_details.get(order.party_details_list_req_id)
        namesakes = self._working.get(owner.sender_comp)
        if namesakes is None:
            namesakes = self._working[owner.sender_comp] = {}
        book = self._books.get(order.security_id)
        if (  # whatever is not evidently a plain day order that passes every check takes the checks one by one
            details is None
            or book is None
            or order.price not in book.passed_prices
            or order.cl_ord_id in namesakes
            or (order.side != BUY and order.side != SELL)
            or self.status is not _OPEN
            or (order.time_in_force and order.time_in_force != FILL_AND_KILL)
            or order.ord_type != LIMIT
            or order.exec_inst
            or order.execution_mode == PASSIVE
            or not book.min_qty <= order.order_qty <= book.max_qty
            or order.order_qty % book.qty_increment
            or order.display_qty != UINT32_NULL
            or order.min_qty != UINT32_NULL
        ):
            refusal = new_order_refusal(order, details, namesakes, book, self.status)
            if refusal is not None or details is None or book is None:
                return self._refuse(owner, order, refusal)
            if len(book.passed_prices) < MAX_PASSED_PRICES:
                book.passed_prices.add(order.price)
        self._order_ids = number = self._order_ids + 1
        self._executions = executions = self._executions + 1
        accepted = Order(self._number_base + number, owner, order, details, book, namesakes)
        events: list[Event] = [OrderAccepted(accepted, self._exec_format % executions)]
        if order.side == BUY:
            own, opposite, key = book.bids, book.asks, order.price
        else:
            own, opposite, key = book.asks, book.bids, -order.price
        keys = opposite.keys
        if order.time_in_force or (keys and keys[-1] >= -key) or order.display_qty != UINT32_NULL:
            self._place(accepted, own, opposite, key, now, events)
            return events
        own.append(accepted, key, order.price)
        accepted.priority = executions
        self._orders[accepted.order_id] = accepted
        namesakes[order.cl_ord_id] = accepted
        return events

    def cancel(self, owner: Owner, request: OrderCancelRequest, now: int) -> list[Event]:  # noqa: ARG002 - commands share one shape
        """Check a cancel and take the order out of the book."""
        if request.order_id != UINT64_NULL:
            order = self._orders.get(request.order_id)
        else:
            order = self._working.get(owner.sender_comp, {}).get(request.cl_ord_id)
        book = self._books.get(request.security_id)
        if (  # whatever is not evidently the owner's own order takes the checks one by one
            order is None
            or order.owner is not owner
            or order.book is not book
            or order.terms.side != request.side
            or request.party_details_list_req_id not in owner.party_details
            or self.status is not _OPEN
        ):
            refusal = cancel_refusal(owner, request, order, book, self.status)
            if refusal is not None or order is None:
                return self._refuse_cancel(owner, request, order, refusal)
        order.level.remove(order)
        del self._orders[order.order_id]
        del order.namesakes[order.terms.cl_ord_id]
        self._executions = executions = self._executions + 1
        return [OrderCancelled(order, request, UINT8_NULL, self._exec_format % executions)]

    def replace(self, owner: Owner, request: OrderCancelReplaceRequest, now: int) -> list[Event]:
        """Check a cancel-replace and carry it out: in place where priority is kept, else as if the order came in anew."""
        details = owner.party_details.get(request.party_details_list_req_id)
        namesakes = self._working.get(owner.sender_comp, {})
        if request.order_id != UINT64_NULL:
            order = self._orders.get(request.order_id)
        else:
            order = namesakes.get(request.cl_ord_id)
        book = self._books.get(request.security_id)
        refusal = replace_refusal(owner, request, details, namesakes, order, book, self.status)
        if refusal is not None or details is None or order is None:
            return self._refuse_replace(owner, request, order, refusal)

        ofm_override = order.ofm_override
        if ofm_override == OFM_UNDECIDED or (not ofm_override and self.policy.ofm_chain is OFMChain.ENABLED_STAYS):
            ofm_override = request.ofm_override
        filled = order.cum_qty if ofm_override == self.policy.fills_taken_off.value else 0
        leaves = request.order_qty - filled
        if leaves <= 0:
            if self.policy.exhausted_replace is ExhaustedReplace.REJECT:
                return self._refuse_replace(owner, request, order, refusals.QUANTITY_OUT_OF_RANGE)
            self._remove(order)
            return [OrderCancelled(order, request, UINT8_NULL, self._exec_id())]
        if leaves < request.display_qty != UINT32_NULL:
            return self._refuse_replace(owner, request, order, refusals.DISPLAY_QTY_ABOVE_QUANTITY)
        return self._modify(order, request, details, ofm_override, filled, leaves, now)

    # What the venue does

    def set_state(self, status: int, now: int) -> list[Event]:
        """Put the segment into a SecurityTradingStatus. Opening matches what crossed while orders were collected."""
        self.status = SecurityTradingStatus(status)
        events: list[Event] = []
        if self.status is _OPEN:
            for book in self._books.values():
                if book.crossed():
                    self._uncross(book, now, events)
        return events

    def end_of_day(self, now: int) -> list[Event]:  # noqa: ARG002 - commands share one shape
        """Eliminate every working day order, oldest OrderID first."""
        events: list[Event] = []
        for order in sorted(self._orders.values(), key=_by_order_id):
            self._remove(order)
            events.append(OrderEliminated(order, self._exec_id()))
        return events

    def cancel_all(self, owner: Owner, reason: int, now: int) -> list[Event]:  # noqa: ARG002 - commands share one shape
        """Cancel, unasked, every working day order of the owner's SenderComp; ``reason`` is tag 378."""
        events: list[Event] = []
        for order in self.orders_of(owner):
            self._remove(order)
            events.append(OrderCancelled(order, None, reason, self._exec_id()))
        return events

    # What can be seen

    def orders_of(self, owner: Owner) -> list[Order]:
        """The working orders of the owner's SenderComp by OrderID."""
        return sorted(self._working.get(owner.sender_comp, {}).values(), key=_by_order_id)

    @property
    def books(self) -> Mapping[int, Book]:
        """The books by SecurityID, to be read only."""
        return self._books

    def state(self) -> tuple[object, ...]:
        """All that later events depend on, as nested tuples: counters, status, and each book in priority order."""
        counters = (self._order_ids, self._executions, self._side_trades, self._md_trade_entries, self._order_events)
        books = tuple((key, tuple(_order_state(order) for order in book.orders())) for key, book in self._books.items())
        return (self.segment_id, int(self.status), counters, books)

    def state_digest(self) -> str:
        """SHA-256 of ``state()`` in hex: equal after recovery to what it was before."""
        return hashlib.sha256(repr(self.state()).encode()).hexdigest()

    # How it is done

    def _place(self, order: Order, own: BookSide, opposite: BookSide, key: int, now: int, events: list[Event]) -> None:
        """Trade an order that is in no queue, then rest or eliminate what is left."""
        terms = order.terms
        time_in_force = terms.time_in_force
        keys = opposite.keys
        if keys and keys[-1] >= -key and self.status is _OPEN:
            wanted = order.leaves_qty if time_in_force == FILL_OR_KILL else terms.min_qty
            if wanted == UINT32_NULL or opposite.available(-key, wanted) == wanted:
                self._trade(order, opposite, -key, now, events)
        leaves = order.leaves_qty
        if not leaves:
            return
        if time_in_force and time_in_force != UINT8_NULL:
            events.append(OrderEliminated(order, self._exec_id()))
            return
        own.append(order, key, terms.price)
        order.hidden_qty = leaves - terms.display_qty if terms.display_qty < leaves else 0
        order.priority = self._executions
        self._orders[order.order_id] = order
        order.namesakes[terms.cl_ord_id] = order

    def _trade(self, order: Order, opposite: BookSide, limit: int, now: int, events: list[Event]) -> None:
        """Match against the other side: best price first, oldest first, at the resting order's price."""
        trade_date = now // _DAY_NS
        keys = opposite.keys
        leaves = order.leaves_qty
        number_base, exec_format = self._number_base, self._exec_format
        executions, side_trades, order_event = self._executions, self._side_trades, self._order_events
        while leaves and keys and keys[-1] >= limit:
            level = opposite.levels[keys[-1]]
            price = level.price
            self._md_trade_entries = entry = self._md_trade_entries + 1
            order_events: list[OrderEvent] = []
            before = leaves
            resting = level.head
            while leaves and resting is not None:
                left = resting.leaves_qty
                shown = left - resting.hidden_qty
                qty = shown if shown < leaves else leaves  # noqa: FURB136 - min() costs three times as much
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
        self._executions, self._side_trades, self._order_events = executions, side_trades, order_event

    def _refresh(self, order: Order, executions: int) -> None:
        """Show the next part of a display quantity order, last in the queue of its price."""
        level = order.level
        if level.tail is not order:
            level.remove(order)
            level.side.append(order, level.key, level.price)
        order.hidden_qty = max(order.leaves_qty - order.terms.display_qty, 0)
        order.priority = executions

    def _modify(
        self,
        order: Order,
        request: OrderCancelReplaceRequest,
        details: PartyDetails,
        ofm_override: int,
        filled: int,
        leaves: int,
        now: int,
    ) -> list[Event]:
        """Give an order the terms of a replace that passed every check."""
        keeps_priority = (
            request.price == order.terms.price
            and leaves <= order.leaves_qty
            and details.account == order.party_details.account
            and request.time_in_force not in (FILL_AND_KILL, FILL_OR_KILL)
        )
        if keeps_priority:
            del order.namesakes[order.terms.cl_ord_id]
            order.namesakes[request.cl_ord_id] = order
            shown = min(order.leaves_qty - order.hidden_qty, request.display_qty, leaves)
            order.hidden_qty = leaves - shown
        else:
            self._remove(order)
        order.terms = request
        order.party_details = details
        order.ofm_override = ofm_override
        order.cum_qty = filled
        order.leaves_qty = leaves
        events: list[Event] = [OrderModified(order, self._exec_id(), filled, leaves)]
        if not keeps_priority:
            self._place(order, *order.book.sides(request.side, request.price), now, events)
        return events

    def _uncross(self, book: Book, now: int, events: list[Event]) -> None:
        """Let the orders of a crossed book come in again, one by one in time priority."""
        orders = sorted(book.orders(), key=lambda order: order.priority)
        for order in orders:
            self._remove(order)
        for order in orders:
            self._place(order, *book.sides(order.terms.side, order.terms.price), now, events)

    def _remove(self, order: Order) -> None:
        order.level.remove(order)
        del self._orders[order.order_id]
        del order.namesakes[order.terms.cl_ord_id]

    def _exec_id(self) -> bytes:
        self._executions = executions = self._executions + 1
        return self._exec_format % executions

    def _refuse(self, owner: Owner, order: NewOrderSingle, refusal: BusinessRefusal | Refusal | None) -> list[Event]:
        if isinstance(refusal, BusinessRefusal):
            return [BusinessRejected(owner, order, *refusal)]
        assert refusal is not None
        return [OrderRejected(owner, order, 0, *refusal, self._exec_id())]

    def _refuse_cancel(
        self, owner: Owner, request: OrderCancelRequest, order: Order | None, refusal: BusinessRefusal | Refusal | None
    ) -> list[Event]:
        if isinstance(refusal, BusinessRefusal):
            return [BusinessRejected(owner, request, *refusal)]
        assert refusal is not None
        return [CancelRejected(owner, request, _order_id(request, order), *refusal, self._exec_id())]

    def _refuse_replace(
        self,
        owner: Owner,
        request: OrderCancelReplaceRequest,
        order: Order | None,
        refusal: BusinessRefusal | Refusal | None,
    ) -> list[Event]:
        if isinstance(refusal, BusinessRefusal):
            return [BusinessRejected(owner, request, *refusal)]
        assert refusal is not None
        return [ReplaceRejected(owner, request, _order_id(request, order), *refusal, self._exec_id())]


def _order_id(request: OrderCancelRequest | OrderCancelReplaceRequest, order: Order | None) -> int:
    """The OrderID of a cancel or replace reject: the one that was asked for, else the one found by ClOrdID, else 0."""
    if request.order_id != UINT64_NULL:
        return request.order_id
    return 0 if order is None else order.order_id


def _by_order_id(order: Order) -> int:
    return order.order_id


def _order_state(order: Order) -> tuple[object, ...]:
    quantities = (order.leaves_qty, order.hidden_qty, order.cum_qty)
    request = tuple(getattr(order.terms, name) for name in OrderTerms.__annotations__)
    owner = (order.owner.sender_comp, order.party_details.account)
    return (order.order_id, *owner, order.priority, *quantities, order.ofm_override, *request)
