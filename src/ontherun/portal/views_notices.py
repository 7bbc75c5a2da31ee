"""Notices as the API shows them."""

import json

from ontherun.keys import utc_text
from ontherun.notices import as_html, as_text, write_letter
from ontherun.notices.webhooks import body
from ontherun.portal import models_notices as models
from ontherun.registry import (
    Channel,
    Delivery,
    Message,
    Notice,
    NoticeAddress,
    Principal,
    Registry,
    Right,
    Webhook,
)


def address(record: NoticeAddress) -> models.AddressView:
    """Show a team's address."""
    return models.AddressView(
        entity_id=record.entity_id,
        address=record.address,
        topics=list(record.topics),
        created_at=utc_text(record.created_at),
    )


def webhook(record: Webhook, by: Principal, registry: Registry) -> models.WebhookView:
    """Show a webhook. The path of its URL may be as good as a password: it is for those who manage notices."""
    until = registry.notices.webhooks.earlier_until(record.webhook_id)
    return models.WebhookView(
        webhook_id=record.webhook_id,
        entity_id=record.entity_id,
        url=record.url if by.may(Right.MANAGE_NOTICES, record.entity_id) else record.origin,
        label=record.label,
        topics=list(record.topics),
        created_at=utc_text(record.created_at),
        earlier_secret_until=None if until is None else utc_text(until),
    )


def delivery(notice: Notice, record: Delivery, registry: Registry, public_url: str) -> models.DeliveryView:
    """Show a delivery."""
    next_attempt_at = record.next_attempt_at
    return models.DeliveryView(
        delivery_id=record.delivery_id,
        notice_id=notice.notice_id,
        entity_id=record.entity_id,
        at=utc_text(notice.at),
        topic=notice.topic,
        type=notice.action,
        subject=write_letter(registry, notice, public_url).subject,
        channel=record.channel,
        address=record.address,
        webhook_id=record.webhook_id,
        state=record.state,
        attempts=record.attempts,
        changed_at=utc_text(record.changed_at),
        next_attempt_at=None if next_attempt_at is None else utc_text(next_attempt_at),
        answer=record.answer,
        message_id=record.message_id,
        digest=record.digest,
    )


def content(notice: Notice, record: Delivery, registry: Registry, public_url: str) -> models.DeliveryContent:
    """Show a delivery with what was, or would be, sent."""
    about = delivery(notice, record, registry, public_url)
    if record.channel is Channel.WEBHOOK:
        return models.DeliveryContent(about=about, body=json.loads(body(notice, registry.environment)))
    written = write_letter(registry, notice, public_url)
    return models.DeliveryContent(about=about, text=as_text(written), html=as_html(written))


def message(record: Message, registry: Registry, public_url: str) -> models.MessageView:
    """Show a message."""
    notice = record.notice
    written = write_letter(registry, notice, public_url)
    return models.MessageView(
        message_id=notice.notice_id,
        entity_id=notice.entity_id,
        at=utc_text(notice.at),
        topic=notice.topic,
        type=notice.action,
        actor=notice.actor,
        subject=written.subject,
        text=as_text(written),
        read=record.read,
    )
