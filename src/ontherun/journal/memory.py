"""A journal that ends with its process: for tests, demonstrations and measurements."""

from collections.abc import Iterator

from ontherun.journal.log import Batch, Verified, verified


class MemoryJournal:
    """Keeps every batch in a list."""

    def __init__(self) -> None:
        self._batches: list[Batch] = []

    def commit(self, batch: bytes, outputs_crc: int, /) -> int:
        """Keep one batch and return its row id."""
        row_id = len(self._batches) + 1
        self._batches.append(Batch(row_id, batch, outputs_crc))
        return row_id

    def replay(self) -> Iterator[Batch]:
        """Every batch in order."""
        return iter(self._batches)

    def verify(self) -> Verified:
        """Count what is kept; memory needs no checking."""
        return verified(self.replay())

    def close(self) -> None:
        """Nothing to release: the batches stay readable."""
