"""`python killed_at.py BOUNDARY FILE ...`: `ontherun ...`, killed by SIGKILL at a write boundary of its gateway.

The boundaries are counted from the start of the process, the first is 1; their names are written to FILE, one a line.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ontherun.cli import main
from ontherun.gateway.connection import Connection
from ontherun.journal import FileJournal, Outbox, file


class Boundaries:
    """Counts, and kills at the one that was asked for."""

    def __init__(self, kill_at: int, names: Path) -> None:
        self._left = kill_at
        self._names = names.open("a", buffering=1)

    def at(self, name: str) -> None:
        self._names.write(f"{name}\n")
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, owner: Any, method: str, before: str, after: str) -> None:
        """Stop before and after each call."""
        call = getattr(owner, method)

        def wrapped(*arguments: Any, **named: Any) -> Any:
            self.at(before)
            result = call(*arguments, **named)
            self.at(after)
            return result

        setattr(owner, method, wrapped)

    def in_rows(self) -> None:
        """Stop before each row of a journal, with half of it written, and with all of it."""
        opened = FileJournal.__init__

        def init(journal: FileJournal, *arguments: Any, **named: Any) -> None:
            opened(journal, *arguments, **named)
            write: Callable[[bytes], int] = journal._write

            def halves(row: bytes) -> int:
                self.at("a row before it is written")
                written = write(row[: len(row) // 2])
                self.at("a row half written")
                written += write(row[written:])
                self.at("a row written")
                return written

            journal._write = halves  # type: ignore[assignment]

        FileJournal.__init__ = init  # type: ignore[method-assign]


if __name__ == "__main__":
    boundaries = Boundaries(int(sys.argv.pop(1)), Path(sys.argv.pop(1)))
    boundaries.in_rows()
    boundaries.around(file, "_sync", "before the disk confirms", "the disk has confirmed")
    boundaries.around(Connection, "write", "before the socket", "the socket has it")
    boundaries.around(Outbox, "append", "before the outbox", "the outbox has it")
    main()
