"""Searching, exporting and verifying the audit: by whom it may be seen, in pages, and offline."""

import json
import os
import random
import sqlite3
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontherun.keys import ManualClock
from ontherun.registry import (
    SYSTEM,
    AuditDamagedError,
    AuditEntry,
    AuditQuery,
    DataDirectoryInUseError,
    ForbiddenError,
    InvalidError,
    Registry,
)
from ontherun.registry.audit import ChainHead, follow, link
from ontherun.registry.audit_files import EXPORTS, Verified, verify_path

from .conftest import START, Venue
from .test_audit import tamper

SECOND = 1_000_000_000


async def found(venue: Venue, query: AuditQuery, **options: int) -> list[str]:
    page = await venue.registry.audit.search(SYSTEM, query, **options)
    return [f"{entry.action} {entry.subject}" for entry in page.entries]


async def exported(venue: Venue, path: Path, query: AuditQuery = AuditQuery()) -> Path:  # noqa: B008 - frozen
    _, head, line = EXPORTS[path.suffix[1:]]
    lines = [line(entry) async for entry in await venue.registry.audit.export(SYSTEM, query, path.suffix[1:])]
    path.write_bytes((head + "".join(lines)).encode())  # noqa: ASYNC240 - a test may wait
    return path


async def test_each_part_of_a_search_narrows_it(venue: Venue) -> None:
    venue.clock.advance(10 * SECOND)
    pair = (await venue.registry.pairs.generate(venue.admin, "A00")).pair
    venue.clock.advance(10 * SECOND)
    await venue.registry.pairs.download(venue.admin, "A00", pair.access_key_id, "env")
    both = ["key_pair.downloaded session A00", "key_pair.generated session A00"]
    assert await found(venue, AuditQuery(action="key_pair.")) == both
    assert await found(venue, AuditQuery(action="key_pair.gen")) == both[1:]
    assert await found(venue, AuditQuery(actor="OUR ADM")) == both
    assert await found(venue, AuditQuery(text=pair.access_key_id)) == both
    assert await found(venue, AuditQuery(text="192.0.2.1")) == both
    assert await found(venue, AuditQuery(subject="session A00")) == [*both, "session.created session A00"]
    assert await found(venue, AuditQuery(since=START + 20 * SECOND)) == both[:1]
    assert await found(venue, AuditQuery(since=START + 1, until=START + 20 * SECOND)) == both[1:]
    theirs = AuditQuery(entity_id=venue.theirs.entity_id)
    assert await found(venue, theirs, limit=2) == ["session.created session A01", "firm.created firm THEI1"]
    assert await found(venue, AuditQuery(text="100%_")) == []


async def test_a_search_sees_only_the_entities_of_the_one_who_asks(venue: Venue) -> None:
    page = await venue.registry.audit.search(venue.stranger, AuditQuery(action="session."))
    assert [entry.subject for entry in page.entries] == ["session A01"]
    ours = AuditQuery(entity_id=venue.ours.entity_id)
    assert (await venue.registry.audit.search(venue.stranger, ours)).entries == []
    for ask in (venue.registry.audit.search(venue.reader), venue.registry.audit.export(venue.reader, ours, "csv")):
        with pytest.raises(ForbiddenError):
            await ask


async def test_pages_follow_each_other_without_a_gap_or_a_repetition(venue: Venue) -> None:
    for number in range(20):
        await venue.registry.entities.create(SYSTEM, f"Entity {number}")
    seen: list[int] = []
    before: int | None = None
    while True:
        page = await venue.registry.audit.search(SYSTEM, before=before, limit=7)
        seen += [entry.sequence for entry in page.entries]
        if page.next is None:
            break
        before = page.next
    assert seen == list(range(26, 0, -1))


@pytest.mark.parametrize("name", ["audit.jsonl", "audit.csv"])
async def test_an_export_verifies_offline_and_is_an_entry_itself(venue: Venue, tmp_path: Path, name: str) -> None:
    path = await exported(venue, tmp_path / name)
    head = await venue.registry.audit.verify()
    assert verify_path(path) == Verified(6, 6, verify_path(path).hash, 0)
    (entry,) = await venue.registry.audit_entries(SYSTEM, limit=1)
    assert (entry.sequence, entry.action, json.loads(entry.details)) == (7, "audit.exported", {"file_format": name[6:]})
    assert verify_path(await exported(venue, path)).hash == head.hash.hex()


@pytest.mark.parametrize("name", ["audit.jsonl", "audit.csv"])
async def test_an_export_of_a_search_proves_its_entries_and_says_how_many_are_left_out(
    venue: Venue, tmp_path: Path, name: str
) -> None:
    path = await exported(venue, tmp_path / name, AuditQuery(action="session."))
    assert (verify_path(path).entries, verify_path(path).missing) == (2, 4)


@pytest.mark.parametrize("name", ["audit.jsonl", "audit.csv"])
async def test_an_altered_a_removed_and_a_moved_line_are_found(venue: Venue, tmp_path: Path, name: str) -> None:
    whole = (await exported(venue, tmp_path / name)).read_text()
    first = 1 if name.endswith("csv") else 0
    lines = whole.splitlines(keepends=True)
    altered = [line.replace("THEI1", "OURS9") for line in lines]
    (tmp_path / name).write_text("".join(altered))
    with pytest.raises(AuditDamagedError, match="Audit entry 4: was altered"):
        verify_path(tmp_path / name)
    lines[first + 2], lines[first + 3] = lines[first + 3], lines[first + 2]
    (tmp_path / name).write_text("".join(lines))
    with pytest.raises(AuditDamagedError, match="stands after entry 4"):
        verify_path(tmp_path / name)


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1, max_size=20),
            st.one_of(st.none(), st.just("192.0.2.1")),
            st.one_of(st.none(), st.integers(1, 2**63 - 1)),
        ),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=100)
