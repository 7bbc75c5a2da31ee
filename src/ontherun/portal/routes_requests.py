"""Requests: submit, preview, look at, decide, amend, cancel."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response

from ontherun.keys import utc_text
from ontherun.portal import models, views_requests
from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.exports import MEDIA_TYPES, MOST_ROWS, ExportFormat, as_file
from ontherun.portal.models_requests import (
    Cancellation,
    KindName,
    NewRequest,
    Rejection,
    RequestPreview,
    RequestView,
    Revision,
    StatusName,
    terms_of,
)
from ontherun.portal.problems import answers
from ontherun.registry import LARGEST_ID, Request, RequestKind, RequestQuery, RequestStatus, identity

_READ = answers(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)
_CHANGE = answers(HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE)
ACCEPTED: dict[int | str, dict[str, object]] = {
    202: {"model": RequestView, "description": "Accepted: it waits for approval, or for its time"}
}
SUBMIT = {**_CHANGE, **ACCEPTED}
"""The answers of a route that submits a request."""

router = APIRouter(tags=["requests"])

Statuses = Annotated[list[StatusName] | None, Query(alias="status", description="only these; repeatable")]
Kinds = Annotated[list[KindName] | None, Query(alias="kind", description="only these; repeatable")]
Mine = Annotated[bool, Query(description="only what you submitted")]
Text = Annotated[str, Query(max_length=100, description="part of the summary or of the submitter's name")]


@router.get("/requests", responses=_READ, summary="List requests, newest first")
async def list_requests(
    by: Asking,
    registry: Serving,
    statuses: Statuses = None,
    kinds: Kinds = None,
    mine: Mine = False,
    text: Text = "",
    before: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> models.Page[RequestView]:
    """List requests."""
    query = RequestQuery(
        statuses=[RequestStatus(name) for name in statuses or ()],
        kinds=[RequestKind(name) for name in kinds or ()],
        submitter=identity(by) if mine else "",
        text=text,
        before=before,
        limit=limit + 1,
    )
    found = await registry.requests.history.page(by, query)
    following = str(found[limit - 1].request_id) if len(found) > limit else None
    return models.Page(
        items=[views_requests.request(request, by, registry) for request in found[:limit]], next=following
    )


@router.post("/requests", status_code=HTTPStatus.CREATED, responses=SUBMIT, summary="Submit a request of any kind")
async def submit_request(by: Asking, registry: Serving, new: NewRequest, response: Response) -> RequestView:
    """Submit a request."""
    request = await registry.requests.submit(by, terms_of(new, RequestKind(new.kind)))
    return views_requests.submitted(request, by, registry, response)


@router.post("/request-preview", responses=_CHANGE, summary="Show what a request would do, and when")
async def preview_request(
    by: Asking,
    registry: Serving,
    new: NewRequest,
    amends: Annotated[
        int | None, Query(ge=1, le=LARGEST_ID, description="the open request that it would amend")
    ] = None,
) -> RequestPreview:
    """Preview a request."""
    terms = terms_of(new, RequestKind(new.kind))
    return views_requests.preview(registry.requests.preview(by, terms, amends), registry)


@router.get("/to-do", summary="List the requests that wait for your decision, oldest first")
async def list_to_do(by: Asking, registry: Serving) -> models.Page[RequestView]:
    """List what waits for a decision."""
    return models.Page(items=[views_requests.request(request, by, registry) for request in registry.requests.to_do(by)])


@router.get(
    "/request-export",
    response_class=Response,
    responses={**_READ, 200: {"description": "The file", "content": {kind: {} for kind in MEDIA_TYPES.values()}}},
    summary=f"Download requests as a file, newest first, up to {MOST_ROWS}",
)
async def export_requests(
    by: Asking,
    registry: Serving,
    file_format: Annotated[ExportFormat, Query(alias="format")] = "csv",
    statuses: Statuses = None,
    kinds: Kinds = None,
    mine: Mine = False,
    text: Text = "",
) -> Response:
    """Export requests."""
    query = RequestQuery(
        statuses=[RequestStatus(name) for name in statuses or ()],
        kinds=[RequestKind(name) for name in kinds or ()],
        submitter=identity(by) if mine else "",
        text=text,
        limit=MOST_ROWS,
    )
    return await requests_file(file_format, await registry.requests.history.page(by, query))


@router.get("/requests/{request_id}", responses=_READ, summary="Show a request")
async def show_request(by: Asking, registry: Serving, request_id: models.Id) -> RequestView:
    """Show a request."""
    return views_requests.request(await registry.requests.get(by, request_id), by, registry)


@router.put("/requests/{request_id}", responses=_CHANGE, summary="Amend a request that is still open")
async def amend_request(
    by: Asking,
    registry: Serving,
    request_id: models.Id,
    new: NewRequest,
    revision: Annotated[int | None, Query(ge=0, le=2**31, description="the amendment that you looked at")] = None,
) -> RequestView:
    """Amend a request."""
    terms = terms_of(new, RequestKind(new.kind))
    return views_requests.request(await registry.requests.amend(by, request_id, terms, revision), by, registry)


@router.post("/requests/{request_id}/approve", responses=_CHANGE, summary="Approve another person's request")
async def approve_request(
    by: Asking, registry: Serving, request_id: models.Id, looked_at: Revision | None = None
) -> RequestView:
    """Approve a request."""
    revision = None if looked_at is None else looked_at.revision
    return views_requests.request(await registry.requests.approve(by, request_id, revision), by, registry)


@router.post("/requests/{request_id}/reject", responses=_CHANGE, summary="Reject another person's request")
async def reject_request(by: Asking, registry: Serving, request_id: models.Id, rejection: Rejection) -> RequestView:
    """Reject a request."""
    request = await registry.requests.reject(by, request_id, rejection.reason, rejection.revision)
    return views_requests.request(request, by, registry)


@router.post("/requests/{request_id}/cancel", responses=_CHANGE, summary="Take back a request that is still open")
async def cancel_request(
    by: Asking, registry: Serving, request_id: models.Id, cancellation: Cancellation | None = None
) -> RequestView:
    """Cancel a request."""
    reason = "" if cancellation is None else cancellation.reason
    return views_requests.request(await registry.requests.cancel(by, request_id, reason), by, registry)


HEADS = (
    "Request",
    "Kind",
    "Status",
    "Summary",
    "Submitted by",
    "Submitted (UTC)",
    "Effective (UTC)",
    "Decided by",
    "Finished (UTC)",
    "Sessions",
    "Reason",
)


async def requests_file(file_format: ExportFormat, found: Sequence[Request]) -> Response:
    """Return requests as a file."""

    def text(time: int | None) -> str:
        return "" if time is None else utc_text(time)

    rows = [
        (
            request.request_id,
            request.kind.value,
            request.status.value,
            request.summary,
            request.submitted_by,
            text(request.submitted_at),
            text(request.effective_at),
            request.decided_by,
            text(request.finished_at),
            " ".join(request.session_ids),
            request.reason,
        )
        for request in found
    ]
    return download(file_format, "requests", await asyncio.to_thread(as_file, file_format, "Requests", HEADS, rows))


def download(file_format: ExportFormat, name: str, content: bytes) -> Response:
    """Return a file to be saved."""
    return Response(
        content,
        media_type=MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="{name}.{file_format}"'},
    )
