"""Logins are noted at once, written in batches, and found again after a restart."""

import asyncio
import logging

import pytest

from ontherun.keys import NEVER, KeyUse
from ontherun.registry import SYSTEM, Registry, UnavailableError, key_use
from ontherun.registry.store import Store

from .conftest import Venue


async def noted(venue: Venue) -> str:
    access_key_id = (await venue.registry.pairs.generate(SYSTEM, "A00")).pair.access_key_id
    pairs = venue.registry.pairs
    pairs.note_use(access_key_id, 10, "192.0.2.1", "40 primary", True)
    pairs.note_use(access_key_id, 20, "192.0.2.2", "40 primary", False)
    return access_key_id


USED = KeyUse(1, 1, 10, 10, "192.0.2.1", "40 primary", 20, "192.0.2.2")


async def test_a_login_is_seen_at_once(venue: Venue) -> None:
    access_key_id = await noted(venue)
    assert venue.registry.pairs.use_of(access_key_id) == USED
    assert venue.registry.pairs.use_of("A" * 20) is NEVER


async def test_no_login_is_an_audit_entry_or_a_commit(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    access_key_id = await noted(venue)
    before = await venue.registry.verify_audit()
    with monkeypatch.context() as patched:
        patched.setattr(Store, "note", None)  # a commit would fail
        for at in range(100):
            venue.registry.pairs.note_use(access_key_id, at, "192.0.2.1", "40 primary", True)
        await asyncio.sleep(0)
    assert await venue.registry.verify_audit() == before


async def test_the_use_of_keys_is_written_a_little_later_without_anybody_s_doing(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_use, "FLUSH_AFTER", 0.01)
    access_key_id = await noted(venue)
    for _ in range(200):
        async with venue.registry._store._engine.begin() as connection:
            if access_key_id in await key_use.load_key_uses(connection):
                return
        await asyncio.sleep(0.01)
    pytest.fail("it was not written")


async def test_the_use_of_keys_is_found_again_after_a_restart(venue: Venue) -> None:
    access_key_id = await noted(venue)
    await venue.registry.close()
    again = await Registry.open(venue.registry.data_dir, venue.clock, variables={})
    assert again.pairs.use_of(access_key_id) == USED
    again.pairs.note_use(access_key_id, 30, "192.0.2.3", "40 backup", True)
    await again.pairs.uses.flush()
    assert again.pairs.use_of(access_key_id).successes == 2
    await again.close()


async def test_more_keys_than_one_batch_are_written(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_use, "_BATCH", 2)
    ids = [
        outcome.access_key_id or ""
        for outcome in await venue.registry.pairs_in_bulk.generate(
            SYSTEM, [(await venue.registry.sessions.create(SYSTEM, ["OURS1"], [40])).session_id for _ in range(5)]
        )
    ]
    for access_key_id in ids:
        venue.registry.pairs.note_use(access_key_id, 10, "192.0.2.1", "40 primary", True)
    await venue.registry.pairs.uses.flush()
    async with venue.registry._store._engine.begin() as connection:
        assert set(await key_use.load_key_uses(connection)) == set(ids)


async def test_a_login_with_an_unknown_key_is_not_kept(venue: Venue) -> None:
    venue.registry.pairs.note_use("A" * 20, 10, "192.0.2.1", "40 primary", False)
    assert venue.registry.pairs.use_of("A" * 20) is NEVER


async def test_a_source_is_cut_to_what_the_table_holds(venue: Venue) -> None:
    access_key_id = await noted(venue)
    venue.registry.pairs.note_use(access_key_id, 10, "x" * 500, "y" * 500, True)
    assert len(venue.registry.pairs.use_of(access_key_id).last_source) == 100


async def test_what_could_not_be_written_is_kept_and_written_later(
    venue: Venue, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(key_use, "FLUSH_AFTER", 0.01)
    access_key_id = await noted(venue)
    failed = asyncio.Event()

    async def full(*_arguments: object) -> None:
        failed.set()
        raise UnavailableError("disk is full")

    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
        patched.setattr(Store, "note", full)
        for _ in range(2):
            failed.clear()
            await failed.wait()
        assert "is written later: disk is full" in caplog.text
        with pytest.raises(UnavailableError):
            await venue.registry.pairs.uses.flush()
    await venue.registry.pairs.uses.flush()
    async with venue.registry._store._engine.begin() as connection:
        assert (await key_use.load_key_uses(connection))[access_key_id] == USED
