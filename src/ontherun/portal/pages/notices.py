"""Notices: the outbox with the proof of each sending, team addresses, webhooks, and the calendar to subscribe to."""

import json
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ontherun.notices import as_text, secret_text, write_letter
from ontherun.notices.webhooks import body
from ontherun.portal import models, models_notices, views_notices
from ontherun.portal.dependencies import Serving
from ontherun.portal.pages.guard import CsrfChecked, Viewer
from ontherun.portal.pages.shell import redirect, render
from ontherun.portal.routes_notices import calendar_file
from ontherun.registry import (
    CHOSEN_TOPICS,
    Channel,
    ConflictError,
    DeliveryState,
    Entity,
    InvalidError,
    Principal,
    Registry,
    Right,
)

PAGE = 50
"""Deliveries on one page."""

TABS = (
    ("Outbox", "/notices"),
    ("Team addresses", "/notices/addresses"),
    ("Webhooks", "/notices/webhooks"),
    ("Calendar", "/notices/calendar"),
)

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=600)]
EntityId = Annotated[int, Form(ge=0, le=2**62)]
Topics = Annotated[list[str], Form(max_length=20)]


@router.get("/notices", response_class=HTMLResponse)
async def outbox(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    before: Annotated[models_notices.DeliveryId | None, Query()] = None,
    state: Annotated[DeliveryState | None, Query()] = None,
) -> HTMLResponse:
    """List the deliveries, newest first."""
    deliveries = registry.notices.deliveries
    found = await deliveries.page(viewer, before=before, limit=PAGE, state=state)
    counts = await deliveries.counts(viewer)
    chosen = "" if state is None else f"&state={state}"
    return render(
        request,
        "notices/outbox.html",
        TABS=TABS,
        rows=[(notice, each, write_letter(registry, notice, "").title) for notice, each in found],
        states=[each for each in DeliveryState if counts.get(each)],
        counts=counts,
        state=state,
        mail_configured=registry.notices.outbox.mail_configured,
        older=f"/notices?before={found[-1][1].delivery_id}{chosen}" if len(found) == PAGE else None,
        newer=None if before is None else f"/notices?{chosen.removeprefix('&')}",
    )


@router.get("/notices/deliveries/{delivery_id}", response_class=HTMLResponse)
async def delivery(
    request: Request, registry: Serving, viewer: Viewer, delivery_id: models_notices.DeliveryId
) -> HTMLResponse:
    """Show a delivery with what was, or would be, sent."""
    return await _delivery_page(request, registry, viewer, delivery_id)


