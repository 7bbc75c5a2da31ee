"""The key pairs of one session: seen, generated with the choice for a third one, and cut over."""

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from ontherun.keys import Health, KeyPair, living
from ontherun.portal.dependencies import Serving
from ontherun.portal.models import SessionId
from ontherun.portal.pages.guard import CsrfChecked, Viewer
from ontherun.portal.pages.key_forms import FormError, Problem, problem_of, typed_time, zones
from ontherun.portal.pages.key_rows import KeyRow, Picture, picture_of, rows_of
from ontherun.portal.pages.shell import redirect, render
from ontherun.registry import AnySession, InvalidError, Principal, Registry, Right

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=200)]
DELETED_SHOWN = 5


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """What templates/keys/of_session.html shows of a session."""

    session: AnySession
    rows: tuple[KeyRow, ...]
    gone: tuple[KeyRow, ...]
    picture: Picture | None
    health: Health
    may_generate: bool
    may_delete: bool

    @property
    def url(self) -> str:
        """The page of the session's keys."""
        return f"/sessions/{self.session.session_id}/keys"


@dataclass(frozen=True, slots=True)
class Plan:
    """What generating a pair would do now: to which pairs, and when the one that stays beside it then ends."""

    beside: tuple[KeyPair, ...]
    needs_choice: bool
    oldest_only: bool
    ends: tuple[tuple[KeyPair, int], ...]
    expires_at: int


def keys_of(registry: Registry, viewer: Principal, session_id: str) -> SessionKeys:
    """Return what a session's page shows of its keys. NotFoundError unless the viewer sees the session."""
    session = registry.pairs.session(viewer, session_id)
    every = rows_of(registry, registry.pairs.list(viewer, session_id, deleted=True))
    rows = tuple(row for row in every if row.pair.deleted_at is None)
    gone = sorted((row for row in every if row not in rows), key=lambda row: -(row.pair.deleted_at or 0))
    shown = tuple(gone[:DELETED_SHOWN])
    return SessionKeys(
        session,
        rows,
        shown,
        picture_of([*rows, *shown[:2]], registry.clock.now()),
        registry.pairs.health(session_id),
        viewer.may(Right.GENERATE_KEYS, session.entity_id),
        viewer.may(Right.DELETE_KEYS, session.entity_id),
    )


def plan_of(registry: Registry, session: AnySession) -> Plan:
    """Return what generating a pair for the session would do now."""
    policy, now = registry.pairs.policy, registry.clock.now()
    calendar = registry.pairs.calendar_of(session)
    beside = living([stored.pair for stored in registry.directory.pairs_of(session.session_id)], now)
    sunset = policy.sunset(now, calendar)
    return Plan(
        beside,
        len(beside) >= policy.valid_pairs,
        policy.oldest_only,
        tuple((pair, min(sunset, pair.expires_at)) for pair in beside),
        policy.expiry(now, calendar),
    )


@router.get("/sessions/{session_id}/keys", response_class=HTMLResponse)
async def session_keys(request: Request, registry: Serving, viewer: Viewer, session_id: SessionId) -> HTMLResponse:
    """Show the key pairs of a session."""
    return render(request, "keys/session.html", keys=keys_of(registry, viewer, session_id))


@router.get("/sessions/{session_id}/new-key", response_class=HTMLResponse)
async def ask_for_new(request: Request, registry: Serving, viewer: Viewer, session_id: SessionId) -> HTMLResponse:
    """Ask how a pair is generated, and say what it does to the older ones."""
    session = registry.pairs.session(viewer, session_id)
    viewer.require(Right.GENERATE_KEYS, session.entity_id)
    return _generate_page(request, registry, session)


@router.post("/sessions/{session_id}/new-key", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def generate(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    session_id: SessionId,
    delete: Text = "",
    when: Text = "now",
    at: Text = "",
    zone: Text = "UTC",
    label: Text = "",
) -> Response:
    """Generate a pair."""
    session = registry.pairs.session(viewer, session_id)
    try:
        cut_over_at = typed_time("at", at, zone) if when == "later" else None
        if when not in ("now", "later"):
            raise InvalidError("when", "is no choice.", "now or later")
        stored = await registry.pairs.generate(
            viewer, session_id, delete=delete or None, cut_over_at=cut_over_at, label=label.strip()
        )
    except FormError as error:
        typed = {"delete": delete, "when": when, "at": at, "zone": zone, "label": label}
        return _generate_page(request, registry, session, problem_of(error), typed)
    access_key_id = stored.pair.access_key_id
    return redirect(request, f"/sessions/{session_id}/keys/{access_key_id}", f"Key pair {access_key_id} was generated.")


def _generate_page(
    request: Request,
    registry: Registry,
    session: AnySession,
    problem: Problem | None = None,
    typed: dict[str, str] | None = None,
) -> HTMLResponse:
    plan = plan_of(registry, session)
    if plan.oldest_only:
        plan = replace(plan, beside=plan.beside[:1])
    return render(
        request,
        "keys/generate.html",
        problem.status if problem else 200,
        session=session,
        plan=plan,
        zones=zones(request),
        problem=problem,
        typed={"delete": "", "when": "now", "at": "", "zone": zones(request)[0][0], "label": "", **(typed or {})},
    )
