"""What needs attention."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from ontherun.keys import utc_text
from ontherun.portal import models
from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.models_attention import NeedView
from ontherun.portal.paging import page_after
from ontherun.portal.routes_sessions import status_of
from ontherun.portal.status import Status
from ontherun.registry import look_over

router = APIRouter(tags=["attention"])


def refused_logins(status: Status) -> dict[str, tuple[int, str]]:
    """When and why the last login of a session was refused, of those where it was."""
    return {session_id: (entry.at, entry.reason) for session_id, entry in status.traces.refused.items()}


@router.get("/attention", summary="List what needs attention now, the most pressing first")
async def list_needs(
    by: Asking,
    registry: Serving,
    request: Request,
    after: Annotated[str | None, Query(description="`next` of the page before", max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> models.Page[NeedView]:
    """List closed ports, sessions without a valid key pair, key pairs that expire, and so on."""
    status = status_of(request)
    seen = await look_over(registry, by, status.closed_ports(), refused_logins(status))
    found, following = page_after(seen.needs, lambda need: f"{need.kind} {need.subject}", after, limit)
    return models.Page(
        items=[
            NeedView(
                kind=need.kind,
                entity_id=need.entity_id,
                subject=need.subject,
                about=need.about,
                at=None if need.at is None else utc_text(need.at),
            )
            for need in found
        ],
        next=following,
    )
