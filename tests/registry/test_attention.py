"""What needs attention, on the manual clock."""

from collections.abc import Collection

import pytest
from tests.support.people import enrol, make_user

from ontherun.keys import ManualClock
from ontherun.registry import (
    SYSTEM,
    CreateSessions,
    Need,
    NeedKind,
    PeoplePolicy,
    Principal,
    PrincipalKind,
    Registry,
    Role,
    look_over,
)

from .conftest import Venue, principal

DAY = 86_400 * 1_000_000_000


async def needs(registry: Registry, by: Principal = SYSTEM, closed: Collection[str] = ()) -> list[Need]:
    return (await look_over(registry, by, closed)).needs


async def found(registry: Registry, closed: Collection[str] = ()) -> list[tuple[NeedKind, str]]:
    return [(need.kind, need.subject) for need in await needs(registry, closed=closed)]


@pytest.fixture
async def session_id(registry: Registry) -> str:
    """A session of a firm of the first entity."""
    entity = await registry.entities.create(SYSTEM, "Ours")
    await registry.firms.create(SYSTEM, entity.entity_id, "OURS1", "Ours first")
    return (await registry.sessions.create(SYSTEM, ["OURS1"], [40], label="algo")).session_id


async def test_a_session_without_a_valid_key_pair_needs_one(registry: Registry, session_id: str) -> None:
    assert await needs(registry) == [Need(NeedKind.NO_VALID_KEY, 1, session_id, "algo")]
    await registry.pairs.generate(SYSTEM, session_id)
    assert await found(registry) == []


async def test_a_key_pair_that_expires_within_four_weeks_needs_a_successor(
    registry: Registry, session_id: str, clock: ManualClock
) -> None:
    pair = (await registry.pairs.generate(SYSTEM, session_id)).pair
    clock.set(pair.expires_at - 28 * DAY - 1)
    assert (NeedKind.KEY_EXPIRES, session_id) not in await found(registry)
    clock.advance(1)
    assert (await needs(registry))[0] == Need(NeedKind.KEY_EXPIRES, 1, session_id, pair.access_key_id, pair.expires_at)
    await registry.pairs.generate(SYSTEM, session_id)
    assert (NeedKind.KEY_EXPIRES, session_id) not in await found(registry)


async def test_an_old_key_pair_that_still_logs_in_is_named_with_its_end(
    registry: Registry, session_id: str, clock: ManualClock
) -> None:
    old = (await registry.pairs.generate(SYSTEM, session_id)).pair.access_key_id
    clock.advance(DAY)
    await registry.pairs.generate(SYSTEM, session_id)
    clock.advance(DAY)
    registry.pairs.note_use(old, clock.now(), "10.0.0.1", "segment 40", ok=True)
    (need,) = await needs(registry)
    stored = registry.directory.pair(old)
    assert stored is not None
    assert (need.kind, need.about, need.at) == (NeedKind.OLD_KEY_IN_USE, old, stored.pair.expires_at)


async def test_a_key_pair_that_nobody_uses_is_named_after_a_week(
    registry: Registry, session_id: str, clock: ManualClock
) -> None:
    await registry.pairs.generate(SYSTEM, session_id)
    clock.advance(7 * DAY - 1)
    assert await found(registry) == []
    clock.advance(1)
    assert await found(registry) == [(NeedKind.KEY_NEVER_USED, session_id)]


async def test_a_key_pair_whose_last_login_was_refused_is_named_for_a_day(
    registry: Registry, session_id: str, clock: ManualClock
) -> None:
    pair = (await registry.pairs.generate(SYSTEM, session_id)).pair
    registry.pairs.note_use(pair.access_key_id, clock.now(), "10.0.0.1", "segment 40", ok=False)
    assert await found(registry) == [(NeedKind.KEY_FAILING, session_id)]
    clock.advance(DAY + 1)
    assert await found(registry) == []


async def test_the_most_pressing_comes_first(registry: Registry, session_id: str, clock: ManualClock) -> None:
    other = (await registry.sessions.create(SYSTEM, ["OURS1"], [40])).session_id
    pair = (await registry.pairs.generate(SYSTEM, other)).pair
    clock.set(pair.expires_at - 1)
    assert (await found(registry, {other}))[:3] == [
        (NeedKind.PORT_CLOSED, other),
        (NeedKind.NO_VALID_KEY, session_id),
        (NeedKind.KEY_EXPIRES, other),
    ]


async def test_nobody_is_told_of_what_is_not_theirs(registry: Registry, session_id: str) -> None:
    stranger = Principal("stranger", PrincipalKind.PERSON, {2: frozenset()})
    assert await needs(registry, stranger, {session_id}) == []


async def test_a_request_that_waits_is_named_to_those_who_may_decide(venue: Venue) -> None:
    await venue.registry.policies.set(SYSTEM, four_eyes=True)
    request = await venue.registry.requests.submit(
        venue.admin, CreateSessions(firms=("OURS1",), market_segments=(40,), number_of_sessions=2)
    )
    colleague = principal("colleague", Role.ADMIN_MANAGER, venue.ours.entity_id)
    kinds = {
        by.name: [need for need in await needs(venue.registry, by) if need.kind is NeedKind.REQUEST_WAITS]
        for by in (colleague, venue.admin, venue.reader, venue.stranger)
    }
    (need,) = kinds.pop("colleague")
    assert (need.subject, need.about, need.at) == (str(request.request_id), request.summary, request.submitted_at)
    assert not any(kinds.values()), "nobody decides on their own request, or without the right"


async def test_a_notice_that_perhaps_did_not_arrive_is_named(venue: Venue) -> None:
    registry = venue.registry
    registry.notices.outbox.mail_configured = True
    await registry.notices.addresses.add(venue.admin, venue.ours.entity_id, "keys-team@bank.example")
    await registry.pairs.generate(venue.admin, "A00")
    ((_, delivery), *_) = await registry.notices.deliveries.page(venue.admin)
    await registry.notices.deliveries.claim(delivery, "<1@x>")
    assert not any(need.kind is NeedKind.DELIVERY_FAILED for need in await needs(registry, venue.admin))
    await registry.notices.deliveries.lost_at_the_start()
    (need,) = (need for need in await needs(registry, venue.admin) if need.kind is NeedKind.DELIVERY_FAILED)
    assert (need.subject, need.about) == (delivery.delivery_id, "mail: keys-team@bank.example")
    assert not any(need.kind is NeedKind.DELIVERY_FAILED for need in await needs(registry, venue.stranger))


async def test_people_without_second_factor_and_entities_with_one_admin_are_named_to_those_who_manage_people(
    venue: Venue,
) -> None:
    registry = venue.registry
    registry.people_policy = PeoplePolicy()
    await make_user(registry, "ada@bank.example", {1: Role.ADMIN_MANAGER})
    of_people = {NeedKind.TOO_FEW_ADMINS, NeedKind.NO_SECOND_FACTOR}

    async def found_by(by: Principal) -> list[tuple[NeedKind, str]]:
        return [(need.kind, need.about) for need in await needs(registry, by) if need.kind in of_people]

    assert await found_by(venue.admin) == [
        (NeedKind.TOO_FEW_ADMINS, "Ours has 1"),
        (NeedKind.NO_SECOND_FACTOR, "ada@bank.example"),
    ]
    assert await found_by(venue.reader) == []
    assert await found_by(venue.stranger) == []
    await make_user(registry, "bob@bank.example", {1: Role.ADMIN_MANAGER})
    for email in ("ada@bank.example", "bob@bank.example"):
        await enrol(registry, email)
    assert await found_by(venue.admin) == []
