"""The message centre: the notices that the viewer sees."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from ontherun.notices import places, write_letter
from ontherun.portal import models
from ontherun.portal.dependencies import Serving
from ontherun.portal.pages.guard import CsrfChecked, Viewer
from ontherun.portal.pages.shell import redirect, render
from ontherun.registry import LARGEST_ID

PAGE = 50
"""Messages on one page."""

router = APIRouter(include_in_schema=False)


@router.get("/messages", response_class=HTMLResponse)
async def all_messages(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    before: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
    unread: Annotated[bool, Query()] = False,
) -> HTMLResponse:
    """List the messages, newest first."""
    messages = registry.notices.messages
    found = await messages.page(viewer, before=before, limit=PAGE, unread=unread)
    older = f"/messages?before={found[-1].notice.notice_id}" if len(found) == PAGE else None
    return render(
        request,
        "messages/all.html",
        rows=[(each, write_letter(registry, each.notice, "").title) for each in found],
        entities={entity.entity_id: entity.name for entity in registry.entities.list(viewer)},
        unread=unread,
        unread_count=messages.unread(viewer),
        older=older + "&unread=true" if older and unread else older,
        newer=None if before is None else ("/messages?unread=true" if unread else "/messages"),
    )


@router.post("/messages/read", dependencies=[CsrfChecked])
async def mark_all_read(request: Request, registry: Serving, viewer: Viewer) -> RedirectResponse:
    """Mark every message as read."""
    await registry.notices.messages.mark_all_read(viewer)
    return redirect(request, "/messages", "All messages are read.")


@router.get("/messages/{message_id}", response_class=HTMLResponse)
async def one_message(request: Request, registry: Serving, viewer: Viewer, message_id: models.Id) -> HTMLResponse:
    """Show a message; from then on it is read."""
    messages = registry.notices.messages
    message = await messages.get(viewer, min(message_id, LARGEST_ID - 1))
    await messages.mark_read(viewer, message.notice.notice_id)
    served = request.app.state.page_paths
    deliveries = await registry.notices.deliveries.page(viewer, notice_id=message.notice.notice_id)
    return render(
        request,
        "messages/one.html",
        notice=message.notice,
        letter=write_letter(registry, message.notice, ""),
        places=[(name, path) for name, path in places(message.notice) if _leads_somewhere(path, served)],
        deliveries=[delivery for _, delivery in deliveries],
    )


def _leads_somewhere(path: str, served: frozenset[str]) -> bool:
    """Whether the portal has the page."""
    kind = path.split("/")[1]
    return path in served or any(page.startswith(f"/{kind}/{{") and page.count("/") == 2 for page in served)
