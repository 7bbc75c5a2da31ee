"""Sunsets, third pairs, cut-overs, deactivating and revoking, as they are stored, audited and seen by gateways."""

import asyncio
import json
from datetime import date, time

import pytest

from ontherun.calendar import MARKETS
from ontherun.keys import (
    EndReason,
    KeyPairState,
    KeyPolicy,
    PairChoiceError,
    PairDeletedError,
    PairLimitError,
    PairStateError,
    TooEarlyError,
)
from ontherun.keys.clock import DAY, SECOND
from ontherun.registry import (
    RIGHTS_OF,
    SYSTEM,
    ConflictError,
    ForbiddenError,
    InvalidError,
    KeyFound,
    KeyRefused,
    NotFoundError,
    Principal,
    PrincipalKind,
    Registry,
    Role,
    SecondFactor,
    SecondFactorRequiredError,
)

from .conftest import Venue, principal


async def entries(venue: Venue, count: int) -> list[tuple[str, dict[str, object]]]:
    """The newest audit entries, oldest first: action and details."""
    found = await venue.registry.audit_entries(SYSTEM, limit=count)
    return [(entry.action, json.loads(entry.details)) for entry in reversed(found)]


def person(role: Role, entity_id: int) -> Principal:
    return Principal("Ada", PrincipalKind.PERSON, {entity_id: RIGHTS_OF[role]}, user_id=7)


async def generated(venue: Venue, session_id: str = "A00") -> str:
    return (await venue.registry.pairs.generate(SYSTEM, session_id)).pair.access_key_id


async def test_a_second_pair_sets_the_sunset_of_the_first_in_the_same_transaction(venue: Venue) -> None:
    first = await generated(venue)
    second = await generated(venue)
    sunset = venue.registry.pairs.get(SYSTEM, "A00", first).pair
    assert sunset.ends_by is EndReason.SUNSET
    made, told = await entries(venue, 2)
    assert made[0] == "key_pair.generated"
    assert told == (
        "key_pair.sunset_set",
        {"session_id": "A00", "access_key_id": first, "expires_at": sunset.expires_at, "successor": second},
    )


async def test_for_a_third_pair_the_chosen_one_is_deleted_in_the_same_transaction(venue: Venue) -> None:
    pairs = venue.registry.pairs
    first, second = await generated(venue), await generated(venue)
    third = (await pairs.generate(venue.admin, "A00", delete=second)).pair.access_key_id
    assert [stored.pair.access_key_id for stored in pairs.list(SYSTEM, "A00")] == [first, third]
    assert pairs.get(SYSTEM, "A00", second).secret is None
    assert venue.registry.directory.key(second, "A00", venue.clock.now()) == KeyRefused("deleted")
    assert [action for action, _ in await entries(venue, 2)] == ["key_pair.generated", "key_pair.deleted"]


async def test_a_third_pair_takes_the_right_to_delete(venue: Venue) -> None:
    first, _ = await generated(venue), await generated(venue)
    generator = principal("generator", Role.KEY_GENERATOR, venue.ours.entity_id)
    with pytest.raises(ForbiddenError, match="delete keys"):
        await venue.registry.pairs.generate(generator, "A00", delete=first)


async def test_a_pair_for_a_cut_over_logs_in_from_that_nanosecond_on_and_the_old_one_until_it(venue: Venue) -> None:
    old = await generated(venue)
    at = venue.clock.now() + 3 * DAY
    new = (await venue.registry.pairs.generate(venue.admin, "A00", cut_over_at=at)).pair.access_key_id
    key = venue.registry.directory.key
    assert isinstance(key(old, "A00", at - 1), KeyFound)
    assert key(new, "A00", at - 1) == KeyRefused("not yet valid")
    assert key(old, "A00", at) == KeyRefused("expired")
    assert isinstance(key(new, "A00", at), KeyFound)
    assert (await entries(venue, 1))[0] == (
        "key_pair.cut_over_scheduled",
        {"session_id": "A00", "access_key_id": new, "at": at, "ends": [old]},
    )


