"""The expiry ladder: each rung once for each pair and expiry, nothing missed, whatever the clock does."""

import json
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ontherun.keys import LADDER, KeyPair, ManualClock, next_notice
from ontherun.keys.clock import DAY, SECOND
from ontherun.registry import SYSTEM, Registry, UnavailableError
from ontherun.registry.ladder import rung_due

from .conftest import START, Venue, broken_audit

HOUR = 3600 * SECOND


async def announced(registry: Registry) -> list[tuple[str, int, int]]:
    """What the audit says was announced: (Access Key ID, expiry, days), oldest first."""
    entries = await registry.audit_entries(SYSTEM, limit=1000)
    found = [json.loads(entry.details) for entry in reversed(entries) if entry.action.startswith("key_pair.expir")]
    return [(each["access_key_id"], each["expires_at"], each["days"]) for each in found]


async def test_each_rung_is_announced_at_its_instant_and_not_a_nanosecond_before(venue: Venue) -> None:
    pair = (await venue.registry.pairs.generate(venue.admin, "A00")).pair
    ladder = venue.registry.notices.ladder
    for days in LADDER:
        assert ladder.next_at() == pair.expires_at - days * DAY
        venue.clock.set(pair.expires_at - days * DAY - 1)
        assert await ladder.climb() == 0
        venue.clock.advance(1)
        assert await ladder.climb() == 1
        assert await ladder.climb() == 0
    assert ladder.next_at() is None
    assert await announced(venue.registry) == [(pair.access_key_id, pair.expires_at, days) for days in LADDER]


async def test_pairs_that_are_due_within_a_day_are_not_looked_through_while_none_is_due(venue: Venue) -> None:
    pair = (await venue.registry.pairs.generate(venue.admin, "A00")).pair
    venue.clock.set(pair.expires_at - 28 * DAY - HOUR)
    ladder = venue.registry.notices.ladder
    ladder.next_at()
    assert await ladder.climb() == 0
    assert not venue.registry.directory.touched_pairs  # whatever was taken from the heap would be put back by these


async def test_after_a_pause_only_the_most_urgent_rung_is_announced(venue: Venue) -> None:
    pair = (await venue.registry.pairs.generate(venue.admin, "A00")).pair
    venue.clock.set(pair.expires_at - 2 * DAY)
    await venue.registry.notices.ladder.climb()
    assert await announced(venue.registry) == [(pair.access_key_id, pair.expires_at, 3)]


async def test_an_expiry_that_was_moved_starts_anew_and_what_was_announced_for_it_is_not_repeated(
    venue: Venue,
) -> None:
    stored = await venue.registry.pairs.generate(venue.admin, "A00")
    ladder, directory, first = venue.registry.notices.ladder, venue.registry.directory, stored.pair.expires_at
    venue.clock.set(first - 7 * DAY)
    await ladder.climb()
    for expires_at, expected in ((first + 30 * DAY, []), (first, []), (first - 2 * DAY, [7]), (first, [])):
        before = await announced(venue.registry)
        directory.put_pair(replace(stored, pair=replace(stored.pair, expires_at=expires_at)))
        await ladder.climb()
        assert [days for _, _, days in (await announced(venue.registry))[len(before) :]] == expected
    venue.clock.set(first - 3 * DAY)
    await ladder.climb()
    assert (await announced(venue.registry))[-1] == (stored.pair.access_key_id, first, 3)


async def test_a_deleted_pair_is_not_announced(venue: Venue) -> None:
    pair = (await venue.registry.pairs.generate(venue.admin, "A00")).pair
    await venue.registry.pairs.delete(venue.admin, "A00", pair.access_key_id)
    venue.clock.set(pair.expires_at)
    assert venue.registry.notices.ladder.next_at() is None
    assert await venue.registry.notices.ladder.climb() == 0


