"""The audit: every change and every reading of a secret, chained, append-only; and no action without it."""

import json
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from ontherun.registry import (
    SYSTEM,
    AuditDamagedError,
    ConflictError,
    KeyRefused,
    Principal,
    Registry,
    Role,
    UnavailableError,
)

from .conftest import START, Venue


async def entries(registry: Registry, by: Principal = SYSTEM) -> list[tuple[str, str, str]]:
    """Return (action, actor, subject) of every entry, oldest first."""
    found = await registry.audit_entries(by, limit=1000)
    return [(entry.action, entry.actor, entry.subject) for entry in reversed(found)]


def tamper(registry: Registry, *statements: str) -> None:
    """Change the file behind the registry's back, as somebody would who has it in their hands."""
    with sqlite3.connect(registry.data_dir / "registry.sqlite3") as database:
        for statement in ("DROP TRIGGER audit_entry_no_update", "DROP TRIGGER audit_entry_no_delete", *statements):
            database.execute(statement)


async def test_every_change_and_every_reading_of_a_secret_is_an_entry(venue: Venue) -> None:
    registry, admin = venue.registry, venue.admin
    pair = (await registry.pairs.generate(admin, "A00")).pair
    await registry.pairs.download(admin, "A00", pair.access_key_id, "env")
    await registry.pairs.delete(admin, "A00", pair.access_key_id)
    await registry.party_details.register(admin, "A00", "OURS1", 7)
    token, _ = await registry.tokens.create(admin, "script", Role.READ_ONLY, venue.ours.entity_id)
    await registry.tokens.revoke(admin, token.token_id)
    assert await entries(registry) == [
        ("entity.created", "system", "entity 1"),
        ("entity.created", "system", "entity 2"),
        ("firm.created", "system", "firm OURS1"),
        ("firm.created", "system", "firm THEI1"),
        ("session.created", "system", "session A00"),
        ("session.created", "system", "session A01"),
        ("key_pair.generated", "our admin", "session A00"),
        ("key_pair.downloaded", "our admin", "session A00"),
        ("key_pair.deleted", "our admin", "session A00"),
        ("party_details.registered", "our admin", "session A00"),
        ("api_token.created", "our admin", "API token 1"),
        ("api_token.revoked", "our admin", "API token 1"),
    ]
    assert await registry.verify_audit() == 12


async def test_an_entry_says_when_from_where_and_what(venue: Venue) -> None:
    venue.clock.advance(5)
    pair = (await venue.registry.pairs.generate(venue.admin, "A00")).pair
    await venue.registry.pairs.download(venue.admin, "A00", pair.access_key_id, "env")
    entry, _ = await venue.registry.audit_entries(venue.admin, limit=2)
    assert (entry.at, entry.source, entry.entity_id) == (START + 5, "192.0.2.1", venue.ours.entity_id)
    assert json.loads(entry.details) == {
        "session_id": "A00",
        "access_key_id": pair.access_key_id,
        "file_format": "env",
    }


async def test_a_refused_action_leaves_no_entry(venue: Venue) -> None:
    before = await venue.registry.verify_audit()
    with pytest.raises(ConflictError):
        await venue.registry.firms.create(SYSTEM, venue.ours.entity_id, "OURS1", "Again")
    assert await venue.registry.verify_audit() == before


async def test_each_entity_sees_its_own_entries_newest_first_in_pages(venue: Venue) -> None:
    seen = await venue.registry.audit_entries(venue.stranger)
    assert [entry.subject for entry in seen] == ["session A01", "firm THEI1", "entity 2"]
    page = await venue.registry.audit_entries(venue.stranger, before=seen[0].sequence, limit=1)
    assert page == [seen[1]]


async def test_the_chain_goes_on_after_a_restart(tmp_path: Path, venue: Venue) -> None:
    await venue.registry.close()
    again = await Registry.open(tmp_path / "data", venue.clock, market_segments=(40, 41), variables={})
    await again.pairs.generate(SYSTEM, "A00")
    assert await again.verify_audit() == 7
    await again.close()


@pytest.mark.parametrize(
    "change",
    [
        "at = at + 1",
        "actor = 'nobody'",
        "source = '198.51.100.1'",
        "action = 'key_pair.listed'",
        "entity_id = 2",
        "subject = 'session A01'",
        "details = '{}'",
        "hash = zeroblob(32)",
    ],
)
async def test_an_altered_entry_is_found(venue: Venue, change: str) -> None:
    tamper(venue.registry, f"UPDATE audit_entry SET {change} WHERE sequence = 3")
    with pytest.raises(AuditDamagedError, match="Audit entry 3: was altered") as damage:
        await venue.registry.verify_audit()
    assert damage.value.sequence == 3


@pytest.mark.parametrize(
    ("change", "sequence", "what"),
    [
        ("DELETE FROM audit_entry WHERE sequence = 2", 2, "is missing; entry 3 follows entry 1"),
        ("DELETE FROM audit_entry WHERE sequence = 1", 1, "is missing"),
        ("DELETE FROM audit_entry WHERE sequence >= 5", 5, "is missing, and every entry after it"),
        ("DELETE FROM audit_entry", 1, "is missing, and every entry after it"),
        ("UPDATE audit_entry SET previous_hash = zeroblob(32) WHERE sequence = 4", 4, "does not continue"),
    ],
)
async def test_a_missing_or_replaced_entry_is_found(venue: Venue, change: str, sequence: int, what: str) -> None:
    tamper(venue.registry, change)
    with pytest.raises(AuditDamagedError, match=what) as damage:
        await venue.registry.verify_audit()
    assert damage.value.sequence == sequence


