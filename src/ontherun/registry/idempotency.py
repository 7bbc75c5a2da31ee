"""Idempotency keys: the same request sent twice, because the answer was lost, has one effect and one answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hmac import compare_digest

from sqlalchemy import select, update

from ontherun.registry.errors import ConflictError, UnavailableError
from ontherun.registry.once import LIFE, MARK, IdempotencyRow, Mark
from ontherun.registry.store import Store

LONGEST_ANSWER = 64 * 1024
"""Bytes of an answer that is kept; a longer one is not, and its repetition is told so."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered."""

    status: int
    media_type: str | None
    body: bytes


class KeyReusedError(ConflictError):
    """The key came before with another request."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was sent before, with another request. Use a new key for each request.")


class DoneBeforeError(ConflictError):
    """The request was carried out before, and its answer is not kept: it showed a secret, or the venue was stopped."""

    def __init__(self, sequence: int) -> None:
        super().__init__(
            f"This request was carried out before: audit entry {sequence}. Its answer is not kept. "
            "Read what it made, or undo it and ask again with a new Idempotency-Key."
        )


class Idempotency:
    """Recognises requests by who sends them and their Idempotency-Key, for 24 hours."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._under_way: dict[tuple[str, str], asyncio.Lock] = {}

    @asynccontextmanager
    async def once(self, principal: str, key: str, request_hash: bytes) -> AsyncIterator[Answer | Mark]:
        """Serve one request inside `async with`: with its earlier Answer, or with a Mark, then carry it out.

        The same key at the same time waits here for the first one. KeyReusedError, DoneBeforeError, UnavailableError.
        """
        name = principal, key
        lock = self._under_way.setdefault(name, asyncio.Lock())
        try:
            async with lock:
                answer = await self._earlier(principal, key, request_hash)
                if answer is not None:
                    yield answer
                    return
                mark = Mark(principal, key, request_hash)
                token = MARK.set(mark)
                try:
                    yield mark
                finally:
                    mark.over = True
                    MARK.reset(token)
        finally:
            if not lock.locked() and self._under_way.get(name) is lock:
                del self._under_way[name]

    async def keep(self, mark: Mark, answer: Answer) -> None:
        """Keep the answer of a request that had an effect. Where that fails, a repetition is told that it was done."""
        if mark.sequence is None or len(answer.body) > LONGEST_ANSWER:
            return
        row = IdempotencyRow
        try:
            await self._store.note(
                update(row)
                .where(row.principal == mark.principal, row.key == mark.key)
                .values(status=answer.status, media_type=answer.media_type, body=answer.body)
            )
        except UnavailableError:
            return

    async def _earlier(self, principal: str, key: str, request_hash: bytes) -> Answer | None:
        row = IdempotencyRow
        rows = await self._store.rows(select(row.__table__).where(row.principal == principal, row.key == key))
        if not rows or rows[0].at <= self._store.clock.now() - LIFE:
            return None
        found = rows[0]
        if not compare_digest(found.request_hash, request_hash):
            raise KeyReusedError
        if found.status is None:
            raise DoneBeforeError(found.sequence)
        return Answer(found.status, found.media_type, found.body)
