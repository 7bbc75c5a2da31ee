"""What may be asked for of Order Entry sessions: create, change, delete, clone, set the protocol, import, export."""

import asyncio
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError

from ontherun.keys import utc_text
from ontherun.portal import models, views_requests
from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.exports import MEDIA_TYPES, ExportFormat, as_file
from ontherun.portal.models_requests import RequestPreview, RequestView, terms_of
from ontherun.portal.models_sessions import Clone, LiveDate, NewSessions, ProtocolChange, SessionChange
from ontherun.portal.problems import answers
from ontherun.portal.routes_requests import SUBMIT, download
from ontherun.portal.session_csv import COLUMNS, ONLY_OUT, CsvFaultsError, parse, row_of
from ontherun.registry import (
    CreateSessions,
    DeleteSession,
    ForbiddenError,
    ImportSessions,
    OrderEntrySession,
    Principal,
    Registry,
    RegistryError,
    RequestKind,
)
from ontherun.registry import Request as SubmittedRequest

_READ = answers(HTTPStatus.NOT_FOUND)
_CSV: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}}}
}

router = APIRouter(tags=["sessions"])


@router.post(
    "/sessions",
    status_code=HTTPStatus.CREATED,
    responses=SUBMIT,
    summary="Ask for new sessions",
)
async def create_sessions(by: Asking, registry: Serving, new: NewSessions, response: Response) -> RequestView:
    """Ask for new sessions."""
    request = await registry.requests.submit(by, terms_of(new, RequestKind.CREATE_SESSIONS))
    return views_requests.submitted(request, by, registry, response)


@router.get(
    "/session-export",
    response_class=Response,
    responses={200: {"description": "The file", "content": {kind: {} for kind in MEDIA_TYPES.values()}}},
    summary="Download your sessions as a file; the CSV can be imported again",
)
async def export_sessions(
    by: Asking, registry: Serving, file_format: Annotated[ExportFormat, Query(alias="format")] = "csv"
) -> Response:
    """Export sessions."""
    return await sessions_file(registry, file_format, registry.sessions.list(by))


@router.post(
    "/session-import",
    status_code=HTTPStatus.CREATED,
    responses=SUBMIT,
    openapi_extra=_CSV,
    summary="Ask for the sessions of a CSV file: all of them or none",
)
async def import_sessions(by: Asking, registry: Serving, http: Request, response: Response) -> RequestView:
    """Import sessions."""
    terms = checked_import(by, registry, await http.body())
    return views_requests.submitted(await registry.requests.submit(by, terms), by, registry, response)


@router.post(
    "/session-import/preview",
    responses=SUBMIT,
    openapi_extra=_CSV,
    summary="Check a CSV file, and show what its import would do",
)
async def preview_import(by: Asking, registry: Serving, http: Request) -> RequestPreview:
    """Check an import."""
    terms = checked_import(by, registry, await http.body())
    return views_requests.preview(registry.requests.preview(by, terms), registry)


@router.patch("/sessions/{session_id}", responses=SUBMIT, summary="Ask for another setting of a session")
async def change_session(
    by: Asking, registry: Serving, session_id: models.SessionId, change: SessionChange, response: Response
) -> RequestView:
    """Ask for a change."""
    terms = terms_of(change, RequestKind.CHANGE_SESSION, session_id=session_id)
    return changed(await registry.requests.submit(by, terms), by, registry, response)


@router.delete("/sessions/{session_id}", responses=SUBMIT, summary="Ask for the end of a session and its key pairs")
async def delete_session(
    by: Asking,
    registry: Serving,
    session_id: models.SessionId,
    response: Response,
    end_session: Annotated[bool, Query(description="end its open connection as well")] = False,
    live_date: Annotated[LiveDate | None, Query()] = None,
) -> RequestView:
    """Ask for the end of a session."""
    terms = DeleteSession(session_id=session_id, end_session=end_session, live_date=live_date)
    return changed(await registry.requests.submit(by, terms), by, registry, response)


@router.put("/sessions/{session_id}/protocol", responses=SUBMIT, summary="Ask for another protocol of a session")
async def set_protocol(
    by: Asking, registry: Serving, session_id: models.SessionId, change: ProtocolChange, response: Response
) -> RequestView:
    """Ask for another protocol."""
    terms = terms_of(change, RequestKind.SET_PROTOCOL, session_id=session_id)
    return changed(await registry.requests.submit(by, terms), by, registry, response)


@router.post(
    "/sessions/{session_id}/clone",
    status_code=HTTPStatus.CREATED,
    responses=SUBMIT,
    summary="Ask for more sessions like this one, with new ids and without its key pairs",
)
async def clone_session(
    by: Asking, registry: Serving, session_id: models.SessionId, clone: Clone, response: Response
) -> RequestView:
    """Ask for sessions like another."""
    terms = like(registry.sessions.get(by, session_id), clone.number_of_sessions, clone.label)
    return views_requests.submitted(await registry.requests.submit(by, terms), by, registry, response)


def like(session: OrderEntrySession, number: int = 1, label: str | None = None) -> CreateSessions:
    """Return what asks for sessions like another one."""
    return CreateSessions(
        firms=session.firms,
        market_segments=session.market_segments,
        number_of_sessions=number,
        cancel_on_disconnect=session.cancel_on_disconnect,
        label=session.label if label is None else label,
        notes=session.notes,
        front_end_system=session.front_end_system,
        allowed_sources=session.allowed_sources,
    )


def checked_import(by: Principal, registry: Registry, content: bytes) -> ImportSessions:
    """Return what a file asks for. RequestValidationError names every line that is wrong, and why."""
    try:
        lines = parse(content)
        faults = []
        for number, terms in lines:
            try:
                registry.sessions.check(by, terms)
            except ForbiddenError:
                raise
            except RegistryError as error:
                faults.append((number, "", str(error)))
        if faults:
            raise CsvFaultsError(faults)
    except CsvFaultsError as error:
        raise RequestValidationError(
            [
                {"loc": ("body", f"line {line}", *([column] if column else [])), "msg": message}
                for line, column, message in error.faults
            ]
        ) from None
    return ImportSessions(sessions=tuple(terms for _, terms in lines))


async def sessions_file(registry: Registry, file_format: ExportFormat, sessions: list[OrderEntrySession]) -> Response:
    """Return sessions as a file."""
    now = registry.clock.now()
    rows = [
        row_of(
            session,
            len(registry.directory.valid_pairs_of(session.session_id, now)),
            utc_text(session.created_at),
        )
        for session in sessions
    ]
    heads = (*ONLY_OUT, *COLUMNS)
    content = await asyncio.to_thread(as_file, file_format, "Order Entry sessions", heads, rows)
    return download(file_format, "sessions", content)


def changed(request: SubmittedRequest, by: Principal, registry: Registry, response: Response) -> RequestView:
    """Show a request about what is there already: 200 when it is completed, 202 while it is not."""
    shown = views_requests.submitted(request, by, registry, response)
    if response.status_code == HTTPStatus.CREATED:
        response.status_code = HTTPStatus.OK
    return shown