async def test_a_chain_that_was_forged_to_its_end_is_found_by_the_process_that_wrote_the_true_one(
    tmp_path: Path, venue: Venue
) -> None:
    forger = await Registry.open(tmp_path / "forged", venue.clock, variables={})
    for number in range(6):
        await forger.entities.create(SYSTEM, f"Forged {number}")
    await forger.close()
    tamper(
        venue.registry,
        "DELETE FROM audit_entry",
        f"ATTACH '{tmp_path / 'forged' / 'registry.sqlite3'}' AS forged",
        "INSERT INTO audit_entry SELECT * FROM forged.audit_entry",
    )
    with pytest.raises(AuditDamagedError, match="is not the one that this process wrote"):
        await venue.registry.verify_audit()


@pytest.mark.parametrize("statement", ["UPDATE audit_entry SET actor = 'x'", "DELETE FROM audit_entry"])
async def test_the_database_itself_refuses_to_change_the_past(venue: Venue, statement: str) -> None:
    with (
        sqlite3.connect(venue.registry.data_dir / "registry.sqlite3") as database,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        database.execute(statement)


async def test_verifying_reads_more_entries_than_one_page(registry: Registry) -> None:
    entity = await registry.entities.create(SYSTEM, "Ours")
    async with registry._store.change(SYSTEM) as change:
        for number in range(2500):
            change.record("test.recorded", entity.entity_id, f"number {number}")
    assert await registry.verify_audit() == 2501


PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VuAyEA3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=
-----END PUBLIC KEY-----"""

Action = Callable[[Venue, str], Awaitable[object]]
ACTIONS: dict[str, Action] = {
    "entity": lambda venue, _pair: venue.registry.entities.create(SYSTEM, "New"),
    "firm": lambda venue, _pair: venue.registry.firms.create(venue.admin, venue.ours.entity_id, "OURS2", "New"),
    "session": lambda venue, _pair: venue.registry.sessions.create(venue.admin, ["OURS1"], [40]),
    "party details": lambda venue, _pair: venue.registry.party_details.register(venue.admin, "A00", "OURS1", 7),
    "generate": lambda venue, _pair: venue.registry.pairs.generate(venue.admin, "A00"),
    "download": lambda venue, pair: venue.registry.pairs.download(venue.admin, "A00", pair, "json"),
    "delete": lambda venue, pair: venue.registry.pairs.delete(venue.admin, "A00", pair),
    "sealed download": lambda venue, pair: venue.registry.pairs.download_sealed(venue.admin, "A00", pair, PUBLIC_KEY),
    "deactivate": lambda venue, pair: venue.registry.pairs.deactivate(venue.admin, "A00", pair),
    "revoke": lambda venue, _pair: venue.registry.pairs.revoke_session(venue.admin, "A00", reason="lost"),
    "bulk generate": lambda venue, _pair: venue.registry.pairs_in_bulk.generate(venue.admin, ["A00"]),
    "bulk download": lambda venue, pair: venue.registry.pairs_in_bulk.download(venue.admin, [("A00", pair)], "json"),
    "bulk delete": lambda venue, pair: venue.registry.pairs_in_bulk.delete(venue.admin, [("A00", pair)]),
    "token": lambda venue, _pair: venue.registry.tokens.create(SYSTEM, "New", Role.ADMIN_MANAGER, None),
}


def snapshot(registry: Registry) -> list[object]:
    """Return everything that a gateway or a page can see."""
    directory = registry.directory
    return [
        list(directory.entities()),
        list(directory.firms()),
        list(directory.sessions()),
        list(directory.people.tokens.values()),
        [(list(directory.pairs_of(session.session_id))) for session in directory.sessions()],
        dict(directory.party_details("A00", "OURS1")),
    ]


@pytest.mark.parametrize("action", ACTIONS)
async def test_where_the_audit_cannot_be_written_the_action_does_not_happen(venue: Venue, action: str) -> None:
    registry = venue.registry
    pair = (await registry.pairs.generate(venue.admin, "A00")).pair
    before = snapshot(registry)
    tamper(
        registry,
        "CREATE TRIGGER no_audit BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(ABORT, 'no room for the audit'); END",
    )
    with pytest.raises(UnavailableError, match=r"no room for the audit\). Nothing was changed"):
        await ACTIONS[action](venue, pair.access_key_id)
    assert snapshot(registry) == before
    tamper_back = sqlite3.connect(registry.data_dir / "registry.sqlite3")
    tamper_back.execute("DROP TRIGGER no_audit")
    tamper_back.close()
    assert not isinstance(registry.directory.key(pair.access_key_id, "A00", venue.clock.now()), KeyRefused)
    await registry.close()
    again = await Registry.open(registry.data_dir, venue.clock, market_segments=(40, 41), variables={})
    assert snapshot(again) == before
    assert await again.verify_audit() == 7
    await ACTIONS[action](Venue(**{**vars(venue), "registry": again}), pair.access_key_id)
    assert await again.verify_audit() == (9 if "generate" in action else 8)  # the older pair gets its sunset
    await again.close()
