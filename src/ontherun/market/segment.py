"""One market segment: commands in, events out.

Deterministic: the same commands with the same times give the same events, numbers included, which is what recovery
rests on. A refused command changes nothing but the counter of ExecIDs.
"""

from typing import Final

from ontherun.market import refusals
from ontherun.market.book import OFM_UNDECIDED, Book, Order
from ontherun.market.checks import Market, cancel_refusal, new_order_refusal, replace_refusal
from ontherun.market.events import (
    BusinessRejected,
    CancelRejected,
    Event,
    OrderAccepted,
    OrderCancelled,
    OrderEliminated,
    OrderModified,
    OrderRejected,
    ReplaceRejected,
)
from ontherun.market.inquiries import Inquiries
from ontherun.market.policy import ExhaustedReplace, OFMChain
from ontherun.market.refusals import BusinessRefusal, Refusal
from ontherun.market.states import SecurityTradingStatus
from ontherun.market.terms import (
    BUY,
    FILL_AND_KILL,
    IMMEDIATE,
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

_OPEN: Final = SecurityTradingStatus.OPEN


class MarketSegment(Inquiries):
    """The commands of one segment over its books.

    ``now`` is always in ns since the epoch, UTC. Every command returns its events in the order in which they
    happened; for one owner that is the order in which the reports are to be sent.
    """

    __slots__ = ()

    # What a client asks for

    def rest(self, owner: Owner, order: NewOrderSingle) -> Order | None:
        """Accept and queue an order that trades with nothing; None, and nothing is done, where that is not evident.

        The short way for most of what a client asks for: `new_order` does the same, and says it in events. It is for
        what `rests` says yes to. The ExecID of the acceptance is `exec_format % priority`.
        """
        details = owner.party_details.get(order.party_details_list_req_id)
        namesakes = self._working.get(owner.sender_comp)
        book = self._books.get(order.security_id)
        price = order.price
        if (
            details is None
            or namesakes is None
            or book is None
            or order.cl_ord_id in namesakes
            or self.status is not _OPEN
            or price not in book.passed_prices
            or order.order_qty not in book.passed_quantities
        ):
            return None
        if order.side == BUY:
            own, key, opposite = book.bids, price, book.asks.keys
        elif order.side == SELL:
            own, key, opposite = book.asks, -price, book.bids.keys
        else:
            return None
        if opposite and opposite[-1] >= -key:
            return None
        self._order_ids = number = self._order_ids + 1
        self._executions = executions = self._executions + 1
        accepted = Order(self._number_base + number, owner, order, details, book, namesakes)
        accepted.priority = executions
        own.append(accepted, key, price)
        self._orders[accepted.order_id] = accepted
        namesakes[order.cl_ord_id] = accepted
        return accepted

    @property
    def working_orders(self) -> int:
        """How many orders work here, of all sessions."""
        return len(self._orders)

    def new_order(self, owner: Owner, order: NewOrderSingle, now: int) -> list[Event]:
        """Check and place a new order: accepted, then traded, rested or eliminated; or refused."""
        details = owner.party_details.get(order.party_details_list_req_id)
        namesakes = self._working.get(owner.sender_comp)
        if namesakes is None:
            namesakes = self._working[owner.sender_comp] = {}
        book = self._books.get(order.security_id)
        if (
            details is None
            or book is None
            or order.cl_ord_id in namesakes
            or self.status is not _OPEN
            or not _plain(order, book)
        ):
            details = details or owner.on_demand(order)
            refusal = new_order_refusal(order, details, namesakes, book, self._known(now))
            if refusal is not None or details is None or book is None:
                return self._refuse(owner, order, refusal)
            book.remember(order.price, order.order_qty)
        self._order_ids = number = self._order_ids + 1
        self._executions = executions = self._executions + 1
        accepted = Order(self._number_base + number, owner, order, details, book, namesakes)
        events: list[Event] = [OrderAccepted(accepted, self.exec_format % executions)]
        own, opposite, key = book.sides(order.side, order.price)
        if self._reaches(accepted, order.min_qty, opposite, key):
            self._place(accepted, own, opposite, key, now, events)
        else:
            events.append(OrderEliminated(accepted, self._exec_id()))
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
        return [OrderCancelled(order, request, UINT8_NULL, self.exec_format % executions)]

    def replace(self, owner: Owner, request: OrderCancelReplaceRequest, now: int) -> list[Event]:
        """Check a cancel-replace and carry it out: in place where priority is kept, else as a new entry."""
        details = owner.party_details.get(request.party_details_list_req_id)
        namesakes = self._working.get(owner.sender_comp, {})
        if request.order_id != UINT64_NULL:
            order = self._orders.get(request.order_id)
        else:
            order = namesakes.get(request.cl_ord_id)
        book = self._books.get(request.security_id)
        if (
            details is None
            or order is None
            or book is None
            or order.owner is not owner
            or order.book is not book
            or order.terms.side != request.side
            or order.terms.display_qty != UINT32_NULL
            or namesakes.get(request.cl_ord_id, order) is not order
            or self.status is not _OPEN
            or not self.policy.replace_by_other_sender_id
            or not _plain(request, book)
        ):
            details = details or owner.on_demand(request)
            refusal = replace_refusal(owner, request, details, namesakes, order, book, self._known(now))
            if refusal is not None or details is None or order is None:
                return self._refuse_replace(owner, request, order, refusal)
            order.book.remember(request.price, request.order_qty)

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

    # How it is done

    def _known(self, now: int) -> Market:
        return Market(self.status, self.policy, self._day(now))

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
        before = order.terms
        keeps_priority = (
            request.price == before.price
            and leaves <= order.leaves_qty
            and details.account == order.party_details.account
            and request.time_in_force not in IMMEDIATE
            and request.exec_inst == before.exec_inst
            and (
                request.execution_mode == before.execution_mode
                or PASSIVE not in (request.execution_mode, before.execution_mode)
            )
            and not (order.book.all_or_none and leaves != order.leaves_qty)
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
            own, opposite, key = order.book.sides(request.side, request.price)
            if request.time_in_force != FILL_AND_KILL or self._reaches(order, request.min_qty, opposite, key):
                self._place(order, own, opposite, key, now, events)
            else:
                events.append(OrderEliminated(order, self._exec_id()))
        return events

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


def rests(terms: OrderTerms) -> bool:
    """Whether this is a plain limit order for the day, for which there is a short way into an open market."""
    return (
        not terms.time_in_force
        and terms.ord_type == LIMIT
        and not terms.exec_inst
        and terms.execution_mode != PASSIVE
        and terms.display_qty == UINT32_NULL
        and terms.min_qty == UINT32_NULL
    )


def _plain(terms: OrderTerms, book: Book) -> bool:
    """Whether terms evidently pass every check of theirs in an open market: a plain day or FAK order at a known price.

    What this does not recognise takes the checks one by one.
    """
    return (
        terms.price in book.passed_prices
        and (terms.side == BUY or terms.side == SELL)
        and (not terms.time_in_force or terms.time_in_force == FILL_AND_KILL)
        and terms.ord_type == LIMIT
        and not terms.exec_inst
        and terms.execution_mode != PASSIVE
        and terms.order_qty in book.passed_quantities
        and terms.display_qty == UINT32_NULL
        and terms.min_qty == UINT32_NULL
    )


def _order_id(request: OrderCancelRequest | OrderCancelReplaceRequest, order: Order | None) -> int:
    """The OrderID of a cancel or replace reject: the one that was asked for, else the one found by ClOrdID, else 0."""
    if request.order_id != UINT64_NULL:
        return request.order_id
    return 0 if order is None else order.order_id