def test_whatever_names_hold_an_export_reads_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[str, str | None, int | None]]
) -> None:
    entries: list[AuditEntry] = []
    head = ChainHead()
    for name, source, entity_id in made:
        entry = link(
            head,
            at=START,
            actor=name,
            source=source,
            action="a",
            entity_id=entity_id,
            subject=name,
            details={"n": name},
        )
        entries.append(entry)
        head = follow(head, [entry])
    for name, (_, first, line) in EXPORTS.items():
        path = tmp_path_factory.getbasetemp() / f"named.{name}"
        path.write_bytes((first + "".join(line(entry) for entry in entries)).encode())
        assert verify_path(path).hash == head.hash.hex()


async def test_no_cell_of_a_csv_is_a_formula(venue: Venue, tmp_path: Path) -> None:
    await venue.registry.entities.create(SYSTEM, "=HYPERLINK(1)")
    entity = AuditEntry(1, 1, "=1+1", None, "a", None, "@x", "{}", bytes(32), bytes(32))
    cells = EXPORTS["csv"][2](entity).strip().split(",")
    assert not [cell for cell in cells if cell.lstrip('"')[:1] in "=+-@" and cell]
    full_width = AuditEntry(1, 1, "\uff1d1+1", None, "a", None, "\uff20x", "{}", bytes(32), bytes(32))
    assert "'\uff1d1+1" in EXPORTS["csv"][2](full_width)
    assert "'\uff20x" in EXPORTS["csv"][2](full_width)


async def test_a_stopped_venues_database_is_verified_where_it_lies(venue: Venue) -> None:
    await venue.registry.close()
    before = {path.name: path.read_bytes() for path in venue.registry.data_dir.iterdir()}
    assert verify_path(venue.registry.data_dir).entries == 6
    left = {path.name: path.read_bytes() for path in venue.registry.data_dir.iterdir()}
    assert {name: left[name] for name in before} == before, "it was only read"
    tamper(venue.registry, "UPDATE audit_entry SET actor = 'nobody' WHERE sequence = 3")
    with pytest.raises(AuditDamagedError, match="Audit entry 3: was altered"):
        verify_path(venue.registry.data_dir)


async def test_a_running_venues_database_is_left_alone(venue: Venue) -> None:
    with pytest.raises(DataDirectoryInUseError, match=f"process {os.getpid()}"):
        verify_path(venue.registry.data_dir)


@pytest.mark.parametrize(
    "content", ["", "hello", "{}", '{"sequence": 1}', "[1]", "a,b\n1,2\n", "\0\0", '{"sequence": "x"}']
)
def test_what_is_no_export_is_refused_in_words(tmp_path: Path, content: str) -> None:
    (tmp_path / "file.jsonl").write_text(content)
    if content:
        with pytest.raises(InvalidError, match="an export with the columns sequence"):
            verify_path(tmp_path / "file.jsonl")
    else:
        assert verify_path(tmp_path / "file.jsonl").entries == 0
    with pytest.raises(InvalidError, match="holds no registry"):
        verify_path(tmp_path)


@pytest.mark.slow
async def test_a_page_stays_fast_among_a_million_entries(tmp_path: Path) -> None:
    registry = await Registry.open(tmp_path / "data", ManualClock(START), variables={})
    await registry.entities.create(SYSTEM, "Needle")
    await registry.close()
    choose = random.Random(7)
    sessions = [f"session {a}{b:02d}" for a in "ABCDEFGHIJ" for b in range(100)]
    rest = ('{"access_key_id":"AAAAAAAAAAAAAAAAAAAA"}', bytes(32), bytes(32))
    with sqlite3.connect(registry.data_dir / "registry.sqlite3") as database:
        database.executemany(
            "INSERT INTO audit_entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (n, START + n, f"token {n % 50}", None, "key_pair.generated", n % 200, choose.choice(sessions), *rest)
                for n in range(2, 1_000_001)
            ),
        )
    registry = await Registry.open(tmp_path / "data", ManualClock(START), variables={})
    for query in (
        AuditQuery(),
        AuditQuery(subject="session A00"),
        AuditQuery(entity_id=7),
        AuditQuery(actor="token 7"),
        AuditQuery(action="entity."),
        AuditQuery(text="no such text"),
        AuditQuery(since=START + 10, until=START + 20),
    ):
        before, pages = None, 0
        while True:
            start = time.perf_counter()
            page = await registry.audit.search(SYSTEM, query, before=before)
            assert time.perf_counter() - start < 1.0
            pages += 1
            before = page.next
            if before is None or page.entries:
                break
        assert pages <= 20
    assert [entry.subject for entry in page.entries] == ["entity 1"] or query.since is not None
    await registry.close()


async def test_a_hash_that_was_kept_finds_a_cut_end_and_a_chain_written_anew(venue: Venue) -> None:
    registry = venue.registry
    kept = (await registry.audit.verify()).hash.hex()
    await registry.entities.create(SYSTEM, "One more")
    last = await registry.audit.verify(kept)
    assert last.sequence == 7
    await registry.close()
    assert verify_path(registry.data_dir, last.hash.hex()).entries == 7
    tamper(registry, "DELETE FROM audit_entry WHERE sequence = 7")
    assert verify_path(registry.data_dir).entries == verify_path(registry.data_dir, kept).entries == 6
    with pytest.raises(AuditDamagedError, match="no entry has the hash that was kept"):
        verify_path(registry.data_dir, last.hash.hex())
