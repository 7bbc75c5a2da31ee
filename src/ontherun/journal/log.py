"""What every journal does, and the checksum that chains its rows."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol
from zlib import crc32


class Batch(NamedTuple):
    """One committed row."""

    row_id: int
    """1, 2, 3... without gaps."""
    data: bytes
    outputs_crc: int
    """crc32 of what was sent in answer, 0..2^32-1: replay computes the same answers or has found a fault."""


class Journal(Protocol):
    """A durable, ordered log of batches with one writer."""

    def commit(self, batch: bytes, outputs_crc: int, /) -> int:
        """Make one batch durable and return its row id.

        Raises JournalWriteFailed: then nothing of the batch may be acknowledged.
        """

    def replay(self) -> Iterator[Batch]:
        """Every batch in order, each checked against the chain. Raises JournalDamaged at the first that fails."""

    def close(self) -> None:
        """Release the journal. Closing twice is harmless."""


def chained(previous: int, batch: bytes, outputs_crc: int) -> int:
    """The checksum of a row: crc32 of its batch, started from the previous row's checksum and its own outputs_crc.

    So a row holds only behind the one it was committed behind: a changed, missing or moved row breaks the chain.
    The first row's `previous` is 0.
    """
    return crc32(batch, previous ^ outputs_crc)
