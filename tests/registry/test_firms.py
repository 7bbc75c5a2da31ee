"""Globex firms: renamed, withdrawn, and carried by sessions of another entity."""

import pytest

from ontherun.keys import ManualClock
from ontherun.registry import (
    SYSTEM,
    ChangeSession,
    ConflictError,
    CreateSessions,
    ForbiddenError,
    NotFoundError,
    Principal,
    PrincipalKind,
    Registry,
    RenameFirm,
    Right,
    WithdrawFirm,
)

from .conftest import Venue


def manager(entity_id: int, *rights: Right) -> Principal:
    grants = {entity_id: frozenset(rights or (Right.VIEW, Right.MANAGE_SESSIONS))}
    return Principal(f"manager of {entity_id}", PrincipalKind.TOKEN, grants)


OURS, THEIRS = manager(1), manager(2)


@pytest.fixture
async def registry(venue: Venue) -> Registry:
    return venue.registry


async def opened_again(registry: Registry, clock: ManualClock) -> Registry:
    await registry.close()
    return await Registry.open(registry.data_dir, clock, market_segments=(40, 41), variables={})


async def session_of(registry: Registry, *gfids: str) -> str:
    terms = CreateSessions(firms=gfids, market_segments=(40,))
    (session_id,) = (await registry.requests.submit(OURS, terms)).session_ids
    return session_id


async def test_a_firm_is_renamed_and_keeps_its_gfid(registry: Registry, clock: ManualClock) -> None:
    await registry.requests.submit(OURS, RenameFirm(gfid="OURS1", name="Another name"))
    assert registry.firms.get(OURS, "OURS1").name == "Another name"
    with pytest.raises(ConflictError, match="has this name already"):
        await registry.requests.submit(OURS, RenameFirm(gfid="OURS1", name="Another name"))
    with pytest.raises(NotFoundError):
        await registry.requests.submit(THEIRS, RenameFirm(gfid="OURS1", name="Stolen"))
    with pytest.raises(ForbiddenError):
        await registry.requests.submit(manager(1, Right.VIEW), RenameFirm(gfid="OURS1", name="x"))
    again = await opened_again(registry, clock)
    assert again.firms.get(SYSTEM, "OURS1").name == "Another name"
    await again.close()


async def test_a_firm_is_withdrawn_once_no_session_carries_it_and_its_gfid_is_never_given_again(
    registry: Registry, clock: ManualClock
) -> None:
    with pytest.raises(ConflictError, match=r"carried by 1 session \(A00\)"):
        await registry.requests.submit(OURS, WithdrawFirm(gfid="OURS1"))
    await registry.firms.create(SYSTEM, 1, "OURS2", "Second")
    await registry.requests.submit(OURS, WithdrawFirm(gfid="OURS2"))
    registry = await opened_again(registry, clock)
    assert [firm.gfid for firm in registry.firms.list(OURS)] == ["OURS1"]
    with pytest.raises(ConflictError, match="is taken"):
        await registry.firms.create(SYSTEM, 1, "OURS2", "Again")
    with pytest.raises(NotFoundError):
        await session_of(registry, "OURS2")
    await registry.close()


async def test_a_session_carries_a_firm_of_another_entity_only_when_that_has_authorised_it(
    registry: Registry, clock: ManualClock
) -> None:
    with pytest.raises(NotFoundError, match="THEI1"):
        await session_of(registry, "OURS1", "THEI1")
    with pytest.raises(ConflictError, match="ontherun firm authorise THEI1 OURS1"):
        await registry.sessions.create(SYSTEM, ["OURS1", "THEI1"], [40])
    with pytest.raises(NotFoundError):
        await registry.firms.authorise(OURS, "THEI1", "OURS1")
    await registry.firms.authorise(THEIRS, "THEI1", "OURS1")
    registry = await opened_again(registry, clock)
    assert [firm.gfid for firm in registry.firms.carried_by(OURS, "OURS1")] == ["THEI1"]
    session_id = await session_of(registry, "OURS1", "THEI1")
    assert registry.directory.allowed(session_id, "THEI1", 40)
    with pytest.raises(NotFoundError, match="THEI1"):
        await session_of(registry, "THEI1")
    with pytest.raises(ConflictError, match="has authorised OURS1 already"):
        await registry.firms.authorise(THEIRS, "THEI1", "OURS1")
    await registry.close()


async def test_an_authorisation_that_is_taken_back_takes_the_firm_off_every_such_session(registry: Registry) -> None:
    await registry.firms.authorise(THEIRS, "THEI1", "OURS1")
    session_id = await session_of(registry, "OURS1", "THEI1")
    assert await registry.firms.unauthorise(THEIRS, "THEI1", "OURS1") == [session_id]
    assert not registry.directory.allowed(session_id, "THEI1", 40)
    assert registry.directory.allowed(session_id, "OURS1", 40)
    seen_by_both = await registry.audit_entries(SYSTEM, limit=3)
    assert [(entry.action, entry.entity_id) for entry in reversed(seen_by_both)] == [
        ("session.changed", 1),
        ("firm.route_through_withdrawn", 2),
        ("firm.route_through_withdrawn", 1),
    ]
    with pytest.raises(NotFoundError, match="authorisation"):
        await registry.firms.unauthorise(THEIRS, "THEI1", "OURS1")
    with pytest.raises(NotFoundError, match="THEI1"):
        await registry.requests.submit(OURS, ChangeSession(session_id=session_id, firms=("OURS1", "THEI1")))


async def test_firms_of_one_entity_need_no_authorisation(registry: Registry) -> None:
    await registry.firms.create(SYSTEM, 1, "OURS2", "Second")
    assert await session_of(registry, "OURS1", "OURS2")
    with pytest.raises(ConflictError, match="of one entity"):
        await registry.firms.authorise(OURS, "OURS2", "OURS1")
    with pytest.raises(NotFoundError, match="NONE1"):
        await registry.firms.authorise(OURS, "OURS2", "NONE1")
