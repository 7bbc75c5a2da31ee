"""Reading the audit: search by page, export as a stream, verification. Nothing is ever changed here.

A search looks through the entries backwards, some thousands at a time, and ends its page early when it has looked for
a quarter of a second: a page never holds up the venue, however many entries there are and however rare what is sought.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, or_, select

from ontherun.registry.audit import ChainHead, Witness, follow
from ontherun.registry.errors import AuditDamagedError, ForbiddenError
from ontherun.registry.principal import Principal, Right, Role
from ontherun.registry.records import AuditEntry
from ontherun.registry.store import Store
from ontherun.registry.tables import AuditEntryRow

_WINDOW = 20_000
"""Entries that are looked through in one query; changes may come between two of them."""

_PATIENCE = 0.25
"""Seconds after which a page ends with what was found."""

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """What is sought; None or "" leaves it open. Times are ns since 1970 UTC, `until` not included.

    `actor` and `text` may stand anywhere in the name of who did it, and in the details, subject, action or source;
    `action` is the beginning of the action; `subject` is the whole subject.
    """

    actor: str = ""
    action: str = ""
    subject: str = ""
    entity_id: int | None = None
    since: int | None = None
    until: int | None = None
    text: str = ""

    def said(self) -> dict[str, object]:
        """What is sought, without what is left open."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "")}


EVERYTHING = AuditQuery()


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries, newest first. `next`: go on with entries before this sequence; None when there are no more."""

    entries: list[AuditEntry]
    next: int | None


class AuditBook:
    """The audit as those see it who may."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def search(
        self, by: Principal, query: AuditQuery = EVERYTHING, *, before: int | None = None, limit: int = 100
    ) -> AuditPage:
        """Return a page of up to `limit` entries, newest first, with sequence < `before`. ForbiddenError.

        A page may hold fewer entries than `limit` and still not be the last one: `next` says so.
        """
        conditions = self._conditions(by, query)
        end = self._store.head.sequence + 1 if before is None else min(before, self._store.head.sequence + 1)
        clock = asyncio.get_running_loop().time
        patience = clock() + _PATIENCE
        found: list[AuditEntry] = []
        while end > 1:
            start = max(1, end - _WINDOW)
            window = AuditEntryRow.sequence.between(start, end - 1)
            found += await self._store.entries(
                select(AuditEntryRow.__table__)
                .where(window, *conditions)
                .order_by(AuditEntryRow.sequence.desc())
                .limit(limit - len(found))
            )
            if len(found) == limit:
                return AuditPage(found, found[-1].sequence if found[-1].sequence > 1 else None)
            end = start
            if clock() > patience:
                break
        return AuditPage(found, end if end > 1 else None)

    async def export(self, by: Principal, query: AuditQuery, file_format: str) -> AsyncIterator[AuditEntry]:
        """Return every entry that is there now, oldest first, as a stream. That it was exported is an entry too."""
        conditions = self._conditions(by, query)
        end = self._store.head.sequence
        async with self._store.change(by) as change:
            sought = {"sought": said} if (said := query.said()) else {}
            change.record("audit.exported", query.entity_id, "audit", file_format=file_format, **sought)
        return self._stream(conditions, end)

    async def _stream(self, conditions: list[ColumnElement[bool]], end: int) -> AsyncIterator[AuditEntry]:
        for start in range(1, end + 1, _WINDOW):
            window = AuditEntryRow.sequence.between(start, min(start + _WINDOW - 1, end))
            after = 0
            while True:
                page = await self._store.entries(
                    select(AuditEntryRow.__table__)
                    .where(window, AuditEntryRow.sequence > after, *conditions)
                    .order_by(AuditEntryRow.sequence)
                    .limit(_PAGE)
                )
                for entry in page:
                    yield entry
                if len(page) < _PAGE:
                    break
                after = page[-1].sequence

    async def verify(self, kept: str = "") -> ChainHead:
        """Walk the whole chain and return its end. AuditDamagedError at the first entry that does not hold.

        `kept` is the hash of an entry (hexadecimal) that somebody wrote down elsewhere: it must be among them.
        """
        end, head, witness = self._store.head, ChainHead(), Witness(kept)
        while True:
            page = await self._store.entries(
                select(AuditEntryRow.__table__)
                .where(AuditEntryRow.sequence > head.sequence, AuditEntryRow.sequence <= end.sequence)
                .order_by(AuditEntryRow.sequence)
                .limit(_PAGE)
            )
            head = follow(head, witness.watch(page))
            if len(page) < _PAGE:
                break
        if head.sequence < end.sequence:
            raise AuditDamagedError(head.sequence + 1, "is missing, and every entry after it.")
        if head != end:
            raise AuditDamagedError(end.sequence, "is not the one that this process wrote.")
        witness.testify(head)
        return head

    def _conditions(self, by: Principal, query: AuditQuery) -> list[ColumnElement[bool]]:
        """What an entry must fulfil to be seen by the principal and to be what is sought."""
        row = AuditEntryRow
        entities = by.entities(Right.READ_AUDIT)
        if entities is not None and not entities:
            roles = f"{Role.AUDITOR} or {Role.ADMIN_MANAGER}"
            raise ForbiddenError(f"{by.name} may not read the audit. It takes the role {roles}.")
        conditions: list[ColumnElement[bool]] = []
        if entities is not None:
            conditions.append(row.entity_id.in_(sorted(entities)))
        if query.entity_id is not None:
            conditions.append(row.entity_id == query.entity_id)
        if query.actor:
            conditions.append(row.actor.contains(query.actor, autoescape=True))
        if query.action:
            conditions.append(row.action.startswith(query.action, autoescape=True))
        if query.subject:
            conditions.append(row.subject == query.subject)
        if query.since is not None:
            conditions.append(row.at >= query.since)
        if query.until is not None:
            conditions.append(row.at < query.until)
        if query.text:
            places = (row.details, row.subject, row.action, row.source)
            conditions.append(or_(*(place.contains(query.text, autoescape=True) for place in places)))
        return conditions
