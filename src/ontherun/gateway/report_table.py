"""What each event of the market becomes on the wire."""

from collections.abc import Callable
from typing import Final

from ontherun.gateway import inquiry_reports, rejects, reports
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

REPORTS: Final[dict[type[Event], Callable[..., None]]] = {
    OrderAccepted: reports.acceptance,
    OrderTraded: reports.trade,
    OrderEliminated: reports.elimination,
    OrderModified: reports.modify,
    OrderCancelled: reports.cancel,
    OrderRejected: rejects.new,
    CancelRejected: rejects.cancel,
    ReplaceRejected: rejects.replace,
    BusinessRejected: rejects.business,
    MassActionReported: inquiry_reports.mass_action,
    StatusReported: inquiry_reports.status,
}
"""Each function takes the engine, the event and the time (ns), and leaves the numbered frame in the owner's lane."""
