"""Time travel: the lab clock moves durably, for its operator, with an audit entry; what happened stays happened."""

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontherun.keys import KeyPairState, ManualClock
from ontherun.registry import (
    SYSTEM,
    ConflictError,
    ForbiddenError,
    InvalidError,
    LabClock,
    Registry,
    UnavailableError,
    parse_span,
    parse_time,
)

from .conftest import START, Venue
from .test_audit import tamper

SECOND = 1_000_000_000
DAY = 86_400 * SECOND


@pytest.fixture
def machine() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
async def lab(tmp_path: Path, machine: ManualClock) -> AsyncIterator[Registry]:
    registry = await Registry.open(tmp_path / "lab", LabClock(machine), variables={})
    yield registry
    await registry.close()


async def test_the_clock_runs_on_from_where_it_was_moved(lab: Registry, machine: ManualClock) -> None:
    await lab.lab.advance(SYSTEM, 28 * DAY)
    assert lab.clock.now() == START + 28 * DAY
    machine.advance(5)
    assert lab.clock.now() == START + 28 * DAY + 5
    await lab.lab.reset(SYSTEM)
    assert lab.clock.now() == START + 5


async def test_the_clock_can_stand_still_and_then_run_on(lab: Registry, machine: ManualClock) -> None:
    await lab.lab.set(SYSTEM, START + DAY, stand_still=True)
    machine.advance(10 * SECOND)
    assert lab.clock.now() == START + DAY
    await lab.lab.advance(SYSTEM, DAY)
    machine.advance(10 * SECOND)
    assert lab.clock.now() == START + 2 * DAY
    await lab.lab.advance(SYSTEM, 0, stand_still=False)
    machine.advance(1)
    assert lab.clock.now() == START + 2 * DAY + 1


@pytest.mark.parametrize("stand_still", [False, True])
async def test_where_the_clock_is_survives_a_restart(
    tmp_path: Path, lab: Registry, machine: ManualClock, stand_still: bool
) -> None:
    await lab.lab.set(SYSTEM, START + DAY, stand_still=stand_still)
    await lab.close()
    machine.advance(SECOND)
    again = await Registry.open(tmp_path / "lab", LabClock(machine), variables={})
    assert again.clock.now() == START + DAY + (0 if stand_still else SECOND)
    await again.close()


async def test_each_move_is_an_audit_entry_with_its_reason(lab: Registry) -> None:
    await lab.lab.advance(SYSTEM, -DAY, reason="see the day before")
    (entry,) = await lab.audit_entries(SYSTEM)
    assert (entry.action, entry.subject) == ("clock.moved", "lab clock")
    assert json.loads(entry.details) == {
        "by_ns": -DAY,
        "to": "2025-12-31T00:00:00Z",
        "reason": "see the day before",
    }


async def test_without_audit_the_clock_does_not_move(lab: Registry) -> None:
    tamper(lab, "CREATE TRIGGER no_audit BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(ABORT, 'no room'); END")
    with pytest.raises(UnavailableError):
        await lab.lab.advance(SYSTEM, DAY)
    assert lab.clock.now() == START


async def test_only_the_operator_moves_the_clock(venue: Venue) -> None:
    with pytest.raises(ForbiddenError):
        await venue.registry.lab.advance(venue.admin, DAY)


async def test_a_venue_on_the_machines_time_does_not_travel(venue: Venue) -> None:
    with pytest.raises(ConflictError, match="ontherun up --lab"):
        await venue.registry.lab.advance(SYSTEM, DAY)


async def test_whoever_listens_is_told_after_the_move(lab: Registry) -> None:
    heard: list[int] = []
    assert lab.lab.clock is not None
    lab.lab.clock.listen(lambda: heard.append(lab.clock.now()))
    await lab.lab.advance(SYSTEM, DAY)
    await lab.lab.reset(SYSTEM)
    assert heard == [START + DAY, START]


async def test_key_states_follow_and_a_deleted_pair_is_not_resurrected(lab: Registry) -> None:
    entity = await lab.entities.create(SYSTEM, "Ours")
    await lab.firms.create(SYSTEM, entity.entity_id, "OURS1", "Our firm")
    session = await lab.sessions.create(SYSTEM, ["OURS1"], [40])
    pair = (await lab.pairs.generate(SYSTEM, session.session_id)).pair
    await lab.lab.advance(SYSTEM, 400 * DAY)
    stored = lab.directory.pair(pair.access_key_id)
    assert stored is not None
    assert stored.state(lab.clock.now()) is KeyPairState.EXPIRED
    await lab.pairs.delete(SYSTEM, session.session_id, pair.access_key_id)
    await lab.lab.advance(SYSTEM, -500 * DAY)
    stored = lab.directory.pair(pair.access_key_id)
    assert stored is not None
    assert stored.state(lab.clock.now()) is KeyPairState.DELETED
    assert lab.directory.valid_pairs_of(session.session_id, lab.clock.now()) == []


async def test_the_audit_chain_holds_over_moves_in_both_directions(lab: Registry) -> None:
    for days in (30, -60, 400, -1000):
        await lab.lab.advance(SYSTEM, days * DAY)
        await lab.entities.create(SYSTEM, f"Made after {days} days")
    assert await lab.verify_audit() == 8


@pytest.mark.parametrize("days", [-10_000, 80_000])
async def test_the_clock_stays_within_its_range(lab: Registry, days: int) -> None:
    with pytest.raises(InvalidError, match="out of the lab clock's range"):
        await lab.lab.advance(SYSTEM, days * DAY)
    assert lab.clock.now() == START


@pytest.mark.parametrize(
    ("text", "span"),
    [("4w", 28 * DAY), ("1d12h", DAY + DAY // 2), ("-90s", -90 * SECOND), ("10m", 600 * SECOND), ("0s", 0)],
)
def test_a_span_is_read(text: str, span: int) -> None:
    assert parse_span(text) == span


@given(st.text(max_size=30))
@settings(max_examples=100)
def test_anything_else_is_no_span(text: str) -> None:
    with suppress(InvalidError):
        assert isinstance(parse_span(text), int)


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2027-01-04T17:30", "America/New_York", "2027-01-04T22:30"),
        ("2027-07-04T17:30", "America/Chicago", "2027-07-04T22:30"),
        ("2027-01-04T17:30:00Z", "America/New_York", "2027-01-04T17:30"),
        ("2027-01-04T17:30:00-05:00", "Europe/London", "2027-01-04T22:30"),
        ("2026-11-01T01:30", "America/New_York", "2026-11-01T05:30"),
    ],
)
def test_a_time_is_read_in_its_zone_and_the_first_of_two_is_meant(text: str, zone: str, utc: str) -> None:
    assert parse_time(text, zone) == parse_time(utc)


def test_a_time_that_its_zone_skips_is_refused() -> None:
    with pytest.raises(InvalidError, match="does not exist in America/New_York"):
        parse_time("2026-03-08T02:30", "America/New_York")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "", "\0", "America"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(InvalidError, match="is no time zone"):
        parse_time("2027-01-04T17:30", zone)


@given(st.text(max_size=30))
@settings(max_examples=100)
def test_anything_else_is_no_time(text: str) -> None:
    with suppress(InvalidError):
        assert isinstance(parse_time(text), int)


@pytest.mark.parametrize("text", ["0001-01-01T00:00+23:59", "9999-12-31T23:59-23:59"])
async def test_a_time_at_the_edge_of_the_calendar_is_refused(lab: Registry, text: str) -> None:
    with pytest.raises(InvalidError):
        await lab.lab.set(SYSTEM, parse_time(text))
