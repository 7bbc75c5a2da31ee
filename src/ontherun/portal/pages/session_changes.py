"""An Order Entry session changed, cloned, set to another protocol or deleted, each by way of a review."""

from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from ontherun.portal.dependencies import Serving
from ontherun.portal.models import SessionId
from ontherun.portal.pages.asking import (
    Amend,
    FormPage,
    Values,
    amending,
    ask,
    common_context,
    one,
    settings_of,
    typed,
)
from ontherun.portal.pages.deleting import Ending, ask_to_end, show
from ontherun.portal.pages.guard import CsrfChecked, Viewer
from ontherun.portal.pages.key_forms import Problem
from ontherun.portal.pages.sessions import FIELDS, authorised_firms, firms_of, segments_of
from ontherun.portal.pages.shell import render
from ontherun.portal.routes_session_requests import like
from ontherun.registry import (
    AnyTerms,
    ChangeSession,
    DeleteSession,
    InvalidError,
    OrderEntrySession,
    Principal,
    Registry,
    Right,
    SessionProtocol,
    SetProtocol,
)
from ontherun.registry import Request as SubmittedRequest

router = APIRouter(include_in_schema=False)


def _session(registry: Registry, viewer: Principal, session_id: str) -> OrderEntrySession:
    session = registry.sessions.get(viewer, session_id)
    viewer.require(Right.MANAGE_SESSIONS, session.entity_id)
    return session


def _crumbs(session_id: str) -> list[tuple[str, str]]:
    return [("Order Entry sessions", "/sessions"), (session_id, f"/sessions/{session_id}")]


@router.get("/sessions/{session_id}/edit", response_class=HTMLResponse)
async def edit_page(
    request: Request, registry: Serving, viewer: Viewer, session_id: SessionId, amend: Amend = 0
) -> HTMLResponse:
    """Show the settings of a session in a form."""
    session = _session(registry, viewer, session_id)
    values = typed(like(session)) | await amending(registry, viewer, amend)
    return _form_page(request, registry, viewer, session)(values, None)


@router.post("/sessions/{session_id}/edit", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def edit(request: Request, registry: Serving, viewer: Viewer, session_id: SessionId) -> Response:
    """Review or submit a change."""
    session = _session(registry, viewer, session_id)

    def read(values: Values) -> AnyTerms:
        return ChangeSession(
            session_id=session_id,
            firms=firms_of(values),
            market_segments=segments_of(values),
            cancel_on_disconnect="cancel_on_disconnect" in values,
            **settings_of(values, "label", "notes"),
        )

    return await ask(
        request,
        registry,
        viewer,
        read,
        _form_page(request, registry, viewer, session),
        title=f"Change session {session_id}",
        crumbs=_crumbs(session_id),
        where_to=_back_to(session_id),
        wording={"firms": "primary"},
    )


@router.get("/sessions/{session_id}/protocol", response_class=HTMLResponse)
async def protocol_page(
    request: Request, registry: Serving, viewer: Viewer, session_id: SessionId, amend: Amend = 0
) -> HTMLResponse:
    """Ask for another protocol of a session."""
    session = _session(registry, viewer, session_id)
    return _protocol_page(request, session)(await amending(registry, viewer, amend), None)


@router.post("/sessions/{session_id}/protocol", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def set_protocol(request: Request, registry: Serving, viewer: Viewer, session_id: SessionId) -> Response:
    """Review or submit another protocol."""
    session = _session(registry, viewer, session_id)

    def read(values: Values) -> AnyTerms:
        wanted = one(values, "protocol")
        if wanted not in [protocol.value for protocol in SessionProtocol]:
            raise InvalidError("protocol", "is no protocol.", " or ".join(SessionProtocol))
        live_date = one(values, "live_date") or None
        return SetProtocol(session_id=session_id, protocol=SessionProtocol(wanted), live_date=live_date)

    return await ask(
        request,
        registry,
        viewer,
        read,
        _protocol_page(request, session),
        title=f"Protocol of session {session_id}",
        crumbs=_crumbs(session_id),
        where_to=_back_to(session_id),
    )


@router.get("/sessions/{session_id}/delete", response_class=HTMLResponse)
async def delete_page(
    request: Request, registry: Serving, viewer: Viewer, session_id: SessionId, amend: Amend = 0
) -> HTMLResponse:
    """Show what the end of a session means."""
    return await show(request, registry, viewer, _ending(registry, viewer, session_id), amend)


@router.post("/sessions/{session_id}/delete", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def delete(request: Request, registry: Serving, viewer: Viewer, session_id: SessionId) -> Response:
    """Review or submit the end of a session."""
    return await ask_to_end(request, registry, viewer, _ending(registry, viewer, session_id))


def _ending(registry: Registry, viewer: Principal, session_id: str) -> Ending:
    _session(registry, viewer, session_id)
    return Ending(
        DeleteSession(session_id=session_id),
        session_id,
        f"/sessions/{session_id}",
        ("Order Entry sessions", "/sessions"),
        f"/api/v1/sessions/{session_id}",
        f"ontherun session delete {session_id}",
    )


def _back_to(session_id: str) -> Callable[[SubmittedRequest], str]:
    return lambda _done: f"/sessions/{session_id}"


def _form_page(request: Request, registry: Registry, viewer: Principal, session: OrderEntrySession) -> FormPage:
    firms = [
        (firm.gfid, f"{firm.gfid} {firm.name}")
        for firm in registry.firms.list(viewer)
        if firm.entity_id == session.entity_id
    ]

    def page(values: Values, problem: Problem | None) -> HTMLResponse:
        return render(
            request,
            "sessions/edit.html",
            200 if problem is None else problem.status,
            session=session,
            values=values,
            firms=firms,
            others=authorised_firms(registry, viewer),
            segments=[(str(segment), f"Market segment {segment}") for segment in registry.market_segments],
            **common_context(problem, FIELDS),
        )

    return page


def _protocol_page(request: Request, session: OrderEntrySession) -> FormPage:
    def page(values: Values, problem: Problem | None) -> HTMLResponse:
        return render(
            request,
            "sessions/protocol.html",
            200 if problem is None else problem.status,
            session=session,
            values=values,
            protocols=[protocol.value for protocol in SessionProtocol],
            **common_context(problem, ("protocol", "live_date")),
        )

    return page