@router.post("/notices/deliveries/{delivery_id}/resend", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def resend(
    request: Request, registry: Serving, viewer: Viewer, delivery_id: models_notices.DeliveryId
) -> Response:
    """Send a delivery again."""
    try:
        sent = await registry.notices.deliveries.resend(viewer, delivery_id)
    except ConflictError as error:
        return await _delivery_page(request, registry, viewer, delivery_id, str(error))
    return redirect(request, f"/notices/deliveries/{delivery_id}", f"It is sent to {sent.address} again.")


async def _delivery_page(
    request: Request, registry: Registry, viewer: Principal, delivery_id: str, error: str = ""
) -> HTMLResponse:
    notice, found = await registry.notices.deliveries.get(viewer, delivery_id)
    public_url = request.app.state.status.public_url
    letter = write_letter(registry, notice, public_url)
    return render(
        request,
        "notices/delivery.html",
        409 if error else 200,
        notice=notice,
        delivery=found,
        title=letter.title,
        text=as_text(letter) if found.channel is Channel.MAIL else None,
        body=None if found.channel is Channel.MAIL else json.loads(body(notice, registry.environment)),
        may_resend=notice.entity_id is not None
        and viewer.may(Right.MANAGE_NOTICES, notice.entity_id)
        and found.state.may_be_resent
        and (found.channel is Channel.WEBHOOK or registry.notices.outbox.mail_configured),
        error=error,
    )


# Team addresses.


@router.get("/notices/addresses", response_class=HTMLResponse)
async def addresses(request: Request, registry: Serving, viewer: Viewer) -> HTMLResponse:
    """List the team addresses."""
    return _addresses_page(request, registry, viewer)


@router.post("/notices/addresses", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def add_address(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    entity_id: EntityId,
    address: Text = "",
    topics: Topics = [],  # noqa: B006 - never changed
) -> Response:
    """Add a team address."""
    try:
        added = await registry.notices.addresses.add(viewer, entity_id, address.strip(), topics)
    except (InvalidError, ConflictError) as error:
        typed = {"entity_id": entity_id, "address": address, "topics": topics}
        return _addresses_page(request, registry, viewer, typed, error)
    return redirect(request, "/notices/addresses", f"{added.address} gets notices on {', '.join(added.topics)}.")


@router.post("/notices/addresses/remove", dependencies=[CsrfChecked])
async def remove_address(
    request: Request, registry: Serving, viewer: Viewer, entity_id: EntityId, address: Text
) -> RedirectResponse:
    """Remove a team address."""
    await registry.notices.addresses.remove(viewer, entity_id, address)
    return redirect(request, "/notices/addresses", f"{address} gets nothing more.")


@router.post("/notices/addresses/test", dependencies=[CsrfChecked])
async def try_address(
    request: Request, registry: Serving, viewer: Viewer, entity_id: EntityId, address: Text
) -> RedirectResponse:
    """Have a test mailed."""
    notice_id = await registry.notices.addresses.test(viewer, entity_id, address)
    return redirect(request, f"/notices/deliveries/{notice_id}-1", f"A test for {address} is in the outbox.")


def _addresses_page(
    request: Request,
    registry: Registry,
    viewer: Principal,
    typed: Mapping[str, object] | None = None,
    error: InvalidError | ConflictError | None = None,
) -> HTMLResponse:
    mine = {entity.entity_id for entity in _managed(registry, viewer)}
    return render(
        request,
        "notices/addresses.html",
        _status(error),
        TABS=TABS,
        rows=registry.notices.addresses.list(viewer),
        people=[
            (entity, registry.directory.registered_administrators(entity.entity_id))
            for entity in registry.entities.list(viewer)
        ],
        mine=mine,
        **_form(registry, viewer, typed or {}, error),
    )


# Webhooks.


@router.get("/notices/webhooks", response_class=HTMLResponse)
async def webhooks(request: Request, registry: Serving, viewer: Viewer) -> HTMLResponse:
    """List the webhooks."""
    return _webhooks_page(request, registry, viewer)


@router.post("/notices/webhooks", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def add_webhook(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    entity_id: EntityId,
    url: Text = "",
    label: Text = "",
    topics: Topics = [],  # noqa: B006 - never changed
) -> Response:
    """Add a webhook and show its signing secret, this once."""
    try:
        hook, secret = await registry.notices.webhooks.add(
            viewer, entity_id, url.strip(), label=label.strip(), topics=topics
        )
    except (InvalidError, ConflictError) as error:
        typed = {"entity_id": entity_id, "url": url, "label": label, "topics": topics}
        return _webhooks_page(request, registry, viewer, typed, error)
    return render(request, "notices/new_webhook.html", hook=hook, secret=secret_text(secret), until=None)


@router.post("/notices/webhooks/{webhook_id}/rotate", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def rotate_webhook(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    webhook_id: models.Id,
    overlap: Annotated[int, Form(ge=0, le=168)] = 24,
) -> Response:
    """Give a webhook another signing secret and show it, this once. `overlap` in hours."""
    hooks = registry.notices.webhooks
    secret = await hooks.rotate(viewer, webhook_id, overlap)
    until = hooks.earlier_until(webhook_id) or registry.clock.now()
    hook = hooks.get(viewer, webhook_id)
    return render(request, "notices/new_webhook.html", hook=hook, secret=secret_text(secret), until=until)


@router.post("/notices/webhooks/{webhook_id}/remove", dependencies=[CsrfChecked])
async def remove_webhook(
    request: Request, registry: Serving, viewer: Viewer, webhook_id: models.Id
) -> RedirectResponse:
    """Remove a webhook."""
    await registry.notices.webhooks.remove(viewer, webhook_id)
    return redirect(request, "/notices/webhooks", f"Webhook {webhook_id} is removed; its signing secret is erased.")


@router.post("/notices/webhooks/{webhook_id}/test", dependencies=[CsrfChecked])
async def try_webhook(request: Request, registry: Serving, viewer: Viewer, webhook_id: models.Id) -> RedirectResponse:
    """Have a test sent."""
    notice_id = await registry.notices.webhooks.test(viewer, webhook_id)
    return redirect(request, f"/notices/deliveries/{notice_id}-1", f"A test for webhook {webhook_id} is on its way.")


def _webhooks_page(
    request: Request,
    registry: Registry,
    viewer: Principal,
    typed: Mapping[str, object] | None = None,
    error: InvalidError | ConflictError | None = None,
) -> HTMLResponse:
    return render(
        request,
        "notices/webhooks.html",
        _status(error),
        TABS=TABS,
        rows=[(hook, views_notices.webhook(hook, viewer, registry)) for hook in registry.notices.webhooks.list(viewer)],
        mine={entity.entity_id for entity in _managed(registry, viewer)},
        **_form(registry, viewer, typed or {}, error),
    )


# The calendar.


@router.get("/notices/calendar", response_class=HTMLResponse)
async def subscribe(request: Request, viewer: Viewer) -> HTMLResponse:  # noqa: ARG001 - whoever is signed in
    """Say how a calendar program is set up."""
    return render(request, "notices/calendar.html", TABS=TABS, public_url=request.app.state.status.public_url)


@router.get("/notices/expiries.ics")
async def download_calendar(request: Request, registry: Serving, viewer: Viewer) -> Response:
    """Download the calendar."""
    return calendar_file(viewer, registry, request.app.state.status.public_url)


def _managed(registry: Registry, viewer: Principal) -> list[Entity]:
    return [each for each in registry.entities.list(viewer) if viewer.may(Right.MANAGE_NOTICES, each.entity_id)]


def _form(
    registry: Registry, viewer: Principal, typed: Mapping[str, object], error: InvalidError | ConflictError | None
) -> dict[str, object]:
    """What the form for a new address or webhook is made of, with what was typed and what was wrong."""
    wrong = {} if error is None else {getattr(error, "where", ""): _words(error)}
    values = {"topics": list(CHOSEN_TOPICS), "address": "", "url": "", "label": "", "entity_id": 0, **typed}
    managed = _managed(registry, viewer)
    choices = [(str(each.entity_id), each.name) for each in managed]
    return {"managed": managed, "choices": choices, "topics": CHOSEN_TOPICS, "values": values, "wrong": wrong}


def _words(error: InvalidError | ConflictError) -> str:
    return f"{error.what} Expected: {error.expected}" if isinstance(error, InvalidError) else str(error)


def _status(error: Exception | None) -> int:
    return 200 if error is None else 422 if isinstance(error, InvalidError) else 409
