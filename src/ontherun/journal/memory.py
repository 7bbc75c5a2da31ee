"""A journal that ends with its process: for tests, demonstrations and measurements."""

from collections.abc import Iterator

from ontherun.journal.log import Batch


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

    def close(self) -> None:
        """Nothing to release: the batches stay readable."""
