"""The life of a key pair: every (state, event) of its table, and the times that lead through it."""

from dataclasses import replace

import pytest

from ontherun.keys import (
    LIFE,
    KeyPair,
    KeyPairEvent,
    KeyPairState,
    ManualClock,
    NextChange,
    PairDeletedError,
    PairStateError,
    activate,
    deactivate,
    delete,
)
from ontherun.keys.clock import DAY, SECOND

CREATED = 1_767_225_600 * SECOND  # 2026-01-01
EXPIRES = CREATED + 365 * DAY
BEGINS = CREATED + 10 * DAY

S, E = KeyPairState, KeyPairEvent


def pair(**fields: int) -> KeyPair:
    return KeyPair("ABC", "a" * 20, CREATED, EXPIRES, **fields)


def in_state(state: KeyPairState) -> tuple[KeyPair, int]:
    """A pair that is in a state, and the time at which it is."""
    return {
        S.NOT_YET_VALID: (pair(valid_from=BEGINS), CREATED),
        S.ACTIVE: (pair(), CREATED),
        S.EXPIRING: (pair(), EXPIRES - DAY),
        S.DEACTIVATED: (pair(deactivated_at=CREATED), CREATED),
        S.EXPIRED: (pair(), EXPIRES),
        S.DELETED: (pair(deleted_at=CREATED), CREATED),
    }[state]


def after(found: KeyPair, event: KeyPairEvent, now: int) -> tuple[KeyPair, int]:
    """The pair after an event, and the time at which the event has happened."""
    match event:
        case E.VALIDITY_BEGINS:
            return found, max(now, BEGINS)
        case E.EXPIRY_NEARS:
            return found, max(now, EXPIRES - 28 * DAY)
        case E.EXPIRY_REACHED:
            return found, EXPIRES
        case E.DEACTIVATE:
            return deactivate(found, now), now
        case E.ACTIVATE:
            return activate(found, now), now
        case E.DELETE:
            return delete(found, now), now


def test_the_table_answers_every_state_and_event() -> None:
    assert set(LIFE) == {(state, event) for state in S for event in E}


@pytest.mark.parametrize("event", list(E))
@pytest.mark.parametrize("state", list(S))
def test_each_step_of_the_table_is_what_happens_to_a_pair(state: KeyPairState, event: KeyPairEvent) -> None:
    found, now = in_state(state)
    assert found.state(now) is state
    expected = LIFE[state, event]
    if expected is None:
        with pytest.raises((PairStateError, PairDeletedError)):
            after(found, event, now)
        return
    if (state, event) == (S.NOT_YET_VALID, E.EXPIRY_NEARS):
        found = replace(found, valid_from=EXPIRES - DAY)  # begins inside its last four weeks
    changed, at = after(found, event, now)
    assert changed.state(at) is expected


@pytest.mark.parametrize("event", list(E))
def test_no_event_brings_a_deleted_pair_back(event: KeyPairEvent) -> None:
    assert LIFE[S.DELETED, event] in (S.DELETED, None)


@pytest.mark.parametrize("event", list(E))
def test_no_event_makes_an_expired_pair_valid_again(event: KeyPairEvent) -> None:
    assert LIFE[S.EXPIRED, event] in (S.EXPIRED, S.DELETED, None)


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (CREATED, S.ACTIVE),
        (EXPIRES - 28 * DAY - 1, S.ACTIVE),
        (EXPIRES - 28 * DAY, S.EXPIRING),
        (EXPIRES - 1, S.EXPIRING),
        (EXPIRES, S.EXPIRED),
        (EXPIRES + DAY, S.EXPIRED),
    ],
)
def test_a_pair_is_active_then_expiring_for_four_weeks_then_expired(now: int, state: KeyPairState) -> None:
    assert pair().state(now) is state


def test_active_and_expiring_pairs_are_valid_and_no_others() -> None:
    assert [state for state in S if state.valid] == [S.ACTIVE, S.EXPIRING]


def test_expired_and_deleted_pairs_take_no_place_and_all_others_do() -> None:
    assert [state for state in S if not state.living] == [S.EXPIRED, S.DELETED]


def test_a_pair_for_a_cut_over_is_not_valid_before_it() -> None:
    scheduled = pair(valid_from=BEGINS)
    assert scheduled.state(BEGINS - 1) is S.NOT_YET_VALID
    assert scheduled.state(BEGINS) is S.ACTIVE


def test_deactivating_is_reversible_and_the_life_goes_on_meanwhile() -> None:
    off = deactivate(pair(), CREATED + DAY)
    assert off.state(CREATED + 2 * DAY) is S.DEACTIVATED
    assert activate(off, CREATED + 3 * DAY) == pair()
    assert off.state(EXPIRES) is S.EXPIRED
    with pytest.raises(PairStateError, match="is expired: one cannot activate it"):
        activate(off, EXPIRES)


def test_a_pair_that_is_activated_in_its_last_four_weeks_is_expiring() -> None:
    now = EXPIRES - DAY
    assert activate(pair(deactivated_at=CREATED), now).state(now) is S.EXPIRING


def test_a_pair_that_is_deactivated_before_its_cut_over_is_not_valid_before_it_when_it_is_activated() -> None:
    off = deactivate(pair(valid_from=BEGINS), CREATED)
    assert off.state(CREATED) is S.DEACTIVATED
    assert activate(off, CREATED).state(CREATED) is S.NOT_YET_VALID


def test_deleting_works_at_once_in_every_other_state() -> None:
    for state in set(S) - {S.DELETED}:
        found, now = in_state(state)
        assert delete(found, now).state(now) is S.DELETED


def test_a_deleted_pair_stays_deleted_when_the_clock_is_moved_back() -> None:
    clock = ManualClock(EXPIRES - DAY)
    deleted = delete(pair(), clock.now())
    clock.set(CREATED)
    assert deleted.state(clock.now()) is S.DELETED


def test_a_deactivated_pair_stays_deactivated_when_the_clock_is_moved_back() -> None:
    assert deactivate(pair(), CREATED + DAY).state(CREATED) is S.DEACTIVATED


def test_a_pair_is_deleted_once() -> None:
    with pytest.raises(PairDeletedError, match="aaaa of session ABC is deleted"):
        delete(pair(deleted_at=CREATED), CREATED + 1)


@pytest.mark.parametrize(
    ("found", "now", "expected"),
    [
        (pair(), CREATED, NextChange(EXPIRES - 28 * DAY, S.EXPIRING)),
        (pair(), EXPIRES - 28 * DAY, NextChange(EXPIRES, S.EXPIRED)),
        (pair(), EXPIRES, None),
        (pair(valid_from=BEGINS), CREATED, NextChange(BEGINS, S.ACTIVE)),
        (pair(deactivated_at=CREATED), CREATED, NextChange(EXPIRES, S.EXPIRED)),
        (pair(deleted_at=CREATED), CREATED, None),
        (pair(expired_at=CREATED + DAY), CREATED, None),
    ],
)
def test_what_happens_next_and_when(found: KeyPair, now: int, expected: NextChange | None) -> None:
    assert found.next_change(now) == expected


def test_what_was_said_to_happen_next_is_what_happens() -> None:
    for state in S:
        found, now = in_state(state)
        while (change := found.next_change(now)) is not None:
            assert found.state(change.at - 1) is found.state(now)
            assert found.state(change.at) is change.state
            now = change.at
