"""How pairs stand is worked out once, and never out of date: not by time, by a change, by a login, or by a clock."""

from ontherun.keys import health_of_session
from ontherun.registry import SYSTEM, Registry

from .conftest import Venue

DAY = 86_400 * 1_000_000_000


def check(registry: Registry) -> None:
    """What is kept is what working it out anew gives."""
    now, kept = registry.clock.now(), registry.pairs.standings.of("A00")
    assert list(kept.valid) == registry.directory.valid_pairs_of("A00", now)
    pairs = [stored.pair for stored in registry.directory.pairs_of("A00")]
    assert kept.health == health_of_session(pairs, registry.pairs.uses.known, now)
    assert kept.since <= now < kept.until
    assert kept.expiring == sum(stored.state(now).value == "expiring" for stored in kept.valid)


async def test_a_year_of_pairs_and_logins_leaves_nothing_out_of_date(venue: Venue) -> None:
    registry = venue.registry
    for day in range(400):
        if day in (0, 100, 290):
            await registry.pairs.generate(SYSTEM, "A00")
            check(registry)
        pairs = registry.directory.valid_pairs_of("A00", registry.clock.now())
        if pairs and day % 20 == 3:
            registry.pairs.uses.note(
                pairs[0].pair.access_key_id, registry.clock.now(), "192.0.2.1", "40", ok=day % 40 == 3
            )
            check(registry)
        if day == 60:
            await registry.pairs.deactivate(SYSTEM, "A00", pairs[0].pair.access_key_id)
            check(registry)
            await registry.pairs.activate(SYSTEM, "A00", pairs[0].pair.access_key_id)
        if day == 350:
            await registry.pairs.delete(SYSTEM, "A00", pairs[-1].pair.access_key_id)
        check(registry)
        venue.clock.advance(DAY)
    venue.clock.advance(-200 * DAY)
    check(registry)


async def test_nothing_is_worked_out_twice_while_nothing_happens(venue: Venue) -> None:
    await venue.registry.pairs.generate(SYSTEM, "A00")
    standing = venue.registry.pairs.standings.of("A00")
    venue.clock.advance(DAY)
    assert venue.registry.pairs.standings.of("A00") is standing
