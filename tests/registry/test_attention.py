"""What needs attention, on the manual clock."""

from collections.abc import Collection

import pytest

from ontherun.keys import ManualClock
from ontherun.registry import SYSTEM, Need, NeedKind, Principal, PrincipalKind, Registry, needs

DAY = 86_400 * 1_000_000_000


def found(registry: Registry, closed: Collection[str] = ()) -> list[tuple[NeedKind, str]]:
    return [(need.kind, need.subject) for need in needs(registry, SYSTEM, closed)]


@pytest.fixture
async def session_id(registry: Registry) -> str:
    """A session of a firm of the first entity."""
    entity = await registry.entities.create(SYSTEM, "Ours")
    await registry.firms.create(SYSTEM, entity.entity_id, "OURS1", "Ours first")
    return (await registry.sessions.create(SYSTEM, ["OURS1"], [40], label="algo")).session_id


async def test_a_session_without_a_valid_key_pair_needs_one(registry: Registry, session_id: str) -> None:
    assert needs(registry, SYSTEM, ()) == [Need(NeedKind.NO_VALID_KEY, 1, session_id, "algo")]
    await registry.pairs.generate(SYSTEM, session_id)
    assert found(registry) == []


async def test_a_key_pair_that_expires_within_four_weeks_needs_a_successor(
    registry: Registry, session_id: str, clock: ManualClock
) -> None:
    pair = (await registry.pairs.generate(SYSTEM, session_id)).pair
    clock.set(pair.expires_at - 28 * DAY - 1)
    assert found(registry) == []
    clock.advance(1)
    assert needs(registry, SYSTEM, ()) == [
        Need(NeedKind.KEY_EXPIRES, 1, session_id, pair.access_key_id, pair.expires_at)
    ]
    await registry.pairs.generate(SYSTEM, session_id)
    (handover,) = needs(registry, SYSTEM, ())
    assert (handover.kind, handover.about) == (NeedKind.KEY_HANDOVER, pair.access_key_id)
    assert handover.at is not None
    clock.set(handover.at)
    assert found(registry) == []


async def test_the_most_pressing_comes_first(registry: Registry, session_id: str, clock: ManualClock) -> None:
    other = (await registry.sessions.create(SYSTEM, ["OURS1"], [40])).session_id
    pair = (await registry.pairs.generate(SYSTEM, other)).pair
    clock.set(pair.expires_at - 1)
    assert found(registry, {other}) == [
        (NeedKind.PORT_CLOSED, other),
        (NeedKind.NO_VALID_KEY, session_id),
        (NeedKind.KEY_EXPIRES, other),
    ]


async def test_nobody_is_told_of_what_is_not_theirs(registry: Registry, session_id: str) -> None:
    stranger = Principal("stranger", PrincipalKind.PERSON, {2: frozenset()})
    assert needs(registry, stranger, {session_id}) == []
