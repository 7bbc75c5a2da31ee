"""Many key pairs in one transaction."""

import json

import pytest

from ontherun.keys import PairDeletedError
from ontherun.registry import (
    LARGEST_BULK,
    RIGHTS_OF,
    SYSTEM,
    InvalidError,
    NotFoundError,
    Principal,
    PrincipalKind,
    Role,
    SecondFactor,
    SecondFactorRequiredError,
)

from .conftest import Venue


@pytest.fixture
async def ids(venue: Venue) -> list[str]:
    """Three sessions of ours."""
    return ["A00", *[(await venue.registry.sessions.create(SYSTEM, ["OURS1"], [40])).session_id for _ in range(2)]]


async def test_a_pair_is_generated_for_each_session(venue: Venue, ids: list[str]) -> None:
    outcomes = await venue.registry.pairs_in_bulk.generate(venue.admin, ids)
    assert [outcome.session_id for outcome in outcomes] == ids
    for outcome in outcomes:
        (stored,) = venue.registry.pairs.list(venue.admin, outcome.session_id)
        assert stored.pair.access_key_id == outcome.access_key_id


async def test_what_cannot_be_done_is_said_and_the_rest_is_done(venue: Venue, ids: list[str]) -> None:
    bulk = venue.registry.pairs_in_bulk
    for _ in range(2):
        await venue.registry.pairs.generate(SYSTEM, ids[0])
    outcomes = await bulk.generate(venue.admin, [*ids, "A01", "ZZZ"])
    assert [outcome.problem is None for outcome in outcomes] == [False, True, True, False, False]
    assert "already has 2 key pairs" in (outcomes[0].problem or "")
    assert outcomes[3].problem == "There is no session A01."  # somebody else's
    with pytest.raises(NotFoundError, match="There is no session A01"):
        await bulk.generate(venue.admin, ["A01"])


async def test_where_two_pairs_are_there_the_oldest_goes_when_that_was_asked_for(venue: Venue, ids: list[str]) -> None:
    bulk, pairs = venue.registry.pairs_in_bulk, venue.registry.pairs
    first = await pairs.generate(SYSTEM, ids[0])
    second = await pairs.generate(SYSTEM, ids[0])
    outcomes = await bulk.generate(venue.admin, ids, delete_oldest=True)
    assert [outcome.problem for outcome in outcomes] == [None] * 3
    held = [stored.pair.access_key_id for stored in pairs.list(SYSTEM, ids[0])]
    assert held == [second.pair.access_key_id, outcomes[0].access_key_id]
    assert first.pair.access_key_id not in held


async def test_pairs_are_read_together_with_an_audit_entry_each(venue: Venue, ids: list[str]) -> None:
    bulk = venue.registry.pairs_in_bulk
    made = await bulk.generate(venue.admin, ids)
    wanted = [(outcome.session_id, outcome.access_key_id or "") for outcome in made]
    before = await venue.registry.verify_audit()
    files = await bulk.download(venue.admin, wanted, "json", reason="roll-out")
    assert [(file.pair.session_id, file.pair.access_key_id) for file in files] == wanted
    assert len({file.secret for file in files}) == 3
    assert await venue.registry.verify_audit() == before + 3
    details = json.loads((await venue.registry.audit_entries(SYSTEM, limit=1))[0].details)
    assert (details["reason"], details["together_with"]) == ("roll-out", 2)


async def test_reading_is_all_or_nothing(venue: Venue, ids: list[str]) -> None:
    bulk = venue.registry.pairs_in_bulk
    (made,) = await bulk.generate(venue.admin, ids[:1])
    before = await venue.registry.verify_audit()
    with pytest.raises(NotFoundError):
        await bulk.download(venue.admin, [("A00", made.access_key_id or ""), ("A01", "x")], "json")
    assert await venue.registry.verify_audit() == before


async def test_a_person_proves_one_second_factor_for_all_of_them(venue: Venue, ids: list[str]) -> None:
    bulk = venue.registry.pairs_in_bulk
    wanted = [(o.session_id, o.access_key_id or "") for o in await bulk.generate(venue.admin, ids)]
    ada = Principal("Ada", PrincipalKind.PERSON, {1: RIGHTS_OF[Role.FULL_ACCESS]}, user_id=7)
    with pytest.raises(SecondFactorRequiredError):
        await bulk.download(ada, wanted, "json")
    proof = SecondFactor(7, venue.clock.now())
    assert len(await bulk.download(ada, wanted, "json", second_factor=proof)) == 3


async def test_pairs_are_deleted_together_and_a_second_time_is_said(venue: Venue, ids: list[str]) -> None:
    bulk = venue.registry.pairs_in_bulk
    wanted = [(o.session_id, o.access_key_id or "") for o in await bulk.generate(venue.admin, ids)]
    await venue.registry.pairs.delete(SYSTEM, *wanted[0])
    outcomes = await bulk.delete(venue.admin, wanted)
    assert [outcome.problem is None for outcome in outcomes] == [False, True, True]
    assert all(venue.registry.pairs.list(SYSTEM, session_id) == [] for session_id in ids)
    with pytest.raises(PairDeletedError):
        await bulk.delete(venue.admin, wanted)


@pytest.mark.parametrize("count", [0, LARGEST_BULK + 1])
async def test_one_call_has_at_least_one_and_at_most_a_thousand(venue: Venue, count: int) -> None:
    bulk = venue.registry.pairs_in_bulk
    wanted = [("A00", f"{number}") for number in range(count)]
    with pytest.raises(InvalidError):
        await bulk.delete(venue.admin, wanted)
    with pytest.raises(InvalidError):
        await bulk.generate(venue.admin, [f"{number}" for number in range(count)])


async def test_the_newest_pair_of_each_session_is_found(venue: Venue, ids: list[str]) -> None:
    pairs = venue.registry.pairs
    await pairs.generate(SYSTEM, "A00")
    venue.clock.advance(1)
    newest = await pairs.generate(SYSTEM, "A00")
    found = venue.registry.pairs_in_bulk.newest(venue.reader, ids)
    assert [stored.pair.access_key_id for stored in found] == [newest.pair.access_key_id]
