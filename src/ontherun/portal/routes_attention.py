"""What needs attention."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from ontherun.keys import utc_text
from ontherun.portal import models
from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.models_attention import NeedView
from ontherun.portal.paging import page_after
from ontherun.portal.routes_sessions import status_of
from ontherun.registry import look_over

router = APIRouter(tags=["attention"])


@router.get("/attention", summary="List what needs attention now, the most pressing first")
async def list_needs(
    by: Asking,
    registry: Serving,
    request: Request,
    after: Annotated[str | None, Query(description="`next` of the page before", max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> models.Page[NeedView]:
    """List closed ports, sessions without a valid key pair, key pairs that expire, and so on."""
    seen = await look_over(registry, by, status_of(request).closed_ports())
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
