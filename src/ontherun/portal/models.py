"""What the API takes and gives, as strict models: no unknown field, no conversion. Times are ISO 8601 in UTC."""

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from ontherun.registry import (
    ACCOUNT_PATTERN,
    GFID_PATTERN,
    LABEL_PATTERN,
    LARGEST_ID,
    NAME_LENGTH,
    NAME_PATTERN,
    ON_DEMAND_PARTY_IDS,
    SESSION_ID_PATTERN,
)


def _whole(value: object) -> object:
    """Take 40.0 for 40: in JSON they are the same number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
Id = Annotated[int, Field(ge=1, le=LARGEST_ID), WHOLE]
Name = Annotated[str, Field(pattern=NAME_PATTERN, min_length=1, max_length=NAME_LENGTH)]
Label = Annotated[str, Field(pattern=LABEL_PATTERN, max_length=NAME_LENGTH)]
Gfid = Annotated[str, Field(pattern=GFID_PATTERN, description="Globex Firm ID, five characters", examples=["DEMO1"])]
SessionId = Annotated[str, Field(pattern=SESSION_ID_PATTERN, description="Session ID", examples=["A00"])]
AccessKeyId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,20}$", description="Access Key ID")]
Segment = Annotated[int, Field(ge=0, le=254, description="Market segment ID", examples=[40]), WHOLE]

T = TypeVar("T")

_UNIQUE: dict[str, JsonValue] = {"uniqueItems": True}


class Strict(BaseModel):
    """A model without leniency."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Page(Strict, Generic[T]):
    """Some of a list. `next` goes into the next request as the parameter that the route names; null at the end."""

    items: list[T]
    next: str | None = None


class NewEntity(Strict):
    """What it takes to register an entity."""

    name: Name


class EntityView(Strict):
    """A registered entity."""

    entity_id: Id
    name: str
    created_at: str


class NewFirm(Strict):
    """What it takes to give an entity a Globex firm."""

    entity_id: Id
    gfid: Gfid
    name: Name


class FirmChange(Strict):
    """What is to be different of a Globex firm."""

    name: Name


class FirmView(Strict):
    """A Globex firm."""

    gfid: str
    entity_id: int
    name: str
    created_at: str


class AuthorisationView(Strict):
    """That sessions of a primary firm of another entity may carry a firm."""

    gfid: str
    primary: str
    authorised_at: str


class AuthorisationEnd(Strict):
    """What an authorisation that was taken back leaves: the sessions that the firm was taken off."""

    gfid: str
    primary: str
    changed_sessions: list[str]


class SessionView(Strict):
    """An Order Entry session. `addresses` are the gateways of its market segments: where to log in."""

    session_id: str
    entity_id: int
    firms: list[str]
    market_segments: list[int]
    addresses: list["GatewayView"]
    cancel_on_disconnect: bool
    protocol: Literal["FIXP", "FIX"]
    label: str
    notes: str
    front_end_system: str
    allowed_sources: list[str]
    live_date: str | None
    created_at: str
    valid_key_pairs: int
    connected: bool
    port_closed: bool


class NewPartyDetails(Strict):
    """What it takes to register party details for a session and one of its firms."""

    firm: Gfid
    party_details_list_req_id: Annotated[Id, Field(json_schema_extra={"not": {"enum": list(ON_DEMAND_PARTY_IDS)}})]
    account: Annotated[str, Field(pattern=ACCOUNT_PATTERN)] = ""
    self_match_prevention_id: Annotated[int, Field(ge=0, le=LARGEST_ID), WHOLE] | None = None


class PartyDetailsView(Strict):
    """Registered party details."""

    session_id: str
    firm: str
    party_details_list_req_id: int
    account: str
    self_match_prevention_id: int | None
    created_at: str


class AuditEntryView(Strict):
    """One entry of the audit. `details` is a JSON object as text; `hash` covers the entry and `previous_hash`."""

    sequence: int
    at: str
    actor: str
    source: str | None
    action: str
    entity_id: int | None
    subject: str
    details: str
    previous_hash: str
    hash: str


class AuditVerdict(Strict):
    """Whether the audit chain holds, and if not, the first entry that does not."""

    intact: bool
    entries: int | None = None
    last_hash: str | None = None
    first_bad_entry: int | None = None
    message: str | None = None


class GatewayView(Strict):
    """Where a market segment's gateway listens."""

    segment: int
    role: str
    host: str
    port: int
    tls: bool


class PromotionView(Strict):
    """A backup gateway that took over: how many sessions go on there, and where the gateways of the segment are now."""

    sessions: int
    gateways: list[GatewayView]


class InstrumentView(Strict):
    """An instrument that can be traded."""

    symbol: str
    security_id: int
    segment: int
    description: str
    tick: str


class StatusView(Strict):
    """What runs. `lab_offset_ns`: how far the clock of a lab was moved ahead of the machine's; null outside a lab."""

    version: str
    environment: str
    now: str
    lab_offset_ns: int | None
    gateways: list[GatewayView]
    instruments: list[InstrumentView]
    connected_sessions: list[str]


class Health(Strict):
    """All is well."""

    status: Literal["ok"] = "ok"


class NotReady(Strict):
    """Clients cannot log in and trade now, and why."""

    status: Literal["not ready"] = "not ready"
    reasons: list[str]
