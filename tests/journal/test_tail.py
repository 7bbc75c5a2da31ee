"""A journal is followed while another process writes it, and taken over where the reader stands."""

from contextlib import closing
from pathlib import Path

import pytest

from ontherun.journal import FileJournal, JournalDamaged, JournalError, JournalTail


def test_each_row_is_read_once_and_as_soon_as_it_is_there(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with closing(FileJournal(path, fsync=False)) as journal, closing(JournalTail(path)) as tail:
        assert list(tail.read()) == []
        for number in range(1, 6):
            journal.commit(b"row %d" % number, number)
            journal.commit(b"", 0)
            assert [row.data for row in tail.read()] == [b"row %d" % number, b""]
            assert list(tail.read()) == []


def test_a_row_that_is_written_in_pieces_is_read_when_it_is_whole(tmp_path: Path) -> None:
    source, growing = tmp_path / "source", tmp_path / "growing"
    with closing(FileJournal(source, fsync=False)) as journal:
        journal.commit(b"first", 1)
        journal.commit(b"second", 2)
    written = source.read_bytes()
    growing.touch()
    with closing(JournalTail(growing)) as tail:
        read = []
        for end in range(len(written) + 1):
            growing.write_bytes(written[:end])
            read += [(end, row.data) for row in tail.read()]
    assert read == [(len(written) - 16 - len(b"second"), b"first"), (len(written), b"second")]


def test_a_writer_takes_over_where_the_reader_stands_and_cuts_a_torn_row_off(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with closing(FileJournal(path, fsync=False)) as journal:
        journal.commit(b"first", 1)
        journal.commit(b"second", 2)
    with closing(JournalTail(path)) as tail:
        reading = tail.read()
        assert next(reading).data == b"first"
        reading.close()
        with path.open("ab") as file:
            file.write(b"torn")
        with closing(FileJournal(path, fsync=False, after=tail.position)) as journal:
            assert (journal.cut, journal.last_row_id) == (4, 2)
            assert [row.data for row in tail.read()] == [b"second"]
            assert journal.commit(b"third", 3) == 3
            assert [row.data for row in tail.read()] == [b"third"]
    with closing(FileJournal(path, fsync=False)) as journal:
        assert [row.data for row in journal.replay()] == [b"first", b"second", b"third"]


def test_damage_is_found_while_following(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with closing(FileJournal(path, fsync=False)) as journal:
        journal.commit(b"first", 1)
        journal.commit(b"second", 2)
    damaged = bytearray(path.read_bytes())
    damaged[8 + 16] ^= 1
    path.write_bytes(damaged)
    with closing(JournalTail(path)) as tail, pytest.raises(JournalDamaged):
        list(tail.read())


def test_a_journal_that_is_not_there_cannot_be_followed(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be followed"):
        JournalTail(tmp_path / "none")
