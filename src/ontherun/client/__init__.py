"""The SDK: log in with a key pair, trade, receive reports as typed objects; for ontherun and for the real exchange.

`connect` is asyncio's; `ontherun.client.blocking` has the same names for programs without an event loop.
"""

from ontherun.client.connecting import connect
from ontherun.client.errors import (
    CancelRefused,
    ClientError,
    Disconnected,
    InquiryRefused,
    KeyFileError,
    LoginRefused,
    NotApplied,
    OrderEnded,
    OrderRefused,
    Refused,
    ReplaceRefused,
    ReportsLost,
    StateError,
    Terminated,
    UnknownSecurity,
    Unreachable,
    VenueError,
)
from ontherun.client.instruments import Instruments
from ontherun.client.keyfile import KeyFile
from ontherun.client.login import Login
from ontherun.client.options import SessionOptions
from ontherun.client.orders import Order, OrderState
from ontherun.client.reconnect import Reconnect
from ontherun.client.recovery import (
    BackupLost,
    BackupReady,
    ConnectionLost,
    KeyRefused,
    LoggedIn,
    LoginPostponed,
    Promoted,
    RecoveryEvent,
    RequestsNotApplied,
)
from ontherun.client.reports import (
    Accepted,
    AffectedOrder,
    BusinessRejected,
    Cancelled,
    CancelRejected,
    Eliminated,
    Fill,
    MassCancelled,
    Modified,
    OrderReport,
    PartyDetailsTaken,
    Rejected,
    ReplaceRejected,
    Report,
    Status,
    TermsReport,
    TradeChanged,
    Traded,
)
from ontherun.client.requests import OrderOptions
from ontherun.client.session import Session
from ontherun.client.tls import trusting
from ontherun.client.venue import DemoSession, Gateway, Venue
from ontherun.ilink.client_events import MessagesLost, MessagesRecovered, MessagesRequested
from ontherun.ilink.messages.enums import ExecInst, ExecMode, TimeInForce
from ontherun.ilink.messages.enums import SideReq as Side

__all__ = [
    "connect",
    "Session",
    "SessionOptions",
    "OrderOptions",
    "Reconnect",
    "Instruments",
    "KeyFile",
    "Login",
    "Venue",
    "Gateway",
    "trusting",
    "DemoSession",
    "Order",
    "OrderState",
    "ExecInst",
    "ExecMode",
    "Side",
    "TimeInForce",
    "Report",
    "OrderReport",
    "TermsReport",
    "Accepted",
    "Rejected",
    "Traded",
    "Fill",
    "TradeChanged",
    "Modified",
    "Cancelled",
    "Eliminated",
    "CancelRejected",
    "ReplaceRejected",
    "BusinessRejected",
    "MassCancelled",
    "AffectedOrder",
    "Status",
    "PartyDetailsTaken",
    "ClientError",
    "LoginRefused",
    "Disconnected",
    "Unreachable",
    "Terminated",
    "NotApplied",
    "Refused",
    "OrderRefused",
    "CancelRefused",
    "ReplaceRefused",
    "InquiryRefused",
    "OrderEnded",
    "ReportsLost",
    "UnknownSecurity",
    "KeyFileError",
    "StateError",
    "VenueError",
    "RecoveryEvent",
    "LoggedIn",
    "ConnectionLost",
    "LoginPostponed",
    "KeyRefused",
    "MessagesRequested",
    "MessagesRecovered",
    "MessagesLost",
    "RequestsNotApplied",
    "BackupReady",
    "BackupLost",
    "Promoted",
]