async def test_pairs_of_one_entity_that_expire_on_one_day_are_one_notice(venue: Venue) -> None:
    registry = venue.registry
    await registry.sessions.create(SYSTEM, ["OURS1"], [40])
    first = (await registry.pairs.generate(venue.admin, "A00")).pair
    for by, session_id in ((venue.admin, "A02"), (venue.stranger, "A01")):
        stored = await registry.pairs.generate(by, session_id)
        later = replace(stored.pair, expires_at=first.expires_at + 3 * HOUR)
        registry.directory.put_pair(replace(stored, pair=later))
    (second,) = (stored.pair for stored in registry.directory.pairs_of("A02"))
    (theirs,) = (stored.pair for stored in registry.directory.pairs_of("A01"))
    venue.clock.set(first.expires_at - 28 * DAY)
    assert await registry.notices.ladder.climb() == 2
    assert [name for name, _, _ in await announced(registry)] == [first.access_key_id, second.access_key_id]
    newest = (await registry.notices.messages.page(venue.admin, limit=1))[0].notice
    assert [each.details["access_key_id"] for each in newest.happenings] == [first.access_key_id, second.access_key_id]
    venue.clock.advance(3 * HOUR)
    assert await registry.notices.ladder.climb() == 1
    assert (await announced(registry))[-1][0] == theirs.access_key_id


async def test_what_was_announced_is_known_after_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    registry = await Registry.open(tmp_path / "data", clock, variables={})
    await registry.seed_demo()
    pair = next(iter(registry.directory.pairs_of("A00"))).pair
    clock.set(pair.expires_at - 14 * DAY)
    assert await registry.notices.ladder.climb() == 2
    await registry.close()
    registry = await Registry.open(tmp_path / "data", clock, variables={})
    assert await registry.notices.ladder.climb() == 0
    clock.set(pair.expires_at)
    assert await registry.notices.ladder.climb() == 2
    await registry.close()


async def test_where_the_audit_cannot_be_written_the_rung_stays_due(venue: Venue) -> None:
    pair = (await venue.registry.pairs.generate(venue.admin, "A00")).pair
    venue.clock.set(pair.expires_at)
    with broken_audit(venue.registry), pytest.raises(UnavailableError):
        await venue.registry.notices.ladder.climb()
    assert await announced(venue.registry) == []
    assert await venue.registry.notices.messages.page(venue.admin, limit=1) != []
    assert await venue.registry.notices.ladder.climb() == 1


@given(st.lists(st.integers(-400 * 24, 400 * 24), max_size=40))
def test_on_any_walk_of_the_clock_each_rung_comes_once_at_most_and_the_last_due_one_is_never_missed(
    hours: list[int],
) -> None:
    pair = KeyPair("A00", "K", START, START + 365 * DAY)
    now, reached, seen = START, None, list[int]()
    for step in hours:
        now = max(0, now + step * HOUR)
        coming = next_notice(pair, reached)
        days = rung_due(pair, reached, now)
        assert (days is not None) == (coming is not None and coming.due_at <= now)
        if days is not None:
            seen.append(days)
            reached = days
        due = [each for each in LADDER if pair.expires_at - each * DAY <= now]
        assert not due or (reached is not None and reached <= due[-1])
    assert len(seen) == len(set(seen))
    assert seen == sorted(seen, reverse=True)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(["move", "generate", "delete", "restart"]), st.integers(-20, 60)), max_size=25)
)
async def test_on_any_walk_with_pairs_that_come_and_go_no_rung_is_announced_twice_and_none_is_left(
    steps: list[tuple[str, int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clock = ManualClock(START)
        registry = await Registry.open(Path(folder), clock, variables={})
        await registry.seed_demo()
        for what, number in steps:
            clock.set(max(0, clock.now() + number * DAY))
            valid = registry.directory.valid_pairs_of("A00", clock.now())
            if what == "generate" and len(valid) < 2:
                await registry.pairs.generate(SYSTEM, "A00")
            elif what == "delete" and valid:
                await registry.pairs.delete(SYSTEM, "A00", valid[0].pair.access_key_id)
            elif what == "restart":
                await registry.close()
                registry = await Registry.open(Path(folder), clock, variables={})
            await registry.notices.ladder.climb()
            at = registry.notices.ladder.next_at()
            assert at is None or at > clock.now()
        found = await announced(registry)
        assert len(found) == len(set(found))
        await registry.close()
