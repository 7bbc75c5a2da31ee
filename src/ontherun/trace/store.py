"""The traces of a venue, in one SQLite file of their own that a thread of its own writes.

Noting an entry encodes it and puts it into a list; whoever notes never waits for a disk. The thread inserts a whole
list by one statement (`json_each`), which SQLite runs without Python's lock, so it does not hold up the gateways.
"""

import asyncio
import contextlib
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ontherun.trace.entry import Level, TraceEntry, TraceKind

LAYOUT = 1

_PAUSE = 0.25
"""Seconds between the noting of an entry and its writing; a kill loses no more than these."""

_BATCH = 512
"""Entries that are written sooner than that."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS trace (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    session TEXT NOT NULL,
    at INTEGER NOT NULL,
    connection TEXT NOT NULL,
    peer TEXT NOT NULL,
    segment INTEGER NOT NULL,
    role TEXT NOT NULL,
    kind TEXT NOT NULL,
    level TEXT NOT NULL,
    reason TEXT NOT NULL,
    code INTEGER,
    facts TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS trace_of_session ON trace (session, number);
"""
_COLUMNS = "session, at, connection, peer, segment, role, kind, level, reason, code, facts"
_INSERT = (
    f"INSERT INTO trace ({_COLUMNS}) SELECT "  # noqa: S608 - nothing in it comes from outside
    + ", ".join(f"json_extract(value, '$[{place}]')" for place in range(11))
    + " FROM json_each(?)"
)
_TRIM = (
    "DELETE FROM trace WHERE session = ?1 AND number <= "
    "(SELECT number FROM trace WHERE session = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)"
)
_LAST_REFUSED = (
    f"SELECT number, {_COLUMNS} FROM trace WHERE level = 'error' AND number IN "  # noqa: S608 - nothing from outside
    "(SELECT max(number) FROM trace WHERE kind = 'login' AND session <> '' GROUP BY session)"
)
_encode = json.JSONEncoder(separators=(",", ":")).encode

T = TypeVar("T")


class TraceError(Exception):
    """The traces cannot be opened, read or written: which file, and why."""


@dataclass(frozen=True, slots=True)
class TracePolicy:
    """How much is kept. Ours: the exchange shows no such trace.

    - `per_session`: the last entries of each session; `of_strangers`: the last of all connections that named no session
      of the venue. A tenth more may be stored at times.
    - `unwritten`: entries that may wait for the disk; the oldest are given up beyond, and counted in `lost`.
    """

    per_session: int = 500
    of_strangers: int = 2_000
    unwritten: int = 50_000

    def kept(self, session: str) -> int:
        """How many entries of a session are kept."""
        return self.per_session if session else self.of_strangers


@dataclass(frozen=True, slots=True)
class TraceQuery:
    """Which entries are asked for; what is None or empty does not matter.

    `sessions`: whose, the empty name being the operator's own; `since`, `until`: ns since the epoch, the latter not
    included; `after`, `before`: only numbers beyond, or below.
    """

    sessions: Collection[str] | None = None
    kinds: Collection[TraceKind] = ()
    levels: Collection[Level] = ()
    connection: str | None = None
    since: int | None = None
    until: int | None = None
    after: int | None = None
    before: int | None = None