async def test_a_cut_over_is_scheduled_between_two_pairs_that_are_there(venue: Venue) -> None:
    old, new = await generated(venue), await generated(venue)
    at = venue.clock.now() + 3 * DAY
    found = await venue.registry.pairs.cut_over(venue.admin, "A00", new, at)
    assert [(stored.pair.access_key_id, stored.pair.ends_by) for stored in found] == [
        (old, EndReason.CUT_OVER),
        (new, EndReason.LIFE),
    ]
    assert venue.registry.pairs.get(SYSTEM, "A00", old).pair.expires_at == at


async def test_a_deactivated_pair_is_refused_and_comes_back_when_it_is_activated(venue: Venue) -> None:
    pairs, key = venue.registry.pairs, venue.registry.directory.key
    access_key_id = await generated(venue)
    off = await pairs.deactivate(venue.admin, "A00", access_key_id)
    assert off.state(venue.clock.now()) is KeyPairState.DEACTIVATED
    assert key(access_key_id, "A00", venue.clock.now()) == KeyRefused("deactivated")
    with pytest.raises(PairStateError):
        await pairs.deactivate(venue.admin, "A00", access_key_id)
    await pairs.activate(venue.admin, "A00", access_key_id)
    assert isinstance(key(access_key_id, "A00", venue.clock.now()), KeyFound)
    assert [action for action, _ in await entries(venue, 2)] == ["key_pair.deactivated", "key_pair.activated"]


async def test_revoking_a_session_deletes_every_living_pair_and_names_the_sessions_to_end(venue: Venue) -> None:
    pairs = venue.registry.pairs
    two = [await generated(venue), await generated(venue)]
    await pairs.deactivate(SYSTEM, "A00", two[1])
    other = await generated(venue, "A01")
    revoked = await pairs.revoke_session(venue.admin, "A00", reason="laptop stolen", end_live_sessions=True)
    assert [stored.pair.access_key_id for stored in revoked.pairs] == two
    assert all(stored.secret is None for stored in revoked.pairs)
    assert revoked.end_live_sessions == ("A00",)
    assert pairs.list(SYSTEM, "A00") == []
    assert isinstance(venue.registry.directory.key(other, "A01", venue.clock.now()), KeyFound)
    action, details = (await entries(venue, 1))[0]
    assert action == "key_pair.revoked"
    assert (details["reason"], details["end_live_sessions"]) == ("laptop stolen", True)


async def test_revoking_a_firm_reaches_every_session_that_carries_it(venue: Venue) -> None:
    await venue.registry.firms.create(SYSTEM, venue.ours.entity_id, "OURS2", "Our second firm")
    both = (await venue.registry.sessions.create(SYSTEM, ["OURS2", "OURS1"], [40])).session_id
    only = (await venue.registry.sessions.create(SYSTEM, ["OURS2"], [40])).session_id
    for session_id in ("A00", both, only):
        await generated(venue, session_id)
    revoked = await venue.registry.pairs.revoke_firm(venue.admin, "OURS1", reason="")
    assert [stored.pair.session_id for stored in revoked.pairs] == ["A00", both]
    assert revoked.end_live_sessions == ()
    with pytest.raises(ConflictError, match="No key pair is there to be revoked"):
        await venue.registry.pairs.revoke_firm(venue.admin, "OURS1", reason="")
    with pytest.raises(NotFoundError):
        await venue.registry.pairs.revoke_firm(venue.stranger, "OURS1", reason="")


async def test_a_person_proves_a_second_factor_for_each_download_and_for_revoking(venue: Venue) -> None:
    pairs, now = venue.registry.pairs, venue.clock.now()
    access_key_id = await generated(venue)
    ada = person(Role.ADMIN_MANAGER, venue.ours.entity_id)
    for proof in (None, SecondFactor(8, now), SecondFactor(7, now - 121 * SECOND)):
        for attempt in (
            pairs.download(ada, "A00", access_key_id, "json", second_factor=proof),
            pairs.download_sealed(ada, "A00", access_key_id, PUBLIC_KEY, second_factor=proof),
            pairs.revoke_session(ada, "A00", reason="", second_factor=proof),
        ):
            with pytest.raises(SecondFactorRequiredError):
                await attempt
    key_file = await pairs.download(
        ada, "A00", access_key_id, "json", reason="new host", second_factor=SecondFactor(7, now)
    )
    assert key_file.pair.access_key_id == access_key_id
    action, details = (await entries(venue, 1))[0]
    assert (action, details["reason"]) == ("key_pair.downloaded", "new host")
    await pairs.revoke_session(ada, "A00", reason="", second_factor=SecondFactor(7, now))


