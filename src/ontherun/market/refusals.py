"""Why a command is refused: the documented numbers and texts.

Two kinds, as on the wire. A BusinessRefusal becomes a BusinessReject (521, tag 380): the message did not reach the
order rules. A Refusal becomes an ExecutionReportReject (523, tag 103) on a new order, an OrderCancelReject (535) or
an OrderCancelReplaceReject (536, tag 102) on a cancel or a replace; a check that all three share gives the same
number.

Source: CME client wiki, BrokerTec reject codes; futures and options reject codes; cancel and cancel-replace reject
messages.
"""

from enum import IntEnum
from typing import Final, NamedTuple

from ontherun.market import terms
from ontherun.market.prices import format_price

_MAX_TEXT = 256
"""Length of the Text field (58)."""


class BusinessRejectReason(IntEnum):
    """The values of BusinessRejectReason (380) that the market gives."""

    UNKNOWN_ID = 1
    CONDITIONALLY_REQUIRED_FIELD_MISSING = 5
    ENUMERATION_NOT_SUPPORTED = 115
    ORDER_STATUS_NOT_FOUND = 116
    MASS_STATUS_CANNOT_COMPLETE = 117
    DUPLICATE_CL_ORD_ID = 133


class RejectReason(IntEnum):
    """The values of OrdRejReason (103) and CxlRejReason (102) that the market gives."""

    MARKET_CLOSED_OR_PAUSED = 1003
    FIELD_INCORRECT = 1011
    PRICE_NOT_POSITIVE = 1012
    DISPLAY_QTY_NOT_ALLOWED = 1013
    EXPIRE_DATE_PASSED = 2019
    ORDER_NOT_IN_BOOK = 2045
    DISPLAY_QTY_ABOVE_QUANTITY = 2046
    UNKNOWN_CONTRACT = 2047
    OTHER_SENDER_COMP = 2048
    OTHER_SIDE = 2051
    OTHER_SENDER_ID = 2103
    QUANTITY_OUT_OF_RANGE = 2115
    PRE_OPEN_OR_POST_CLOSE = 2130
    OUTSIDE_LIMITS = 2137
    OUTSIDE_BANDS = 2179
    ORDER_TYPE_NOT_PERMITTED = 2311
    WORSE_THAN_BEST_BID = 5000
    WORSE_THAN_BEST_ASK = 5001
    BELOW_MIN_TRADE_VOLUME = 5003
    DISPLAY_BELOW_MIN_TRADE_VOLUME = 5004
    MIN_QTY_BELOW_MIN_TRADE_VOLUME = 5005
    QUANTITY_OFF_INCREMENT = 5006
    ONLY_BEST_NOT_ALLOWED = 5010
    ONLY_BEST_GOOD_TILL = 5011
    QUALIFIER_NOT_PERMITTED = 5512
    TYPE_AND_DURATION_INVALID = 7047
    DISPLAY_BELOW_MIN_QTY = 7613


class MassActionRejectReason(IntEnum):
    """The values of MassActionRejectReason (1376) that the market gives; the standard's own (FIX 5.0 SP2)."""

    UNKNOWN_SECURITY = 1
    UNKNOWN_MARKET_SEGMENT = 8
    UNKNOWN_SECURITY_GROUP = 9
    OTHER = 99


class BusinessRefusal(NamedTuple):
    """A reason (380), its text (58) and the tag at fault (371)."""

    reason: BusinessRejectReason
    text: bytes
    ref_tag: int


class Refusal(NamedTuple):
    """A reason (103 or 102) and its text (58)."""

    reason: RejectReason
    text: bytes


def _text(text: str) -> bytes:
    return text.encode("ascii", "replace")[:_MAX_TEXT]


