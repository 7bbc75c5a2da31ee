"""Checking journals, beside a venue that runs or of one that does not; nothing is ever changed."""

import re
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from ontherun.gateway.engine import Engine
from ontherun.gateway.recovery import carry_out
from ontherun.journal import JournalError, JournalTail, Outbox
from ontherun.market.policy import SegmentPolicy


class JournalFound(NamedTuple):
    """What a good journal holds."""

    file: str
    rows: int
    size: int
    """Bytes of the file up to the end of the last row."""
    checksum: int
    """The last row's, which depends on every row before it."""
    left_over: int
    """Bytes behind the last row: one that is being written, or never wholly was."""
    sessions: int
    """Sessions that have logged in."""
    messages: int
    """Numbered messages that were said to clients, said again and found equal."""
    working_orders: int


def journals_in(data: Path) -> list[Path]:
    """The journals of a data folder, by market segment."""
    return sorted(data.glob("journal-*.bin"), key=lambda path: (len(path.name), path.name))


def check(path: Path) -> JournalFound:
    """Check every row of a journal `journal-SEGMENT.bin`, and carry each out again: it must say what it said then.

    Raises JournalError (JournalDamaged names the first bad row) or RecoveryError.
    """
    name = re.fullmatch(r"journal-(\d{1,3})\.bin", path.name)
    if name is None:
        raise JournalError(f"{path} is not named journal-SEGMENT.bin, so its market segment is not known")
    engine = Engine(int(name[1]), SegmentPolicy())
    messages = 0
    with (
        TemporaryDirectory() as folder,
        closing(JournalTail(path)) as tail,
        closing(Outbox[tuple[str, int]](Path(folder) / "outbox.bin")) as outbox,
    ):
        for batch in tail.read():
            messages += carry_out(engine, batch, outbox)
    rows, checksum, end = tail.position
    left_over = path.stat().st_size - end
    return JournalFound(
        str(path), rows, end, checksum, left_over, len(engine.lanes), messages, engine.market.working_orders
    )
