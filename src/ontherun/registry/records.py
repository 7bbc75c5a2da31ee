"""The things a registry keeps, as its callers see them. Times are nanoseconds since 1970-01-01 UTC."""

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import ClassVar

from ontherun.keys import KeyPair, KeyPairState

GFID_PATTERN = r"^[A-Z0-9]{5}$"
"""A BrokerTec Globex Firm ID has five characters (CME Customer Center help, BrokerTec Globex Firm ID)."""

SESSION_ID_PATTERN = r"^[A-Z0-9]{3}$"
"""A Session ID has three characters and is assigned, never chosen (CME Customer Center help)."""

_VISIBLE = r"[^\x00-\x20\x7f-\xa0\u2000-\u200f\u2028-\u202f\u2060-\u206f\u3000\ufeff]"
NAME_PATTERN = rf"^{_VISIBLE}( ?{_VISIBLE})*$"
"""A name for people: words with single spaces between them. No control character, nothing invisible, nothing that turns
the direction of writing."""

LABEL_PATTERN = rf"^({_VISIBLE}( ?{_VISIBLE})*)?$"
"""A name, or nothing."""

NAME_LENGTH = 100
"""The most characters of a name."""

NOTES_PATTERN = r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]*$"
"""Text in lines. No control character but the line feed, nothing that turns the direction of writing."""

NOTES_LENGTH = 2000
"""The most characters of notes."""

ACCOUNT_PATTERN = r"^[ -~]{0,20}$"
"""PartyDetailID is char[20] (schema id 8 version 9, tag 1691)."""

LARGEST_ID = 2**63 - 1
"""No number that is stored here is larger. It is also the exchange's bound for its uInt64 fields."""

ON_DEMAND_PARTY_IDS = (0, 2**32 - 1)
"""PartyDetailsListReqID values that announce party details with the order itself; never registered ones.
(schema id 8 version 9 says FFFFFFFF, CME client wiki, BrokerTec Markets, says 0.)"""


@dataclass(frozen=True, slots=True)
class Entity:
    """A registered entity: the legal unit that owns firms and sessions."""

    entity_id: int
    name: str
    created_at: int


@dataclass(frozen=True, slots=True)
class GlobexFirm:
    """A firm of an entity, known on the wire by its five-character GFID. `withdrawn_at` None: it is there."""

    gfid: str
    entity_id: int
    name: str
    created_at: int
    withdrawn_at: int | None = None


@unique
class Service(StrEnum):
    """What a session is for."""

    ORDER_ENTRY = "order-entry"
    DROP_COPY = "drop-copy"
    MARKET_DATA = "market-data"


@unique
class Market(StrEnum):
    """A BrokerTec market: a session never crosses from one to the other (CME client wiki, Conflated TCP)."""

    US = "US"
    EU = "EU"


@unique
class SessionProtocol(StrEnum):
    """The protocol that an Order Entry session is set to. BrokerTec is reached by binary only (CME client wiki,
    BrokerTec Markets): FIX is kept as a setting, and no gateway speaks it."""

    FIXP = "FIXP"
    FIX = "FIX"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What sessions of all services have. The first firm is the primary one; others may route through it.

    `allowed_sources` are networks in CIDR form; empty: a login may come from anywhere. `live_date` (ISO 8601) is the
    day from which it was asked for. `deleted_at` None: it is there.
    """

    session_id: str
    entity_id: int
    firms: tuple[str, ...]
    created_at: int
    label: str = ""
    notes: str = ""
    front_end_system: str = ""
    live_date: str | None = None
    allowed_sources: tuple[str, ...] = ()
    deleted_at: int | None = None

    service: ClassVar[Service]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEntrySession(Session):
    """An Order Entry session (iLink 3)."""

    market_segments: tuple[int, ...]
    cancel_on_disconnect: bool = True
    protocol: SessionProtocol = SessionProtocol.FIXP

    service: ClassVar[Service] = Service.ORDER_ENTRY


@dataclass(frozen=True, slots=True, kw_only=True)
class DropCopySession(Session):
    """The target session of one Drop Copy group."""

    market: Market

    service: ClassVar[Service] = Service.DROP_COPY


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketDataSession(Session):
    """A Market Data session (conflated TCP), entitled to `products` of its market."""

    market: Market
    products: tuple[str, ...]

    service: ClassVar[Service] = Service.MARKET_DATA


AnySession = OrderEntrySession | DropCopySession | MarketDataSession


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A secret as it rests: nonce, ciphertext and tag, and the id of the master key that opens it."""

    master_key_id: str
    sealed: bytes


@dataclass(frozen=True, slots=True)
class StoredKeyPair:
    """A key pair, whose it is, and its sealed secret: None once the pair is deleted, for then it is erased.

    `label` is a name for people.
    """

    pair: KeyPair
    entity_id: int
    secret: SealedSecret | None
    label: str = ""

    def state(self, now: int) -> KeyPairState:
        """Return the state of the pair at `now`."""
        return self.pair.state(now)


@dataclass(frozen=True, slots=True)
class PartyDetails:
    """Party details that orders of one session and firm may refer to by PartyDetailsListReqID (tag 1505).

    `account` is the customer account (PartyDetailRole 24, up to 20 characters), as on the wire; empty without one.
    """

    session_id: str
    firm: str
    party_details_list_req_id: int
    account: bytes
    self_match_prevention_id: int | None
    created_at: int


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what, when and from where. `details` is a JSON object; `hash` covers the entry and `previous_hash`."""

    sequence: int
    at: int
    actor: str
    source: str | None
    action: str
    entity_id: int | None
    subject: str
    details: str
    previous_hash: bytes
    hash: bytes
