"""Every column that holds sealed secrets: a rotation of the master key seals each of them anew.

Whoever adds such a column adds it here; a test looks for columns that are missing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ontherun.registry.notice_targets import earlier_identity, webhook_identity
from ontherun.registry.records import SealedSecret
from ontherun.registry.sealing import row_identity, totp_identity
from ontherun.registry.store import Store
from ontherun.registry.tables import Base, KeyPairRow
from ontherun.registry.tables_notices import WebhookEarlierSecretRow, WebhookRow
from ontherun.registry.tables_people import TotpRow

SEALED, KEY_ID = "sealed_secret", "master_key_id"
"""What such columns are called in every table."""


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A table with sealed secrets, each known by `key`, its primary key.

    `identity` is what a row's secret is bound to; `follow` puts a newly sealed secret into memory, unless another one
    is there by now.
    """

    table: Table
    key: ColumnElement[Any]
    identity: Callable[[Store, Row[Any]], bytes]
    follow: Callable[[Store, Any, SealedSecret, SealedSecret], None]

    @property
    def sealed(self) -> ColumnElement[Any]:
        """The sealed secrets."""
        return self.table.c[SEALED]

    @property
    def key_id(self) -> ColumnElement[Any]:
        """The ids of the keys that they are sealed with."""
        return self.table.c[KEY_ID]


def _pair_identity(store: Store, row: Row[Any]) -> bytes:
    stored = store.directory.pair(row.access_key_id)
    assert stored is not None
    return row_identity(stored.entity_id, row.session_id, row.access_key_id)


def _follow_pair(store: Store, access_key_id: str, old: SealedSecret, new: SealedSecret) -> None:
    stored = store.directory.pair(access_key_id)
    if stored is not None and stored.secret == old:
        store.directory.put_pair(replace(stored, secret=new))


def _follow_webhook(store: Store, webhook_id: int, old: SealedSecret, new: SealedSecret) -> None:
    hooks = store.outbox.book.webhooks
    if (hook := hooks.get(webhook_id)) is not None and hook.secret == old:
        hooks[webhook_id] = replace(hook, secret=new)


def _earlier_identity(store: Store, row: Row[Any]) -> bytes:
    return earlier_identity(store.outbox.book.webhooks[row.webhook_id].entity_id, row.webhook_id)


def _follow_earlier(store: Store, webhook_id: int, old: SealedSecret, new: SealedSecret) -> None:
    earlier = store.outbox.book.earlier_secrets
    if (known := earlier.get(webhook_id)) is not None and known.secret == old:
        earlier[webhook_id] = replace(known, secret=new)


def _follow_totp(store: Store, user_id: int, old: SealedSecret, new: SealedSecret) -> None:
    totps = store.directory.people.totps
    if (totp := totps.get(user_id)) is not None and totp.secret == old:
        totps[user_id] = replace(totp, secret=new)


SEALED_COLUMNS: Sequence[SealedColumn] = (
    SealedColumn(Base.metadata.tables["key_pair"], KeyPairRow.access_key_id.expression, _pair_identity, _follow_pair),
    SealedColumn(
        Base.metadata.tables["webhook"],
        WebhookRow.webhook_id.expression,
        lambda _store, row: webhook_identity(row.entity_id, row.webhook_id),
        _follow_webhook,
    ),
    SealedColumn(
        Base.metadata.tables["webhook_earlier_secret"],
        WebhookEarlierSecretRow.webhook_id.expression,
        _earlier_identity,
        _follow_earlier,
    ),
    SealedColumn(
        Base.metadata.tables["totp"],
        TotpRow.user_id.expression,
        lambda _store, row: totp_identity(row.user_id),
        _follow_totp,
    ),
)


async def sealed_with(connection: AsyncConnection) -> dict[str, int]:
    """Return master key id -> how many stored secrets are sealed with it."""
    counts: dict[str, int] = {}
    for column in SEALED_COLUMNS:
        statement = select(column.key_id, func.count()).where(column.key_id.is_not(None)).group_by(column.key_id)
        for name, count in await connection.execute(statement):
            counts[name] = counts.get(name, 0) + count
    return counts
