"""What a venue knows: entities, firms, sessions, key pairs, party details, API tokens, and the audit of all changes."""

from ontherun.registry.attempts import Visitor
from ontherun.registry.attention import Need, NeedKind, Overview, look_over
from ontherun.registry.demo import DemoSession
from ontherun.registry.directory import Directory, KeyFound, KeyRefused
from ontherun.registry.errors import (
    AuditDamagedError,
    ConflictError,
    DataDirectoryInUseError,
    ForbiddenError,
    InvalidError,
    MasterKeyError,
    NotFoundError,
    NotRecognisedError,
    RegistryError,
    SchemaError,
    SecondFactorRequiredError,
    TooManyAttemptsError,
    TooManyError,
    UnavailableError,
)
from ontherun.registry.handover import LONGEST_PUBLIC_KEY
from ontherun.registry.lab import Lab, parse_span, parse_time
from ontherun.registry.lab_clock import LabClock
from ontherun.registry.messages import Message
from ontherun.registry.notice_rules import NOTICE_RULES, NoticeRule, To
from ontherun.registry.notices import Notices
from ontherun.registry.pairs import Revoked
from ontherun.registry.pairs_bulk import LARGEST_BULK, Outcome
from ontherun.registry.principal import (
    EVERY_RIGHT,
    RIGHTS_OF,
    SYSTEM,
    Principal,
    PrincipalKind,
    Right,
    Role,
    SecondFactor,
)
from ontherun.registry.records import (
    ACCOUNT_PATTERN,
    GFID_PATTERN,
    LABEL_PATTERN,
    LARGEST_ID,
    NAME_LENGTH,
    NAME_PATTERN,
    ON_DEMAND_PARTY_IDS,
    SESSION_ID_PATTERN,
    AnySession,
    AuditEntry,
    DropCopySession,
    Entity,
    GlobexFirm,
    Market,
    MarketDataSession,
    OrderEntrySession,
    PartyDetails,
    SealedSecret,
    Service,
    Session,
    StoredKeyPair,
)
from ontherun.registry.records_notices import (
    CHOSEN_TOPICS,
    DELIVERY_LIFE,
    Channel,
    Delivery,
    DeliveryEvent,
    DeliveryState,
    Happening,
    Notice,
    NoticeAddress,
    Recipient,
    SendResult,
    Topic,
    Webhook,
)
from ontherun.registry.records_people import (
    EMAIL_PATTERN,
    LOCAL_POLICY,
    ApiToken,
    Invitation,
    LinkPurpose,
    Passkey,
    PeoplePolicy,
    User,
    WebSession,
)
from ontherun.registry.registry import Registry
from ontherun.registry.tokens import token_text
from ontherun.registry.users import LOCAL_OPERATOR
from ontherun.registry.web_sessions import SignedIn, csrf_of

__all__ = [
    "Registry",
    # what gateways read
    "Directory",
    "KeyFound",
    "KeyRefused",
    # time travel
    "Lab",
    "LabClock",
    "parse_span",
    "parse_time",
    # who asks
    "Principal",
    "PrincipalKind",
    "Role",
    "Right",
    "RIGHTS_OF",
    "EVERY_RIGHT",
    "SecondFactor",
    "SYSTEM",
    # people
    "User",
    "WebSession",
    "SignedIn",
    "Visitor",
    "Passkey",
    "Invitation",
    "LinkPurpose",
    "PeoplePolicy",
    "LOCAL_POLICY",
    "LOCAL_OPERATOR",
    "EMAIL_PATTERN",
    "csrf_of",
    # what is stored
    "Entity",
    "GlobexFirm",
    "Session",
    "AnySession",
    "Service",
    "Market",
    "OrderEntrySession",
    "DropCopySession",
    "MarketDataSession",
    "StoredKeyPair",
    "SealedSecret",
    "Revoked",
    "Outcome",
    "LARGEST_BULK",
    "LONGEST_PUBLIC_KEY",
    "PartyDetails",
    "ApiToken",
    "AuditEntry",
    "DemoSession",
    "token_text",
    "GFID_PATTERN",
    "SESSION_ID_PATTERN",
    "ACCOUNT_PATTERN",
    "NAME_PATTERN",
    "LABEL_PATTERN",
    "NAME_LENGTH",
    "ON_DEMAND_PARTY_IDS",
    "LARGEST_ID",
    # what is told
    "Notices",
    "Notice",
    "Happening",
    "Topic",
    "CHOSEN_TOPICS",
    "NOTICE_RULES",
    "NoticeRule",
    "To",
    "Message",
    "Channel",
    "Delivery",
    "DeliveryState",
    "DeliveryEvent",
    "DELIVERY_LIFE",
    "SendResult",
    "Recipient",
    "NoticeAddress",
    "Webhook",
    # what needs attention
    "Need",
    "NeedKind",
    "Overview",
    "look_over",
    # what can go wrong
    "RegistryError",
    "NotFoundError",
    "ForbiddenError",
    "SecondFactorRequiredError",
    "ConflictError",
    "InvalidError",
    "UnavailableError",
    "TooManyAttemptsError",
    "NotRecognisedError",
    "TooManyError",
    "DataDirectoryInUseError",
    "MasterKeyError",
    "SchemaError",
    "AuditDamagedError",
]
