"""Rotation of the master key: a new one seals at once, and what the old ones sealed is sealed anew, bit by bit.

Logins go on meanwhile: old keys open what they sealed until nothing needs them. A rotation that was cut off goes on at
the next start, since what is left to do can be seen from the rows.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select, update

from ontherun.keys import Secret
from ontherun.registry.errors import MasterKeyError, RegistryError
from ontherun.registry.key_source import KeySource, NewKey
from ontherun.registry.principal import SYSTEM, Principal
from ontherun.registry.records import SealedSecret
from ontherun.registry.sealed_columns import KEY_ID, SEALED, SEALED_COLUMNS, SealedColumn
from ontherun.registry.sealing import MasterKeys, key_id
from ontherun.registry.store import Store

_BATCH = 100
"""Secrets that are sealed anew in one transaction: changes wait some milliseconds for it at most."""


@dataclass(frozen=True, slots=True)
class MasterKeyStatus:
    """Where the master key comes from, and how far a rotation is. `sealed`: master key id -> secrets sealed with it.

    `done` of `total` secrets were sealed anew by the rotation that runs, or ran last; `problem` says what stopped it.
    """

    source: str
    current: str
    sealed: dict[str, int]
    rotating: bool
    done: int
    total: int
    problem: str


class MasterKeyRotation:
    """The master key of a venue, for its operator."""

    def __init__(self, store: Store, master_keys: MasterKeys, source: KeySource) -> None:
        self._store = store
        self._keys = master_keys
        self._source = source
        self._work: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._done = self._total = 0
        self._problem = ""

    @property
    def rotating(self) -> bool:
        """Whether secrets are being sealed anew now."""
        return self._work is not None and not self._work.done()

    async def status(self, by: Principal) -> MasterKeyStatus:
        """Return where things stand. Operator only."""
        by.require_operator()
        sealed = await self._sealed()
        return MasterKeyStatus(
            self._source.name, self._keys.current, sealed, self.rotating, self._done, self._total, self._problem
        )

    async def rotate(self, by: Principal, *, reason: str = "") -> None:
        """Have a new key take over and everything sealed anew; one that runs, or was cut off, goes on instead.

        ConflictError where only a person can give a new key, MasterKeyError where a vault does not. Operator only.
        """
        by.require_operator()
        async with self._starting:
            if self.rotating:
                return
            if await self._pending():
                await self._record(by, "master_key.rotation_resumed", reason)
            else:
                await self._take_over(by, reason)
            await self._start()

    async def resume(self) -> None:
        """Go on with what an earlier process did not finish, or a new key in the environment asks for."""
        async with self._starting:
            if not self.rotating and await self._pending():
                await self._record(SYSTEM, "master_key.rotation_resumed", "")
                await self._start()

    async def wait(self) -> None:
        """Return when no secret is being sealed anew any more."""
        if self._work is not None:
            await asyncio.wait({self._work})

    async def close(self) -> None:
        """Stop where it is; the next start goes on."""
        if self._work is not None:
            self._work.cancel()
            with suppress(asyncio.CancelledError):
                await self._work

    async def _take_over(self, by: Principal, reason: str) -> None:
        made: NewKey = await self._source.make(self._store.clock.now())
        self._source.add(made)
        try:
            async with self._store.change(by) as change:
                change.write(*made.statements)
                why = {"reason": reason} if reason else {}
                details = {"source": self._source.name, "old": self._keys.current, "new": key_id(made.key), **why}
                change.record("master_key.rotation_started", None, "master key", **details)
        except RegistryError:
            self._source.drop_newest(made)
            raise
        self._keys.take_over(made.key)

    async def _record(self, by: Principal, action: str, reason: str) -> None:
        async with self._store.change(by) as change:
            why = {"reason": reason} if reason else {}
            change.record(action, None, "master key", new=self._keys.current, **why)

    async def _start(self) -> None:
        self._done, self._total, self._problem = 0, await self._pending(), ""
        self._work = asyncio.create_task(self._seal_anew())

    async def _seal_anew(self) -> None:
        try:
            while await self._pending():
                before = self._done
                for column in SEALED_COLUMNS:
                    await self._column(column)
                if self._done == before:
                    return  # what is left does not open; `_problem` says so
            await self._finish()
        except RegistryError as error:
            self._problem = str(error)

    async def _column(self, column: SealedColumn) -> None:
        last: Any = None
        while True:
            statement = select(column.table).where(column.key_id != self._keys.current).order_by(column.key)
            if last is not None:
                statement = statement.where(column.key > last)
            rows = await self._store.rows(statement.limit(_BATCH))
            if not rows:
                return
            last = rows[-1]._mapping[column.key.name]
            await self._batch(column, rows)
            await asyncio.sleep(0)

    async def _batch(self, column: SealedColumn, rows: Any) -> None:
        """Seal some rows anew, in the database and then in memory; what was changed meanwhile is left for later."""
        made = [(row, new) for row in rows if (new := self._anew(column, row)) is not None]
        await self._store.note(
            *(
                update(column.table)
                .where(column.key == row._mapping[column.key.name], column.sealed == row._mapping[SEALED])
                .values({SEALED: new.sealed, KEY_ID: new.master_key_id})
                for row, new in made
            )
        )
        for row, new in made:
            old = SealedSecret(row._mapping[KEY_ID], row._mapping[SEALED])
            column.follow(self._store, row._mapping[column.key.name], old, new)
        self._done += len(made)

    def _anew(self, column: SealedColumn, row: Row[Any]) -> SealedSecret | None:
        old = SealedSecret(row._mapping[KEY_ID], row._mapping[SEALED])
        bound_to = column.identity(self._store, row)
        try:
            return self._keys.seal(Secret(self._keys.open(old, bound_to)), bound_to)
        except MasterKeyError as error:
            self._problem = f"A secret of table {column.table.name} stays under its old key: {error}"
            return None

    async def _finish(self) -> None:
        """Everything is under the current key: forget the others, but not in memory, where a login may hold one."""
        async with self._store.change(SYSTEM) as change:
            change.write(*self._source.drop_old(self._keys.current))
            change.record("master_key.rotated", None, "master key", new=self._keys.current, sealed_anew=self._done)

    async def _sealed(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for column in SEALED_COLUMNS:
            statement = select(column.key_id, func.count()).where(column.key_id.is_not(None)).group_by(column.key_id)
            for name, count in map(tuple, await self._store.rows(statement)):
                counts[name] = counts.get(name, 0) + count
        return counts

    async def _pending(self) -> int:
        return sum(count for name, count in (await self._sealed()).items() if name != self._keys.current)
