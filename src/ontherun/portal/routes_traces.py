"""Traces: what happened at each login and on each connection, for the session's owner."""

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request

from ontherun.keys import utc_text
from ontherun.portal import models
from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.models_traces import TraceView
from ontherun.portal.problems import answers
from ontherun.portal.routes_audit import Time, nanoseconds
from ontherun.portal.routes_sessions import status_of
from ontherun.registry import LARGEST_ID, NotFoundError, Principal, Registry, Right, UnavailableError
from ontherun.trace import Level, TraceEntry, TraceError, TraceKind, TraceQuery, TraceStore

Kind = Literal[
    "login",
    "not-applied",
    "gap-filled",
    "retransmission",
    "keep-alive-lapsed",
    "terminate",
    "disconnected",
    "cancel-on-disconnect",
    "throttled",
    "port-closed",
    "port-opened",
    "promoted",
    "week-started",
    "slow-consumer",
    "bad-frame",
]

router = APIRouter(tags=["traces"], responses=answers(HTTPStatus.SERVICE_UNAVAILABLE))


async def sought(
    kind: Annotated[list[Kind] | None, Query(max_length=20, description="one or more kinds; none: all")] = None,
    level: Annotated[list[Literal["info", "warning", "error"]] | None, Query(max_length=3)] = None,
    connection: Annotated[str | None, Query(max_length=50, description="of one connection")] = None,
    since: Annotated[Time | None, Query(description="at this time or later")] = None,
    until: Annotated[Time | None, Query(description="before this time")] = None,
    before: Annotated[
        int | None, Query(ge=0, le=LARGEST_ID, description="`next` of the page before: older entries")
    ] = None,
    after: Annotated[
        int | None, Query(ge=0, le=LARGEST_ID, description="only entries beyond this number, the oldest first")
    ] = None,
) -> TraceQuery:
    """The search that a request asks for, in everybody's entries."""
    return TraceQuery(
        None,
        [TraceKind(each) for each in kind or ()],
        [Level(each) for each in level or ()],
        connection,
        nanoseconds(since),
        nanoseconds(until),
        after,
        before,
    )


Search = Annotated[TraceQuery, Depends(sought)]
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get(
    "/sessions/{session_id}/traces",
    responses=answers(HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
    summary="List what happened at a session's logins and on its connections, newest first",
)
async def list_session_traces(
    by: Asking, registry: Serving, request: Request, session_id: models.SessionId, search: Search, limit: Limit = 100
) -> models.Page[TraceView]:
    """List a session's traces."""
    require_traces(registry, by, session_id)
    return await _page(status_of(request).traces, replace(search, sessions=[session_id]), limit)


@router.get("/traces", summary="List what happened on the connections of all sessions you see, newest first")
async def list_traces(
    by: Asking, registry: Serving, request: Request, search: Search, limit: Limit = 100
) -> models.Page[TraceView]:
    """List the traces of every session; the operator sees those of connections that named none, too."""
    seen = [each.session_id for each in registry.directory.sessions() if by.may(Right.VIEW, each.entity_id)]
    return await _page(status_of(request).traces, replace(search, sessions=None if by.operator else seen), limit)


def require_traces(registry: Registry, by: Principal, session_id: str) -> None:
    """NotFoundError without such a session of any service, deleted or not; ForbiddenError without the right to it."""
    session = registry.directory.session(session_id)
    if session is None or not by.sees(session.entity_id):
        raise NotFoundError(f"session {session_id}")
    by.require(Right.VIEW, session.entity_id)


async def entries(traces: TraceStore, query: TraceQuery, limit: int) -> list[TraceEntry]:
    """Up to `limit` entries, newest first; oldest first behind `query.after`. UnavailableError."""
    try:
        return await traces.page(query, limit, oldest_first=query.after is not None)
    except TraceError as error:
        raise UnavailableError(str(error)) from error


async def _page(traces: TraceStore, query: TraceQuery, limit: int) -> models.Page[TraceView]:
    found = await entries(traces, query, limit)
    more = len(found) == limit and found
    return models.Page(items=[view(entry) for entry in found], next=str(found[-1].number) if more else None)


def view(entry: TraceEntry) -> TraceView:
    """Show an entry."""
    return TraceView(
        number=entry.number,
        session_id=entry.session or None,
        at=utc_text(entry.at),
        connection=entry.connection,
        peer=entry.peer,
        segment=entry.segment,
        role="backup" if entry.role == "backup" else "primary",
        kind=entry.kind,
        level=entry.level.value,
        reason=entry.reason,
        code=entry.code,
        facts=dict(entry.facts),
    )
