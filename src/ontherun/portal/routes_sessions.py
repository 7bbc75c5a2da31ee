"""Sessions and their party details."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request

from ontherun.portal import models, views
from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.paging import page_after
from ontherun.portal.problems import answers
from ontherun.portal.status import Status
from ontherun.registry import OrderEntrySession, Registry

_READ = answers(HTTPStatus.NOT_FOUND)
_CHANGE = answers(HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE)

router = APIRouter(prefix="/sessions", tags=["sessions"])


def status_of(request: Request) -> Status:
    """Return the venue that the application shows."""
    status: Status = request.app.state.status
    return status


@router.get("", summary="List the sessions you see, in the order of their creation")
async def list_sessions(
    by: Asking,
    registry: Serving,
    request: Request,
    after: Annotated[models.SessionId | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> models.Page[models.SessionView]:
    """List the sessions."""
    found, following = page_after(registry.sessions.list(by), lambda session: session.session_id, after, limit)
    status = status_of(request)
    now = status.connected(), status.closed_ports(), views.gateways(status)
    return models.Page(items=[views.session(session, registry, *now) for session in found], next=following)


@router.get("/{session_id}", responses=_READ, summary="Show a session")
async def show_session(
    by: Asking, registry: Serving, request: Request, session_id: models.SessionId
) -> models.SessionView:
    """Show a session."""
    return _shown(registry.sessions.get(by, session_id), registry, status_of(request))


@router.post(
    "/{session_id}/open-port",
    responses=_CHANGE,
    summary="Open a session's ports again, which five bad logins within 60 s closed. For the operator",
)
async def open_port(
    by: Asking, registry: Serving, request: Request, session_id: models.SessionId
) -> models.SessionView:
    """Open the ports of a session."""
    status = status_of(request)
    session = await registry.sessions.record_port_opening(by, session_id, status.closed_ports())
    status.open_port(session_id)
    return _shown(session, registry, status)


def _shown(session: OrderEntrySession, registry: Registry, status: Status) -> models.SessionView:
    return views.session(session, registry, status.connected(), status.closed_ports(), views.gateways(status))


@router.get("/{session_id}/party-details", responses=_READ, summary="List a session's registered party details")
async def list_party_details(
    by: Asking, registry: Serving, session_id: models.SessionId
) -> models.Page[models.PartyDetailsView]:
    """List party details."""
    found = registry.party_details.list(by, session_id)
    return models.Page(items=[views.party_details(details) for details in found])


@router.post(
    "/{session_id}/party-details",
    status_code=HTTPStatus.CREATED,
    responses=_CHANGE,
    summary="Register party details, which orders then refer to by PartyDetailsListReqID",
)
async def register_party_details(
    by: Asking, registry: Serving, session_id: models.SessionId, new: models.NewPartyDetails
) -> models.PartyDetailsView:
    """Register party details."""
    details = await registry.party_details.register(
        by,
        session_id,
        new.firm,
        new.party_details_list_req_id,
        account=new.account,
        self_match_prevention_id=new.self_match_prevention_id,
    )
    return views.party_details(details)
