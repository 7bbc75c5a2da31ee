"""The journal in one file that only grows: one writer, one row and one write per batch.

The file is a header and the rows, one behind the other; docs/journal.md has the layout. Calls block the calling
thread: for 1 to 2 us without fsync, which is less than any hand-over to another thread costs.
"""

import fcntl
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from struct import Struct
from time import perf_counter_ns
from typing import BinaryIO, NamedTuple
from zlib import crc32

from ontherun.journal.errors import JournalDamaged, JournalError, JournalInUse, JournalWriteFailed
from ontherun.journal.log import Batch, chained
from ontherun.journal.sample import CommitSample

LAYOUT = 1
HEADER = b"OTRJ" + LAYOUT.to_bytes(4, "little")
"""What a journal begins with."""
_NUMBERS = Struct("<III")
"""Bytes in the batch, crc32 of what was sent in answer, checksum of the row."""
_HEAD = Struct("<12sI")
"""A row's numbers and their own crc32, so that a damaged size is not taken for a row that the end of the file cuts."""

_SAMPLED = 16
"""Of so many commits one is timed."""

ROW_HEAD = _HEAD.size
"""Bytes of a row before its batch."""

_pack = _NUMBERS.pack
_sync = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class Position(NamedTuple):
    """A place between two rows."""

    row_id: int = 0
    """Of the row before it, 0 where there is none."""
    checksum: int = 0
    """That row's."""
    end: int = len(HEADER)
    """Where that row ends, bytes."""


BEGIN = Position()


class FileJournal:
    """A journal in the file `path`, made when absent.

    With `fsync` a commit returns once the disk has it (group commit: give one batch per event-loop turn); without, once
    the operating system has it, which survives the end of the process in any form but not of the machine.

    Opening reads every row from `after` on and cuts off one that was never wholly written. Raises JournalInUse when
    another process has the file open, JournalDamaged or JournalError when it is not a good journal.
    """

    def __init__(self, path: Path, *, fsync: bool = True, after: Position = BEGIN) -> None:
        self.path = path
        self.fsync = fsync
        self.cut = 0
        """Bytes of a row that was never wholly written, which opening cut off."""
        self.sampled = CommitSample()
        self._row_id = after.row_id
        self._checksum = after.checksum
        self._failure: JournalWriteFailed | None = None
        try:
            path.touch(mode=0o600)
            path.chmod(0o600)  # it holds every login and order
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            self._open(after)
        except OSError as error:
            self._file.close()
            raise self._unusable(error) from error
        except JournalError:
            self._file.close()
            raise
        self._write = self._file.write

    def _open(self, after: Position) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with the process, however that ends
        except BlockingIOError as error:
            raise JournalInUse(self.path) from error
        with self.path.open("rb") as file:
            header = file.read(len(HEADER))
        if header == HEADER:
            end = after.end
            for row in self.replay(after):
                self._row_id = row.row_id
                self._checksum = chained(self._checksum, row.data, row.outputs_crc)
                end += _HEAD.size + len(row.data)
            self.cut = self._file.seek(0, os.SEEK_END) - end
            self._file.truncate(end)
        elif HEADER.startswith(header):  # a new file, or one whose making was cut short
            self._file.truncate(0)
            self._file.write(HEADER)
        else:
            raise not_a_journal(self.path, header)
        if self.fsync:
            _sync(self._file.fileno())
            directory = os.open(self.path.parent, os.O_RDONLY)
            os.fsync(directory)
            os.close(directory)

    @property
    def last_row_id(self) -> int:
        """The row id of the last batch, 0 when there is none."""
        return self._row_id

    def commit(self, batch: bytes, outputs_crc: int, /) -> int:
        """Make one batch durable and return its row id.

        Raises JournalWriteFailed (disk full, file-size limit, I/O error), now and at every later call.
        """
        checksum = crc32(batch, self._checksum ^ outputs_crc)  # as `chained` has it
        numbers = _pack(len(batch), outputs_crc, checksum)
        row = numbers + crc32(numbers).to_bytes(4, "little") + batch
        row_id = self._row_id + 1
        began = perf_counter_ns() if not row_id % _SAMPLED else 0
        try:
            written = self._write(row)
            while written < len(row):  # the disk is filling up: the next write takes the rest or says what is wrong
                written += self._write(row[written:])
            if self.fsync:
                _sync(self._file.fileno())
        except (OSError, ValueError) as error:  # ValueError: the file is closed, perhaps by an earlier failure
            raise self._failed(error) from error
        if began:
            self.sampled.add(perf_counter_ns() - began, len(row))
        self._checksum = checksum
        self._row_id = row_id
        return row_id

    def _failed(self, error: OSError | ValueError) -> JournalWriteFailed:
        if self._failure is None:
            self._failure = JournalWriteFailed(self.path, _reason(error))
            self._file.close()
        return self._failure

    def _unusable(self, error: OSError) -> JournalError:
        return JournalError(f"the journal {self.path} cannot be opened: {_reason(error)}")

    def replay(self, after: Position = BEGIN) -> Iterator[Batch]:
        """Every batch behind `after` in order, each checked against the chain, up to a row that was never wholly
        written. Raises JournalDamaged at the first that fails.
        """
        with self.path.open("rb") as file:
            yield from rows(file, after)

    def close(self) -> None:
        """Release the file. Closing twice is harmless."""
        self._file.close()


def not_a_journal(path: Path, header: bytes) -> JournalError:
    """What to raise for a file that begins otherwise."""
    return JournalError(f"{path} is not a journal of layout {LAYOUT}: it begins with {header!r}")


def rows(file: BinaryIO, after: Position) -> Iterator[Batch]:
    """Every whole row of a journal's file behind `after`. Raises JournalDamaged."""
    row_id, checksum, end = after
    file.seek(end)
    while head := file.read(_HEAD.size):
        row_id += 1
        if len(head) < _HEAD.size:
            return
        numbers, head_crc = _HEAD.unpack(head)
        if crc32(numbers) != head_crc:
            if _only_zeros(head, file):
                return
            raise JournalDamaged(row_id, "its head is not the one that was committed")
        size, outputs_crc, stored = _NUMBERS.unpack(numbers)
        data = file.read(size)
        checksum = chained(checksum, data, outputs_crc)
        if len(data) < size or (checksum != stored and not file.read(1)):
            return
        if checksum != stored:
            raise JournalDamaged(row_id, f"its checksum is {checksum}, the one stored with it is {stored}")
        yield Batch(row_id, data, outputs_crc)


def _only_zeros(head: bytes, file: BinaryIO) -> bool:
    """Whether the file's length reached the disk before its last row did."""
    rest = iter(partial(file.read, 1 << 20), b"")
    return not (head.strip(b"\0") or any(piece.strip(b"\0") for piece in rest))


def _reason(error: OSError | ValueError) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
