"""What `requests` is made of: its preview, who submits, and how a request is written to its row and to the audit."""

from dataclasses import dataclass
from typing import Any

from ontherun.registry.principal import Principal
from ontherun.registry.records_requests import Request
from ontherun.registry.store import Change
from ontherun.registry.terms import (
    AnyTerms,
    CreateSessions,
    ImportSessions,
    RenameFirm,
    RequestKind,
    WithdrawFirm,
    terms_to_json,
)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a request would do, and when: shown before it is submitted. `effective_at` as if it were approved now."""

    kind: RequestKind
    entity_id: int
    summary: str
    effects: tuple[str, ...]
    effective_at: int
    needs_approval: bool
    fee_text: str


def identity(by: Principal) -> str:
    """Return what tells the principal from every other: four eyes are those of two people, or tokens of nobody."""
    return by.name if by.user_id is None else f"user {by.user_id}"


def new_sessions(terms: AnyTerms) -> int:
    """Return how many Order Entry sessions terms ask for."""
    match terms:
        case CreateSessions():
            return terms.number_of_sessions
        case ImportSessions():
            return sum(line.number_of_sessions for line in terms.sessions)
    return 0


def thing(terms: AnyTerms) -> tuple[object, ...]:
    """Return what terms are about: what an amendment may not change."""
    gfid = terms.gfid if isinstance(terms, RenameFirm | WithdrawFirm) else None
    return terms.kind, gfid, getattr(terms, "session_id", None), getattr(terms, "group_id", None)


def record(change: Change, verb: str, request: Request, **details: object) -> None:
    """Have the audit say what happened to a request."""
    change.record(
        f"request.{verb}",
        request.entity_id,
        f"request {request.request_id}",
        **{
            "request_id": request.request_id,
            "kind": request.kind.value,
            "summary": request.summary,
            "submitted_by": request.submitted_by,
            **details,
        },
    )


def columns(request: Request) -> dict[str, Any]:
    """Return a request as the values of its row, but for its number."""
    return {
        "entity_id": request.entity_id,
        "kind": request.kind.value,
        "status": request.status.value,
        "terms": terms_to_json(request.terms),
        "summary": request.summary,
        "submitted_by": request.submitted_by,
        "submitter": request.submitter,
        "submitted_at": request.submitted_at,
        "revision": request.revision,
        "effective_at": request.effective_at,
        "decided_by": request.decided_by,
        "decided_at": request.decided_at,
        "reason": request.reason,
        "finished_at": request.finished_at,
        "session_ids": list(request.session_ids),
    }
