"""Registered entities and their Globex firms."""

import pytest

from ontherun.registry import SYSTEM, ConflictError, ForbiddenError, InvalidError, NotFoundError

from .conftest import Venue


async def test_only_the_operator_of_the_venue_registers_entities(venue: Venue) -> None:
    for by in (venue.admin, venue.reader):
        with pytest.raises(ForbiddenError):
            await venue.registry.entities.create(by, "Another")


async def test_an_entity_has_a_name_of_its_own(venue: Venue) -> None:
    with pytest.raises(ConflictError, match="an entity Ours already"):
        await venue.registry.entities.create(SYSTEM, "Ours")


@pytest.mark.parametrize(
    "name", ["", "   ", " x", "x ", "x  y", "x" * 101, "a\x00b", "a\nb", "\ud800", "a\u202eb", "a\xa0b"]
)
async def test_a_name_is_short_and_visible(venue: Venue, name: str) -> None:
    with pytest.raises(InvalidError, match="name"):
        await venue.registry.entities.create(SYSTEM, name)


@pytest.mark.parametrize("gfid", ["", "ABCD", "ABCDEF", "abcde", "ABCD\n", "ABC 1", "ÄBCDE"])
async def test_a_globex_firm_id_is_five_capital_letters_or_digits(venue: Venue, gfid: str) -> None:
    with pytest.raises(InvalidError, match="five characters"):
        await venue.registry.firms.create(SYSTEM, venue.ours.entity_id, gfid, "Firm")


async def test_a_globex_firm_id_is_unique_in_the_venue(venue: Venue) -> None:
    with pytest.raises(ConflictError, match="OURS1 is taken"):
        await venue.registry.firms.create(venue.stranger, venue.theirs.entity_id, "OURS1", "Firm")


async def test_a_firm_is_given_to_an_entity_that_the_principal_sees(venue: Venue) -> None:
    with pytest.raises(NotFoundError, match=f"no entity {venue.theirs.entity_id}"):
        await venue.registry.firms.create(venue.admin, venue.theirs.entity_id, "OURS2", "Firm")
    firm = await venue.registry.firms.create(venue.admin, venue.ours.entity_id, "OURS2", "Firm")
    assert venue.registry.firms.get(venue.reader, "OURS2") == firm


async def test_each_principal_sees_its_own_entity_and_firms_and_the_operator_sees_all(venue: Venue) -> None:
    entities, firms = venue.registry.entities, venue.registry.firms
    assert entities.list(venue.reader) == [venue.ours]
    assert entities.list(SYSTEM) == [venue.ours, venue.theirs]
    assert [firm.gfid for firm in firms.list(venue.stranger)] == ["THEI1"]
    assert [firm.gfid for firm in firms.list(SYSTEM)] == ["OURS1", "THEI1"]
    with pytest.raises(NotFoundError):
        entities.get(venue.stranger, venue.ours.entity_id)
    with pytest.raises(NotFoundError):
        firms.get(venue.stranger, "OURS1")
