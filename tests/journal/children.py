"""Processes of their own, so that they can be killed: `python children.py ROLE FILE FSYNC [SIZE]`."""

import random
import resource
import sys
from pathlib import Path

from ontherun.journal import FileJournal, JournalWriteFailed


def batch(row_id: int) -> bytes:
    """What row `row_id` holds: mostly one order's size, sometimes a whole burst."""
    draw = random.Random(row_id)
    return draw.randbytes(draw.choice((1, 144, 144, 144, 5_000, 60_000)))


def commit_until_stopped(path: Path, fsync: bool) -> None:
    journal = FileJournal(path, fsync=fsync)
    while True:
        row_id = journal.last_row_id + 1
        say(journal.commit(batch(row_id), row_id))


def commit_until_full(path: Path, fsync: bool, size: int) -> None:
    journal = FileJournal(path, fsync=fsync)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    for _ in range(2):  # the second time shows that a failed journal takes nothing more
        try:
            while True:
                row_id = journal.last_row_id + 1
                say(journal.commit(batch(row_id), row_id))
        except JournalWriteFailed as error:
            say(error)


def hold(path: Path, fsync: bool) -> None:
    journal = FileJournal(path, fsync=fsync)
    say("open")
    sys.stdin.read()
    journal.close()


def say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    role, file, sync, *more = sys.argv[1:]
    globals()[role](Path(file), sync == "fsync", *map(int, more))
