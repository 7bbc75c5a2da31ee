"""The life of a key pair: every (state, event) of its table, and the times that lead through it."""

import pytest

from ontherun.keys import LIFE, KeyPair, KeyPairEvent, KeyPairState, ManualClock, PairDeletedError, delete
from ontherun.keys.clock import DAY, SECOND

CREATED = 1_767_225_600 * SECOND  # 2026-01-01
EXPIRES = CREATED + 365 * DAY


def pair(deleted_at: int | None = None) -> KeyPair:
    return KeyPair("ABC", "a" * 20, CREATED, EXPIRES, deleted_at)


def test_the_table_answers_every_state_and_event() -> None:
    assert set(LIFE) == {(state, event) for state in KeyPairState for event in KeyPairEvent}


def test_only_deleting_a_deleted_pair_is_refused() -> None:
    assert [step for step, after in LIFE.items() if after is None] == [(KeyPairState.DELETED, KeyPairEvent.DELETE)]


@pytest.mark.parametrize("event", list(KeyPairEvent))
def test_no_event_brings_a_deleted_pair_back(event: KeyPairEvent) -> None:
    assert LIFE[KeyPairState.DELETED, event] in (KeyPairState.DELETED, None)


@pytest.mark.parametrize("event", list(KeyPairEvent))
def test_no_event_makes_an_expired_pair_valid_again(event: KeyPairEvent) -> None:
    after = LIFE[KeyPairState.EXPIRED, event]
    assert after is not None
    assert not after.valid


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (CREATED, KeyPairState.ACTIVE),
        (EXPIRES - 28 * DAY - 1, KeyPairState.ACTIVE),
        (EXPIRES - 28 * DAY, KeyPairState.EXPIRING),
        (EXPIRES - 1, KeyPairState.EXPIRING),
        (EXPIRES, KeyPairState.EXPIRED),
        (EXPIRES + DAY, KeyPairState.EXPIRED),
    ],
)
def test_a_pair_is_active_then_expiring_for_four_weeks_then_expired(now: int, state: KeyPairState) -> None:
    assert pair().state(now) is state


def test_active_and_expiring_pairs_are_valid_and_no_others() -> None:
    assert [state for state in KeyPairState if state.valid] == [KeyPairState.ACTIVE, KeyPairState.EXPIRING]


def test_deleting_works_at_once_in_every_other_state() -> None:
    for now in (CREATED, EXPIRES - DAY, EXPIRES):
        assert delete(pair(), now).state(now) is KeyPairState.DELETED


def test_a_deleted_pair_stays_deleted_when_the_clock_is_moved_back() -> None:
    clock = ManualClock(EXPIRES - DAY)
    deleted = delete(pair(), clock.now())
    clock.set(CREATED)
    assert deleted.state(clock.now()) is KeyPairState.DELETED


def test_a_pair_is_deleted_once() -> None:
    with pytest.raises(PairDeletedError, match="aaaa of session ABC is deleted"):
        delete(pair(deleted_at=CREATED), CREATED + 1)
