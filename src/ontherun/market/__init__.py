"""One market segment: instruments, book, order rules, matching. Deterministic: (state, command, now) -> events."""

from ontherun.market.benchmarks import BENCHMARKS, US_TREASURY_ACTIVES
from ontherun.market.book import Book, BookSide, Level, Order
from ontherun.market.events import (
    BusinessRejected,
    CancelRejected,
    Event,
    MassActionReported,
    OrderAccepted,
    OrderCancelled,
    OrderEliminated,
    OrderModified,
    OrderRejected,
    OrderTraded,
    ReplaceRejected,
    StatusReported,
)
from ontherun.market.instruments import Instrument
from ontherun.market.policy import DayMinQty, ExhaustedReplace, FillsTakenOff, OFMChain, SegmentPolicy
from ontherun.market.prices import PriceError, format_32nds, format_price, parse_price
from ontherun.market.refusals import BusinessRejectReason, RejectReason
from ontherun.market.segment import MarketSegment
from ontherun.market.states import SecurityTradingStatus

__all__ = [
    "MarketSegment",
    "SegmentPolicy",
    "FillsTakenOff",
    "OFMChain",
    "ExhaustedReplace",
    "DayMinQty",
    "SecurityTradingStatus",
    "Instrument",
    "BENCHMARKS",
    "US_TREASURY_ACTIVES",
    "Order",
    "Level",
    "BookSide",
    "Book",
    "Event",
    "OrderAccepted",
    "OrderRejected",
    "OrderTraded",
    "OrderEliminated",
    "OrderModified",
    "OrderCancelled",
    "CancelRejected",
    "ReplaceRejected",
    "MassActionReported",
    "StatusReported",
    "BusinessRejected",
    "RejectReason",
    "BusinessRejectReason",
    "PriceError",
    "parse_price",
    "format_price",
    "format_32nds",
]
