"""How many messages wait for a reader, from memory: each page of the portal shows it."""

from collections import defaultdict, deque
from collections.abc import Hashable, Iterable
from functools import partial

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ontherun.registry.principal import Principal, Right
from ontherun.registry.records_notices import Topic
from ontherun.registry.tables_notices import NoticeReaderRow, NoticeReadRow, NoticeRow

MOST_UNREAD = 100
"""Unread messages are counted up to this many."""

_LOADED = 1000  # notices at the start

Told = tuple[int, int | None, int | None]
"""A notice's id, its entity, and the user whom alone it concerns."""


def reader_of(by: Principal) -> str:
    """Return the name under which a principal's marks are kept."""
    return by.name if by.user_id is None else f"user {by.user_id}"


class Unread:
    """The newest notices of each entity and user, and who has read which."""

    __slots__ = ("_all_read_up_to", "_newest", "_read")

    def __init__(self) -> None:
        self._newest: dict[Hashable, deque[int]] = defaultdict(partial(deque, maxlen=MOST_UNREAD))
        self._all_read_up_to: dict[str, int] = {}
        self._read: dict[str, set[int]] = defaultdict(set)

    def tell(self, told: Iterable[Told]) -> None:
        """Take note of new notices, oldest first."""
        for notice_id, entity_id, user_id in told:
            if user_id is not None:
                self._newest["user", user_id].append(notice_id)
                continue
            self._newest["everybody"].append(notice_id)
            self._newest["entity", entity_id].append(notice_id)

    def read(self, reader: str, notice_id: int) -> None:
        """Take note that somebody has read a notice."""
        self._read[reader].add(notice_id)

    def all_read(self, reader: str, up_to: int) -> None:
        """Take note that somebody has read everything up to a notice."""
        self._all_read_up_to[reader] = up_to
        self._read.pop(reader, None)

    def count(self, by: Principal) -> int:
        """Return how many messages the principal has not read, MOST_UNREAD at most."""
        entities, reader = by.entities(Right.VIEW), reader_of(by)
        keys: list[Hashable] = ["everybody"] if entities is None else [("entity", each) for each in entities]
        if by.user_id is not None:
            keys.append(("user", by.user_id))
        up_to, read = self._all_read_up_to.get(reader, 0), self._read.get(reader, ())
        found = (
            notice_id
            for key in keys
            for notice_id in self._newest.get(key, ())
            if notice_id > up_to and notice_id not in read
        )
        return min(sum(1 for _ in found), MOST_UNREAD)


async def load_unread(connection: AsyncConnection) -> Unread:
    """Read what was told last, and who has read it."""
    unread = Unread()
    statement = (
        select(NoticeRow.notice_id, NoticeRow.entity_id, NoticeRow.user_id)
        .where(NoticeRow.topic != Topic.TEST.value)
        .order_by(NoticeRow.notice_id.desc())
        .limit(_LOADED)
    )
    told = [(notice_id, entity_id, user_id) for notice_id, entity_id, user_id in await connection.execute(statement)]
    unread.tell(reversed(told))
    for reader, up_to in await connection.execute(select(NoticeReaderRow.reader, NoticeReaderRow.all_read_up_to)):
        unread.all_read(reader, up_to)
    oldest = told[-1][0] if told else 0
    marks = select(NoticeReadRow.reader, NoticeReadRow.notice_id).where(NoticeReadRow.notice_id >= oldest)
    for reader, notice_id in await connection.execute(marks):
        unread.read(reader, notice_id)
    return unread
