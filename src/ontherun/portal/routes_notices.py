"""Notices: the outbox, where they go, the message centre, and the calendar of expiries."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBasic, HTTPBasicCredentials
from starlette.exceptions import HTTPException

from ontherun.notices import calendar, secret_text
from ontherun.portal import models, models_notices, views_notices
from ontherun.portal.dependencies import Asking, Serving, bearer, principal_of, refuse_unknown_parameters
from ontherun.portal.problems import answers
from ontherun.registry import LARGEST_ID, DeliveryState, InvalidError, Principal, Registry

_READ = answers(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)
_CHANGE = answers(HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE)

router = APIRouter(tags=["notices"])

Limit = Annotated[int, Query(ge=1, le=1000)]
MessageId = Annotated[int, Path(ge=1, le=LARGEST_ID - 1, description="Message")]


@router.get("/messages", responses=_READ, summary="List your messages, newest first")
async def list_messages(
    by: Asking,
    registry: Serving,
    request: Request,
    before: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="`next` of the page before")] = None,
    limit: Limit = 100,
    unread: Annotated[bool, Query(description="only those not yet read")] = False,
) -> models_notices.MessagePage:
    """List messages."""
    messages = registry.notices.messages
    found = await messages.page(by, before=before, limit=limit, unread=unread)
    return models_notices.MessagePage(
        items=[views_notices.message(each, registry, _public_url(request)) for each in found],
        next=str(found[-1].notice.notice_id) if len(found) == limit else None,
        unread=messages.unread(by),
    )


@router.post(
    "/mark-messages-read", status_code=HTTPStatus.NO_CONTENT, responses=_READ, summary="Mark all your messages as read"
)
async def mark_all_read(by: Asking, registry: Serving) -> None:
    """Mark all messages as read."""
    await registry.notices.messages.mark_all_read(by)


@router.get("/messages/{message_id}", responses=_READ, summary="Show a message")
async def show_message(
    by: Asking, registry: Serving, request: Request, message_id: MessageId
) -> models_notices.MessageView:
    """Show a message."""
    found = await registry.notices.messages.get(by, message_id)
    return views_notices.message(found, registry, _public_url(request))


@router.post(
    "/messages/{message_id}/read", status_code=HTTPStatus.NO_CONTENT, responses=_READ, summary="Mark a message as read"
)
async def mark_read(by: Asking, registry: Serving, message_id: MessageId) -> None:
    """Mark a message as read."""
    await registry.notices.messages.mark_read(by, message_id)


@router.get("/notices/deliveries", responses=_READ, summary="List what was sent, or would have been, newest first")
async def list_deliveries(
    by: Asking,
    registry: Serving,
    request: Request,
    before: Annotated[models_notices.DeliveryId | None, Query(description="`next` of the page before")] = None,
    limit: Limit = 100,
    state: Annotated[DeliveryState | None, Query(description="only those in this state")] = None,
) -> models.Page[models_notices.DeliveryView]:
    """List deliveries."""
    found = await registry.notices.deliveries.page(by, before=before, limit=limit, state=state)
    return models.Page(
        items=[views_notices.delivery(*each, registry, _public_url(request)) for each in found],
        next=found[-1][1].delivery_id if len(found) == limit else None,
    )


@router.get("/notices/deliveries/{delivery_id}", responses=_READ, summary="Show a delivery with the words of its mail")
async def show_delivery(
    by: Asking, registry: Serving, request: Request, delivery_id: models_notices.DeliveryId
) -> models_notices.DeliveryContent:
    """Show a delivery."""
    found = await registry.notices.deliveries.get(by, delivery_id)
    return views_notices.content(*found, registry, _public_url(request))


@router.post(
    "/notices/deliveries/{delivery_id}/resend",
    responses=_CHANGE,
    summary="Send again what failed, was given up or is unconfirmed",
)
async def resend(
    by: Asking, registry: Serving, request: Request, delivery_id: models_notices.DeliveryId
) -> models_notices.DeliveryView:
    """Send a delivery again."""
    await registry.notices.deliveries.resend(by, delivery_id)
    found = await registry.notices.deliveries.get(by, delivery_id)
    return views_notices.delivery(*found, registry, _public_url(request))


@router.get("/notices/addresses", summary="List the team addresses that get notices")
async def list_addresses(by: Asking, registry: Serving) -> models.Page[models_notices.AddressView]:
    """List addresses."""
    return models.Page(items=[views_notices.address(each) for each in registry.notices.addresses.list(by)])


@router.post(
    "/notices/addresses",
    status_code=HTTPStatus.CREATED,
    responses=_CHANGE,
    summary="Have an entity's notices mailed to a team, or change what about",
)
async def add_address(by: Asking, registry: Serving, new: models_notices.NewAddress) -> models_notices.AddressView:
    """Add an address."""
    entity_id = entity_of(by, registry, new.entity_id)
    return views_notices.address(await registry.notices.addresses.add(by, entity_id, new.address, new.topics))


@router.delete(
    "/notices/addresses/{entity_id}/{address}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_CHANGE,
    summary="Mail nothing more to a team",
)
async def remove_address(by: Asking, registry: Serving, entity_id: models.Id, address: models_notices.Address) -> None:
    """Remove an address."""
    await registry.notices.addresses.remove(by, entity_id, address)


@router.post(
    "/notices/addresses/{entity_id}/{address}/test",
    status_code=HTTPStatus.ACCEPTED,
    responses=_CHANGE,
    summary="Have a test mailed to a team",
)
async def try_address(
    by: Asking, registry: Serving, entity_id: models.Id, address: models_notices.Address
) -> models_notices.Sent:
    """Test an address."""
    return models_notices.Sent(notice_id=await registry.notices.addresses.test(by, entity_id, address))


@router.get("/notices/webhooks", summary="List the webhooks")
async def list_webhooks(by: Asking, registry: Serving) -> models.Page[models_notices.WebhookView]:
    """List webhooks."""
    return models.Page(items=[views_notices.webhook(each, by, registry) for each in registry.notices.webhooks.list(by)])


@router.post(
    "/notices/webhooks",
    status_code=HTTPStatus.CREATED,
    responses=_CHANGE,
    summary="Have a program told of an entity's events; its signing secret is shown this once",
)
async def add_webhook(by: Asking, registry: Serving, new: models_notices.NewWebhook) -> models_notices.IssuedWebhook:
    """Add a webhook."""
    entity_id = entity_of(by, registry, new.entity_id)
    hook, secret = await registry.notices.webhooks.add(by, entity_id, new.url, label=new.label, topics=new.topics)
    return models_notices.IssuedWebhook(secret=secret_text(secret), about=views_notices.webhook(hook, by, registry))


@router.post(
    "/notices/webhooks/{webhook_id}/rotate",
    responses=_CHANGE,
    summary="Give a webhook another signing secret, shown this once; the one before signs as well for a while",
)
async def rotate_webhook(
    by: Asking, registry: Serving, webhook_id: models.Id, rotation: models_notices.WebhookRotation | None = None
) -> models_notices.IssuedWebhook:
    """Rotate a webhook's secret."""
    hours = (rotation or models_notices.WebhookRotation()).overlap_hours
    secret = await registry.notices.webhooks.rotate(by, webhook_id, hours)
    hook = registry.notices.webhooks.get(by, webhook_id)
    return models_notices.IssuedWebhook(secret=secret_text(secret), about=views_notices.webhook(hook, by, registry))


