"""What requests about sessions, Drop Copy groups and Market Data sessions come to."""

import json
from dataclasses import replace

import pytest

from ontherun.registry import (
    SYSTEM,
    ChangeDropCopyGroup,
    ChangeMarketDataSession,
    ChangeSession,
    ConflictError,
    CopiedMessages,
    CreateDropCopyGroup,
    CreateMarketDataSessions,
    CreateSessions,
    DeleteDropCopyGroup,
    DeleteMarketDataSession,
    DeleteSession,
    DropCopySession,
    ImportSessions,
    InvalidError,
    KeyRefused,
    Market,
    MarketDataSession,
    NotFoundError,
    Registry,
    RequestStatus,
    SessionProtocol,
    SetProtocol,
)

from .conftest import Venue

NEW = CreateSessions(firms=("OURS1",), market_segments=(40,))
GROUP = CreateDropCopyGroup(
    name="Risk desk",
    firm="OURS1",
    market=Market.US,
    sources=("A00",),
    messages=(CopiedMessages.EXECUTION_REPORTS, CopiedMessages.ACKS),
)
DATA = CreateMarketDataSessions(firm="OURS1", market=Market.US, products=("us-treasury-actives",))


async def done(venue: Venue, terms: object) -> tuple[str, ...]:
    request = await venue.registry.requests.submit(venue.admin, terms)  # type: ignore[arg-type]
    assert request.status is RequestStatus.COMPLETED
    return request.session_ids


async def test_a_session_is_created_with_all_that_was_asked_for(venue: Venue) -> None:
    terms = replace(
        NEW,
        label="algo 7",
        notes="asked for by QA\nsecond line",
        front_end_system="Our OMS 3",
        allowed_sources=("192.0.2.7", "2001:DB8::/32"),
        cancel_on_disconnect=False,
        live_date="2026-01-05",
    )
    await venue.registry.policies.set(SYSTEM, four_eyes=True)
    request = await venue.registry.requests.submit(SYSTEM, replace(terms, live_date=None))
    session = venue.registry.sessions.get(venue.reader, request.session_ids[0])
    assert session.allowed_sources == ("192.0.2.7/32", "2001:db8::/32")
    assert (session.notes, session.front_end_system) == ("asked for by QA\nsecond line", "Our OMS 3")
    assert (session.label, session.cancel_on_disconnect, session.protocol) == ("algo 7", False, SessionProtocol.FIXP)


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("10.0.0.1/8", "10.0.0.0/8"),
        ("300.1.1.1", "IPv4 or IPv6"),
        ("", "IPv4 or IPv6"),
        ("10.0.0.0/33", "IPv4 or IPv6"),
        ("fe80::1%eth0", "network"),
        ("\u0661\u0660.\u0660.\u0660.\u0661", "IPv4 or IPv6"),
        ("<script>", "IPv4 or IPv6"),
        ("10.0.0.0/8\x00", "IPv4 or IPv6"),
    ],
)
async def test_an_allow_list_holds_networks_and_nothing_else(venue: Venue, source: str, hint: str) -> None:
    with pytest.raises(InvalidError, match=hint) as refused:
        await venue.registry.requests.submit(venue.admin, replace(NEW, allowed_sources=("192.0.2.0/24", source)))
    assert refused.value.where == "allowed_sources[1]"


async def test_an_allow_list_names_each_network_once_and_is_bounded(venue: Venue) -> None:
    for sources in (("10.0.0.0/8", "10.0.0.0/8"), tuple(f"10.0.{part}.0/24" for part in range(51))):
        with pytest.raises(InvalidError, match="allowed_sources"):
            await venue.registry.requests.submit(venue.admin, replace(NEW, allowed_sources=sources))


async def test_an_entity_has_no_more_sessions_than_its_allowance(venue: Venue) -> None:
    await venue.registry.policies.set_allowance(SYSTEM, venue.ours.entity_id, 3)
    with pytest.raises(ConflictError, match="may have 3 Order Entry sessions and has 1: 3 more do not fit"):
        await done(venue, replace(NEW, number_of_sessions=3))
    await done(venue, replace(NEW, number_of_sessions=2))
    with pytest.raises(ConflictError, match="1 more do not fit"):
        await done(venue, NEW)
    await done(venue, DeleteSession(session_id="A00"))
    assert await done(venue, NEW) == ("A04",)  # A00 is not given again
    await venue.registry.policies.set_allowance(SYSTEM, venue.ours.entity_id, None)
    assert venue.registry.sessions.allowance(venue.reader, venue.ours.entity_id) == (100, 3)


