"""The outbox: what an audit entry makes known, and to whom, written in the transaction that writes the entry.

Nothing is sent here. What is committed here is sent by whoever runs `ontherun.notices`, and is shown when nobody does.
"""

import asyncio
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Executable, insert

from ontherun.registry.directory import Directory
from ontherun.registry.notice_rules import NOTICE_RULES, NoticeRule, To
from ontherun.registry.records import AuditEntry
from ontherun.registry.records_notices import (
    Channel,
    Delivery,
    DeliveryState,
    EarlierSecret,
    Happening,
    Notice,
    NoticeAddress,
    Topic,
    Webhook,
)
from ontherun.registry.records_people import User
from ontherun.registry.tables_notices import DeliveryRow, NoticeRow
from ontherun.registry.unread import Told, Unread


class NoticeBook:
    """Where each entity's notices go, in memory, as last committed."""

    __slots__ = ("addresses", "earlier_secrets", "last_webhook_id", "webhooks")

    def __init__(self) -> None:
        self.addresses: dict[tuple[int, str], NoticeAddress] = {}
        self.webhooks: dict[int, Webhook] = {}
        self.earlier_secrets: dict[int, EarlierSecret] = {}
        """Webhook id -> the secret that it had before its last rotation."""
        self.last_webhook_id = 0

    def put_address(self, address: NoticeAddress) -> None:
        """Add or replace."""
        self.addresses[address.entity_id, address.address] = address

    def forget_address(self, entity_id: int, address: str) -> None:
        """Remove."""
        del self.addresses[entity_id, address]

    def put_webhook(self, hook: Webhook) -> None:
        """Add or replace."""
        self.webhooks[hook.webhook_id] = hook
        self.last_webhook_id = max(self.last_webhook_id, hook.webhook_id)

    def forget_webhook(self, webhook_id: int) -> None:
        """Remove; its id is not given again."""
        del self.webhooks[webhook_id]
        self.earlier_secrets.pop(webhook_id, None)

    def addresses_of(self, entity_id: int, topic: Topic) -> Iterator[NoticeAddress]:
        """Team addresses that want the topic."""
        return (at for at in self.addresses.values() if at.entity_id == entity_id and topic in at.topics)

    def webhooks_of(self, entity_id: int, topic: Topic) -> Iterator[Webhook]:
        """Webhooks that want the topic."""
        return (hook for hook in self.webhooks.values() if hook.entity_id == entity_id and topic in hook.topics)