class TraceStore:
    """The traces in the file `path`, made when absent. Raises TraceError when it cannot be used as it is."""

    def __init__(self, path: Path, policy: TracePolicy = TracePolicy()) -> None:
        self.path = path
        self.lost = 0
        """Entries that were given up, since the disk did not take them in time."""
        self.failure: str | None = None
        """Why the last writing failed; None when it did not."""
        self._policy = policy
        self._waiting: list[str] = []
        self.refused: dict[str, TraceEntry] = {}
        """The last login of each session, where it was refused."""
        self._answered: set[str] | None = set()  # sessions that logged in before the stored refusals were read
        self._untrimmed: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._loop = asyncio.get_running_loop()
        self._database = self._open()
        self._thread = ThreadPoolExecutor(1, "traces")
        self._written = self._thread.submit(self._begin)

    def _open(self) -> sqlite3.Connection:
        try:
            self.path.touch(mode=0o600)
            database = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            (layout,) = database.execute("PRAGMA user_version").fetchone()
            if layout not in (0, LAYOUT):
                database.close()
                raise TraceError(f"{self.path} has layout {layout}, and this version knows {LAYOUT}: remove the file")
            database.executescript(
                f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {_SCHEMA} PRAGMA user_version = {LAYOUT}"
            )
        except (OSError, sqlite3.Error) as error:
            raise TraceError(f"the traces in {self.path} cannot be used: {error}. Remove the file to begin") from error
        return database

    def note(self, entry: TraceEntry) -> None:
        """Keep an entry; a few microseconds, and never a wait. What comes after `close` is not kept."""
        if self._closed:
            return
        self._untrimmed[entry.session] += 1
        if entry.kind is TraceKind.LOGIN and entry.session:
            self._answer(entry)
        waiting = self._waiting
        waiting.append(_encode(entry))
        if self._timer is None:
            self._timer = self._loop.call_later(_PAUSE, self._due)
        elif len(waiting) == _BATCH:
            self._hand_over()
        elif len(waiting) > self._policy.unwritten:
            given_up = len(waiting) // 10
            del waiting[:given_up]
            self.lost += given_up

    async def page(self, query: TraceQuery, limit: int, *, oldest_first: bool = False) -> list[TraceEntry]:
        """Up to `limit` entries, the newest first unless `oldest_first`. Raises TraceError."""
        await self._run(lambda: None)  # what is being written
        self._hand_over()
        return await self._run(lambda: self._select(query, limit, oldest_first))

    async def close(self) -> None:
        """Write what waits and close the file. Closing twice is harmless."""
        if self._closed:
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        await self._run(lambda: None)
        self._hand_over()
        await self._run(self._trim_all)
        await self._run(self._database.close)
        self._thread.shutdown()

    # In the loop.

    def _answer(self, entry: TraceEntry) -> None:
        """A session's login was answered."""
        if self._answered is not None:
            self._answered.add(entry.session)
        if entry.level is Level.ERROR:
            self.refused[entry.session] = entry
        else:
            self.refused.pop(entry.session, None)

    def _remember(self, refused: list[TraceEntry]) -> None:
        """Take over what was refused before the start."""
        answered, self._answered = self._answered or set(), None
        self.refused.update({entry.session: entry for entry in refused if entry.session not in answered})

    def _due(self) -> None:
        self._timer = None
        self._hand_over()
        if self._waiting:  # the disk is slow
            self._timer = self._loop.call_later(_PAUSE, self._due)

    def _hand_over(self) -> None:
        """Let the thread write what waits, unless it is writing: then that goes on waiting, within its bound."""
        if not self._waiting or not self._written.done():
            return
        entries, self._waiting = self._waiting, []
        trim = [session for session, count in self._untrimmed.items() if count * 10 >= self._policy.kept(session)]
        for session in trim:
            del self._untrimmed[session]
        self._written = self._thread.submit(self._write, entries, trim)

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await self._loop.run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            raise TraceError(f"the traces in {self.path} cannot be read: {error}") from error

    # In the thread.

    def _write(self, entries: list[str], trim: list[str]) -> None:
        database = self._database
        try:
            database.execute("BEGIN")
            try:
                database.execute(_INSERT, (f"[{','.join(entries)}]",))
                for session in trim:
                    database.execute(_TRIM, (session, self._policy.kept(session)))
            except sqlite3.Error:
                database.rollback()
                raise
            database.execute("COMMIT")
            self.failure = None
        except sqlite3.Error as error:  # a full disk costs traces, it does not stop the venue
            self.failure = str(error)
            self.lost += len(entries)

    def _begin(self) -> None:
        self._trim_all()
        try:
            refused = [_entry(*row) for row in self._database.execute(_LAST_REFUSED)]
        except sqlite3.Error as error:
            self.failure, refused = str(error), []
        with contextlib.suppress(RuntimeError):  # the loop has ended before
            self._loop.call_soon_threadsafe(self._remember, refused)

    def _trim_all(self) -> None:
        try:
            counted = self._database.execute("SELECT session, count(*) FROM trace GROUP BY session").fetchall()
            for session, count in counted:
                if count > self._policy.kept(session):
                    self._database.execute(_TRIM, (session, self._policy.kept(session)))
        except sqlite3.Error as error:
            self.failure = str(error)

    def _select(self, query: TraceQuery, limit: int, oldest_first: bool) -> list[TraceEntry]:
        condition, values = _condition(query)
        rows = self._database.execute(
            f"SELECT number, {_COLUMNS} FROM trace WHERE {condition} "  # noqa: S608 - the values are parameters
            f"ORDER BY number {'ASC' if oldest_first else 'DESC'} LIMIT ?",
            (*values, limit),
        )
        return [_entry(*row) for row in rows]


def _condition(query: TraceQuery) -> tuple[str, list[str | int]]:
    parts: list[str] = ["1"]
    values: list[str | int] = []
    for column, chosen in (("session", query.sessions), ("kind", query.kinds or None), ("level", query.levels or None)):
        if chosen is not None:
            parts.append(f"{column} IN (SELECT value FROM json_each(?))")  # noqa: S608 - a name of ours
            values.append(json.dumps(list(chosen)))
    for comparison, value in (
        ("connection =", query.connection),
        ("at >=", query.since),
        ("at <", query.until),
        ("number >", query.after),
        ("number <", query.before),
    ):
        if value is not None:
            parts.append(f"{comparison} ?")
            values.append(value)
    return " AND ".join(parts), values


def _entry(number: int, *columns: Any) -> TraceEntry:
    session, at, connection, peer, segment, role, kind, level, reason, code, facts = columns
    return TraceEntry(
        session,
        at,
        connection,
        peer,
        segment,
        role,
        TraceKind(kind),
        Level(level),
        reason,
        code,
        json.loads(facts),
        number,
    )
