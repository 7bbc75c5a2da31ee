"""The durable log of the market: nothing is acknowledged before its batch is committed here.

Only what came in is kept: frames as received and session records, one batch per event-loop turn. What went out is
computed again by replaying them. docs/journal.md has the layout, what survives what, and how to verify.
"""

from ontherun.journal.errors import JournalDamaged, JournalError, JournalInUse, JournalWriteFailed
from ontherun.journal.file import BEGIN, FileJournal, Position
from ontherun.journal.log import Batch, Journal, chained
from ontherun.journal.memory import MemoryJournal
from ontherun.journal.outbox import Outbox
from ontherun.journal.tail import JournalTail

__all__ = [
    "Batch",
    "Journal",
    "MemoryJournal",
    "FileJournal",
    "JournalTail",
    "Position",
    "BEGIN",
    "Outbox",
    "JournalError",
    "JournalInUse",
    "JournalDamaged",
    "JournalWriteFailed",
    "chained",
]