ENTRY_WHILE_CLOSED: Final = Refusal(
    RejectReason.MARKET_CLOSED_OR_PAUSED, b"Orders may not be entered while the market is closed"
)
ENTRY_WHILE_PAUSED: Final = Refusal(
    RejectReason.MARKET_CLOSED_OR_PAUSED, b"Orders may not be entered while the market is paused"
)
CANCEL_WHILE_CLOSED: Final = Refusal(
    RejectReason.MARKET_CLOSED_OR_PAUSED, b"Orders may not be cancelled while the market is closed"
)
PRE_OPEN_OR_POST_CLOSE: Final = Refusal(
    RejectReason.PRE_OPEN_OR_POST_CLOSE, b"Order type not permitted while the market is in Post Close/Pre-Open (PCP)"
)
UNKNOWN_CONTRACT: Final = Refusal(RejectReason.UNKNOWN_CONTRACT, b"Order contract is unknown")
ORDER_NOT_IN_BOOK: Final = Refusal(RejectReason.ORDER_NOT_IN_BOOK, b"This order is not in the book")
OTHER_SENDER_COMP: Final = Refusal(
    RejectReason.OTHER_SENDER_COMP, b"The order was submitted with a different SenderCompID than the requesting cancel"
)
OTHER_SIDE: Final = Refusal(
    RejectReason.OTHER_SIDE, b"The Order was submitted with a different side than the requesting Cancel"
)
OTHER_SENDER_ID: Final = Refusal(
    RejectReason.OTHER_SENDER_ID, b"The trader ID of the modify differs from that of the original order"
)
QUANTITY_OUT_OF_RANGE: Final = Refusal(
    RejectReason.QUANTITY_OUT_OF_RANGE, b"Order quantity is outside of the allowable range"
)
PRICE_NOT_POSITIVE: Final = Refusal(RejectReason.PRICE_NOT_POSITIVE, b"Price must be greater than zero")
ONLY_BEST_NOT_ALLOWED: Final = Refusal(
    RejectReason.ONLY_BEST_NOT_ALLOWED, b"ExecInstruction Only Best not allowed for this contract"
)
ONLY_BEST_GOOD_TILL: Final = Refusal(
    RejectReason.ONLY_BEST_GOOD_TILL, b"ExecInstruction Only Best not allowed with Good Till Cancel or Good Till Date"
)
EXPIRE_DATE_PASSED: Final = Refusal(
    RejectReason.EXPIRE_DATE_PASSED, b"Invalid expire date: the GTD date is before the current session"
)
DISPLAY_QTY_ABOVE_QUANTITY: Final = Refusal(
    RejectReason.DISPLAY_QTY_ABOVE_QUANTITY, b"Disclosed Quantity cannot be greater than total or remaining qty"
)
DISPLAY_BELOW_MIN_QTY: Final = Refusal(
    RejectReason.DISPLAY_BELOW_MIN_QTY, b"Disclosed quantity cannot be smaller than the minimum quantity"
)

NOTHING_TO_TELL: Final = BusinessRefusal(
    BusinessRejectReason.MASS_STATUS_CANNOT_COMPLETE, b"Mass order status: no working order matches", 584
)
PRICE_MISSING: Final = BusinessRefusal(
    BusinessRejectReason.CONDITIONALLY_REQUIRED_FIELD_MISSING, b"Conditionally required field missing: 44-Price", 44
)
EXPIRE_DATE_MISSING: Final = BusinessRefusal(
    BusinessRejectReason.CONDITIONALLY_REQUIRED_FIELD_MISSING,
    b"Conditionally required field missing: 432-ExpireDate",
    432,
)
SIDE_NOT_SUPPORTED: Final = BusinessRefusal(
    BusinessRejectReason.ENUMERATION_NOT_SUPPORTED, b"Enumeration value not supported: 54-Side", 54
)


def field_missing(tag: int, name: str) -> BusinessRefusal:
    """A field that the scope of a request asks for."""
    reason = BusinessRejectReason.CONDITIONALLY_REQUIRED_FIELD_MISSING
    return BusinessRefusal(reason, _text(f"Conditionally required field missing: {tag}-{name}"), tag)


def enumeration_not_supported(tag: int, name: str) -> BusinessRefusal:
    """A scope that has no use here."""
    reason = BusinessRejectReason.ENUMERATION_NOT_SUPPORTED
    return BusinessRefusal(reason, _text(f"Enumeration value not supported: {tag}-{name}"), tag)


def order_status_not_found(order_id: int) -> BusinessRefusal:
    """No working order of the SenderComp has this OrderID."""
    reason = BusinessRejectReason.ORDER_STATUS_NOT_FOUND
    return BusinessRefusal(reason, _text(f"Order {order_id} is not found"), 37)


def unknown_party_details(list_req_id: int) -> BusinessRefusal:
    """PartyDetailsListReqID (1505) names no registered party details."""
    text = f"PartyDetailsListReqID {list_req_id} is not registered"
    if list_req_id in terms.ON_DEMAND_PARTY_DETAILS:
        text = f"PartyDetailsListReqID {list_req_id}: no on-demand party details came before this message"
    return BusinessRefusal(BusinessRejectReason.UNKNOWN_ID, _text(text), 1505)


