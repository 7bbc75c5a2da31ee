"""The page of one session, of any service: what it is, where it connects, how it stands now, and its key pairs."""

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from ontherun.portal.dependencies import Serving
from ontherun.portal.models import SessionId
from ontherun.portal.pages.guard import CsrfChecked, Viewer
from ontherun.portal.pages.session_keys import keys_of
from ontherun.portal.pages.shell import redirect, render
from ontherun.portal.routes_sessions import status_of
from ontherun.portal.status import GatewayAddress
from ontherun.registry import AnySession, NotFoundError, OrderEntrySession, Principal, Registry, Right

router = APIRouter(include_in_schema=False)


def seen_session(registry: Registry, viewer: Principal, session_id: str) -> AnySession:
    """Return a session of any service. NotFoundError unless the viewer sees it."""
    session = registry.directory.session(session_id)
    if session is None or not viewer.sees(session.entity_id):
        raise NotFoundError(f"session {session_id}")
    return session


@router.get("/sessions/{session_id}", response_class=HTMLResponse)
async def session_page(request: Request, registry: Serving, viewer: Viewer, session_id: SessionId) -> HTMLResponse:
    """Show a session."""
    session = seen_session(registry, viewer, session_id)
    status = status_of(request)
    closed = session_id in status.closed_ports()
    entity = registry.directory.entity(session.entity_id)
    assert entity is not None
    return render(
        request,
        "session/session.html",
        session=session,
        entity=entity,
        order_entry=isinstance(session, OrderEntrySession),
        firms=[(gfid, registry.directory.firm(gfid)) for gfid in session.firms],
        gateways=_gateways(session, status.gateways()),
        connected=session_id in status.connected(),
        port_closed=closed,
        may_open_port=closed and viewer.operator,
        keys=keys_of(registry, viewer, session_id) if session.deleted_at is None else None,
        may_manage=viewer.may(Right.MANAGE_SESSIONS, session.entity_id),
        may_read_audit=viewer.may(Right.READ_AUDIT, session.entity_id),
        valid_pairs=len(registry.directory.valid_pairs_of(session_id, registry.clock.now())),
    )


@router.post("/sessions/{session_id}/open-port", dependencies=[CsrfChecked])
async def open_port(request: Request, registry: Serving, viewer: Viewer, session_id: SessionId) -> RedirectResponse:
    """Open the ports of a session again, which bad logins closed."""
    status = status_of(request)
    await registry.sessions.record_port_opening(viewer, session_id, status.closed_ports())
    status.open_port(session_id)
    return redirect(request, f"/sessions/{session_id}", f"The ports of session {session_id} are open again.")


def _gateways(session: AnySession, every: Sequence[GatewayAddress]) -> list[GatewayAddress]:
    """Return where the session logs in: the gateways of its market segments."""
    segments = session.market_segments if isinstance(session, OrderEntrySession) else ()
    return sorted(
        (gateway for gateway in every if gateway.segment in segments),
        key=lambda gateway: (gateway.segment, gateway.role != "primary"),
    )