class Outbox:
    """Derives notices and their deliveries from audit entries. `mail_configured`: whether a mail server is known."""

    __slots__ = ("_directory", "_stirred", "_told", "_watchers", "book", "mail_configured", "unread")

    def __init__(self, directory: Directory) -> None:
        self.book = NoticeBook()
        self.mail_configured = False
        self._directory = directory
        self._watchers: dict[asyncio.Event, Channel | None] = {}
        self._stirred: set[Channel] = set()
        self.unread = Unread()
        self._told: list[Told] = []

    def watch(self, channel: Channel | None) -> asyncio.Event:
        """Return an event that is set at each commit that has something due on the channel (None: at each commit), and
        when the clock was moved. The caller clears it."""
        event = asyncio.Event()
        self._watchers[event] = channel
        return event

    def unwatch(self, event: asyncio.Event) -> None:
        """Set an event of `watch` no more."""
        del self._watchers[event]

    def stir(self, channel: Channel) -> None:
        """Have the change that is under way wake those who watch the channel."""
        self._stirred.add(channel)

    def committed(self, entries: Iterable[AuditEntry]) -> None:
        """Wake those who watch for such a change."""
        moved = any(entry.action == "clock.moved" for entry in entries)
        for event, channel in self._watchers.items():
            if moved or channel is None or channel in self._stirred:
                event.set()
        self._stirred.clear()
        self.unread.tell(self._told)

    def derive(self, entries: Sequence[AuditEntry]) -> Iterator[tuple[Executable, list[dict[str, Any]]]]:
        """Yield what is to be inserted with these entries, which are one change: statement and rows."""
        self._told = []
        notices: list[dict[str, Any]] = []
        deliveries: list[dict[str, Any]] = []
        for notice, rule in _notices(entries):
            notices.append(
                {
                    "notice_id": notice.notice_id,
                    "at": notice.at,
                    "topic": notice.topic.value,
                    "action": notice.action,
                    "entity_id": notice.entity_id,
                    "user_id": notice.user_id,
                    "actor": notice.actor,
                    "happenings": notice.happenings_text(),
                }
            )
            if notice.topic is not Topic.TEST:
                self._told.append((notice.notice_id, notice.entity_id, notice.user_id))
            for delivery in self._deliveries(notice, rule):
                deliveries.append(asdict(delivery))
                if delivery.state is DeliveryState.DUE:
                    self._stirred.add(delivery.channel)
        if notices:
            yield insert(NoticeRow), notices
        if deliveries:
            yield insert(DeliveryRow), deliveries

    def _deliveries(self, notice: Notice, rule: NoticeRule) -> Iterator[Delivery]:
        for number, (channel, address, webhook_id, state) in enumerate(self._targets(notice, rule), 1):
            yield Delivery(
                notice.notice_id,
                number,
                notice.entity_id,
                channel,
                address,
                webhook_id,
                state,
                changed_at=notice.at,
                next_attempt_at=notice.at if state is DeliveryState.DUE else None,
            )

    def _targets(self, notice: Notice, rule: NoticeRule) -> Iterator[tuple[Channel, str, int | None, DeliveryState]]:
        if rule.mail:
            addresses = list(dict.fromkeys(self._mail_addresses(notice, rule)))
            state = DeliveryState.DUE if self.mail_configured else DeliveryState.NOT_CONFIGURED
            for address in addresses:
                yield Channel.MAIL, address, None, state
            if not addresses and rule.to is not To.TESTED:
                yield Channel.MAIL, "", None, DeliveryState.NO_RECIPIENT
        for hook in self._webhooks(notice, rule):
            yield Channel.WEBHOOK, hook.origin, hook.webhook_id, DeliveryState.DUE

    def _mail_addresses(self, notice: Notice, rule: NoticeRule) -> Iterator[str]:
        """Who gets mail, each once: the persons first."""
        entity_id = notice.entity_id
        if rule.to is To.TESTED:
            if isinstance(address := notice.happenings[0].details.get("address"), str):
                yield address
            return
        person = self._person(notice, rule)
        if person is not None:
            yield person.email
        elif entity_id is not None and rule.to in (To.ENTITY, To.SUBMITTER):
            yield from (admin.email for admin in self._directory.registered_administrators(entity_id))
        if entity_id is not None and rule.to is not To.USER:
            yield from (at.address for at in self.book.addresses_of(entity_id, notice.topic))

    def _person(self, notice: Notice, rule: NoticeRule) -> User | None:
        """Who alone is concerned, or submitted what it is about, and is still here."""
        people, found = self._directory.people, None
        if rule.to is To.USER and notice.user_id is not None:
            found = people.user(notice.user_id)
        elif rule.to is To.SUBMITTER and isinstance(name := notice.happenings[0].details.get("submitted_by"), str):
            found = people.user_of_email(name)
        return None if found is None or found.left_at is not None else found

    def _webhooks(self, notice: Notice, rule: NoticeRule) -> Iterator[Webhook]:
        if rule.to is To.TESTED:
            hook = self.book.webhooks.get(notice.happenings[0].details.get("webhook_id", 0))
            if hook is not None:
                yield hook
        elif notice.entity_id is not None and rule.to in (To.ENTITY, To.SUBMITTER):
            yield from self.book.webhooks_of(notice.entity_id, notice.topic)


def _notices(entries: Iterable[AuditEntry]) -> Iterator[tuple[Notice, NoticeRule]]:
    """Put the entries of one change together: one notice for each topic, entity and sort of recipient."""
    groups: dict[tuple[object, ...], list[tuple[AuditEntry, dict[str, Any]]]] = {}
    for entry in entries:
        rule = NOTICE_RULES.get(entry.action)
        if rule is not None:
            details = json.loads(entry.details)
            whom = entry.subject if rule.to is To.USER else details.get("submitted_by")
            groups.setdefault((entry.entity_id, rule, whom), []).append((entry, details))
    for group in groups.values():
        first = group[0][0]
        rule = NOTICE_RULES[first.action]
        user_id = _user_id(first.subject) if rule.to is To.USER else None
        if rule.to is To.USER and user_id is None:
            continue  # somebody tried to be a user that there is not
        yield (
            Notice(
                first.sequence,
                first.at,
                rule.topic,
                first.action,
                first.entity_id,
                user_id,
                first.actor,
                tuple(Happening(entry.action, entry.subject, facts) for entry, facts in group),
            ),
            rule,
        )


def _user_id(subject: str) -> int | None:
    """The user of a subject "user 5"."""
    number = subject.removeprefix("user ")
    return int(number) if number.isdecimal() else None
