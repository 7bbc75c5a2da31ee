"""Requests, as the API takes and shows them."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from ontherun.portal.models import FirmChange, Gfid, Id, NewFirm, SessionId, Strict
from ontherun.portal.models_sessions import (
    GroupChange,
    LiveDate,
    MarketDataSessionChange,
    NewGroup,
    NewMarketDataSessions,
    NewSessions,
    Notes,
    ProtocolChange,
    SessionChange,
)
from ontherun.registry import AnyTerms, RequestKind, terms_from_json


class CreateSessions(NewSessions):
    """New Order Entry sessions."""

    kind: Literal["create-sessions"]


class ImportSessions(Strict):
    """New Order Entry sessions, all of them or none."""

    kind: Literal["import-sessions"]
    sessions: Annotated[list[NewSessions], Field(min_length=1, max_length=1000)]


class ChangeSession(SessionChange):
    """Another setting of an Order Entry session."""

    kind: Literal["change-session"]
    session_id: SessionId


class DeleteSession(Strict):
    """The end of an Order Entry session and its key pairs; with `end_session` also of its open connection."""

    kind: Literal["delete-session"]
    session_id: SessionId
    end_session: bool = False
    live_date: LiveDate | None = None


class SetProtocol(ProtocolChange):
    """Another protocol of an Order Entry session."""

    kind: Literal["set-protocol"]
    session_id: SessionId


class CreateDropCopyGroup(NewGroup):
    """A new Drop Copy group."""

    kind: Literal["create-drop-copy-group"]


class ChangeDropCopyGroup(GroupChange):
    """Another setting of a Drop Copy group."""

    kind: Literal["change-drop-copy-group"]
    group_id: Id


class DeleteDropCopyGroup(Strict):
    """The end of a Drop Copy group and its target session."""

    kind: Literal["delete-drop-copy-group"]
    group_id: Id
    live_date: LiveDate | None = None


class CreateMarketDataSessions(NewMarketDataSessions):
    """New Market Data sessions."""

    kind: Literal["create-market-data-sessions"]


class ChangeMarketDataSession(MarketDataSessionChange):
    """Another setting of a Market Data session."""

    kind: Literal["change-market-data-session"]
    session_id: SessionId


class DeleteMarketDataSession(Strict):
    """The end of a Market Data session and its key pairs."""

    kind: Literal["delete-market-data-session"]
    session_id: SessionId
    live_date: LiveDate | None = None


class RegisterFirm(NewFirm):
    """A new Globex firm."""

    kind: Literal["register-firm"]


class RenameFirm(FirmChange):
    """Another name for a Globex firm."""

    kind: Literal["rename-firm"]
    gfid: Gfid


class WithdrawFirm(Strict):
    """The end of a Globex firm that no session carries any more."""

    kind: Literal["withdraw-firm"]
    gfid: Gfid


NewRequest = Annotated[
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
    | WithdrawFirm,
    Field(discriminator="kind"),
]
"""Anything that can be asked for."""

KindName = Literal[
    "create-sessions",
    "import-sessions",
    "change-session",
    "delete-session",
    "set-protocol",
    "create-drop-copy-group",
    "change-drop-copy-group",
    "delete-drop-copy-group",
    "create-market-data-sessions",
    "change-market-data-session",
    "delete-market-data-session",
    "register-firm",
    "rename-firm",
    "withdraw-firm",
]
StatusName = Literal["Submitted", "Pending Approval", "In-Progress", "Completed", "Failed", "Rejected", "Cancelled"]


def terms_of(asked: Strict, kind: RequestKind, **more: object) -> AnyTerms:
    """Return what a body asks for, with what the path says."""
    return terms_from_json(kind, {**asked.model_dump(exclude_none=True, exclude={"kind"}), **more})


class RequestView(Strict):
    """A request and what became of it. `may_decide`: whether the one who asks may approve or reject it now."""

    request_id: int
    entity_id: int
    kind: KindName
    status: StatusName
    summary: str
    terms: dict[str, JsonValue]
    submitted_by: str
    submitted_at: str
    revision: int
    live_date: str | None
    effective_at: str | None
    seconds_left: int | None
    decided_by: str | None
    decided_at: str | None
    reason: str
    finished_at: str | None
    session_ids: list[str]
    may_decide: bool


class RequestPreview(Strict):
    """What a request would do, and when, if it were submitted now (and approved now, where it needs that)."""

    kind: KindName
    entity_id: int
    summary: str
    effects: list[str]
    effective_at: str
    seconds_left: int
    needs_approval: bool
    fee_text: str


class Revision(Strict):
    """Which amendment was looked at; it is refused when another one came in between."""

    revision: Annotated[int, Field(ge=0, le=2**31)] | None = None


class Rejection(Revision):
    """Why a request is rejected: for the person who submitted it."""

    reason: Annotated[Notes, Field(min_length=1)]


class Cancellation(Strict):
    """Why a request is taken back."""

    reason: Notes = ""
