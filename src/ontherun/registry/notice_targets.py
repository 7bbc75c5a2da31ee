"""Where an entity's notices go besides its registered administrators: team addresses, and webhooks."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from sqlalchemy import Executable, delete, insert, update

from ontherun.keys import Secret
from ontherun.registry.checks import checked_distinct, checked_name
from ontherun.registry.deliveries import require_notices
from ontherun.registry.errors import ConflictError, InvalidError, NotFoundError
from ontherun.registry.principal import Principal, Right
from ontherun.registry.records import LABEL_PATTERN
from ontherun.registry.records_notices import (
    ADDRESS_LENGTH,
    ADDRESS_PATTERN,
    CHOSEN_TOPICS,
    URL_LENGTH,
    URL_PATTERN,
    EarlierSecret,
    NoticeAddress,
    Topic,
    Webhook,
)
from ontherun.registry.sealing import MasterKeys
from ontherun.registry.store import Store
from ontherun.registry.tables_notices import NoticeAddressRow, WebhookEarlierSecretRow, WebhookRow

MOST_ADDRESSES = 50
MOST_WEBHOOKS = 20
"""Of one entity: each event is a delivery to every one of them."""

_SECRET_BYTES = 32
_HOUR = 3600 * 1_000_000_000

OVERLAP_HOURS, LONGEST_OVERLAP_HOURS = 24, 168
"""How long a webhook's earlier secret signs as well: unless it is said otherwise, and at most."""


class NoticeAddresses:
    """The team addresses of all entities."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._book = store.outbox.book

    async def add(self, by: Principal, entity_id: int, address: str, topics: Sequence[str] = ()) -> NoticeAddress:
        """Have an address get an entity's notices on `topics`, or on all of them; it takes the place of an earlier one.

        InvalidError for an address that cannot get mail, ConflictError when there are too many.
        """
        _require(self._store, by, entity_id)
        address, chosen = checked_address(address), _checked_topics(topics)
        async with self._store.change(by) as change:
            others = [at for at in self._book.addresses.values() if at.entity_id == entity_id and at.address != address]
            if len(others) >= MOST_ADDRESSES:
                raise ConflictError(f"An entity has at most {MOST_ADDRESSES} addresses. Remove one first.")
            added = NoticeAddress(entity_id, address, chosen, change.now)
            change.write(
                _delete_address(entity_id, address),
                insert(NoticeAddressRow).values(
                    entity_id=entity_id, address=address, topics=" ".join(chosen), created_at=change.now
                ),
            )
            change.record("notice.address_added", entity_id, f"address {address}", topics=chosen)
            change.then(lambda: self._book.put_address(added))
        return added

    async def remove(self, by: Principal, entity_id: int, address: str) -> None:
        """Have an address get nothing more. NotFoundError when it does not."""
        _require(self._store, by, entity_id)
        address = address.lower()
        async with self._store.change(by) as change:
            if (entity_id, address) not in self._book.addresses:
                raise NotFoundError(f"address {address} of entity {entity_id}")
            change.write(_delete_address(entity_id, address))
            change.record("notice.address_removed", entity_id, f"address {address}")
            change.then(lambda: self._book.forget_address(entity_id, address))

    async def test(self, by: Principal, entity_id: int, address: str) -> int:
        """Have a test sent to an address of the entity; return the notice's id. NotFoundError when it is none."""
        _require(self._store, by, entity_id)
        address = address.lower()
        async with self._store.change(by) as change:
            if (entity_id, address) not in self._book.addresses:
                raise NotFoundError(f"address {address} of entity {entity_id}")
            change.record("notice.tested", entity_id, f"address {address}", address=address)
            return change.entries[0].sequence

    def list(self, by: Principal) -> list[NoticeAddress]:
        """Return the addresses that the principal sees, by entity and address."""
        return sorted(
            (at for at in self._book.addresses.values() if by.sees(at.entity_id)),
            key=lambda at: (at.entity_id, at.address),
        )