@pytest.mark.parametrize("number", [0, -1, 1001, 10**30])
async def test_a_request_is_for_1_to_1000_sessions(venue: Venue, number: int) -> None:
    with pytest.raises(InvalidError, match="number_of_sessions"):
        await done(venue, replace(NEW, number_of_sessions=number))


async def test_an_import_is_whole_or_nothing_and_names_the_line(venue: Venue) -> None:
    lines = (replace(NEW, label="one"), replace(NEW, label="two", number_of_sessions=2))
    with pytest.raises(InvalidError) as refused:
        await done(venue, ImportSessions(sessions=(*lines, replace(NEW, label="a\x00"))))
    assert refused.value.where == "sessions[2].label"
    assert await done(venue, ImportSessions(sessions=lines)) == ("A02", "A03", "A04")
    for wrong in ((), (NEW,) * 1001):
        with pytest.raises(InvalidError, match="1 to 1000"):
            await done(venue, ImportSessions(sessions=wrong))


async def test_a_change_takes_effect_at_the_next_login_and_says_what_changes(venue: Venue) -> None:
    await venue.registry.firms.create(SYSTEM, 1, "OURS2", "Second")
    terms = ChangeSession(session_id="A00", firms=("OURS2", "OURS1"), market_segments=(41,), cancel_on_disconnect=False)
    preview = venue.registry.requests.preview(venue.admin, terms)
    assert "Firms: OURS1 becomes OURS2, OURS1." in preview.effects
    assert "Cancel on disconnect: yes becomes no." in preview.effects
    await done(venue, terms)
    directory = venue.registry.directory
    assert directory.allowed("A00", "OURS2", 41)
    assert not directory.allowed("A00", "OURS1", 40)
    with pytest.raises(ConflictError, match="Nothing would change"):
        await done(venue, terms)
    (entry,) = [e for e in await venue.registry.audit_entries(SYSTEM, limit=3) if e.action == "session.changed"]
    assert json.loads(entry.details)["firms"] == ["OURS2", "OURS1"]


async def test_a_session_stays_with_its_entity(venue: Venue) -> None:
    with pytest.raises(ConflictError, match="stays there"):
        await venue.registry.requests.submit(SYSTEM, ChangeSession(session_id="A00", firms=("THEI1",)))


async def test_a_deleted_session_takes_its_key_pairs_with_it(venue: Venue) -> None:
    pairs = [(await venue.registry.pairs.generate(venue.admin, "A00")).pair.access_key_id for _ in range(2)]
    assert (
        "2 key pairs will be deleted"
        in venue.registry.requests.preview(venue.admin, DeleteSession(session_id="A00")).effects[0]
    )
    await done(venue, DeleteSession(session_id="A00"))
    directory = venue.registry.directory
    for pair in pairs:
        assert directory.key(pair, "A00", venue.clock.now()) == KeyRefused("deleted")
    assert not directory.allowed("A00", "OURS1", 40)
    with pytest.raises(NotFoundError):
        venue.registry.sessions.get(venue.admin, "A00")
    await venue.registry.close()
    again = await Registry.open(venue.registry.data_dir, venue.clock, market_segments=(40, 41), variables={})
    assert again.directory.order_entry_session("A00") is None
    assert all(again.directory.pair(pair).secret is None for pair in pairs)  # type: ignore[union-attr]
    await again.close()


async def test_a_connection_is_ended_when_that_was_asked_and_only_after_the_commit(venue: Venue) -> None:
    ended: list[str] = []
    venue.registry.requests.end_session = lambda session_id, _reason: ended.append(session_id)
    (kept, cut) = await done(venue, replace(NEW, number_of_sessions=2))
    await done(venue, DeleteSession(session_id=kept))
    await done(venue, DeleteSession(session_id=cut, end_session=True))
    assert ended == [cut]


async def test_a_protocol_is_kept_and_explained(venue: Venue) -> None:
    terms = SetProtocol(session_id="A00", protocol=SessionProtocol.FIX)
    assert "binary messages only" in venue.registry.requests.preview(venue.admin, terms).effects[0]
    await done(venue, terms)
    with pytest.raises(ConflictError, match="is FIX already"):
        await done(venue, terms)
    await venue.registry.close()
    again = await Registry.open(venue.registry.data_dir, venue.clock, market_segments=(40, 41), variables={})
    assert again.sessions.get(SYSTEM, "A00").protocol is SessionProtocol.FIX
    await again.close()


