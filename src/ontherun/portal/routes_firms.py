"""Registered entities and their Globex firms, and which of them may route through which."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response

from ontherun.keys import utc_text
from ontherun.portal import models, views, views_requests
from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.models_requests import RequestView, terms_of
from ontherun.portal.paging import page_after
from ontherun.portal.problems import answers
from ontherun.portal.routes_requests import SUBMIT
from ontherun.portal.routes_session_requests import changed
from ontherun.registry import RequestKind, WithdrawFirm

_READ = answers(HTTPStatus.NOT_FOUND)
_CHANGE = answers(HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE)

router = APIRouter(tags=["entities and firms"])

Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("/entities", summary="List the entities you see")
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
    summary="Register an entity (operator of the venue only)",
)
async def create_entity(by: Asking, registry: Serving, new: models.NewEntity) -> models.EntityView:
    """Register an entity."""
    return views.entity(await registry.entities.create(by, new.name))


@router.get("/entities/{entity_id}", responses=_READ, summary="Show an entity")
async def show_entity(by: Asking, registry: Serving, entity_id: models.Id) -> models.EntityView:
    """Show an entity."""
    return views.entity(registry.entities.get(by, entity_id))


@router.get("/firms", summary="List the Globex firms you see")
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
    summary="Ask for a Globex firm of an entity",
)
async def create_firm(
    by: Asking, registry: Serving, new: models.NewFirm, response: Response
) -> models.FirmView | RequestView:
    """Ask for a firm."""
    request = await registry.requests.submit(by, terms_of(new, RequestKind.REGISTER_FIRM))
    shown = views_requests.submitted(request, by, registry, response)
    return shown if request.status.open else views.firm(registry.firms.get(by, new.gfid))


@router.get("/firms/{gfid}", responses=_READ, summary="Show a Globex firm")
async def show_firm(by: Asking, registry: Serving, gfid: models.Gfid) -> models.FirmView:
    """Show a firm."""
    return views.firm(registry.firms.get(by, gfid))


@router.patch("/firms/{gfid}", responses=SUBMIT, summary="Ask for another name of a Globex firm")
async def rename_firm(
    by: Asking, registry: Serving, gfid: models.Gfid, change: models.FirmChange, response: Response
) -> RequestView:
    """Ask for another name."""
    terms = terms_of(change, RequestKind.RENAME_FIRM, gfid=gfid)
    return changed(await registry.requests.submit(by, terms), by, registry, response)


@router.delete("/firms/{gfid}", responses=SUBMIT, summary="Ask for the end of a Globex firm that no session carries")
async def withdraw_firm(by: Asking, registry: Serving, gfid: models.Gfid, response: Response) -> RequestView:
    """Ask for the end of a firm."""
    return changed(await registry.requests.submit(by, WithdrawFirm(gfid=gfid)), by, registry, response)


@router.get(
    "/firms/{gfid}/route-through",
    responses=_READ,
    summary="List the firms of other entities whose sessions may carry this one",
)
async def list_authorisations(
    by: Asking, registry: Serving, gfid: models.Gfid
) -> models.Page[models.AuthorisationView]:
    """List authorisations."""
    return models.Page(
        items=[
            models.AuthorisationView(gfid=gfid, primary=primary, authorised_at=utc_text(at))
            for primary, at in registry.firms.authorised_by(by, gfid)
        ]
    )


@router.put(
    "/firms/{gfid}/route-through/{primary}",
    responses=_CHANGE,
    summary="Let sessions of another entity's firm carry this one",
)
async def authorise_firm(
    by: Asking, registry: Serving, gfid: models.Gfid, primary: models.Gfid
) -> models.AuthorisationView:
    """Authorise."""
    at = await registry.firms.authorise(by, gfid, primary)
    return models.AuthorisationView(gfid=gfid, primary=primary, authorised_at=utc_text(at))


@router.delete(
    "/firms/{gfid}/route-through/{primary}",
    responses=_CHANGE,
    summary="Take that back: the firm is taken off every such session",
)
async def unauthorise_firm(
    by: Asking, registry: Serving, gfid: models.Gfid, primary: models.Gfid
) -> models.AuthorisationEnd:
    """Take an authorisation back."""
    off = await registry.firms.unauthorise(by, gfid, primary)
    return models.AuthorisationEnd(gfid=gfid, primary=primary, changed_sessions=list(off))
