"""Entities, firms, and what runs."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

import ontherun
from ontherun.keys import utc_text
from ontherun.portal import models, views, views_requests
from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.models_requests import RequestView, terms_of
from ontherun.portal.paging import page_after
from ontherun.portal.problems import answers
from ontherun.portal.routes_requests import SUBMIT
from ontherun.portal.routes_sessions import status_of
from ontherun.registry import RequestKind

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


@router.get("/entities", tags=["entities and firms"], summary="List the entities you see")
async def list_entities(
    by: Asking,
    registry: Serving,
    after: Annotated[models.Id | None, Query(description="`next` of the page before")] = None,
    limit: Limit = 100,
) -> models.Page[models.EntityView]:
    """List entities."""
    found, following = page_after(
        registry.entities.list(by),
        lambda entity: str(entity.entity_id),
        None if after is None else str(after),
        limit,
    )
    return models.Page(items=[views.entity(entity) for entity in found], next=following)


@router.post(
    "/entities",
    status_code=HTTPStatus.CREATED,
    responses=_CHANGE,
    tags=["entities and firms"],
    summary="Register an entity (operator of the venue only)",
)
async def create_entity(by: Asking, registry: Serving, new: models.NewEntity) -> models.EntityView:
    """Register an entity."""
    return views.entity(await registry.entities.create(by, new.name))


@router.get("/entities/{entity_id}", responses=_READ, tags=["entities and firms"], summary="Show an entity")
async def show_entity(by: Asking, registry: Serving, entity_id: models.Id) -> models.EntityView:
    """Show an entity."""
    return views.entity(registry.entities.get(by, entity_id))


@router.get("/firms", tags=["entities and firms"], summary="List the Globex firms you see")
async def list_firms(
    by: Asking,
    registry: Serving,
    after: Annotated[models.Gfid | None, Query(description="`next` of the page before")] = None,
    limit: Limit = 100,
) -> models.Page[models.FirmView]:
    """List firms."""
    found, following = page_after(registry.firms.list(by), lambda firm: firm.gfid, after, limit)
    return models.Page(items=[views.firm(firm) for firm in found], next=following)


@router.post(
    "/firms",
    status_code=HTTPStatus.CREATED,
    responses=SUBMIT,
    tags=["entities and firms"],
    summary="Ask for a Globex firm of an entity",
)
async def create_firm(
    by: Asking, registry: Serving, new: models.NewFirm, response: Response
) -> models.FirmView | RequestView:
    """Ask for a firm."""
    request = await registry.requests.submit(by, terms_of(new, RequestKind.REGISTER_FIRM))
    shown = views_requests.submitted(request, by, registry, response)
    return shown if request.status.open else views.firm(registry.firms.get(by, new.gfid))


@router.get("/firms/{gfid}", responses=_READ, tags=["entities and firms"], summary="Show a Globex firm")
async def show_firm(by: Asking, registry: Serving, gfid: models.Gfid) -> models.FirmView:
    """Show a firm."""
    return views.firm(registry.firms.get(by, gfid))
