"""`ontherun journal verify`: every row checked, and carried out again, while the venue runs or after it."""

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.support.raw_client import RawClient
from tests.support.venue_process import ROOT, VenueProcess

from ontherun.gateway.recovery import RecoveryError
from ontherun.ilink import messages as m
from ontherun.journal import FileJournal, JournalDamaged, JournalError
from ontherun.service.journal_check import check

PRICE = 99 * 10**9


def verify(*arguments: str | Path) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "ontherun", "journal", "verify", *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT / "src"), "PATH": ""}
    )
    return done.returncode, done.stdout, done.stderr


def verified(*arguments: str | Path) -> tuple[int, Any]:
    code, output, _ = verify("--json", *arguments)
    return code, json.loads(output)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The journal of a venue in which one session traded with itself; it is verified while it runs, too."""
    data = tmp_path_factory.mktemp("venue") / "data"
    with VenueProcess(data, "--no-fsync") as venue, RawClient(venue.address, venue.key()) as client:
        client.log_in()
        client.order(venue.security_id("UB10"), 1, PRICE, 5, b"BID")
        client.expect(m.ExecutionReportNew)
        client.order(venue.security_id("UB05"), 1, PRICE, 5, b"OTHER")
        client.expect(m.ExecutionReportNew)
        code, found = verified("--data", data)
        assert code == 0
        assert found["bad"] == []
        (one,) = found["good"]
        assert one["file"] == str(data / "journal-40.bin")
        assert (one["sessions"], one["messages"], one["working_orders"], one["left_over"]) == (1, 2, 2, 0)
        assert one["size"] == (data / "journal-40.bin").stat().st_size
        client.terminate()
    return (data / "journal-40.bin").read_bytes()


@pytest.fixture
def journal(tmp_path: Path, stopped: bytes) -> Path:
    path = tmp_path / "journal-40.bin"
    path.write_bytes(stopped)
    return path


def test_a_good_journal_of_a_stopped_venue_is_said_in_one_line(journal: Path) -> None:
    code, output, error = verify(journal)
    assert (code, error) == (0, "")
    assert output.startswith(f"{journal}: good. ")
    assert output.endswith(" 2 messages to 1 sessions said again, 2 orders working\n")


def test_a_flipped_bit_is_found_with_its_row_and_nothing_is_changed(journal: Path) -> None:
    content = bytearray(journal.read_bytes())
    content[len(content) // 2] ^= 1
    journal.write_bytes(content)
    with pytest.raises(JournalDamaged, match=r"the journal is damaged at row \d+"):
        check(journal)
    code, output, error = verify(journal)
    assert (code, output) == (1, "")
    assert "damaged at row" in error
    assert journal.read_bytes() == content


def test_a_row_that_is_not_whole_is_told_and_left_alone(journal: Path) -> None:
    content = journal.read_bytes() + b"torn"
    journal.write_bytes(content)
    assert check(journal).left_over == 4
    assert verify(journal)[1].endswith("; 4 bytes of a row that is not whole\n")
    assert journal.read_bytes() == content


def test_a_row_that_says_something_else_now_is_found(journal: Path) -> None:
    """A journal whose chain is right, but whose outputs another version's rules gave."""
    changed = journal.parent / "changed" / journal.name
    changed.parent.mkdir()
    with closing(FileJournal(journal)) as was, closing(FileJournal(changed, fsync=False)) as copy:
        for row in was.replay():
            copy.commit(row.data, row.outputs_crc ^ 1)
    with pytest.raises(RecoveryError, match="batch 1 of the journal now gives other messages"):
        check(changed)


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "journal-40.bin"
    other.write_bytes(b"SQLite format 3\0")
    with pytest.raises(JournalError, match="is not a journal of layout 1"):
        check(other)
    with pytest.raises(JournalError, match=r"is not named journal-SEGMENT\.bin"):
        check(tmp_path / "journal.bin")
    with pytest.raises(JournalError, match="No such file"):
        check(tmp_path / "journal-42.bin")


def test_a_folder_without_a_journal_is_told(tmp_path: Path) -> None:
    code, _, error = verify("--data", tmp_path)
    assert code == 1
    assert error.startswith(f"There is no journal in {tmp_path}")