async def test_a_reason_is_one_line_of_visible_text(venue: Venue) -> None:
    access_key_id = await generated(venue)
    with pytest.raises(InvalidError, match="reason"):
        await venue.registry.pairs.download(SYSTEM, "A00", access_key_id, "json", reason="a\nb")


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.ADMIN_MANAGER, {"generate", "download", "delete"}),
        (Role.FULL_ACCESS, {"generate", "download", "delete"}),
        (Role.KEY_GENERATOR, {"generate"}),
        (Role.KEY_DOWNLOADER, {"download"}),
        (Role.KEY_DELETER, {"delete"}),
        (Role.READ_ONLY, set()),
        (Role.AUDITOR, set()),
    ],
)
async def test_each_role_does_with_keys_what_it_may_and_nothing_else(venue: Venue, role: Role, may: set[str]) -> None:
    pairs, bulk = venue.registry.pairs, venue.registry.pairs_in_bulk
    key = await generated(venue)
    by = principal("somebody", role, venue.ours.entity_id)
    later = venue.clock.now() + DAY
    attempts = {
        "generate": [lambda: pairs.generate(by, "A00")],
        "download": [
            lambda: pairs.download(by, "A00", key, "json"),
            lambda: pairs.download_sealed(by, "A00", key, PUBLIC_KEY),
            lambda: bulk.download(by, [("A00", key)], "json"),
        ],
        "delete": [
            lambda: pairs.deactivate(by, "A00", key),
            lambda: pairs.activate(by, "A00", key),
            lambda: pairs.cut_over(by, "A00", key, later),
            lambda: pairs.delete(by, "A00", key),
        ],
    }
    if "generate" not in may:
        await generated(venue)  # so that a cut-over has somewhere to come from
    for right, calls in attempts.items():
        for call in calls:
            if right in may:
                await call()
            else:
                with pytest.raises(ForbiddenError):
                    await call()


async def test_keys_of_others_do_not_exist_for_any_of_it(venue: Venue) -> None:
    pairs, key = venue.registry.pairs, await generated(venue)
    for attempt in (
        pairs.deactivate(venue.stranger, "A00", key),
        pairs.activate(venue.stranger, "A00", key),
        pairs.cut_over(venue.stranger, "A00", key, venue.clock.now() + 1),
        pairs.download_sealed(venue.stranger, "A00", key, PUBLIC_KEY),
    ):
        with pytest.raises(NotFoundError):
            await attempt
    for attempt in (
        lambda: pairs.revoke_session(venue.stranger, "A00", reason=""),
        lambda: pairs.delete(venue.admin, "A01", key),
    ):
        with pytest.raises(NotFoundError):
            await attempt()
    assert pairs.every(venue.stranger) == []
    assert [stored.pair.access_key_id for stored in pairs.every(venue.admin)] == [key]
    with pytest.raises(NotFoundError):
        pairs.health_of_entity(venue.stranger, venue.ours.entity_id)


async def test_three_people_who_make_a_third_pair_at_the_same_time_make_one(venue: Venue) -> None:
    pairs = venue.registry.pairs
    first, _ = await generated(venue), await generated(venue)
    results = await asyncio.gather(
        *(pairs.generate(venue.admin, "A00", delete=first) for _ in range(3)), return_exceptions=True
    )
    assert sum(isinstance(result, PairChoiceError) for result in results) == 2
    assert len(pairs.list(SYSTEM, "A00")) == 2


async def test_generate_against_delete_leaves_at_most_two_pairs_whoever_comes_first(venue: Venue) -> None:
    pairs = venue.registry.pairs
    for turn in range(4):
        while len(pairs.list(SYSTEM, "A00")) < 2:
            await generated(venue)
        oldest = pairs.list(SYSTEM, "A00")[0].pair.access_key_id
        both = [pairs.generate(venue.admin, "A00"), pairs.delete(venue.admin, "A00", oldest)]
        results = await asyncio.gather(*(both if turn % 2 else reversed(both)), return_exceptions=True)
        refused = [result for result in results if isinstance(result, BaseException)]
        assert all(isinstance(result, PairLimitError) for result in refused)
        assert 1 <= len(pairs.list(SYSTEM, "A00")) <= 2