class Webhooks:
    """The webhooks of all entities."""

    def __init__(self, store: Store, master_keys: MasterKeys, random_bytes: Callable[[int], bytes]) -> None:
        self._store = store
        self._book = store.outbox.book
        self._master_keys = master_keys
        self._random_bytes = random_bytes

    async def add(
        self, by: Principal, entity_id: int, url: str, *, label: str = "", topics: Sequence[str] = ()
    ) -> tuple[Webhook, Secret]:
        """Have a program told of an entity's events on `topics`, or on all of them, and make its signing secret.

        The secret is shown this once and kept sealed. InvalidError for a URL that cannot be right.
        """
        _require(self._store, by, entity_id)
        url, label = checked_url(url), checked_name("label", label, LABEL_PATTERN)
        chosen, secret = _checked_topics(topics), Secret(self._random_bytes(_SECRET_BYTES))
        async with self._store.change(by) as change:
            if sum(hook.entity_id == entity_id for hook in self._book.webhooks.values()) >= MOST_WEBHOOKS:
                raise ConflictError(f"An entity has at most {MOST_WEBHOOKS} webhooks. Remove one first.")
            webhook_id = self._book.last_webhook_id + 1
            sealed = self._master_keys.seal(secret, webhook_identity(entity_id, webhook_id))
            hook = Webhook(webhook_id, entity_id, url, label, chosen, change.now, sealed)
            change.write(
                insert(WebhookRow).values(
                    webhook_id=webhook_id,
                    entity_id=entity_id,
                    url=url,
                    label=label,
                    topics=" ".join(chosen),
                    created_at=change.now,
                    sealed_secret=sealed.sealed,
                    master_key_id=sealed.master_key_id,
                )
            )
            change.record(
                "notice.webhook_added", entity_id, f"webhook {webhook_id}", to=hook.origin, label=label, topics=chosen
            )
            change.then(lambda: self._book.put_webhook(hook))
        return hook, secret

    async def rotate(self, by: Principal, webhook_id: int, overlap_hours: int = OVERLAP_HOURS) -> Secret:
        """Give a webhook another signing secret, shown this once; return it.

        For `overlap_hours`, up to LONGEST_OVERLAP_HOURS, what is sent is signed with the one before as well, so that no
        program has to change at that very moment; with 0 that one is erased at once. An older one still is erased.
        """
        if not 0 <= overlap_hours <= LONGEST_OVERLAP_HOURS:
            raise InvalidError("overlap_hours", "is out of range.", f"0 to {LONGEST_OVERLAP_HOURS}")
        secret = Secret(self._random_bytes(_SECRET_BYTES))
        async with self._store.change(by) as change:
            hook = self.get(by, webhook_id)
            require_notices(by, hook.entity_id)
            before = Secret(self._master_keys.open(hook.secret, webhook_identity(hook.entity_id, webhook_id)))
            sealed = self._master_keys.seal(secret, webhook_identity(hook.entity_id, webhook_id))
            change.write(
                update(WebhookRow)
                .where(WebhookRow.webhook_id == webhook_id)
                .values(sealed_secret=sealed.sealed, master_key_id=sealed.master_key_id),
                _erase_earlier(webhook_id),
            )
            earlier, until = None, change.now + overlap_hours * _HOUR
            if overlap_hours:
                kept = self._master_keys.seal(before, earlier_identity(hook.entity_id, webhook_id))
                earlier = EarlierSecret(kept, until)
                change.write(
                    insert(WebhookEarlierSecretRow).values(
                        webhook_id=webhook_id,
                        valid_until=until,
                        sealed_secret=kept.sealed,
                        master_key_id=kept.master_key_id,
                    )
                )
            change.record(
                "notice.webhook_rotated", hook.entity_id, f"webhook {webhook_id}", to=hook.origin, earlier_until=until
            )
            change.then(lambda: self._follow(replace(hook, secret=sealed), earlier))
        return secret

    def earlier_until(self, webhook_id: int) -> int | None:
        """Return until when a webhook's earlier secret signs as well (ns since 1970 UTC); None: it does not."""
        earlier = self._book.earlier_secrets.get(webhook_id)
        return earlier.valid_until if earlier is not None and self._store.clock.now() < earlier.valid_until else None

    async def erase_what_is_over(self) -> None:
        """Erase the earlier secrets that sign no more."""
        earlier, now = self._book.earlier_secrets, self._store.clock.now()
        for webhook_id in [each for each, known in earlier.items() if known.valid_until <= now]:
            await self._store.note(_erase_earlier(webhook_id))
            earlier.pop(webhook_id, None)

    def _follow(self, hook: Webhook, earlier: EarlierSecret | None) -> None:
        self._book.put_webhook(hook)
        self._book.earlier_secrets.pop(hook.webhook_id, None)
        if earlier is not None:
            self._book.earlier_secrets[hook.webhook_id] = earlier

    async def remove(self, by: Principal, webhook_id: int) -> None:
        """Have a program told nothing more; the secret is erased. NotFoundError when there is no such webhook."""
        async with self._store.change(by) as change:
            hook = self.get(by, webhook_id)
            require_notices(by, hook.entity_id)
            change.write(
                update(WebhookRow)
                .where(WebhookRow.webhook_id == webhook_id)
                .values(removed_at=change.now, sealed_secret=None, master_key_id=None),
                _erase_earlier(webhook_id),
            )
            change.record("notice.webhook_removed", hook.entity_id, f"webhook {webhook_id}", to=hook.origin)
            change.then(lambda: self._book.forget_webhook(webhook_id))

    async def test(self, by: Principal, webhook_id: int) -> int:
        """Have a test sent to a webhook; return the notice's id."""
        async with self._store.change(by) as change:
            hook = self.get(by, webhook_id)
            require_notices(by, hook.entity_id)
            change.record("notice.tested", hook.entity_id, f"webhook {webhook_id}", webhook_id=webhook_id)
            return change.entries[0].sequence

    def get(self, by: Principal, webhook_id: int) -> Webhook:
        """Return a webhook. NotFoundError when there is none for this principal."""
        hook = self._book.webhooks.get(webhook_id)
        if hook is None or not by.sees(hook.entity_id):
            raise NotFoundError(f"webhook {webhook_id}")
        return hook

    def list(self, by: Principal) -> list[Webhook]:
        """Return the webhooks that the principal sees, in the order of their creation."""
        return [hook for hook in self._book.webhooks.values() if by.sees(hook.entity_id)]

    def to_send(self, webhook_id: int) -> tuple[Webhook, Sequence[Secret]] | None:
        """Return a webhook and the secrets that sign what is sent to it, for the sender; None when it was removed.

        MasterKeyError when the stored secret does not open.
        """
        hook = self._book.webhooks.get(webhook_id)
        if hook is None:
            return None
        secrets = [Secret(self._master_keys.open(hook.secret, webhook_identity(hook.entity_id, webhook_id)))]
        if self.earlier_until(webhook_id) is not None:
            sealed = self._book.earlier_secrets[webhook_id].secret
            secrets.append(Secret(self._master_keys.open(sealed, earlier_identity(hook.entity_id, webhook_id))))
        return hook, secrets