def duplicate_cl_ord_id(cl_ord_id: bytes) -> BusinessRefusal:
    """A working order of the same SenderComp has this ClOrdID."""
    text = b"Duplicate ClOrdID: %b not allowed" % cl_ord_id
    return BusinessRefusal(BusinessRejectReason.DUPLICATE_CL_ORD_ID, text[:_MAX_TEXT], 11)


def field_incorrect(what: str) -> Refusal:
    """A field's value breaks a rule that has no number of its own."""
    return Refusal(RejectReason.FIELD_INCORRECT, _text(f"FIX field incorrect: {what}"))


def order_type_not_permitted(symbol: str, ord_type: int) -> Refusal:
    """Another order type than limit."""
    text = f"Order type not permitted for group Symbol: {symbol} order type: {chr(ord_type)}, Allowed types: 2"
    return Refusal(RejectReason.ORDER_TYPE_NOT_PERMITTED, _text(text))


def qualifier_not_permitted(group: str, qualifier: str) -> Refusal:
    """An order qualifier that this group of instruments does not take."""
    text = f"Order type not permitted for group 'group: {group}, order type: {qualifier}'"
    return Refusal(RejectReason.QUALIFIER_NOT_PERMITTED, _text(text))


def type_and_duration_invalid(time_in_force: int, kind: str) -> Refusal:
    """A time in force that does not go with the rest of the order."""
    text = f"Order Type / Duration Combo invalid. TIF: '{time_in_force}' / Order Type: '{kind}'"
    return Refusal(RejectReason.TYPE_AND_DURATION_INVALID, _text(text))


def below_min_trade_volume(min_qty: int) -> Refusal:
    """OrderQty is below the minimum trade volume."""
    text = f"Order Quantity is less than the Min Trade Volume: {min_qty}"
    return Refusal(RejectReason.BELOW_MIN_TRADE_VOLUME, _text(text))


def quantity_off_increment(qty: int, increment: int) -> Refusal:
    """OrderQty is no multiple of the quantity increment."""
    text = (
        "Order quantity is not compatible with increment size "
        f"'Quantity: '{qty}' isn't compatible with OrderIncrementSize: '{increment}'"
    )
    return Refusal(RejectReason.QUANTITY_OFF_INCREMENT, _text(text))


def display_qty_not_allowed(symbol: str) -> Refusal:
    """The instrument takes no display quantity."""
    text = f"Invalid order qualifier Symbol: {symbol} is ineligible for Display Quantity Order"
    return Refusal(RejectReason.DISPLAY_QTY_NOT_ALLOWED, _text(text))


def display_below_min_trade_volume(min_qty: int) -> Refusal:
    """DisplayQty is below the minimum trade volume."""
    text = f"Order Max Show is less than the Min Trade Volume: {min_qty}"
    return Refusal(RejectReason.DISPLAY_BELOW_MIN_TRADE_VOLUME, _text(text))


def min_qty_below_min_trade_volume(min_qty: int) -> Refusal:
    """MinQty is below the minimum trade volume."""
    text = f"Order Minimum Qty is less than the Minimum Trade Volume: {min_qty}"
    return Refusal(RejectReason.MIN_QTY_BELOW_MIN_TRADE_VOLUME, _text(text))


def outside_limits(side: int, price: int, limit: int) -> Refusal:
    """The price is beyond a price limit of the day."""
    which = "Low" if price < limit else "High"
    text = f"Order price is outside the limits '{_quote(side, price)} violates {which} Limit of {format_price(limit)}'"
    return Refusal(RejectReason.OUTSIDE_LIMITS, _text(text))


def outside_bands(side: int, price: int, band: int, reference: int) -> Refusal:
    """The price is beyond a price band."""
    which = "Low" if price < band else "High"
    text = (
        f"Order price is outside bands '{_quote(side, price)} violates {which} Band {format_price(band)} "
        f"using Delta .00, Stlmt equals {format_price(reference)}'"
    )
    return Refusal(RejectReason.OUTSIDE_BANDS, _text(text))


def worse_than_best(side: int, price: int, best: int) -> Refusal:
    """An only-best order whose price is behind the best of its own side."""
    bid = side == terms.BUY
    reason = RejectReason.WORSE_THAN_BEST_BID if bid else RejectReason.WORSE_THAN_BEST_ASK
    text = f"{_quote(side, price)} not better than current Best {'Bid' if bid else 'Ask'} {format_price(best)}"
    return Refusal(reason, _text(text))


def _quote(side: int, price: int) -> str:
    return f"{'Bid' if side == terms.BUY else 'Ask'} of {format_price(price)}"
