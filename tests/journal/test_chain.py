"""Whatever changes in a stored row, in its place or among its neighbours is found, and found at that row."""

import random
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontherun.journal import (
    Batch,
    FileJournal,
    Journal,
    JournalDamaged,
    JournalError,
    MemoryJournal,
    chained,
)

BATCHES = [bytes([65 + n]) * 200 for n in range(20)]
HEADER, HEAD = 8, 16
ROW = HEAD + 200


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed journal of twenty rows."""
    file = tmp_path / "journal"
    with closing(FileJournal(file)) as journal:
        for n, data in enumerate(BATCHES):
            assert journal.commit(data, 1000 + n) == n + 1
    return file


def rows(path: Path) -> list[bytes]:
    content = path.read_bytes()
    return [content[at : at + ROW] for at in range(HEADER, len(content), ROW)]


def store(path: Path, rows: list[bytes]) -> None:
    path.write_bytes(path.read_bytes()[:HEADER] + b"".join(rows))


def damage(path: Path) -> JournalDamaged:
    before = path.read_bytes()
    with pytest.raises(JournalDamaged) as damaged:
        FileJournal(path)
    assert path.read_bytes() == before
    return damaged.value


def test_what_was_committed_is_replayed_in_order(path: Path) -> None:
    with closing(FileJournal(path)) as journal:
        assert list(journal.replay()) == [Batch(n + 1, data, 1000 + n) for n, data in enumerate(BATCHES)]
        assert journal.last_row_id == len(BATCHES)


def test_a_reopened_journal_continues_the_chain(path: Path) -> None:
    with closing(FileJournal(path)) as journal:
        assert journal.commit(b"more", 1) == len(BATCHES) + 1
        assert len(list(journal.replay())) == len(BATCHES) + 1


@pytest.mark.parametrize("byte", [*range(HEAD), HEAD, ROW // 2, ROW - 1])
@pytest.mark.parametrize("row", [1, 7, 19])
def test_a_flipped_bit_in_a_row_is_found(path: Path, row: int, byte: int) -> None:
    content = bytearray(path.read_bytes())
    content[HEADER + (row - 1) * ROW + byte] ^= 0x04
    path.write_bytes(content)
    assert damage(path).row == row


@pytest.mark.parametrize("row", [1, 7, 18])
def test_a_missing_row_is_found(path: Path, row: int) -> None:
    found = rows(path)
    del found[row - 1]
    store(path, found)
    assert damage(path).row == row


def test_swapped_rows_are_found(path: Path) -> None:
    found = rows(path)
    found[6], found[7] = found[7], found[6]
    store(path, found)
    assert damage(path).row == 7


def test_swapped_batches_are_found(path: Path) -> None:
    found = rows(path)
    found[6], found[7] = found[6][:HEAD] + found[7][HEAD:], found[7][:HEAD] + found[6][HEAD:]
    store(path, found)
    assert damage(path).row == 7


def test_a_doubled_row_is_found(path: Path) -> None:
    found = rows(path)
    store(path, [*found[:7], found[6], *found[7:]])
    assert damage(path).row == 8


def test_any_changed_bit_is_refused_and_never_misread(path: Path) -> None:
    original, draw = path.read_bytes(), random.Random(2)
    for _ in range(300):
        content = bytearray(original)
        at = draw.randrange(len(content))
        content[at] ^= 1 << draw.randrange(8)
        path.write_bytes(content)
        if at < HEADER + 19 * ROW:
            with pytest.raises(JournalError):
                FileJournal(path)
        elif at < HEADER + 19 * ROW + HEAD:
            assert damage(path).row == 20
        else:  # cannot be told from a last row that was never wholly written
            with closing(FileJournal(path)) as journal:
                assert [batch.data for batch in journal.replay()] == BATCHES[:19]
                assert journal.cut == ROW


@pytest.mark.parametrize("content", [b"not a database at all" * 400, b"\0" * 8192])
def test_a_file_that_is_no_journal_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "journal").write_bytes(content)
    with pytest.raises(JournalError):
        FileJournal(tmp_path / "journal")
    assert (tmp_path / "journal").read_bytes() == content


def test_a_directory_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be opened"):
        FileJournal(tmp_path / "nowhere" / "journal")


def file_journal(directory: Path) -> Journal:
    return FileJournal(directory / "either", fsync=False)


def memory_journal(_: Path) -> Journal:
    return MemoryJournal()


@pytest.mark.parametrize("make", [file_journal, memory_journal])
def test_both_journals_say_the_same(tmp_path: Path, make: Callable[[Path], Journal]) -> None:
    with closing(make(tmp_path)) as journal:
        assert list(journal.replay()) == []
        assert [journal.commit(data, 7) for data in (b"", b"one", b"two")] == [1, 2, 3]
        assert list(journal.replay()) == [Batch(1, b"", 7), Batch(2, b"one", 7), Batch(3, b"two", 7)]


@given(st.lists(st.tuples(st.binary(max_size=40), st.integers(0, 2**32 - 1)), max_size=20), st.data())
def test_no_change_of_one_bit_keeps_a_row_s_checksum(rows: list[tuple[bytes, int]], data: st.DataObject) -> None:
    checksum = 0
    for batch, outputs_crc in rows:
        changed = bytearray(batch + outputs_crc.to_bytes(4, "little"))
        bit = data.draw(st.integers(0, len(changed) * 8 - 1))
        changed[bit // 8] ^= 1 << bit % 8
        right = chained(checksum, batch, outputs_crc)
        assert chained(checksum, bytes(changed[:-4]), int.from_bytes(changed[-4:], "little")) != right
        checksum = right
