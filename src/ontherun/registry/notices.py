"""What is told to people and programs: kept, shown and settled here; sent by `ontherun.notices`."""

from collections.abc import Callable

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ontherun.registry.deliveries import Deliveries
from ontherun.registry.ladder import ExpiryLadder
from ontherun.registry.messages import Messages
from ontherun.registry.notice_targets import NoticeAddresses, Webhooks
from ontherun.registry.outbox import NoticeBook, Outbox
from ontherun.registry.records import SealedSecret
from ontherun.registry.records_notices import EarlierSecret, NoticeAddress, Topic, Webhook
from ontherun.registry.sealing import MasterKeys
from ontherun.registry.store import Store
from ontherun.registry.tables_notices import ExpiryRungRow, NoticeAddressRow, WebhookEarlierSecretRow, WebhookRow


class Notices:
    """The notices of a registry: who gets them, what became of each, and the ladder of expiries."""

    def __init__(
        self,
        store: Store,
        master_keys: MasterKeys,
        announced: dict[tuple[str, int], int],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self.outbox: Outbox = store.outbox
        self.addresses = NoticeAddresses(store)
        self.webhooks = Webhooks(store, master_keys, random_bytes)
        self.deliveries = Deliveries(store)
        self.messages = Messages(store)
        self.ladder = ExpiryLadder(store, announced)


async def fill_book(book: NoticeBook, connection: AsyncConnection) -> None:
    """Read addresses and webhooks into an empty book."""
    for row in await connection.execute(select(NoticeAddressRow.__table__)):
        book.put_address(NoticeAddress(row.entity_id, row.address, _topics(row.topics), row.created_at))
    for row in await connection.execute(select(WebhookRow.__table__).order_by(WebhookRow.webhook_id)):
        book.last_webhook_id = row.webhook_id
        if row.removed_at is None:
            sealed = SealedSecret(row.master_key_id, row.sealed_secret)
            book.put_webhook(
                Webhook(row.webhook_id, row.entity_id, row.url, row.label, _topics(row.topics), row.created_at, sealed)
            )

    for row in await connection.execute(select(WebhookEarlierSecretRow.__table__)):
        sealed = SealedSecret(row.master_key_id, row.sealed_secret)
        book.earlier_secrets[row.webhook_id] = EarlierSecret(sealed, row.valid_until)


async def announced_rungs(connection: AsyncConnection) -> dict[tuple[str, int], int]:
    """Return (Access Key ID, its expiry) -> the most urgent rung that was announced for it."""
    statement = select(ExpiryRungRow.access_key_id, ExpiryRungRow.expires_at, func.min(ExpiryRungRow.days)).group_by(
        ExpiryRungRow.access_key_id, ExpiryRungRow.expires_at
    )
    return {(name, expires_at): days for name, expires_at, days in await connection.execute(statement)}


def _topics(text: str) -> tuple[Topic, ...]:
    return tuple(Topic(name) for name in text.split())
