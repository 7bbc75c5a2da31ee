"""What was acknowledged is there afterwards, in order and once, however the process or its last write ended."""

import random
import runpy
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ontherun.journal import Batch, JournalInUse, SqliteJournal

batch: Callable[[int], bytes] = runpy.run_path(str(Path(__file__).with_name("children.py")))["batch"]
Start = Callable[..., subprocess.Popen[str]]


def rows(path: Path) -> int:
    """Read everything back, assert that each row is the one that was committed, and count them."""
    with closing(SqliteJournal(path)) as journal:
        found = list(journal.replay())
        assert journal.verify().rows == len(found)
    assert found == [Batch(n, batch(n), n) for n in range(1, len(found) + 1)]
    return len(found)


def killed(process: subprocess.Popen[str], seconds: float) -> int:
    """Let it commit for so long, kill it, and return the last row id it acknowledged."""
    assert process.stdout is not None
    acknowledged = int(process.stdout.readline())
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    lines = process.communicate()[0].splitlines(keepends=True)
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


def test_a_write_torn_anywhere_costs_only_what_was_behind_the_tear(tmp_path: Path, start: Start) -> None:
    source = tmp_path / "source"
    source.mkdir()
    killed(start("commit_and_wait", source / "journal", "no-fsync", 50), 0)
    log = (source / "journal-wal").read_bytes()
    assert 200_000 < len(log) < 1_000_000  # nothing has moved to the main file yet, so the log is the only copy
    draw, before = random.Random(11), 0
    for cut in sorted([*(draw.randrange(len(log)) for _ in range(40)), len(log)]):
        torn = tmp_path / f"torn{cut}"
        shutil.copytree(source, torn)
        (torn / "journal-wal").write_bytes(log[:cut] + draw.randbytes(draw.choice((0, 100, 5000))))
        kept = rows(torn / "journal")
        assert kept >= before
        before = kept
        if cut == len(log):
            assert kept == 50
        with closing(SqliteJournal(torn / "journal")) as journal:  # and it goes on from there
            assert journal.commit(batch(kept + 1), kept + 1) == kept + 1
        assert rows(torn / "journal") == kept + 1


def test_a_flipped_bit_in_the_log_reads_as_a_tear(tmp_path: Path, start: Start) -> None:
    path = tmp_path / "journal"
    killed(start("commit_and_wait", path, "no-fsync", 50), 0)
    log = path.with_name("journal-wal")
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 0x10
    log.write_bytes(content)
    assert 0 < rows(path) < 50


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
        SqliteJournal(path)
    checker = subprocess.run(
        [sys.executable, "-m", "ontherun.journal", path], capture_output=True, text=True, check=False
    )
    assert (checker.returncode, checker.stdout) == (1, "")
    assert "in use" in checker.stderr
    first.communicate("end")
    SqliteJournal(path).close()


def test_the_checker_prints_what_a_journal_holds(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with closing(SqliteJournal(path)) as journal:
        journal.commit(b"batch", 1)
    checker = subprocess.run(
        [sys.executable, "-m", "ontherun.journal", path], capture_output=True, text=True, check=True
    )
    assert checker.stdout.startswith(f"{path}: 1 rows, 5 bytes, checksum 0x")
    assert checker.stdout.endswith(": good\n")
