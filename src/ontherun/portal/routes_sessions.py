"""Sessions, their party details and their key pairs."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from ontherun.keys import FILE_FORMATS
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


@router.get("/{session_id}/keys", responses=_READ, tags=["key pairs"], summary="List a session's key pairs")
async def list_key_pairs(
    by: Asking,
    registry: Serving,
    session_id: models.SessionId,
    deleted: Annotated[bool, Query(description="deleted ones too")] = False,
) -> models.Page[models.KeyPairView]:
    """List key pairs."""
    now = registry.clock.now()
    found = registry.pairs.list(by, session_id, deleted=deleted)
    return models.Page(items=[views.key_pair(stored, now) for stored in found])


@router.post(
    "/{session_id}/keys",
    status_code=HTTPStatus.CREATED,
    responses=_CHANGE,
    tags=["key pairs"],
    summary="Generate a key pair, valid at once. Its secret is read by downloading it",
)
async def generate_key_pair(by: Asking, registry: Serving, session_id: models.SessionId) -> models.KeyPairView:
    """Generate a key pair."""
    return views.key_pair(await registry.pairs.generate(by, session_id), registry.clock.now())


@router.get(
    "/{session_id}/keys/{access_key_id}", responses=_READ, tags=["key pairs"], summary="Show a key pair, not its secret"
)
async def show_key_pair(
    by: Asking, registry: Serving, session_id: models.SessionId, access_key_id: models.AccessKeyId
) -> models.KeyPairView:
    """Show a key pair."""
    return views.key_pair(registry.pairs.get(by, session_id, access_key_id), registry.clock.now())


@router.delete(
    "/{session_id}/keys/{access_key_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_CHANGE,
    tags=["key pairs"],
    summary="Delete a key pair: the next login with it is refused, and its secret is erased",
)
async def delete_key_pair(
    by: Asking, registry: Serving, session_id: models.SessionId, access_key_id: models.AccessKeyId
) -> None:
    """Delete a key pair."""
    await registry.pairs.delete(by, session_id, access_key_id)


_MEDIA_TYPES = {"text": "text/plain", "json": "application/json", "env": "text/plain"}
_SUFFIXES = {"text": "txt", "json": "json", "env": "env"}


@router.get(
    "/{session_id}/keys/{access_key_id}/download",
    response_class=Response,
    responses={
        **_CHANGE,
        200: {
            "description": "The key file",
            "content": {"application/json": {"schema": models.KeyFileView.model_json_schema()}, "text/plain": {}},
        },
    },
    tags=["key pairs"],
    summary="Download a key pair with its secret, as often as wanted. Each time is an audit entry",
)
async def download_key_pair(
    by: Asking,
    registry: Serving,
    session_id: models.SessionId,
    access_key_id: models.AccessKeyId,
    file_format: Annotated[models.FileFormat, Query(alias="format")] = "json",
) -> Response:
    """Download a key pair."""
    key_file = await registry.pairs.download(by, session_id, access_key_id, file_format)
    name = f"{session_id}-{access_key_id}.{_SUFFIXES[file_format]}"
    return Response(
        FILE_FORMATS[file_format](key_file),
        media_type=_MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
