"""The checks of the order rules, in the documented order. Plain and complete: the order path skips them for orders
that are evidently fine.

Business refusals first (party details, required fields, enumerations, ClOrdID), then instrument, state, type,
quantity, display, minimum quantity, price, limits, bands, only best. A function returns the first refusal, or None when
the command may pass; none of them changes anything.

Source: CME client wiki, BrokerTec order types and qualifiers; reject codes. ``docs/market.md`` lists code by code.
"""

from collections.abc import Mapping
from typing import NamedTuple

from ontherun.market import refusals
from ontherun.market.book import Book, Order
from ontherun.market.instruments import Instrument
from ontherun.market.policy import DayMinQty, SegmentPolicy
from ontherun.market.prices import format_price
from ontherun.market.refusals import BusinessRefusal, Refusal
from ontherun.market.states import PERMISSIONS, SecurityTradingStatus
from ontherun.market.terms import (
    ALL_OR_NONE,
    BUY,
    DAY,
    FILL_AND_KILL,
    GOOD_TILL,
    GOOD_TILL_DATE,
    IMMEDIATE,
    INT64_NULL,
    LIMIT,
    NOT_HELD,
    ONLY_BEST,
    PASSIVE,
    SELL,
    UINT8_NULL,
    UINT16_NULL,
    UINT32_NULL,
    UINT64_NULL,
    NewOrderSingle,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    OrderTerms,
    Owner,
    PartyDetails,
)


class Market(NamedTuple):
    """What the checks know of the segment: its state, its policy, and the day in days since the epoch."""

    status: SecurityTradingStatus
    policy: SegmentPolicy
    trade_date: int


def new_order_refusal(
    order: NewOrderSingle,
    details: PartyDetails | None,
    namesakes: Mapping[bytes, Order],
    book: Book | None,
    market: Market,
) -> BusinessRefusal | Refusal | None:
    """The first check that a new order fails. ``details``, ``namesakes`` and ``book`` are what its ids lead to."""
    if details is None:
        return refusals.unknown_party_details(order.party_details_list_req_id)
    if fault := _field_refusal(order):
        return fault
    if order.cl_ord_id in namesakes:
        return refusals.duplicate_cl_ord_id(order.cl_ord_id)
    if book is None:
        return refusals.UNKNOWN_CONTRACT
    return terms_refusal(order, book.instrument, market) or _only_best_refusal(order, book, None)


def replace_refusal(
    owner: Owner,
    request: OrderCancelReplaceRequest,
    details: PartyDetails | None,
    namesakes: Mapping[bytes, Order],
    order: Order | None,
    book: Book | None,
    market: Market,
) -> BusinessRefusal | Refusal | None:
    """The first check that a replace fails. ``order`` is the order that it names."""
    if details is None:
        return refusals.unknown_party_details(request.party_details_list_req_id)
    if fault := _field_refusal(request):
        return fault
    if request.order_id != UINT64_NULL and request.cl_ord_id in namesakes and namesakes[request.cl_ord_id] is not order:
        return refusals.duplicate_cl_ord_id(request.cl_ord_id)
    if refusal := target_refusal(owner, request, order, book, market.status):
        return refusal
    assert order is not None
    if not market.policy.replace_by_other_sender_id and request.sender_id.upper() != order.terms.sender_id.upper():
        return refusals.OTHER_SENDER_ID
    return (
        terms_refusal(request, order.book.instrument, market)
        or _display_change_refusal(order, request)
        or _only_best_refusal(request, order.book, order)
    )


def cancel_refusal(
    owner: Owner,
    request: OrderCancelRequest,
    order: Order | None,
    book: Book | None,
    status: SecurityTradingStatus,
) -> BusinessRefusal | Refusal | None:
    """The first check that a cancel fails. ``order`` is the order that it names."""
    if request.party_details_list_req_id not in owner.party_details and owner.on_demand(request) is None:
        return refusals.unknown_party_details(request.party_details_list_req_id)
    if request.side not in (BUY, SELL):
        return refusals.SIDE_NOT_SUPPORTED
    return target_refusal(owner, request, order, book, status)


