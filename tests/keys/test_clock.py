"""The injected clock."""

import pytest

from ontherun.keys import ManualClock, utc_text
from ontherun.keys.clock import SECOND


def test_a_manual_clock_stands_still_until_it_is_moved() -> None:
    clock = ManualClock(5)
    assert (clock.now(), clock.now()) == (5, 5)
    clock.advance(3)
    assert clock.now() == 8
    clock.set(2)
    assert clock.now() == 2


def test_a_manual_clock_stays_between_1970_and_2199() -> None:
    clock = ManualClock(5)
    for move in (lambda: clock.advance(-6), lambda: clock.set(2**63), lambda: ManualClock(-1)):
        with pytest.raises(ValueError, match="between 1970 and 2199"):
            move()
    assert clock.now() == 5


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_767_225_600 * SECOND, "2026-01-01T00:00:00Z"),
        (1_767_225_600 * SECOND + 1, "2026-01-01T00:00:00.000000001Z"),
    ],
)
def test_times_are_written_in_utc_with_their_nanoseconds(time: int, text: str) -> None:
    assert utc_text(time) == text
