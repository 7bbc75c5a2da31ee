"""Entities, firms, and what runs."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request

import ontherun
from ontherun.keys import utc_text
from ontherun.portal import models, views
from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.problems import answers
from ontherun.portal.routes_sessions import status_of

_READ = answers(HTTPStatus.NOT_FOUND)
_CHANGE = answers(HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE)

router = APIRouter()

Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("/status", tags=["venue"], summary="Show what runs")
async def show_status(_by: Asking, registry: Serving, request: Request) -> models.StatusView:
    """Show what runs."""
    status = status_of(request)
    seen = {session.session_id for session in registry.sessions.list(_by)}
    return models.StatusView(
        version=ontherun.__version__,
        environment=registry.environment,
        now=utc_text(registry.clock.now()),
        lab_offset_ns=None if registry.lab.clock is None else registry.lab.clock.offset(),
        gateways=views.gateways(status),
        instruments=views.instruments(status),
        connected_sessions=sorted(seen.intersection(status.connected())),
    )


@router.get("/gateways", tags=["venue"], summary="List where the gateways listen")
async def list_gateways(_by: Asking, request: Request) -> models.Page[models.GatewayView]:
    """List gateways."""
    return models.Page(items=views.gateways(status_of(request)))


@router.post(
    "/gateways/{segment}/promote",
    responses=_CHANGE,
    tags=["venue"],
    summary="Have a segment's backup gateway take over, as when its primary fails (operator of the venue only)",
)
async def promote_gateway(
    by: Asking, registry: Serving, request: Request, segment: models.Segment
) -> models.PromotionView:
    """Promote a backup."""
    status = status_of(request)
    await registry.gateways.record_promotion(by, segment, status.promotable())
    sessions = status.promote(segment)
    here = [gateway for gateway in views.gateways(status) if gateway.segment == segment]
    return models.PromotionView(sessions=sessions, gateways=here)


@router.get("/instruments", tags=["venue"], summary="List what can be traded")
async def list_instruments(_by: Asking, request: Request) -> models.Page[models.InstrumentView]:
    """List instruments."""
    return models.Page(items=views.instruments(status_of(request)))
