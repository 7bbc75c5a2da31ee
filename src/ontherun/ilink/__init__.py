"""iLink 3: its messages, the HMAC login, and both sides' session state machines, without sockets or clocks.

`transitions` holds the two state machines; `GatewaySession` and `ClientSession` run them. `messages` is generated from
`schema`.
"""

from ontherun.ilink.actions import Action, Close, Record, Retransmit, Send, Trace
from ontherun.ilink.authority import (
    Authority,
    AuthorityUnavailable,
    Key,
    KeyAnswer,
    KeyFound,
    KeyPending,
    KeyRefused,
    NoKey,
    SentMessages,
    Streams,
)
from ontherun.ilink.client_events import (
    BusinessMessage,
    Ended,
    EstablishmentAccepted,
    Event,
    LoginRejected,
    MessagesLost,
    MessagesRecovered,
    MessagesRequested,
    NegotiationAccepted,
    NumbersNotApplied,
    PromotedToPrimary,
    Violation,
)
from ontherun.ilink.client_inbound import ClientMemory, Missed
from ontherun.ilink.client_login import ClientIdentity
from ontherun.ilink.client_session import ClientSession
from ontherun.ilink.errors import LocalProtocolError, SecretError
from ontherun.ilink.gateway_session import GatewaySession
from ontherun.ilink.policy import KeyExpiry, SessionPolicy
from ontherun.ilink.records import RecordError, Role, StreamRecord
from ontherun.ilink.stream import Stream, StreamTable
from ontherun.ilink.trace import LoginTrace, Verdict
from ontherun.ilink.transitions import ClientState, GatewayState

__all__ = [
    "GatewaySession",
    "GatewayState",
    "SessionPolicy",
    "KeyExpiry",
    "Role",
    "Authority",
    "AuthorityUnavailable",
    "Key",
    "NoKey",
    "KeyAnswer",
    "KeyFound",
    "KeyPending",
    "KeyRefused",
    "SentMessages",
    "Streams",
    "Action",
    "Close",
    "Record",
    "Retransmit",
    "Send",
    "Trace",
    "LoginTrace",
    "Verdict",
    "Stream",
    "StreamTable",
    "StreamRecord",
    "RecordError",
    "ClientSession",
    "ClientState",
    "ClientIdentity",
    "ClientMemory",
    "Missed",
    "Event",
    "BusinessMessage",
    "Ended",
    "EstablishmentAccepted",
    "LoginRejected",
    "MessagesLost",
    "MessagesRecovered",
    "MessagesRequested",
    "NegotiationAccepted",
    "NumbersNotApplied",
    "PromotedToPrimary",
    "Violation",
    "LocalProtocolError",
    "SecretError",
]
