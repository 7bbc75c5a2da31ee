"""The journal in one SQLite file: one writer, one connection, one row and one commit per batch.

Calls block the calling thread: for 6 us without fsync, which is less than any hand-over to another thread costs.
"""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from ontherun.journal.errors import JournalDamaged, JournalError, JournalInUse, JournalWriteFailed
from ontherun.journal.log import Batch, Verified, chained, verified

APPLICATION_ID = 0x4F54524A  # "OTRJ" in the file's header: says what the file is
LAYOUT = 1

_CREATE = """
CREATE TABLE batch (
    row_id      INTEGER PRIMARY KEY,
    checksum    INTEGER NOT NULL,
    outputs_crc INTEGER NOT NULL,
    data        BLOB    NOT NULL
)"""
_INSERT = "INSERT INTO batch VALUES (?, ?, ?, ?)"
_LAST = "SELECT row_id, checksum FROM batch ORDER BY row_id DESC LIMIT 1"
_REPLAY = "SELECT row_id, checksum, outputs_crc, data FROM batch ORDER BY row_id"

# Measured with SQLite 3.40 on one core of a 2-core virtual machine, fsync off, best of 6 interleaved rounds,
# us per commit:
#   page size            2048    4096    8192
#   200 B batch           5.2     5.4     6.3    (a commit writes its whole last page to the WAL)
#   100 KB batch          264     189     137    (0.53, 0.38, 0.27 us per 200 B)
# A checkpoint stops the caller, so a small WAL is better than the default 4 MB: longest pause while committing 20 KB
# batches 1.1 ms with 1 MB, 4.4 ms with 4 MB, 16.8 ms with 16 MB, at no cost in throughput. Cache size, mmap_size,
# temp_store, cache_spill and secure_delete made no difference that rose above the noise; BEGIN ... COMMIT costs 2 us
# more than one statement by itself, WITHOUT ROWID 2 us more.
_PAGE_SIZE = 4096
_CHECKPOINT_PAGES = 256


class SqliteJournal:
    """A journal in the file `path`, made when absent.

    With `fsync` a commit returns once the disk has it (group commit: give one batch per event-loop turn); without, once
    the operating system has it, which survives the end of the process in any form but not of the machine.

    Raises JournalInUse when another process has it open, JournalDamaged or JournalError when it is not a good journal.
    """

    def __init__(self, path: Path, *, fsync: bool = True) -> None:
        self.path = path
        self.fsync = fsync
        try:
            self._connection = sqlite3.connect(path, timeout=0, isolation_level=None)
        except sqlite3.Error as error:
            raise JournalError(f"the journal {path} cannot be opened: {error}") from error
        try:
            self._open()
            self._row_id, self._checksum = self._last()
        except sqlite3.Error as error:
            self._connection.close()
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise JournalInUse(path) from error
            if isinstance(error, sqlite3.OperationalError):
                raise JournalError(f"the journal {path} cannot be opened: {error}") from error
            raise JournalDamaged(1, str(error)) from error
        except JournalError:
            self._connection.close()
            raise
        self._execute = self._connection.cursor().execute
        self._failure: JournalWriteFailed | None = None

    def _open(self) -> None:
        execute = self._connection.execute
        self._connection.text_factory = bytes  # text is found only in damaged rows, and may be no text
        # Exclusive before the first access: the WAL's index then lives in this process, and no other process gets in.
        execute("PRAGMA locking_mode=EXCLUSIVE")
        execute(f"PRAGMA page_size={_PAGE_SIZE}")
        execute("PRAGMA journal_mode=WAL")
        execute(f"PRAGMA synchronous={'FULL' if self.fsync else 'OFF'}")
        execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        execute("BEGIN EXCLUSIVE")
        identity = execute("PRAGMA application_id").fetchone()[0], execute("PRAGMA user_version").fetchone()[0]
        if identity == (0, 0) and not execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            execute(_CREATE)
            execute(f"PRAGMA application_id={APPLICATION_ID}")
            execute(f"PRAGMA user_version={LAYOUT}")
        elif identity != (APPLICATION_ID, LAYOUT):
            raise JournalError(f"{self.path} is not a journal of layout {LAYOUT}: its identity is {identity}")
        execute("COMMIT")
        if self.fsync:
            directory = os.open(self.path.parent, os.O_RDONLY)  # SQLite syncs the files; their names are synced here
            os.fsync(directory)
            os.close(directory)

    def _last(self) -> tuple[int, int]:
        row_id, checksum = self._connection.execute(_LAST).fetchone() or (0, 0)
        if not _is_uint32(checksum):
            raise JournalDamaged(row_id, "its checksum was never committed")
        return row_id, checksum

    @property
    def last_row_id(self) -> int:
        """The row id of the last batch, 0 when there is none."""
        return self._row_id

    def commit(self, batch: bytes, outputs_crc: int, /) -> int:
        """Make one batch durable and return its row id.

        Raises JournalWriteFailed (disk full, file-size limit, I/O error), now and at every later call.
        """
        row_id = self._row_id + 1
        checksum = chained(self._checksum, batch, outputs_crc)
        try:
            self._execute(_INSERT, (row_id, checksum, outputs_crc, batch))
        except sqlite3.Error as error:
            raise self._failed(error) from error
        self._row_id = row_id
        self._checksum = checksum
        return row_id

    def _failed(self, error: sqlite3.Error) -> JournalWriteFailed:
        if self._failure is None:
            self._failure = JournalWriteFailed(self.path, str(error))
            self._connection.close()
        return self._failure

    def replay(self) -> Iterator[Batch]:
        """Every batch in order, each checked against the chain. Raises JournalDamaged at the first that fails."""
        expected, checksum = 1, 0
        try:
            for row_id, stored, outputs_crc, data in self._connection.execute(_REPLAY):
                if row_id != expected:
                    raise JournalDamaged(expected, f"it is missing, the next one stored is {row_id}")
                if not isinstance(data, bytes) or not _is_uint32(outputs_crc):
                    raise JournalDamaged(row_id, "it holds a value that was never committed")
                checksum = chained(checksum, data, outputs_crc)
                if checksum != stored:
                    raise JournalDamaged(row_id, f"its checksum is {checksum}, the one stored with it is {stored}")
                yield Batch(row_id, data, outputs_crc)
                expected += 1
        except sqlite3.Error as error:
            raise JournalDamaged(expected, str(error)) from error

    def verify(self) -> Verified:
        """Check SQLite's own structure and every row. Raises JournalDamaged."""
        try:
            problems = self._connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        except sqlite3.Error as error:
            problems = str(error).encode()
        found = verified(self.replay())
        if problems != b"ok":
            raise JournalDamaged(found.rows + 1, problems.decode())
        return found

    def close(self) -> None:
        """Move everything from the WAL to the main file and release it. Closing twice is harmless."""
        self._connection.close()


def _is_uint32(value: object) -> bool:
    return isinstance(value, int) and 0 <= value < 1 << 32
