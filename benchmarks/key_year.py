"""A year of key life: pairs generated, noticed, replaced, sunset and expired, on the manual clock.

    python -m benchmarks.key_year [SESSIONS]

Pure: the rules of `ontherun.keys` on the real calendar, without a database. Every session has a pair at the start,
spread over the year before; each day brings the notices that are due. Most sessions make a successor at the first
notice; one in ten rotates after half a year, so that the old pair gets a sunset; one in fifty is careless, lets its
pair expire and makes a new one a week later.
"""

import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from ontherun.keys import (
    Generated,
    KeyPair,
    KeyPolicy,
    ManualClock,
    generate,
    notices_due,
    settle,
)
from ontherun.keys.clock import DAY

GOAL = 3.0
"""Seconds for 1,000 sessions."""

START = 1_795_392_000 * 1_000_000_000  # 2026-11-23
_POLICY = KeyPolicy()
_CARELESS, _EAGER = 50, 10


@dataclass
class Year:
    """What a year brought: counts of events, and the pairs of every session at its end."""

    counts: Counter[str] = field(default_factory=Counter)
    pairs: list[list[KeyPair]] = field(default_factory=list)


def replay(sessions: int, days: int = 365) -> Year:
    """Replay so many days of so many sessions, day by day; the same every time."""
    year, clock, serial = Year(), ManualClock(START), 0

    def made(pairs: list[KeyPair], now: int) -> Generated:
        nonlocal serial
        serial += 1
        random = serial.to_bytes(32, "big")
        year.counts["generated"] += 1
        return generate(
            "A00", pairs, access_key_id_random=random[-15:], secret_key_random=random, now=now, policy=_POLICY
        )

    year.pairs = [[made([], START - (number * 365 // sessions) * DAY).pair] for number in range(sessions)]
    for _ in range(days):
        before = clock.now()
        clock.advance(DAY)
        for number, pairs in enumerate(year.pairs):
            days_left = [notice.days_left for pair in pairs for notice in notices_due(pair, before, clock.now())]
            year.counts["notices"] += len(days_left)
            if _replaces(pairs[-1], number, clock.now()):
                _take(pairs, made(pairs, clock.now()), year.counts)
            if 0 in days_left:
                gone = settle(pairs, clock.now())
                year.counts["expired"] += len(gone)
                _put(pairs, gone)
    return year


def _replaces(newest: KeyPair, session: int, now: int) -> bool:
    """Whether a session makes a successor now: in the last four weeks, after half a year, or a week too late."""
    if session % _CARELESS == 0:
        return now >= newest.expires_at + 7 * DAY
    if session % _EAGER == 1:
        return now >= newest.created_at + 182 * DAY
    return now >= newest.expires_at - 28 * DAY


def _take(pairs: list[KeyPair], made: Generated, counts: Counter[str]) -> None:
    before = {pair.access_key_id: pair for pair in pairs}
    for pair in made.changed:
        counts["sunsets"] += pair.expires_at < before[pair.access_key_id].expires_at
        counts["expired"] += pair.expired_at is not None and before[pair.access_key_id].expired_at is None
    _put(pairs, made.changed)
    pairs.append(made.pair)


def _put(pairs: list[KeyPair], changed: tuple[KeyPair, ...]) -> None:
    ids = {pair.access_key_id: pair for pair in changed}
    pairs[:] = [ids.get(pair.access_key_id, pair) for pair in pairs]


def main() -> int:
    """Print what the year brought and how long it took; 1 when the goal is missed."""
    sessions = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    begun = time.perf_counter()
    year = replay(sessions)
    took = time.perf_counter() - begun
    print(f"a year of key life for {sessions:,} sessions: {took:.2f} s (goal for 1,000: {GOAL:g} s)")
    print(", ".join(f"{count:,} {what}" for what, count in sorted(year.counts.items())))
    return 0 if took <= GOAL * max(1, sessions / 1000) else 1


if __name__ == "__main__":
    sys.exit(main())