async def test_a_drop_copy_group_has_one_target_with_key_pairs_of_its_own(venue: Venue) -> None:
    (target,) = await done(venue, GROUP)
    session = venue.registry.sessions.any_service(venue.reader, target)
    assert isinstance(session, DropCopySession)
    (group,) = venue.registry.drop_copy.list(venue.reader)
    assert (group.target, group.sources, group.market) == (target, ("A00",), Market.US)
    assert venue.registry.directory.order_entry_session(target) is None
    with pytest.raises(NotFoundError):
        await done(venue, DeleteSession(session_id=target))  # a target cannot be deleted by itself


async def test_a_group_is_changed_and_deleted_in_place(venue: Venue) -> None:
    (target,) = await done(venue, GROUP)
    await done(venue, NEW)
    await done(venue, ChangeDropCopyGroup(group_id=1, name="Desk", sources=("A00", "A03"), front_end_system="x"))
    (group,) = venue.registry.drop_copy.list(venue.reader)
    assert (group.name, group.sources) == ("Desk", ("A00", "A03"))
    assert venue.registry.drop_copy.target(group).front_end_system == "x"
    with pytest.raises(ConflictError, match="Nothing would change"):
        await done(venue, ChangeDropCopyGroup(group_id=1, name="Desk"))
    await done(venue, DeleteSession(session_id="A03"))
    assert venue.registry.drop_copy.get(venue.reader, 1).sources == ("A00",)
    await done(venue, DeleteDropCopyGroup(group_id=1))
    assert venue.registry.drop_copy.list(venue.reader) == []
    with pytest.raises(NotFoundError):
        venue.registry.sessions.any_service(venue.reader, target)
    assert await done(venue, GROUP)  # the name is free again


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"name": ""}, InvalidError),
        ({"name": "a\nb"}, InvalidError),
        ({"sources": ()}, InvalidError),
        ({"sources": ("A00", "A00")}, InvalidError),
        ({"sources": ("A01",)}, NotFoundError),  # another entity's
        ({"sources": ("ZZZ",)}, NotFoundError),
        ({"messages": ()}, InvalidError),
        ({"firm": "THEI1"}, NotFoundError),
    ],
)
async def test_a_group_of_nonsense_is_refused(venue: Venue, change: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        await done(venue, replace(GROUP, **change))  # type: ignore[arg-type]
    assert venue.registry.drop_copy.list(SYSTEM) == []


async def test_a_group_name_is_unique_in_its_entity(venue: Venue) -> None:
    await done(venue, GROUP)
    with pytest.raises(ConflictError, match="has a Drop Copy group Risk desk already"):
        await done(venue, GROUP)
    theirs = replace(GROUP, firm="THEI1", sources=("A01",))
    assert (await venue.registry.requests.submit(venue.stranger, theirs)).status is RequestStatus.COMPLETED


async def test_the_number_of_sources_is_bounded_by_a_policy(venue: Venue) -> None:
    assert venue.registry.policies.current.drop_copy_sources == 5000
    await venue.registry.policies.set(SYSTEM, drop_copy_sources=1)
    (other,) = await done(venue, NEW)
    with pytest.raises(InvalidError, match="at most 1"):
        await done(venue, replace(GROUP, sources=("A00", other)))


async def test_market_data_sessions_stay_in_their_market(venue: Venue) -> None:
    ids = await done(venue, replace(DATA, number_of_sessions=15, products=("us-repo", "us-treasury-actives")))
    assert len(ids) == 15
    session = venue.registry.market_data.get(venue.reader, ids[0])
    assert isinstance(session, MarketDataSession)
    assert session.products == ("us-repo", "us-treasury-actives")
    for wrong in (
        replace(DATA, products=("eu-repo",)),
        replace(DATA, market=Market.EU),
        replace(DATA, products=()),
        replace(DATA, number_of_sessions=16),
        replace(DATA, number_of_sessions=0),
    ):
        with pytest.raises(InvalidError):
            await done(venue, wrong)
    with pytest.raises(InvalidError):
        await done(venue, ChangeMarketDataSession(session_id=ids[0], products=("eu-government-bonds",)))
    await done(venue, ChangeMarketDataSession(session_id=ids[0], products=("us-repo",), label="repo only"))
    await done(venue, DeleteMarketDataSession(session_id=ids[1]))
    assert len(venue.registry.market_data.list(venue.reader)) == 14
    assert venue.registry.market_data.list(venue.stranger) == []
    with pytest.raises(NotFoundError):
        venue.registry.market_data.get(venue.stranger, ids[0])
