"""What a request asks for, one record for each kind. `None` in a change: that stays as it is."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum, unique
from types import MappingProxyType, NoneType, UnionType
from typing import Any, ClassVar, get_args, get_origin, get_type_hints

from ontherun.registry.records import Market, SessionProtocol


@unique
class RequestKind(StrEnum):
    """What a request can be about."""

    CREATE_SESSIONS = "create-sessions"
    IMPORT_SESSIONS = "import-sessions"
    CHANGE_SESSION = "change-session"
    DELETE_SESSION = "delete-session"
    SET_PROTOCOL = "set-protocol"
    CREATE_DROP_COPY_GROUP = "create-drop-copy-group"
    CHANGE_DROP_COPY_GROUP = "change-drop-copy-group"
    DELETE_DROP_COPY_GROUP = "delete-drop-copy-group"
    CREATE_MARKET_DATA_SESSIONS = "create-market-data-sessions"
    CHANGE_MARKET_DATA_SESSION = "change-market-data-session"
    DELETE_MARKET_DATA_SESSION = "delete-market-data-session"
    REGISTER_FIRM = "register-firm"
    RENAME_FIRM = "rename-firm"
    WITHDRAW_FIRM = "withdraw-firm"


@unique
class CopiedMessages(StrEnum):
    """What a Drop Copy group may pass on (CME Customer Center help, Drop Copy Groups)."""

    ACKS = "acks"
    EXECUTION_REPORTS = "execution-reports"
    HEARTBEATS = "heartbeats"
    MASS_ACTION_RESULTS = "mass-action-results"
    REJECTS = "rejects"
    TRADE_BUSTS = "trade-busts"


PRODUCTS: Mapping[Market, Mapping[str, str]] = MappingProxyType(
    {
        Market.US: MappingProxyType({"us-treasury-actives": "US Treasury actives", "us-repo": "US repo"}),
        Market.EU: MappingProxyType(
            {"eu-repo": "EU repo", "eu-government-bonds": "European government bonds"},
        ),
    }
)
"""Market -> product -> its name. A session never crosses from one market to the other (CME client wiki)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What any request asks for."""

    kind: ClassVar[RequestKind]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSessions(Terms):
    """New Order Entry sessions, all alike. The first firm is the primary one."""

    kind: ClassVar = RequestKind.CREATE_SESSIONS
    firms: tuple[str, ...]
    market_segments: tuple[int, ...]
    number_of_sessions: int = 1
    cancel_on_disconnect: bool = True
    label: str = ""
    notes: str = ""
    front_end_system: str = ""
    allowed_sources: tuple[str, ...] = ()
    live_date: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSessions(Terms):
    """New Order Entry sessions from a file: all of them or none."""

    kind: ClassVar = RequestKind.IMPORT_SESSIONS
    sessions: tuple[CreateSessions, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSession(Terms):
    """Another setting of an Order Entry session."""

    kind: ClassVar = RequestKind.CHANGE_SESSION
    session_id: str
    firms: tuple[str, ...] | None = None
    market_segments: tuple[int, ...] | None = None
    cancel_on_disconnect: bool | None = None
    label: str | None = None
    notes: str | None = None
    front_end_system: str | None = None
    allowed_sources: tuple[str, ...] | None = None
    live_date: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteSession(Terms):
    """The end of an Order Entry session and its key pairs; with `end_session` also of its connection."""

    kind: ClassVar = RequestKind.DELETE_SESSION
    session_id: str
    end_session: bool = False
    live_date: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetProtocol(Terms):
    """Another protocol of an Order Entry session."""

    kind: ClassVar = RequestKind.SET_PROTOCOL
    session_id: str
    protocol: SessionProtocol
    live_date: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateDropCopyGroup(Terms):
    """A new Drop Copy group with its target session, which logs in for `firm`."""

    kind: ClassVar = RequestKind.CREATE_DROP_COPY_GROUP
    name: str
    firm: str
    market: Market
    sources: tuple[str, ...]
    messages: tuple[CopiedMessages, ...]
    front_end_system: str = ""
    allowed_sources: tuple[str, ...] = ()
    live_date: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDropCopyGroup(Terms):
    """Another setting of a Drop Copy group."""

    kind: ClassVar = RequestKind.CHANGE_DROP_COPY_GROUP
    group_id: int
    name: str | None = None
    sources: tuple[str, ...] | None = None
    messages: tuple[CopiedMessages, ...] | None = None
    front_end_system: str | None = None
    allowed_sources: tuple[str, ...] | None = None
    live_date: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteDropCopyGroup(Terms):
    """The end of a Drop Copy group, its target session and the key pairs of that."""

    kind: ClassVar = RequestKind.DELETE_DROP_COPY_GROUP
    group_id: int
    live_date: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateMarketDataSessions(Terms):
    """New Market Data sessions, all alike."""

    kind: ClassVar = RequestKind.CREATE_MARKET_DATA_SESSIONS
    firm: str
    market: Market
    products: tuple[str, ...]
    number_of_sessions: int = 1
    label: str = ""
    notes: str = ""
    front_end_system: str = ""
    allowed_sources: tuple[str, ...] = ()
    live_date: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMarketDataSession(Terms):
    """Another setting of a Market Data session."""

    kind: ClassVar = RequestKind.CHANGE_MARKET_DATA_SESSION
    session_id: str
    products: tuple[str, ...] | None = None
    label: str | None = None
    notes: str | None = None
    front_end_system: str | None = None
    allowed_sources: tuple[str, ...] | None = None
    live_date: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteMarketDataSession(Terms):
    """The end of a Market Data session and its key pairs."""

    kind: ClassVar = RequestKind.DELETE_MARKET_DATA_SESSION
    session_id: str
    live_date: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterFirm(Terms):
    """A new Globex firm of an entity."""

    kind: ClassVar = RequestKind.REGISTER_FIRM
    entity_id: int
    gfid: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameFirm(Terms):
    """Another name for a Globex firm."""

    kind: ClassVar = RequestKind.RENAME_FIRM
    gfid: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawFirm(Terms):
    """The end of a Globex firm that no session carries any more."""

    kind: ClassVar = RequestKind.WITHDRAW_FIRM
    gfid: str


AnyTerms = (
    CreateSessions
    | ImportSessions
    | ChangeSession
    | DeleteSession
    | SetProtocol
    | CreateDropCopyGroup
    | ChangeDropCopyGroup
    | DeleteDropCopyGroup
    | CreateMarketDataSessions
    | ChangeMarketDataSession
    | DeleteMarketDataSession
    | RegisterFirm
    | RenameFirm
    | WithdrawFirm
)
_OF_KIND: Mapping[RequestKind, type[AnyTerms]] = MappingProxyType({terms.kind: terms for terms in get_args(AnyTerms)})


def terms_to_json(terms: AnyTerms) -> dict[str, Any]:
    """Return terms as a JSON object, without what stays as it is."""
    return {name: value for name, value in asdict(terms).items() if value is not None}


def terms_from_json(kind: RequestKind, values: Mapping[str, Any]) -> AnyTerms:
    """Return the terms that `terms_to_json` wrote; also from checked input with the same names."""
    terms: AnyTerms = _built(_OF_KIND[kind], values)
    return terms


def _built(record: type[Any], values: Mapping[str, Any]) -> Any:
    hints = get_type_hints(record)
    known = {field.name for field in fields(record)}
    return record(**{name: _converted(hints[name], value) for name, value in values.items() if name in known})


def _converted(hint: Any, value: Any) -> Any:
    if get_origin(hint) is UnionType:
        (hint,) = (part for part in get_args(hint) if part is not NoneType)
    if value is None:
        return None
    if get_origin(hint) is tuple:
        return tuple(_converted(get_args(hint)[0], part) for part in value)
    if isinstance(hint, type) and issubclass(hint, Terms):
        return _built(hint, value)
    return hint(value)