async def test_revoke_against_generate_leaves_no_pair_that_was_there_before(venue: Venue) -> None:
    pairs, old = venue.registry.pairs, await generated(venue)
    await asyncio.gather(
        pairs.generate(venue.admin, "A00"),
        pairs.revoke_session(venue.admin, "A00", reason="lost"),
        pairs.delete(venue.admin, "A00", old),
        return_exceptions=True,
    )
    assert old not in [stored.pair.access_key_id for stored in pairs.list(SYSTEM, "A00")]


async def test_a_clock_that_is_moved_back_resurrects_nothing_and_extends_no_life(venue: Venue) -> None:
    pairs, clock, key = venue.registry.pairs, venue.clock, venue.registry.directory.key
    start = clock.now()
    deleted, old = await generated(venue), await generated(venue)
    await pairs.delete(SYSTEM, "A00", deleted)
    clock.advance(20 * DAY)
    await generated(venue)
    sunset = pairs.get(SYSTEM, "A00", old).pair.expires_at
    clock.set(sunset)
    await generated(venue)
    clock.set(start)
    assert key(deleted, "A00", clock.now()) == KeyRefused("deleted")
    assert key(old, "A00", clock.now()) == KeyRefused("expired")
    assert pairs.get(SYSTEM, "A00", old).pair.expires_at == sunset
    with pytest.raises(PairLimitError):
        await generated(venue)
    with pytest.raises(PairDeletedError):
        await pairs.delete(SYSTEM, "A00", deleted)


async def test_a_day_of_the_calendar_can_be_overridden_for_a_venue(venue: Venue) -> None:
    await venue.registry.close()
    calendar = MARKETS["US actives"].with_overrides({date(2026, 12, 31): time(11), date(2026, 1, 28): None})
    registry = await Registry.open(
        venue.registry.data_dir,
        venue.clock,
        variables={},
        policy=KeyPolicy(calendars={**MARKETS, "US actives": calendar}),
    )
    pair = (await registry.pairs.generate(SYSTEM, "A00")).pair
    assert pair.expires_at == calendar.close_on(date(2026, 12, 31))
    second = await registry.pairs.generate(SYSTEM, "A00")
    assert registry.pairs.get(SYSTEM, "A00", pair.access_key_id).pair.expires_at == calendar.close_on(date(2026, 1, 29))
    assert registry.pairs.calendar_of(venue.session) is calendar
    assert second.pair.expires_at == pair.expires_at
    await registry.close()


async def test_the_operator_switches_the_rules_that_the_exchange_s_pages_contradict(venue: Venue) -> None:
    pairs, policies = venue.registry.pairs, venue.registry.policies
    first = await generated(venue)
    await policies.set(SYSTEM, second_key_near_expiry_only=True)
    with pytest.raises(TooEarlyError):
        await generated(venue)
    await policies.set(SYSTEM, second_key_near_expiry_only=False, third_key_deletes_oldest=True)
    second = await generated(venue)
    with pytest.raises(PairChoiceError, match=f"Choose {first}"):
        await pairs.generate(venue.admin, "A00", delete=second)
    await pairs.generate(venue.admin, "A00", delete=first)
    await venue.registry.close()
    again = await Registry.open(venue.registry.data_dir, venue.clock, variables={})
    assert again.pairs.policy.oldest_only
    await again.close()


async def test_the_health_of_an_entity_is_that_of_its_sessions(venue: Venue) -> None:
    access_key_id = await generated(venue)
    score, found = venue.registry.pairs.health_of_entity(venue.reader, venue.ours.entity_id)
    assert (score, list(found)) == (100, ["A00"])
    venue.clock.advance(10 * DAY)
    assert venue.registry.pairs.health("A00").score == 85
    venue.registry.pairs.note_use(access_key_id, venue.clock.now(), "192.0.2.1", "40 primary", True)
    assert venue.registry.pairs.health("A00").score == 100


PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VuAyEA3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=
-----END PUBLIC KEY-----"""
