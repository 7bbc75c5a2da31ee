"""What was acknowledged is there afterwards, in order and once, however the process or its last write ended."""

import random
import runpy
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontherun.journal import Batch, FileJournal, JournalInUse

batch: Callable[[int], bytes] = runpy.run_path(str(Path(__file__).with_name("children.py")))["batch"]
HEADER, HEAD = 8, 16
Start = Callable[..., subprocess.Popen[str]]


def rows(path: Path) -> int:
    """Read everything back, assert that each row is the one that was committed, and count them."""
    with closing(FileJournal(path)) as journal:
        found = list(journal.replay())
    assert found == [Batch(n, batch(n), n) for n in range(1, len(found) + 1)]
    return len(found)


def killed(process: subprocess.Popen[str], seconds: float) -> int:
    """Let it commit for so long, kill it, and return the last row id it acknowledged."""
    assert process.stdout is not None
    acknowledged = int(process.stdout.readline())
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    lines = process.stdout.read().splitlines(keepends=True)  # communicate() would lose what readline() took ahead
    process.communicate()
    return max([acknowledged, *(int(line) for line in lines if line.endswith("\n"))])


@pytest.mark.parametrize("fsync", ["fsync", "no-fsync"])
def test_kill_9_while_committing_loses_nothing_acknowledged(tmp_path: Path, start: Start, fsync: str) -> None:
    draw, path, before = random.Random(9), tmp_path / "journal", 0
    for _ in range(6):
        acknowledged = killed(start("commit_until_stopped", path, fsync), draw.uniform(0, 0.08))
        assert (
            before < acknowledged <= rows(path) <= acknowledged + 1
        )  # one more: committed, killed before it could say so
        before = acknowledged


@pytest.mark.slow
def test_kill_9_again_and_again_loses_nothing_acknowledged(tmp_path: Path, start: Start) -> None:
    draw, path = random.Random(10), tmp_path / "journal"
    for turn in range(40):
        if turn % 10 == 0:
            path.unlink(missing_ok=True)
        acknowledged = killed(start("commit_until_stopped", path, "no-fsync"), draw.uniform(0, 0.05))
        assert acknowledged <= rows(path) <= acknowledged + 1


def test_a_write_torn_anywhere_costs_only_the_torn_row(tmp_path: Path) -> None:
    """Every byte at which a write of three rows, the middle one empty, can end."""
    source, torn = tmp_path / "source", tmp_path / "torn"
    sizes, ends = [], [HEADER]
    with closing(FileJournal(source, fsync=False)) as journal:
        for row_id, data in enumerate((b"first", b"", b"third"), 1):
            journal.commit(data, row_id)
            sizes.append(len(data))
            ends.append(source.stat().st_size)
    written = source.read_bytes()
    for cut in range(len(written) + 1):
        kept = sum(cut >= end for end in ends[1:])
        for behind in (b"", bytes(5), bytes(5000)) if cut in ends else (b"",):  # zeros: the length came first
            torn.write_bytes(written[:cut] + behind)
            with closing(FileJournal(torn, fsync=False)) as journal:
                assert [len(row.data) for row in journal.replay()] == sizes[:kept]
                assert journal.cut == (max(0, cut - ends[kept]) + len(behind) if cut >= HEADER else 0)
                assert journal.commit(b"next", 9) == kept + 1  # and it goes on from there
            with closing(FileJournal(torn, fsync=False)) as journal:
                assert (journal.last_row_id, journal.cut) == (kept + 1, 0)


@given(
    st.lists(st.tuples(st.binary(max_size=300), st.integers(0, 2**32 - 1)), min_size=1, max_size=8),
    st.data(),
)
def test_a_last_row_that_reached_the_disk_in_part_is_cut_off(
    tmp_path_factory: pytest.TempPathFactory, batches: list[tuple[bytes, int]], data: st.DataObject
) -> None:
    """The file has its length, but a piece of the last row is zeros: power failed."""
    path = tmp_path_factory.mktemp("torn") / "journal"
    with closing(FileJournal(path, fsync=False)) as journal:
        for batch_, outputs_crc in batches:
            start_of_last = path.stat().st_size
            journal.commit(batch_, outputs_crc)
    written = path.read_bytes()
    first = data.draw(st.integers(start_of_last + HEAD, len(written)))
    last = data.draw(st.sampled_from((first, len(written))))
    lost = written[:first] + bytes(last - first) + written[last:]
    if data.draw(st.booleans()):
        lost = written[:start_of_last] + bytes(len(written) - start_of_last)
    path.write_bytes(lost)
    with closing(FileJournal(path, fsync=False)) as journal:
        kept = len(batches) if lost == written else len(batches) - 1
        assert [(row.data, row.outputs_crc) for row in journal.replay()] == batches[:kept]


def test_what_is_cut_off_is_said(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with closing(FileJournal(path)) as journal:
        journal.commit(b"batch", 1)
    with path.open("ab") as file:
        file.write(b"torn")
    with closing(FileJournal(path)) as journal:
        assert journal.cut == 4


@pytest.mark.parametrize("fsync", ["fsync", "no-fsync"])
def test_a_full_disk_is_reported_and_loses_nothing_acknowledged(tmp_path: Path, start: Start, fsync: str) -> None:
    path = tmp_path / "journal"
    *acknowledged, first, second = start("commit_until_full", path, fsync, 700_000).communicate()[0].splitlines()
    assert acknowledged == [str(n + 1) for n in range(len(acknowledged))]
    assert first == second
    assert first.startswith(f"the journal {path} cannot be written: ")
    assert first.endswith("; every batch acknowledged before is safe")
    assert len(acknowledged) <= rows(path) <= len(acknowledged) + 1


def test_a_second_process_is_refused_until_the_first_ends(tmp_path: Path, start: Start) -> None:
    path = tmp_path / "journal"
    first = start("hold", path, "fsync")
    assert first.stdout is not None
    assert first.stdout.readline() == "open\n"
    with pytest.raises(JournalInUse, match=f"the journal {path} is in use by another process"):
        FileJournal(path)
    first.communicate("end")
    FileJournal(path).close()