@router.delete(
    "/notices/webhooks/{webhook_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_CHANGE,
    summary="Tell a program nothing more; its signing secret is erased",
)
async def remove_webhook(by: Asking, registry: Serving, webhook_id: models.Id) -> None:
    """Remove a webhook."""
    await registry.notices.webhooks.remove(by, webhook_id)


@router.post(
    "/notices/webhooks/{webhook_id}/test",
    status_code=HTTPStatus.ACCEPTED,
    responses=_CHANGE,
    summary="Have a test sent to a webhook",
)
async def try_webhook(by: Asking, registry: Serving, webhook_id: models.Id) -> models_notices.Sent:
    """Test a webhook."""
    return models_notices.Sent(notice_id=await registry.notices.webhooks.test(by, webhook_id))


def entity_of(by: Principal, registry: Registry, entity_id: int | None) -> int:
    """Return whose notices are meant: the entity that is named, or the only one that the principal sees."""
    if entity_id is not None:
        return entity_id
    seen = registry.entities.list(by)
    if len(seen) != 1:
        raise InvalidError("entity_id", "is missing, and you see more than one entity.", "the id of one of them")
    return seen[0].entity_id


# The calendar: the one place where an API token is taken as the password of HTTP Basic, all that calendars can send.

calendar_router = APIRouter(tags=["notices"])

_basic = HTTPBasic(auto_error=False, scheme_name="calendar", description="Any user name; an API token as the password.")


async def subscriber_of(
    request: Request,
    registry: Serving,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    basic: Annotated[HTTPBasicCredentials | None, Depends(_basic)],
) -> Principal:
    """Return whom the token stands for, sent as Bearer or as the password of Basic."""
    if credentials is None and basic is not None:
        credentials = HTTPAuthorizationCredentials(scheme="Bearer", credentials=basic.password)
    try:
        return await principal_of(request, registry, credentials)
    except HTTPException as refused:
        if refused.status_code == HTTPStatus.UNAUTHORIZED:
            challenge = (refused.headers or {}).get("WWW-Authenticate", "Bearer")
            refused.headers = {"WWW-Authenticate": f'{challenge}, Basic realm="ontherun", charset="UTF-8"'}
        raise


@calendar_router.get(
    "/calendar/expiries.ics",
    response_class=Response,
    responses={200: {"description": "A calendar (RFC 5545)", "content": {"text/calendar": {}}}},
    summary="The expiries of your key pairs, for calendar programs",
)
async def expiries(by: Annotated[Principal, Depends(subscriber_of)], registry: Serving, request: Request) -> Response:
    """Write the calendar."""
    refuse_unknown_parameters(request)
    return calendar_file(by, registry, _public_url(request))


def calendar_file(by: Principal, registry: Registry, public_url: str) -> Response:
    """Answer with the calendar of the key pairs that the principal sees."""
    directory = registry.directory
    sessions = [each for each in directory.sessions() if each.deleted_at is None and by.sees(each.entity_id)]
    pairs = [stored for session in sessions for stored in directory.pairs_of(session.session_id)]
    content = calendar(pairs, directory, registry.environment, public_url, registry.clock.now())
    disposition = {"Content-Disposition": 'attachment; filename="key-expiries.ics"'}
    return Response(content, media_type="text/calendar", headers=disposition)


def _public_url(request: Request) -> str:
    url: str = request.app.state.status.public_url
    return url
