"""The message centre: the notices that a person or a token sees in the portal, each read or not."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, exists, func, insert, literal, or_, select
from sqlalchemy.dialects.sqlite import insert as upsert

from ontherun.registry.deliveries import notice_of, visible_entities
from ontherun.registry.errors import NotFoundError
from ontherun.registry.principal import Principal
from ontherun.registry.records_notices import Notice, Topic
from ontherun.registry.store import Store
from ontherun.registry.tables_notices import NoticeReaderRow, NoticeReadRow, NoticeRow
from ontherun.registry.unread import reader_of


@dataclass(frozen=True, slots=True)
class Message:
    """A notice as one reader has it."""

    notice: Notice
    read: bool


class Messages:
    """The message centre. A reader sees the notices of their entities, and those for them alone."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(
        self, by: Principal, *, before: int | None = None, limit: int = 100, unread: bool = False
    ) -> list[Message]:
        """Return up to `limit` messages, newest first, with ids below `before`; `unread`: only those not yet read."""
        statement = (
            select(NoticeRow.__table__, case((_unread(by), literal(0)), else_=literal(1)).label("read"))
            .where(_for(by))
            .order_by(NoticeRow.notice_id.desc())
            .limit(limit)
        )
        if before is not None:
            statement = statement.where(NoticeRow.notice_id < before)
        if unread:
            statement = statement.where(_unread(by))
        return [Message(notice_of(row), bool(row.read)) for row in await self._store.rows(statement)]

    async def get(self, by: Principal, notice_id: int) -> Message:
        """Return a message. NotFoundError when there is none for this reader."""
        found = await self.page(by, before=notice_id + 1, limit=1)
        if not found or found[0].notice.notice_id != notice_id:
            raise NotFoundError(f"message {notice_id}")
        return found[0]

    def unread(self, by: Principal) -> int:
        """Return how many messages the reader has not read, MOST_UNREAD at most; from memory."""
        return self._store.outbox.unread.count(by)

    async def mark_read(self, by: Principal, notice_id: int) -> None:
        """Mark one message as read; a second time does nothing. NotFoundError when there is none for this reader."""
        if not (await self.get(by, notice_id)).read:
            await self._store.note(insert(NoticeReadRow).values(reader=reader_of(by), notice_id=notice_id))
            self._store.outbox.unread.read(reader_of(by), notice_id)

    async def mark_all_read(self, by: Principal) -> None:
        """Mark every message as read that there is now."""
        newest = (await self._store.rows(select(func.max(NoticeRow.notice_id))))[0][0] or 0
        mark = upsert(NoticeReaderRow).values(reader=reader_of(by), all_read_up_to=newest)
        await self._store.note(mark.on_conflict_do_update(index_elements=["reader"], set_={"all_read_up_to": newest}))
        self._store.outbox.unread.all_read(reader_of(by), newest)


def _for(by: Principal) -> ColumnElement[bool]:
    everybody = and_(NoticeRow.user_id.is_(None), visible_entities(by, NoticeRow.entity_id))
    theirs = everybody if by.user_id is None else or_(everybody, NoticeRow.user_id == by.user_id)
    return and_(NoticeRow.topic != Topic.TEST.value, theirs)


def _unread(by: Principal) -> ColumnElement[bool]:
    up_to = select(NoticeReaderRow.all_read_up_to).where(NoticeReaderRow.reader == reader_of(by)).scalar_subquery()
    marked = exists().where(NoticeReadRow.reader == reader_of(by), NoticeReadRow.notice_id == NoticeRow.notice_id)
    return and_(or_(up_to.is_(None), NoticeRow.notice_id > up_to), ~marked)
