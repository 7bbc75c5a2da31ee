"""What can go wrong with a journal."""
# ruff: noqa: N818  named for what happened

from pathlib import Path


class JournalError(Exception):
    """The journal cannot be used; the message says why."""


class JournalInUse(JournalError):
    """Another process has the journal open. One process writes a journal; another may only follow it (JournalTail)."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"the journal {path} is in use by another process: stop that one first, or use another file")
        self.path = path


class JournalDamaged(JournalError):
    """What is stored is not what was committed. `row` is the first row that cannot be trusted."""

    def __init__(self, row: int, what: str) -> None:
        super().__init__(f"the journal is damaged at row {row}: {what}")
        self.row = row
        self.what = what


class JournalWriteFailed(JournalError):
    """A batch could not be made durable, so nothing of it may be acknowledged.

    The journal takes nothing more after this: whether the batch reached the disk is known only once it is opened again.
    """

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"the journal {path} cannot be written: {what}; every batch acknowledged before is safe")
        self.path = path
        self.what = what
