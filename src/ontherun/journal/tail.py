"""Reading a journal while another process writes it: each row as soon as it is there, and nothing is ever changed."""

import os
from collections.abc import Iterator
from pathlib import Path

from ontherun.journal.errors import JournalError
from ontherun.journal.file import HEADER, ROW_HEAD, Position, not_a_journal, rows
from ontherun.journal.log import Batch, chained


class JournalTail:
    """Follows the journal in the file `path`. Raises JournalError when the file cannot be read.

    A row that is not whole yet is left for later. `position` is behind the last row that was read.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as error:
            raise JournalError(f"the journal {path} cannot be followed: {error.strerror}") from error
        header = self._file.read(len(HEADER))
        if not HEADER.startswith(header):
            self._file.close()
            raise not_a_journal(path, header)
        self.position = Position()

    def read(self) -> Iterator[Batch]:
        """The rows that have come since. Raises JournalDamaged."""
        row_id, checksum, end = self.position
        if os.fstat(self._file.fileno()).st_size <= end:
            return
        for row in rows(self._file, self.position):
            row_id, checksum = row.row_id, chained(checksum, row.data, row.outputs_crc)
            end += ROW_HEAD + len(row.data)
            self.position = Position(row_id, checksum, end)
            yield row

    def close(self) -> None:
        """Release the file. Closing twice is harmless."""
        self._file.close()
