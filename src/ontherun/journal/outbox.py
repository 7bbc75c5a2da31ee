"""The messages already numbered for a client, kept for its retransmission requests.

A cache, never the truth: the file is emptied at start and filled again by replaying the journal.
"""

import os
from array import array
from bisect import bisect_right
from collections.abc import Hashable
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

from ontherun.journal.errors import JournalWriteFailed

Key = TypeVar("Key", bound=Hashable)

_RUN_SIZE = 65_536  # bytes; a run grows until it has this much, so a reader has little to skip


class _Runs:
    """Where one client's messages are: runs of consecutive numbers, each in one piece of the file. 16 bytes a run."""

    __slots__ = ("end", "firsts", "next_seq", "offsets", "sizes", "start")

    def __init__(self, next_seq: int) -> None:
        self.firsts = array("I")  # the number of a run's first message
        self.offsets = array("Q")  # where it begins in the file, bytes
        self.sizes = array("I")  # bytes, of all runs but the newest, which still grows:
        self.start = self.end = -1  # from `start` to `end`
        self.next_seq = next_seq


class Outbox(Generic[Key]):
    """Messages by key (a stream and its UUID) and number, in the plain file `path`.

    A message is a whole frame that begins with its own size: 16 bits, little-endian (Simple Open Framing Header).
    Memory: 16 bytes per 64 KB where one client is served alone, at most 16 bytes per message where many take turns.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch(mode=0o600)
        path.chmod(0o600)
        self._file = path.open("wb", buffering=_RUN_SIZE)
        self._reader = path.open("rb", buffering=0)
        self._write = self._file.write
        self._end = 0
        self._runs: dict[Key, _Runs] = {}

    def append(self, key: Key, first_seq: int, count: int, frames: bytes, /) -> None:
        """Add `count` frames joined together, numbered from `first_seq`, without a gap to the key's numbers so far.

        Raises ValueError when there is a gap, JournalWriteFailed when the file cannot be written.
        """
        runs = self._runs.get(key)
        if runs is None:
            runs = self._runs[key] = _Runs(first_seq)
        elif first_seq != runs.next_seq:
            raise ValueError(f"message {first_seq} cannot follow {runs.next_seq - 1}")
        end = self._end
        if end != runs.end or end - runs.start >= _RUN_SIZE:
            if runs.firsts:
                runs.sizes.append(runs.end - runs.start)
            runs.firsts.append(first_seq)
            runs.offsets.append(end)
            runs.start = end
        runs.next_seq = first_seq + count
        runs.end = self._end = end + len(frames)
        try:
            self._write(frames)
        except OSError as error:
            raise self._failed(error) from error

    @property
    def size(self) -> int:
        """Bytes of all messages."""
        return self._end

    def stored(self, key: Key) -> range:
        """The numbers that are kept for this key; empty for a key never seen."""
        runs = self._runs.get(key)
        return range(runs.firsts[0], runs.next_seq) if runs else range(0)

    def read(self, key: Key, from_seq: int, count: int) -> list[bytes]:
        """The frames numbered `from_seq` to `from_seq + count - 1`, as far as they are stored."""
        kept = self.stored(key)
        seq, stop = max(from_seq, kept.start), min(from_seq + count, kept.stop)
        found: list[bytes] = []
        if seq >= stop:
            return found
        try:
            self._file.flush()
        except OSError as error:
            raise self._failed(error) from error
        runs = self._runs[key]
        run = bisect_right(runs.firsts, seq) - 1
        number = runs.firsts[run]
        while number < stop:
            size = runs.sizes[run] if run < len(runs.sizes) else runs.end - runs.start
            data = os.pread(self._reader.fileno(), size, runs.offsets[run])
            position = 0
            while position < len(data) and number < stop:
                end = position + int.from_bytes(data[position : position + 2], "little")
                if number >= seq:
                    found.append(data[position:end])
                position = end
                number += 1
            run += 1
        return found

    def clear(self) -> None:
        """Forget every message. Raises JournalWriteFailed when the file cannot be written."""
        self._runs.clear()
        self._end = 0
        try:
            self._file.seek(0)
            self._file.truncate()
        except OSError as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Close the file; its content is worth nothing without the index. Closing twice is harmless."""
        self._reader.close()
        with suppress(OSError):  # a full disk
            self._file.close()

    def _failed(self, error: OSError) -> JournalWriteFailed:
        return JournalWriteFailed(self.path, error.strerror or str(error))
