"""The trace store: bounded, over restarts, and never in the way."""

import sqlite3
from pathlib import Path

import pytest

from ontherun.trace import Level, TraceEntry, TraceError, TraceKind, TracePolicy, TraceQuery, TraceStore


def entry(session: str, at: int, kind: TraceKind = TraceKind.LOGIN, level: Level = Level.INFO) -> TraceEntry:
    facts = {"uuid": 2**64 - 1, "session": "B\0\xff", "canonical_text": "1\n2\nB01", "lapsed": True, "none": None}
    return TraceEntry(session, at, "40-x-1", "127.0.0.1:1", 40, "primary", kind, level, f"reason {at}", 8, facts)


EVERYTHING = TraceQuery()


async def reasons(store: TraceStore, query: TraceQuery = EVERYTHING, limit: int = 1000) -> list[str]:
    return [found.reason for found in await store.page(query, limit)]


async def test_what_was_noted_is_there_at_once_as_it_was(tmp_path: Path) -> None:
    store = TraceStore(tmp_path / "traces.sqlite3")
    store.note(entry("B01", 2**62))
    (found,) = await store.page(EVERYTHING, 10)
    assert found == entry("B01", 2**62)._replace(number=found.number)
    assert found.number > 0
    await store.close()


async def test_entries_survive_a_restart_and_numbers_go_on(tmp_path: Path) -> None:
    store = TraceStore(tmp_path / "traces.sqlite3")
    store.note(entry("B01", 1))
    await store.close()
    await store.close()
    store = TraceStore(tmp_path / "traces.sqlite3")
    store.note(entry("B01", 2))
    assert await reasons(store) == ["reason 2", "reason 1"]
    first, second = await store.page(EVERYTHING, 2, oldest_first=True)
    assert first.number < second.number
    await store.close()


async def test_the_last_of_each_session_are_kept(tmp_path: Path) -> None:
    policy = TracePolicy(per_session=20, of_strangers=30)
    store = TraceStore(tmp_path / "traces.sqlite3", policy)
    for at in range(300):
        store.note(entry("B01", at))
        store.note(entry("", at))
        if at % 50 == 0:
            await store.page(EVERYTHING, 1)
    store.note(entry("B02", 7))
    assert 20 <= len(await store.page(TraceQuery(sessions=["B01"]), 1000)) <= 22
    await store.close()
    store = TraceStore(tmp_path / "traces.sqlite3", policy)
    assert await reasons(store, TraceQuery(sessions=["B01"])) == [f"reason {at}" for at in range(299, 279, -1)]
    assert len(await store.page(TraceQuery(sessions=[""]), 1000)) == 30
    assert await reasons(store, TraceQuery(sessions=["B02"])) == ["reason 7"]
    await store.close()


async def test_each_part_of_a_query_narrows_it(tmp_path: Path) -> None:
    store = TraceStore(tmp_path / "traces.sqlite3")
    store.note(entry("B01", 10))
    store.note(entry("B01", 20, TraceKind.TERMINATE, Level.ERROR))
    store.note(entry("B02", 30))
    assert await reasons(store, TraceQuery(sessions=["B01"])) == ["reason 20", "reason 10"]
    assert await reasons(store, TraceQuery(sessions=[])) == []
    assert await reasons(store, TraceQuery(kinds=[TraceKind.TERMINATE])) == ["reason 20"]
    assert await reasons(store, TraceQuery(levels=[Level.ERROR, Level.WARNING])) == ["reason 20"]
    assert await reasons(store, TraceQuery(since=20, until=30)) == ["reason 20"]
    assert await reasons(store, TraceQuery(connection="another")) == []
    newest = (await store.page(EVERYTHING, 1))[0].number
    assert await reasons(store, TraceQuery(before=newest), limit=1) == ["reason 20"]
    assert await reasons(store, TraceQuery(after=newest)) == []
    await store.close()


async def test_a_disk_that_takes_nothing_costs_traces_and_nothing_else(tmp_path: Path) -> None:
    store = TraceStore(tmp_path / "traces.sqlite3", TracePolicy(unwritten=1000))
    other = sqlite3.connect(tmp_path / "traces.sqlite3", isolation_level=None)
    other.execute("CREATE TRIGGER full BEFORE INSERT ON trace BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
    for at in range(5000):
        store.note(entry("B01", at))
    assert await reasons(store) == []
    assert store.failure == "disk is full"
    assert store.lost == 5000
    other.execute("DROP TRIGGER full")
    other.close()
    store.note(entry("B01", 1))
    assert await reasons(store) == ["reason 1"]
    assert store.failure is None
    await store.close()


async def test_a_file_that_is_no_trace_store_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "traces.sqlite3"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(TraceError, match=str(path)):
        TraceStore(path)
    path.unlink()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(TraceError, match="layout 99"):
        TraceStore(path)


async def test_nobody_else_may_read_the_file(tmp_path: Path) -> None:
    store = TraceStore(tmp_path / "traces.sqlite3")
    assert store.path.stat().st_mode & 0o777 == 0o600
    await store.close()


async def test_the_last_login_of_a_session_is_known_where_it_was_refused(tmp_path: Path) -> None:
    store = TraceStore(tmp_path / "traces.sqlite3")
    store.note(entry("B01", 1, level=Level.ERROR))
    store.note(entry("B02", 2, level=Level.ERROR))
    store.note(entry("B03", 3, level=Level.ERROR))
    store.note(entry("B02", 4))
    store.note(entry("", 5, level=Level.ERROR))
    assert {session: found.at for session, found in store.refused.items()} == {"B01": 1, "B03": 3}
    await store.close()
    store = TraceStore(tmp_path / "traces.sqlite3")
    store.note(entry("B03", 6))
    await store.page(EVERYTHING, 1)
    assert {session: found.at for session, found in store.refused.items()} == {"B01": 1}
    await store.close()
