"""Whatever changes in a stored row, in its place or among its neighbours is found, and found at that row."""

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontherun.journal import (
    Batch,
    Journal,
    JournalDamaged,
    JournalError,
    MemoryJournal,
    SqliteJournal,
    Verified,
    chained,
)

BATCHES = [bytes([65 + n]) * 200 for n in range(20)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed journal of twenty rows."""
    file = tmp_path / "journal"
    with closing(SqliteJournal(file)) as journal:
        for n, data in enumerate(BATCHES):
            assert journal.commit(data, 1000 + n) == n + 1
    return file


def edit(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def damage(path: Path) -> JournalDamaged:
    with closing(SqliteJournal(path)) as journal:
        with pytest.raises(JournalDamaged) as by_verify:
            journal.verify()
        good: list[Batch] = []
        with pytest.raises(JournalDamaged) as by_replay:
            good.extend(journal.replay())
        assert good == [Batch(n, BATCHES[n - 1], 999 + n) for n in range(1, by_replay.value.row)]
    assert by_verify.value.row == by_replay.value.row
    return by_replay.value


def test_what_was_committed_is_replayed_in_order(path: Path) -> None:
    with closing(SqliteJournal(path)) as journal:
        assert list(journal.replay()) == [Batch(n + 1, data, 1000 + n) for n, data in enumerate(BATCHES)]
        assert journal.verify().rows == journal.last_row_id == len(BATCHES)


def test_a_reopened_journal_continues_the_chain(path: Path) -> None:
    with closing(SqliteJournal(path)) as journal:
        assert journal.commit(b"more", 1) == len(BATCHES) + 1
        assert journal.verify().rows == len(BATCHES) + 1


def test_a_flipped_bit_in_a_batch_is_found(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.index(BATCHES[6]) + 100] ^= 0x04
    path.write_bytes(content)
    assert damage(path).row == 7


@pytest.mark.parametrize("column", ["checksum", "outputs_crc"])
@pytest.mark.parametrize("bit", [0, 31, 32, 47])
def test_a_flipped_bit_in_a_number_is_found(path: Path, column: str, bit: int) -> None:
    edit(path, f"UPDATE batch SET {column} = ({column} | {1 << bit}) - ({column} & {1 << bit}) WHERE row_id = 7")
    assert damage(path).row == 7


def test_a_value_of_another_type_is_found(path: Path) -> None:
    edit(path, "UPDATE batch SET data = 'text' WHERE row_id = 7")
    assert damage(path).row == 7


@pytest.mark.parametrize("row", [1, 7, 19])
def test_a_missing_row_is_found(path: Path, row: int) -> None:
    edit(path, f"DELETE FROM batch WHERE row_id = {row}")
    found = damage(path)
    assert (found.row, found.what) == (row, f"it is missing, the next one stored is {row + 1}")


def test_a_missing_row_is_found_when_the_others_close_up(path: Path) -> None:
    edit(
        path,
        "DELETE FROM batch WHERE row_id = 7",
        *(f"UPDATE batch SET row_id = {n - 1} WHERE row_id = {n}" for n in range(8, 21)),
    )
    assert damage(path).row == 7


def test_swapped_rows_are_found(path: Path) -> None:
    edit(path, *(f"UPDATE batch SET row_id = {new} WHERE row_id = {old}" for old, new in ((7, 99), (8, 7), (99, 8))))
    assert damage(path).row == 7


def test_swapped_batches_are_found(path: Path) -> None:
    swap = "UPDATE batch SET data = CAST(? AS BLOB) WHERE row_id = ?"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(swap, (BATCHES[7], 7))
        connection.execute(swap, (BATCHES[6], 8))
    assert damage(path).row == 7


def test_a_doubled_row_is_found(path: Path) -> None:
    edit(path, "INSERT INTO batch SELECT 21, checksum, outputs_crc, data FROM batch WHERE row_id = 20")
    assert damage(path).row == 21


def test_a_damaged_page_is_refused_and_never_misread(path: Path) -> None:
    original, draw = path.read_bytes(), random.Random(2)
    for _ in range(300):
        content = bytearray(original)
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        path.write_bytes(content)
        try:
            with closing(SqliteJournal(path)) as journal:
                rows = [batch.data for batch in journal.replay()]
        except JournalError:
            continue
        assert rows == BATCHES[: len(rows)]  # a bit that means nothing, or the last rows' leaf cut short


@pytest.mark.parametrize("content", [b"not a database at all" * 400, b"\0" * 8192])
def test_a_file_that_is_no_journal_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "journal").write_bytes(content)
    with pytest.raises(JournalError):
        SqliteJournal(tmp_path / "journal")
    assert (tmp_path / "journal").read_bytes() == content


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    edit(tmp_path / "other", "CREATE TABLE registry (name TEXT)")
    with pytest.raises(JournalError, match="is not a journal"):
        SqliteJournal(tmp_path / "other")
    with closing(sqlite3.connect(tmp_path / "other")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("registry",)]


def test_a_directory_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be opened"):
        SqliteJournal(tmp_path / "nowhere" / "journal")


def sqlite_journal(directory: Path) -> Journal:
    return SqliteJournal(directory / "either", fsync=False)


def memory_journal(_: Path) -> Journal:
    return MemoryJournal()


@pytest.mark.parametrize("make", [sqlite_journal, memory_journal])
def test_both_journals_say_the_same(tmp_path: Path, make: Callable[[Path], Journal]) -> None:
    with closing(make(tmp_path)) as journal:
        assert journal.verify() == Verified(0, 0, 0)
        assert [journal.commit(data, 7) for data in (b"", b"one", b"two")] == [1, 2, 3]
        assert list(journal.replay()) == [Batch(1, b"", 7), Batch(2, b"one", 7), Batch(3, b"two", 7)]
        assert journal.verify() == Verified(3, 6, chained(chained(chained(0, b"", 7), b"one", 7), b"two", 7))


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