def target_refusal(
    owner: Owner,
    request: OrderCancelRequest | OrderCancelReplaceRequest,
    order: Order | None,
    book: Book | None,
    status: SecurityTradingStatus,
) -> Refusal | None:
    """The first check that a cancel or replace fails against its order; ``book`` is that of its SecurityID."""
    if book is None:
        return refusals.UNKNOWN_CONTRACT
    if refusal := PERMISSIONS[status].cancel:
        return refusal
    if order is None:
        return refusals.ORDER_NOT_IN_BOOK
    if order.owner.sender_comp != owner.sender_comp:
        return refusals.OTHER_SENDER_COMP
    if order.book is not book:
        return refusals.ORDER_NOT_IN_BOOK
    if order.terms.side != request.side:
        return refusals.OTHER_SIDE
    return None


def terms_refusal(terms: OrderTerms, instrument: Instrument, market: Market) -> Refusal | None:
    """The first check that the terms of a new order or of a replace fail."""
    return (
        _state_refusal(terms, market.status)
        or _type_refusal(terms, instrument, market.trade_date)
        or _quantity_refusal(terms.order_qty, instrument)
        or _display_refusal(terms, instrument)
        or _min_qty_refusal(terms, instrument, market.policy)
        or _price_refusal(terms.side, terms.price, instrument)
    )


def _field_refusal(terms: OrderTerms) -> BusinessRefusal | None:
    """A field that is missing though another makes it required, or one with a value that has no use here."""
    if terms.price == INT64_NULL:
        return refusals.PRICE_MISSING
    if terms.time_in_force == GOOD_TILL_DATE and terms.expire_date == UINT16_NULL:
        return refusals.EXPIRE_DATE_MISSING
    return None if terms.side in (BUY, SELL) else refusals.SIDE_NOT_SUPPORTED


def _display_change_refusal(order: Order, request: OrderCancelReplaceRequest) -> Refusal | None:
    """An order with DisplayQty cannot become one without by a replace, nor the reverse."""
    if (order.terms.display_qty == UINT32_NULL) == (request.display_qty == UINT32_NULL):
        return None
    return refusals.field_incorrect("DisplayQty cannot be added or taken away by a replace")


def _state_refusal(terms: OrderTerms, status: SecurityTradingStatus) -> Refusal | None:
    permissions = PERMISSIONS[status]
    return permissions.immediate if terms.time_in_force in IMMEDIATE else permissions.day


def _type_refusal(terms: OrderTerms, instrument: Instrument, trade_date: int) -> Refusal | None:
    if terms.ord_type != LIMIT:
        return refusals.order_type_not_permitted(instrument.symbol, terms.ord_type)
    qualifier = _qualifier_not_permitted(terms, instrument)
    if qualifier is not None:
        return refusals.qualifier_not_permitted(instrument.security_group, qualifier)
    if (kind := _kind_without_duration(terms, instrument)) is not None:
        return refusals.type_and_duration_invalid(terms.time_in_force, kind)
    if terms.time_in_force == GOOD_TILL_DATE and terms.expire_date < trade_date:
        return refusals.EXPIRE_DATE_PASSED
    if terms.exec_inst & ONLY_BEST:
        if not instrument.only_best_allowed:
            return refusals.ONLY_BEST_NOT_ALLOWED
        if terms.time_in_force in GOOD_TILL:
            return refusals.ONLY_BEST_GOOD_TILL
    return None


def _qualifier_not_permitted(terms: OrderTerms, instrument: Instrument) -> str | None:
    """A qualifier that the instrument does not take, or the one that its book asks for."""
    exec_inst = terms.exec_inst
    if bool(exec_inst & ALL_OR_NONE) is not instrument.all_or_none:
        return "Regular" if instrument.all_or_none else "All or None"
    if exec_inst & NOT_HELD and not instrument.not_held_allowed:
        return "Not Held"
    if exec_inst & ~(ALL_OR_NONE | ONLY_BEST | NOT_HELD):
        return f"ExecInst {exec_inst}"
    return "Passive" if terms.execution_mode == PASSIVE and not instrument.passive_allowed else None


