"""Order Entry sessions and their party details."""

from dataclasses import replace

import pytest

from ontherun.registry import SYSTEM, ConflictError, ForbiddenError, InvalidError, NotFoundError
from ontherun.registry.session_changes import session_id_at

from .conftest import Venue


async def test_session_ids_are_assigned_one_after_the_other(venue: Venue) -> None:
    assert (venue.session.session_id, venue.their_session.session_id) == ("A00", "A01")
    assert (await venue.registry.sessions.create(SYSTEM, ["OURS1"], [40])).session_id == "A02"


def test_every_session_id_is_three_capital_letters_or_digits_and_is_given_once() -> None:
    ids = [session_id_at(position) for position in range(36**3)]
    assert len(set(ids)) == 36**3
    assert all(
        len(session_id) == 3 and session_id.isalnum() and session_id.isupper() for session_id in ids[: 26 * 36**2]
    )
    assert (ids[0], ids[26 * 36**2 - 1], ids[26 * 36**2], ids[-1]) == ("A00", "ZZZ", "000", "9ZZ")


async def test_a_session_carries_its_firms_on_its_segments_and_nothing_else(venue: Venue) -> None:
    await venue.registry.firms.create(SYSTEM, venue.ours.entity_id, "OURS2", "Second")
    session = await venue.registry.sessions.create(venue.admin, ["OURS2", "OURS1"], [41])
    allowed = venue.registry.directory.allowed
    assert session.firms == ("OURS2", "OURS1")
    assert allowed(session.session_id, "OURS1", 41)
    assert allowed(session.session_id, "OURS2", 41)
    assert not allowed(session.session_id, "OURS2", 40)
    assert not allowed(session.session_id, "THEI1", 41)
    assert not allowed("ZZZ", "OURS1", 41)


async def test_a_new_session_cancels_on_disconnect_unless_told_otherwise(venue: Venue) -> None:
    directory = venue.registry.directory
    other = await venue.registry.sessions.create(venue.admin, ["OURS1"], [40], cancel_on_disconnect=False)
    assert directory.cancel_on_disconnect(venue.session.session_id)
    assert not directory.cancel_on_disconnect(other.session_id)
    assert directory.cancel_on_disconnect("ZZZ"), "nobody else would cancel the orders of a deleted session"


@pytest.mark.parametrize(
    ("firms", "segments", "where"),
    [
        ([], [40], "firms"),
        (["OURS1", "OURS1"], [40], "firms"),
        (["OURS1"], [], "market_segments"),
        (["OURS1"], [40, 40], "market_segments"),
    ],
)
async def test_a_session_takes_at_least_one_firm_and_segment_each_once(
    venue: Venue, firms: list[str], segments: list[int], where: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        await venue.registry.sessions.create(SYSTEM, firms, segments)
    assert refused.value.where == where


async def test_an_unknown_market_segment_is_answered_with_the_known_ones(venue: Venue) -> None:
    with pytest.raises(NotFoundError, match="no market segment 99 in this venue, which has 40, 41"):
        await venue.registry.sessions.create(SYSTEM, ["OURS1"], [40, 99])


async def test_a_session_carries_no_firm_of_another_entity_that_has_not_authorised_it(venue: Venue) -> None:
    with pytest.raises(ConflictError, match="THEI1 belongs to another entity than OURS1, and has not authorised it"):
        await venue.registry.sessions.create(SYSTEM, ["OURS1", "THEI1"], [40])


async def test_firms_of_others_do_not_exist(venue: Venue) -> None:
    for gfid in ("THEI1", "NONE1"):
        with pytest.raises(NotFoundError, match=f"no Globex firm {gfid}"):
            await venue.registry.sessions.create(venue.admin, [gfid], [40])


async def test_a_reader_creates_nothing(venue: Venue) -> None:
    with pytest.raises(ForbiddenError, match="our reader may not manage sessions here"):
        await venue.registry.sessions.create(venue.reader, ["OURS1"], [40])
    with pytest.raises(ForbiddenError):
        await venue.registry.party_details.register(venue.reader, venue.session.session_id, "OURS1", 7)


async def test_each_principal_sees_its_own_sessions(venue: Venue) -> None:
    sessions = venue.registry.sessions
    assert sessions.list(venue.reader) == [venue.session]
    assert sessions.list(SYSTEM) == [venue.session, venue.their_session]
    with pytest.raises(NotFoundError, match="no session A00"):
        sessions.get(venue.stranger, "A00")


async def test_registered_party_details_are_in_the_view_that_a_gateway_holds(venue: Venue) -> None:
    session_id = venue.session.session_id
    view = venue.registry.directory.party_details(session_id, "OURS1")
    assert dict(view) == {}
    details = await venue.registry.party_details.register(
        venue.admin, session_id, "OURS1", 2**63 - 1, account="HOUSE", self_match_prevention_id=9
    )
    assert dict(view) == {2**63 - 1: details}
    assert details.account == b"HOUSE"
    assert dict(venue.registry.directory.party_details(session_id, "OTHER")) == {}
    assert venue.registry.party_details.list(venue.reader, session_id) == [details]


@pytest.mark.parametrize("party_id", [0, -1, 2**32 - 1, 2**63, 2**64 - 1])
async def test_ids_that_announce_details_on_demand_or_do_not_fit_are_not_registered(
    venue: Venue, party_id: int
) -> None:
    with pytest.raises(InvalidError, match="cannot be registered"):
        await venue.registry.party_details.register(venue.admin, venue.session.session_id, "OURS1", party_id)


async def test_party_details_hold_what_fits_the_wire(venue: Venue) -> None:
    register, session_id = venue.registry.party_details.register, venue.session.session_id
    for account in ("x" * 21, "Ä", "a\x00", "a\n"):
        with pytest.raises(InvalidError, match="20 printable ASCII"):
            await register(venue.admin, session_id, "OURS1", 7, account=account)
    for smp in (-1, 2**63):
        with pytest.raises(InvalidError, match="self_match_prevention_id"):
            await register(venue.admin, session_id, "OURS1", 7, self_match_prevention_id=smp)


async def test_party_details_belong_to_a_firm_of_the_session_and_have_an_id_of_their_own(venue: Venue) -> None:
    register, session_id = venue.registry.party_details.register, venue.session.session_id
    with pytest.raises(ConflictError, match=r"A00 does not carry firm THEI1\. It carries OURS1"):
        await register(venue.admin, session_id, "THEI1", 7)
    await register(venue.admin, session_id, "OURS1", 7)
    with pytest.raises(ConflictError, match="7 of session A00 and firm OURS1 are registered already"):
        await register(venue.admin, session_id, "OURS1", 7)
    with pytest.raises(NotFoundError):
        await register(venue.admin, venue.their_session.session_id, "THEI1", 7)
    await register(venue.stranger, venue.their_session.session_id, "THEI1", 7)


async def test_a_session_with_an_allow_list_takes_logins_from_its_networks_only(venue: Venue) -> None:
    directory = venue.registry.directory
    assert directory.source_allowed(venue.session.session_id, "198.51.100.7")
    directory.put_session(replace(venue.session, allowed_sources=("192.0.2.0/24", "2001:db8::/32")))
    assert directory.source_allowed(venue.session.session_id, "192.0.2.255")
    assert directory.source_allowed(venue.session.session_id, "2001:db8::1")
    assert not directory.source_allowed(venue.session.session_id, "198.51.100.7")
    assert not directory.source_allowed(venue.session.session_id, "::1")