def webhook_identity(entity_id: int, webhook_id: int) -> bytes:
    """Return what the sealed secret of a webhook is bound to."""
    return f"ontherun webhook|{entity_id}|{webhook_id}".encode("ascii")


def earlier_identity(entity_id: int, webhook_id: int) -> bytes:
    """Return what the sealed earlier secret of a webhook is bound to."""
    return webhook_identity(entity_id, webhook_id) + b"|earlier"


def _erase_earlier(webhook_id: int) -> Executable:
    return delete(WebhookEarlierSecretRow).where(WebhookEarlierSecretRow.webhook_id == webhook_id)


def checked_address(address: str) -> str:
    """Return a mail address in small letters. InvalidError unless it fits ADDRESS_PATTERN and ADDRESS_LENGTH."""
    if len(address) > ADDRESS_LENGTH or not re.fullmatch(ADDRESS_PATTERN, address):
        raise InvalidError("address", "is no mail address.", "name@domain, in ASCII")
    return address.lower()


def checked_url(url: str) -> str:
    """Return a webhook's URL. InvalidError unless it fits URL_PATTERN and URL_LENGTH."""
    if len(url) > URL_LENGTH or not re.fullmatch(URL_PATTERN, url):
        raise InvalidError(
            "url",
            "is no address of a webhook.",
            f"https://host/path, up to {URL_LENGTH} characters, without a user, a password or a fragment",
        )
    return url


def _checked_topics(topics: Iterable[str]) -> tuple[Topic, ...]:
    names = tuple(topics) or tuple(CHOSEN_TOPICS)
    checked_distinct("topics", names)
    if any(name not in tuple(CHOSEN_TOPICS) for name in names):
        raise InvalidError("topics", "names what is no topic.", ", ".join(CHOSEN_TOPICS))
    return tuple(topic for topic in CHOSEN_TOPICS if topic in names)


def _require(store: Store, by: Principal, entity_id: int) -> None:
    if store.directory.entity(entity_id) is None or not by.sees(entity_id):
        raise NotFoundError(f"entity {entity_id}")
    by.require(Right.MANAGE_NOTICES, entity_id)


def _delete_address(entity_id: int, address: str) -> Executable:
    return delete(NoticeAddressRow).where(NoticeAddressRow.entity_id == entity_id, NoticeAddressRow.address == address)
