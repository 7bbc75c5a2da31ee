"""How key pairs are used: noted in memory at each login, written in batches, never a commit for a login."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ontherun.keys import NEVER, KeyUse
from ontherun.registry.errors import UnavailableError
from ontherun.registry.store import Store
from ontherun.registry.tables_keys import KeyUseRow

FLUSH_AFTER = 2.0
"""Seconds from the first unwritten note until all of them are written. A kill loses no more than these."""

_LONGEST = 100
_BATCH = 500

_log = logging.getLogger(__name__)


class KeyUses:
    """The logins with each pair. A pair that nobody logged in with has the record `NEVER`."""

    def __init__(self, store: Store, known: dict[str, KeyUse]) -> None:
        self._store = store
        self._uses = known
        self._unwritten: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    @property
    def known(self) -> Mapping[str, KeyUse]:
        """The pairs that somebody logged in with, by Access Key ID: a live view."""
        return MappingProxyType(self._uses)

    def of(self, access_key_id: str) -> KeyUse:
        """Return how a pair was used so far."""
        return self._uses.get(access_key_id, NEVER)

    def note(self, access_key_id: str, at: int, source: str, gateway: str, *, ok: bool) -> None:
        """Note one login that a gateway accepted (`ok`) or refused, at `at` ns since 1970 UTC; a few microseconds.

        A login with an Access Key ID that no pair has is not noted, so that strangers cannot fill the memory.
        """
        if self._store.directory.pair(access_key_id) is None:
            return
        self._uses[access_key_id] = self.of(access_key_id).after(at, source[:_LONGEST], gateway[:_LONGEST], ok=ok)
        self._unwritten.add(access_key_id)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_AFTER, self._begin_writing)

    async def flush(self) -> None:
        """Write what is not written yet. UnavailableError when the database cannot be written: it is kept then."""
        ids, self._unwritten = self._unwritten, set()
        try:
            waiting = sorted(ids)
            while batch := waiting[:_BATCH]:
                del waiting[:_BATCH]
                rows = [{"access_key_id": access_key_id, **asdict(self.of(access_key_id))} for access_key_id in batch]
                await self._store.note(
                    delete(KeyUseRow).where(KeyUseRow.access_key_id.in_(batch)), insert(KeyUseRow).values(rows)
                )
        except UnavailableError:
            self._unwritten |= ids
            raise

    async def close(self) -> None:
        """Write what is not written yet, and end the timer. What cannot be written is lost, and the log says so."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is not None:
            await self._writing
        try:
            await self.flush()
        except UnavailableError as error:
            _log.warning("the use of %d key pairs was not written: %s", len(self._unwritten), error)

    def _begin_writing(self) -> None:
        self._timer = None
        self._writing = asyncio.ensure_future(self._write())

    async def _write(self) -> None:
        try:
            await self.flush()
        except UnavailableError as error:
            _log.warning("the use of key pairs is written later: %s", error)
            self._timer = asyncio.get_running_loop().call_later(FLUSH_AFTER, self._begin_writing)


async def load_key_uses(connection: AsyncConnection) -> dict[str, KeyUse]:
    """Read every record, by Access Key ID."""
    rows = await connection.execute(select(KeyUseRow.__table__))
    return {row.access_key_id: KeyUse(*row[1:]) for row in rows}
