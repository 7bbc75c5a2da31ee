"""A year of key life, replayed: the events add up, and nobody is ever without a key who takes care."""

import time

from benchmarks.key_year import GOAL, START, replay

from ontherun.keys import LADDER, living
from ontherun.keys.clock import DAY


def test_a_year_of_key_life_for_a_thousand_sessions_replays_in_three_seconds() -> None:
    begun = time.process_time()
    year = replay(1000)
    assert time.process_time() - begun < GOAL
    assert year.counts["generated"] > 1900
    assert year.counts["notices"] > 900 * len(LADDER)
    assert year.counts["expired"] > 900
    assert year.counts["sunsets"] > 150


def test_after_every_day_each_session_has_at_most_two_pairs_and_careful_ones_have_one() -> None:
    for days in (1, 27, 100, 200, 365):
        for number, pairs in enumerate(replay(100, days).pairs):
            alive = living(pairs, START + days * DAY)
            assert len(alive) <= 2
            assert alive or number % 50 == 0


def test_a_year_is_the_same_every_time() -> None:
    assert replay(20) == replay(20)
