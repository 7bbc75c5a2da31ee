"""One change, one transaction, one audit entry at least; then, and only then, the directory knows.

A change is put together without waiting for anything, under a lock that lets one in at a time, so that what was checked
still holds when it is written. Then statements and audit entries are committed together; when that fails, nothing has
happened, and what was to follow (handing out a secret) does not.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any, TypeVar, cast

from sqlalchemy import CursorResult, Executable, Row, insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from ontherun.keys import Clock
from ontherun.registry.audit import ChainHead, link
from ontherun.registry.directory import Directory
from ontherun.registry.errors import UnavailableError
from ontherun.registry.once import MARK
from ontherun.registry.outbox import Outbox
from ontherun.registry.principal import Principal
from ontherun.registry.records import AuditEntry
from ontherun.registry.tables import AuditEntryRow
from ontherun.registry.why import WHY

T = TypeVar("T")


class Change:
    """What one action does, before it is committed. `now` is the time of the action, nanoseconds since 1970 UTC."""

    __slots__ = ("_by", "_head", "entries", "followers", "now", "statements")

    def __init__(self, by: Principal, now: int, head: ChainHead) -> None:
        self.now = now
        self.statements: list[Executable] = []
        self.entries: list[AuditEntry] = []
        self.followers: list[Callable[[], object]] = []
        self._by = by
        self._head = head

    def write(self, *statements: Executable) -> None:
        """Have statements executed."""
        self.statements.extend(statements)

    def record(self, action: str, entity_id: int | None, subject: str, **details: object) -> None:
        """Have an audit entry written. `details` go to the audit as JSON and hold no secret."""
        if (why := WHY.get()) and not details.get("reason"):
            details["reason"] = why
        entry = link(
            self._head,
            at=self.now,
            actor=self._by.name,
            source=self._by.source,
            action=action,
            entity_id=entity_id,
            subject=subject,
            details=details,
        )
        self.entries.append(entry)
        self._head = ChainHead(entry.sequence, entry.hash)

    def then(self, follower: Callable[[], object]) -> None:
        """Have `follower` called once the change is committed."""
        self.followers.append(follower)


class Store:
    """The database, the clock, and the directory that mirrors the database."""

    __slots__ = ("_engine", "_head", "_turn", "clock", "directory", "outbox")

    def __init__(
        self, engine: AsyncEngine, clock: Clock, directory: Directory, head: ChainHead, outbox: Outbox
    ) -> None:
        self.clock = clock
        self.directory = directory
        self.outbox = outbox
        self._engine = engine
        self._head = head
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def change(self, by: Principal) -> AsyncIterator[Change]:
        """Put a change together inside `async with`; it is committed at the end. UnavailableError when that fails."""
        async with self._turn:
            change = Change(by, self.clock.now(), self._head)
            yield change
            await _to_its_end(self._commit(change))

    async def _commit(self, change: Change) -> None:
        if not change.entries:
            raise RuntimeError("a change without an audit entry is not committed")
        rows = [asdict(entry) for entry in change.entries]
        mark = MARK.get()
        try:
            async with self._engine.begin() as connection:
                for statement in change.statements:
                    await connection.execute(statement)
                await connection.execute(insert(AuditEntryRow), rows)
                for statement in () if mark is None else mark.statements(change.now, change.entries[0].sequence):
                    await connection.execute(statement)
                for statement, derived in self.outbox.derive(change.entries):
                    await connection.execute(statement, derived)
        except (SQLAlchemyError, OSError) as error:
            raise _unavailable(error) from None
        self._head = ChainHead(change.entries[-1].sequence, change.entries[-1].hash)
        if mark is not None and mark.sequence is None and not mark.over:
            mark.sequence = change.entries[0].sequence
        for follower in change.followers:
            follower()
        self.outbox.committed(change.entries)

    async def rows(self, statement: Executable) -> Sequence[Row[Any]]:
        """Read what is too much for the directory. UnavailableError when the database cannot be read."""
        try:
            async with self._turn, self._engine.begin() as connection:
                return (await connection.execute(statement)).all()
        except (SQLAlchemyError, OSError) as error:
            raise _unavailable(error) from None

    async def note(self, *statements: Executable) -> int:
        """Execute statements without an audit entry: marks that change nothing that anybody may see or do.

        Return the number of rows that they touched. UnavailableError when the database cannot be written.
        """
        async with self._turn:
            return await _to_its_end(self._note(statements))

    async def _note(self, statements: Sequence[Executable]) -> int:
        try:
            async with self._engine.begin() as connection:
                results = [await connection.execute(statement) for statement in statements]
                return sum(cast("CursorResult[Any]", result).rowcount for result in results)
        except (SQLAlchemyError, OSError) as error:
            raise _unavailable(error) from None

    @property
    def head(self) -> ChainHead:
        """The end of the audit chain as last committed."""
        return self._head

    async def entries(self, statement: Executable) -> list[AuditEntry]:
        """Return the audit entries that a statement selects. UnavailableError when the database cannot be read."""
        try:
            async with self._turn, self._engine.begin() as connection:
                return [AuditEntry(*row) for row in await connection.execute(statement)]
        except (SQLAlchemyError, OSError) as error:
            raise _unavailable(error) from None

    async def close(self) -> None:
        """Let the database go. Nothing is pending: each change was committed or did not happen."""
        async with self._turn:
            await self._engine.dispose()


def _unavailable(error: Exception) -> UnavailableError:
    reason = getattr(error, "orig", None) or type(error).__name__
    return UnavailableError(f"The registry's database cannot be used now ({reason}). Nothing was changed. Try again.")


async def _to_its_end(commit: Coroutine[object, object, T]) -> T:
    """Wait for `commit` even when the caller is cancelled: half a commit would leave the directory behind the file."""
    task, cancelled = asyncio.create_task(commit), None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:  # may come more than once
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return task.result()
