"""The emergency: every key pair of a session, or of every session that carries a firm, revoked on one page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from ontherun.portal.dependencies import Serving
from ontherun.portal.models import Gfid, SessionId
from ontherun.portal.pages.guard import CsrfChecked, Viewer
from ontherun.portal.pages.key_forms import Answer, FormError, Problem, problem_of, proof, question
from ontherun.portal.pages.key_rows import rows_of
from ontherun.portal.pages.shell import redirect, render
from ontherun.portal.routes_keys import end_live_sessions
from ontherun.portal.routes_sessions import status_of
from ontherun.registry import AnySession, InvalidError, Principal, Registry, Right

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=200)]


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose pairs are revoked. `kind` is "session" or "firm", `name` its id, `page` where one goes afterwards."""

    kind: str
    name: str
    sessions: Sequence[AnySession]
    page: str

    @property
    def path(self) -> str:
        """Where it is in the portal and in the API."""
        return f"/{self.kind}s/{self.name}"


def _of_session(registry: Registry, viewer: Principal, session_id: str) -> Whose:
    session = registry.pairs.session(viewer, session_id)
    viewer.require(Right.DELETE_KEYS, session.entity_id)
    return Whose("session", session_id, [session], f"/sessions/{session_id}/keys")


def _of_firm(registry: Registry, viewer: Principal, gfid: str) -> Whose:
    firm = registry.firms.get(viewer, gfid)
    viewer.require(Right.DELETE_KEYS, firm.entity_id)
    sessions = [session for session in registry.directory.sessions_with(gfid) if viewer.sees(session.entity_id)]
    return Whose("firm", gfid, sessions, f"/firms/{gfid}")


@router.get("/sessions/{session_id}/revoke-keys", response_class=HTMLResponse)
async def ask_of_session(request: Request, registry: Serving, viewer: Viewer, session_id: SessionId) -> HTMLResponse:
    """Ask before every pair of a session is revoked, and say what that does."""
    return _page(request, registry, viewer, _of_session(registry, viewer, session_id))


@router.get("/firms/{gfid}/revoke-keys", response_class=HTMLResponse)
async def ask_of_firm(request: Request, registry: Serving, viewer: Viewer, gfid: Gfid) -> HTMLResponse:
    """Ask before every pair of every session of a firm is revoked, and say what that does."""
    return _page(request, registry, viewer, _of_firm(registry, viewer, gfid))


@router.post("/sessions/{session_id}/revoke-keys", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def revoke_session(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    session_id: SessionId,
    confirm: Text = "",
    reason: Text = "",
    live: Text = "",
    second_factor: Answer = "",
) -> Response:
    """Revoke every pair of a session."""
    whose = _of_session(registry, viewer, session_id)
    return await _revoke(request, registry, viewer, whose, confirm, reason, live, second_factor)


@router.post("/firms/{gfid}/revoke-keys", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def revoke_firm(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    gfid: Gfid,
    confirm: Text = "",
    reason: Text = "",
    live: Text = "",
    second_factor: Answer = "",
) -> Response:
    """Revoke every pair of every session of a firm."""
    whose = _of_firm(registry, viewer, gfid)
    return await _revoke(request, registry, viewer, whose, confirm, reason, live, second_factor)


async def _revoke(
    request: Request,
    registry: Registry,
    viewer: Principal,
    whose: Whose,
    confirm: str,
    reason: str,
    live: str,
    second_factor: str,
) -> Response:
    revoke = registry.pairs.revoke_session if whose.kind == "session" else registry.pairs.revoke_firm
    try:
        if confirm.strip() != whose.name:
            raise InvalidError("confirm", "is not what was asked for.", whose.name)
        proved = await proof(registry, viewer, second_factor)
        revoked = await revoke(viewer, whose.name, reason=reason, end_live_sessions=bool(live), second_factor=proved)
    except FormError as error:
        return _page(request, registry, viewer, whose, problem_of(error), {"reason": reason, "live": live})
    ended = len(end_live_sessions(revoked, status_of(request), reason))
    count = len(revoked.pairs)
    done = f"{count} key pair{' is' if count == 1 else 's are'} revoked."
    if ended:
        done += " The live login was ended." if ended == 1 else f" {ended} live logins were ended."
    return redirect(request, whose.page, done)


def _page(
    request: Request,
    registry: Registry,
    viewer: Principal,
    whose: Whose,
    problem: Problem | None = None,
    typed: dict[str, str] | None = None,
) -> HTMLResponse:
    now, connected = registry.clock.now(), status_of(request).connected()
    stored = [
        each
        for session in whose.sessions
        for each in registry.pairs.list(viewer, session.session_id)
        if each.state(now).living
    ]
    return render(
        request,
        "keys/revoke.html",
        problem.status if problem else 200,
        whose=whose,
        rows=rows_of(registry, stored),
        connected=[session.session_id for session in whose.sessions if session.session_id in connected],
        question=question(registry, viewer),
        problem=problem,
        typed={"reason": "", "live": "", **(typed or {})},
    )
