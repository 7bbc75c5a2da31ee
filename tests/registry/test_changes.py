"""One change, one transaction: whole or not at all, and the directory knows after the commit, never before."""

import asyncio
import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ontherun.keys import KeyRuleError, ManualClock
from ontherun.registry import SYSTEM, Registry, RegistryError, Role, UnavailableError

from .conftest import START, Venue
from .test_audit import snapshot


async def reopened(registry: Registry) -> Registry:
    await registry.close()
    return await Registry.open(registry.data_dir, registry.clock, market_segments=(40, 41), variables={})


async def test_a_change_without_an_audit_entry_is_not_committed(registry: Registry) -> None:
    with pytest.raises(RuntimeError, match="without an audit entry"):
        async with registry._store.change(SYSTEM):
            pass
    await registry.entities.create(SYSTEM, "Ours")
    assert await registry.verify_audit() == 1


async def test_a_caller_who_goes_away_leaves_file_and_directory_alike(venue: Venue) -> None:
    """A request that is cancelled while its change is being committed: both ends of the change happen, or neither."""
    registry = venue.registry
    for turns in range(12):
        attempt = asyncio.create_task(registry.sessions.create(SYSTEM, ["OURS1"], [40], label=str(turns)))
        for _ in range(turns):
            await asyncio.sleep(0)
        attempt.cancel()
        await asyncio.gather(attempt, return_exceptions=True)
    held = snapshot(registry)
    again = await reopened(registry)
    assert snapshot(again) == held
    await again.verify_audit()
    await again.close()


async def test_a_caller_who_is_cancelled_twice_interrupts_no_commit(venue: Venue) -> None:
    registry = venue.registry
    for turns in range(1, 12):
        attempt = asyncio.create_task(registry.sessions.create(SYSTEM, ["OURS1"], [40], label=str(turns)))
        for _ in range(turns):
            await asyncio.sleep(0)
        for _ in range(3):
            attempt.cancel()
            await asyncio.sleep(0)
        await asyncio.gather(attempt, return_exceptions=True)
    held = snapshot(registry)
    again = await reopened(registry)
    assert snapshot(again) == held
    await again.verify_audit()
    await again.close()


async def test_a_database_that_somebody_else_holds_is_an_error_and_nothing_is_lost(venue: Venue) -> None:
    registry = venue.registry
    await _shorten_busy_timeout(registry)
    with sqlite3.connect(registry.data_dir / "registry.sqlite3", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError, match="database is locked"):
            await registry.pairs.generate(venue.admin, "A00")
        other.execute("ROLLBACK")
    assert registry.pairs.list(venue.admin, "A00") == []
    await registry.pairs.generate(venue.admin, "A00")
    assert await registry.verify_audit() == 7


async def _shorten_busy_timeout(registry: Registry) -> None:
    async with registry._store._engine.begin() as connection:
        await connection.exec_driver_sql("PRAGMA busy_timeout=1")


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "firm",
                "session",
                "generate",
                "third",
                "planned",
                "delete",
                "deactivate",
                "activate",
                "cut over",
                "revoke keys",
                "party",
                "token",
                "revoke",
                "later",
                "reopen",
            ]
        ),
        st.integers(0, 3),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_whatever_was_done_is_found_again_after_a_restart(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    asyncio.run(_do_and_reopen(tmp_path_factory.mktemp("data"), steps))


async def _do_and_reopen(data_dir: Path, steps: list[tuple[str, int]]) -> None:
    clock = ManualClock(START)
    registry = await Registry.open(data_dir, clock, market_segments=(40, 41), variables={})
    entity = await registry.entities.create(SYSTEM, "Ours")
    await registry.firms.create(SYSTEM, entity.entity_id, "OURS1", "Firm")
    await registry.sessions.create(SYSTEM, ["OURS1"], [40])
    for step, number in steps:
        clock.advance(1)
        # A refusal is a right answer here: the point is that both sides agree afterwards.
        with suppress(RegistryError, KeyRuleError):
            registry = await _step(registry, clock, step, number)
    held = snapshot(registry)
    registry = await reopened(registry)
    assert snapshot(registry) == held
    assert await registry.verify_audit() >= 3
    await registry.close()


async def _step(registry: Registry, clock: ManualClock, step: str, number: int) -> Registry:
    pairs = list(registry.directory.pairs_of("A00"))
    match step:
        case "firm":
            await registry.firms.create(SYSTEM, 1, f"OURS{number}", "Firm")
        case "session":
            await registry.sessions.create(SYSTEM, [f"OURS{number}", "OURS1"], [41, 40], label=str(number))
        case "generate":
            await registry.pairs.generate(SYSTEM, "A00")
        case "delete" if pairs:
            await registry.pairs.delete(SYSTEM, "A00", pairs[number % len(pairs)].pair.access_key_id)
        case "third" if pairs:
            await registry.pairs.generate(SYSTEM, "A00", delete=pairs[number % len(pairs)].pair.access_key_id)
        case "planned":
            await registry.pairs.generate(SYSTEM, "A00", cut_over_at=clock.now() + number * 10**15)
        case "deactivate" if pairs:
            await registry.pairs.deactivate(SYSTEM, "A00", pairs[number % len(pairs)].pair.access_key_id)
        case "activate" if pairs:
            await registry.pairs.activate(SYSTEM, "A00", pairs[number % len(pairs)].pair.access_key_id)
        case "cut over" if pairs:
            pair = pairs[number % len(pairs)].pair
            await registry.pairs.cut_over(SYSTEM, "A00", pair.access_key_id, clock.now() + number * 10**14)
        case "revoke keys":
            await registry.pairs.revoke_session(SYSTEM, "A00", reason="lost")
        case "party":
            await registry.party_details.register(SYSTEM, "A00", "OURS1", number, account="H" * number)
        case "token":
            await registry.tokens.create(SYSTEM, str(number), Role.ADMIN_MANAGER, 1 if number else None)
        case "revoke":
            await registry.tokens.revoke(SYSTEM, number)
        case "later":
            clock.advance(number * 10**16)
        case "reopen":
            return await reopened(registry)
    return registry
