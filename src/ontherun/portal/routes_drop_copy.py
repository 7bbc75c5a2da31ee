"""Drop Copy groups. Their key pairs are those of the target session: /sessions/{target}/keys."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response

from ontherun.portal import models, views_requests
from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.models_requests import RequestView, terms_of
from ontherun.portal.models_sessions import GroupChange, GroupView, LiveDate, NewGroup
from ontherun.portal.paging import page_after
from ontherun.portal.problems import answers
from ontherun.portal.routes_requests import SUBMIT
from ontherun.portal.routes_session_requests import changed
from ontherun.registry import DeleteDropCopyGroup, RequestKind

_READ = answers(HTTPStatus.NOT_FOUND)

router = APIRouter(prefix="/drop-copy-groups", tags=["Drop Copy"])


@router.get("", summary="List the Drop Copy groups you see, in the order of their creation")
async def list_groups(
    by: Asking,
    registry: Serving,
    after: Annotated[models.Id | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> models.Page[GroupView]:
    """List groups."""
    found, following = page_after(
        registry.drop_copy.list(by),
        lambda group: str(group.group_id),
        None if after is None else str(after),
        limit,
    )
    return models.Page(items=[views_requests.group(group, registry) for group in found], next=following)


@router.post("", status_code=HTTPStatus.CREATED, responses=SUBMIT, summary="Ask for a Drop Copy group")
async def create_group(by: Asking, registry: Serving, new: NewGroup, response: Response) -> RequestView:
    """Ask for a group."""
    request = await registry.requests.submit(by, terms_of(new, RequestKind.CREATE_DROP_COPY_GROUP))
    return views_requests.submitted(request, by, registry, response)


@router.get("/{group_id}", responses=_READ, summary="Show a Drop Copy group")
async def show_group(by: Asking, registry: Serving, group_id: models.Id) -> GroupView:
    """Show a group."""
    return views_requests.group(registry.drop_copy.get(by, group_id), registry)


@router.patch("/{group_id}", responses=SUBMIT, summary="Ask for another setting of a Drop Copy group")
async def change_group(
    by: Asking, registry: Serving, group_id: models.Id, change: GroupChange, response: Response
) -> RequestView:
    """Ask for a change."""
    terms = terms_of(change, RequestKind.CHANGE_DROP_COPY_GROUP, group_id=group_id)
    return changed(await registry.requests.submit(by, terms), by, registry, response)


@router.delete("/{group_id}", responses=SUBMIT, summary="Ask for the end of a Drop Copy group and its target session")
async def delete_group(
    by: Asking,
    registry: Serving,
    group_id: models.Id,
    response: Response,
    live_date: Annotated[LiveDate | None, Query()] = None,
) -> RequestView:
    """Ask for the end of a group."""
    terms = DeleteDropCopyGroup(group_id=group_id, live_date=live_date)
    return changed(await registry.requests.submit(by, terms), by, registry, response)
