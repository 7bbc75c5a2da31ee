"""What is asked for of sessions of all services, as the API takes it, and how their records are shown."""

from typing import Annotated, Literal

from pydantic import Field

from ontherun.portal.models import _UNIQUE, WHOLE, Gfid, Label, Name, Segment, SessionId, Strict
from ontherun.registry import NOTES_LENGTH, NOTES_PATTERN

Firms = Annotated[
    list[Gfid], Field(min_length=1, max_length=100, description="the primary firm first", json_schema_extra=_UNIQUE)
]
Segments = Annotated[list[Segment], Field(min_length=1, max_length=100, json_schema_extra=_UNIQUE)]
Notes = Annotated[str, Field(pattern=NOTES_PATTERN, max_length=NOTES_LENGTH)]
Sources = Annotated[
    list[Annotated[str, Field(max_length=100)]],
    Field(
        max_length=50,
        description="networks in CIDR form from which a login may come; none: from anywhere",
        examples=[["192.0.2.0/24", "2001:db8::/32"]],
    ),
]
LiveDate = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="the earliest day, Central", examples=["2027-03-31"]),
]
Number = Annotated[int, Field(ge=1, le=1000), WHOLE]
MarketName = Literal["US", "EU"]
ProtocolName = Literal["FIXP", "FIX"]
Messages = Annotated[
    list[Literal["acks", "execution-reports", "heartbeats", "mass-action-results", "rejects", "trade-busts"]],
    Field(min_length=1, max_length=6, json_schema_extra=_UNIQUE),
]
CopiedSessions = Annotated[list[SessionId], Field(min_length=1, max_length=36**3, json_schema_extra=_UNIQUE)]
Products = Annotated[
    list[Literal["us-treasury-actives", "us-repo", "eu-repo", "eu-government-bonds"]],
    Field(min_length=1, max_length=4, json_schema_extra=_UNIQUE),
]


class NewSessions(Strict):
    """What it takes to create Order Entry sessions, all alike. Their Session IDs are assigned."""

    firms: Firms
    market_segments: Segments
    number_of_sessions: Number = 1
    cancel_on_disconnect: bool = True
    label: Label = ""
    notes: Notes = ""
    front_end_system: Label = ""
    allowed_sources: Sources = Field(default_factory=list)
    live_date: LiveDate | None = None


class SessionChange(Strict):
    """What is to be different of an Order Entry session; what is left out stays."""

    firms: Firms | None = None
    market_segments: Segments | None = None
    cancel_on_disconnect: bool | None = None
    label: Label | None = None
    notes: Notes | None = None
    front_end_system: Label | None = None
    allowed_sources: Sources | None = None
    live_date: LiveDate | None = None


class ProtocolChange(Strict):
    """Another protocol of an Order Entry session: FIXP is binary; FIX is kept, but BrokerTec does not speak it."""

    protocol: ProtocolName
    live_date: LiveDate | None = None


class Clone(Strict):
    """How many more sessions like this one, and what they are called; without a label as the first."""

    number_of_sessions: Number = 1
    label: Label | None = None


class NewGroup(Strict):
    """What it takes to create a Drop Copy group. Its target session is assigned, and logs in for `firm`."""

    name: Name
    firm: Gfid
    market: MarketName
    sources: CopiedSessions
    messages: Messages
    front_end_system: Label = ""
    allowed_sources: Sources = Field(default_factory=list)
    live_date: LiveDate | None = None


class GroupChange(Strict):
    """What is to be different of a Drop Copy group; what is left out stays."""

    name: Name | None = None
    sources: CopiedSessions | None = None
    messages: Messages | None = None
    front_end_system: Label | None = None
    allowed_sources: Sources | None = None
    live_date: LiveDate | None = None


class GroupView(Strict):
    """A Drop Copy group. `target` is the Session ID that its key pairs belong to."""

    group_id: int
    entity_id: int
    name: str
    market: MarketName
    target: str
    firm: str
    sources: list[str]
    messages: list[str]
    front_end_system: str
    allowed_sources: list[str]
    created_at: str
    valid_key_pairs: int


class NewMarketDataSessions(Strict):
    """What it takes to create Market Data sessions, all alike."""

    firm: Gfid
    market: MarketName
    products: Products
    number_of_sessions: Annotated[int, Field(ge=1, le=15), WHOLE] = 1
    label: Label = ""
    notes: Notes = ""
    front_end_system: Label = ""
    allowed_sources: Sources = Field(default_factory=list)
    live_date: LiveDate | None = None


class MarketDataSessionChange(Strict):
    """What is to be different of a Market Data session; what is left out stays."""

    products: Products | None = None
    label: Label | None = None
    notes: Notes | None = None
    front_end_system: Label | None = None
    allowed_sources: Sources | None = None
    live_date: LiveDate | None = None


class MarketDataSessionView(Strict):
    """A Market Data session."""

    session_id: str
    entity_id: int
    firm: str
    market: MarketName
    products: list[str]
    label: str
    notes: str
    front_end_system: str
    allowed_sources: list[str]
    created_at: str
    valid_key_pairs: int
