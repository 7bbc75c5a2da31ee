"""The ladder of expiry notices: 28, 14, 7, 3 and 1 days before, and once when it has expired."""

from dataclasses import replace

import pytest

from ontherun.keys import LADDER, KeyPair, delete, next_notice, notices_due
from ontherun.keys.clock import DAY

from .conftest import Keyring, new_york

NOW = new_york("2026-03-02 10:30")
PAIR = KeyPair("ABC", "a" * 20, NOW, NOW + 365 * DAY)
END = PAIR.expires_at


def test_the_ladder_has_five_steps_and_the_end() -> None:
    assert LADDER == (28, 14, 7, 3, 1, 0)
    assert [notice.days_left for notice in notices_due(PAIR, NOW, END)] == list(LADDER)


@pytest.mark.parametrize("days", LADDER)
def test_each_notice_is_due_from_its_nanosecond_on_and_once(days: int) -> None:
    due_at = END - days * DAY
    assert notices_due(PAIR, NOW, due_at - 1)[-1:] != notices_due(PAIR, NOW, due_at)[-1:]
    (notice,) = notices_due(PAIR, due_at - 1, due_at)
    assert (notice.access_key_id, notice.days_left, notice.due_at) == ("a" * 20, days, due_at)
    assert notices_due(PAIR, due_at, due_at + 1) == ()


def test_what_became_due_in_an_outage_is_due_afterwards() -> None:
    assert [notice.days_left for notice in notices_due(PAIR, END - 15 * DAY, END - 2 * DAY)] == [14, 7, 3]


def test_a_deleted_pair_calls_for_no_notice() -> None:
    assert notices_due(delete(PAIR, END - 20 * DAY), NOW, END) == ()


def test_on_a_clock_that_is_moved_back_nothing_is_due() -> None:
    assert notices_due(PAIR, END, END - 20 * DAY) == ()


def test_a_pair_whose_end_is_brought_forward_passes_over_the_steps_behind_it() -> None:
    ring = Keyring()
    old = ring.generate(NOW)
    ring.generate(NOW + 100 * DAY)
    sunset = ring.again(old)
    assert [notice.days_left for notice in notices_due(sunset, NOW + 100 * DAY, sunset.expires_at)] == list(LADDER)
    short = replace(PAIR, expires_at=NOW + 5 * DAY)
    assert [notice.days_left for notice in notices_due(short, 0, END)] == [3, 1, 0]


def test_the_next_notice_is_the_first_that_was_not_announced() -> None:
    ahead = [next_notice(PAIR, announced) for announced in (None, *LADDER)]
    assert [None if notice is None else notice.days_left for notice in ahead] == [*LADDER, None]