def _kind_without_duration(terms: OrderTerms, instrument: Instrument) -> str | None:
    """The kind of order that does not go with its TimeInForce; None where the two go together."""
    time_in_force = terms.time_in_force
    if time_in_force in IMMEDIATE:
        if instrument.all_or_none:
            return "All or None"
        if terms.execution_mode == PASSIVE:
            return "Passive"
    elif time_in_force in GOOD_TILL:
        if not instrument.good_till_allowed:
            return "Limit"
        if instrument.all_or_none:
            return "All or None"
    elif time_in_force not in (DAY, UINT8_NULL):
        return "Limit"
    return "Not Held" if terms.exec_inst & NOT_HELD and time_in_force != FILL_AND_KILL else None


def _quantity_refusal(qty: int, instrument: Instrument) -> Refusal | None:
    if not 0 < qty <= instrument.max_qty:
        return refusals.QUANTITY_OUT_OF_RANGE
    if qty < instrument.min_qty:
        return refusals.below_min_trade_volume(instrument.min_qty)
    if qty % instrument.qty_increment:
        return refusals.quantity_off_increment(qty, instrument.qty_increment)
    return None


def _display_refusal(terms: OrderTerms, instrument: Instrument) -> Refusal | None:
    display = terms.display_qty
    if display == UINT32_NULL:
        return None
    if not instrument.display_allowed:
        return refusals.display_qty_not_allowed(instrument.symbol)
    if display > terms.order_qty:
        return refusals.DISPLAY_QTY_ABOVE_QUANTITY
    if display < instrument.min_qty:
        return refusals.display_below_min_trade_volume(instrument.min_qty)
    if display % instrument.qty_increment:
        return refusals.field_incorrect(f"DisplayQty {display} is no multiple of {instrument.qty_increment}")
    return None


def _min_qty_refusal(terms: OrderTerms, instrument: Instrument, policy: SegmentPolicy) -> Refusal | None:
    min_qty = terms.min_qty
    if min_qty == UINT32_NULL:
        return None
    if min_qty < instrument.min_qty:
        return refusals.min_qty_below_min_trade_volume(instrument.min_qty)
    if terms.display_qty < min_qty:
        return refusals.DISPLAY_BELOW_MIN_QTY
    if min_qty > terms.order_qty:
        return refusals.field_incorrect(f"MinQty {min_qty} is above OrderQty {terms.order_qty}")
    if terms.time_in_force == FILL_AND_KILL:
        return None
    if terms.time_in_force in IMMEDIATE or instrument.all_or_none or policy.day_min_qty is DayMinQty.REFUSE:
        return refusals.field_incorrect("MinQty does not go with this kind of order")
    if terms.execution_mode == PASSIVE:
        return refusals.field_incorrect("MinQty goes with aggressive orders only")
    return None


def _price_refusal(side: int, price: int, instrument: Instrument) -> Refusal | None:
    if price <= 0 and instrument.positive_price:
        return refusals.PRICE_NOT_POSITIVE
    if price % instrument.tick:
        tick = format_price(instrument.tick)
        return refusals.field_incorrect(f"Price {format_price(price)} is no multiple of the tick {tick}")
    if price < instrument.low_limit:
        return refusals.outside_limits(side, price, instrument.low_limit)
    if price > instrument.high_limit:
        return refusals.outside_limits(side, price, instrument.high_limit)
    if price < instrument.low_band:
        return refusals.outside_bands(side, price, instrument.low_band, instrument.reference_price)
    if price > instrument.high_band:
        return refusals.outside_bands(side, price, instrument.high_band, instrument.reference_price)
    return None


def _only_best_refusal(terms: OrderTerms, book: Book, replaced: Order | None) -> Refusal | None:
    """An only-best order must improve or equal the best price of its own side, its own former price left out."""
    if not terms.exec_inst & ONLY_BEST:
        return None
    own, _, key = book.sides(terms.side, terms.price)
    best = own.best_besides(replaced)
    if best is None or key >= best.key:
        return None
    return refusals.worse_than_best(terms.side, terms.price, best.price)
