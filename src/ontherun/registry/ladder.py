"""The expiry ladder: 28, 14, 7, 3 and 1 days before a pair expires, and when it has.

The exchange mails registered administrators before an expiry (CME Customer Center help, BrokerTec Order Entry
Sessions); when and how often is not published. The first rung is where the four weeks begin in which the exchange
lets an old pair live beside its successor.

Policies, here and nowhere else:
- after a pause (the process was down, the clock was moved) only the most urgent rung is announced, not each in turn;
- a pair whose expiry was moved starts anew for the new instant; what was announced for an instant is not repeated;
- what was already past when the pair was made is not announced, except that it has expired;
- pairs of one entity that expire on the same day (Central) are announced together, when the first one is due.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from heapq import heapify, heappop, heappush
from zoneinfo import ZoneInfo

from sqlalchemy import insert

from ontherun.keys import KeyPair
from ontherun.keys.clock import DAY, SECOND
from ontherun.registry.directory import Directory
from ontherun.registry.principal import SYSTEM
from ontherun.registry.records import StoredKeyPair
from ontherun.registry.store import Change, Store
from ontherun.registry.tables_notices import ExpiryRungRow

RUNGS = (28, 14, 7, 3, 1, 0)
"""Days before an expiry at which it is announced; 0: it has expired."""

_CENTRAL = ZoneInfo("America/Chicago")
_NONE_YET = RUNGS[0] + 1

Announced = Mapping[tuple[str, int], int]
"""(Access Key ID, its expiry) -> the most urgent rung that was announced for it."""


def rung_due(pair: KeyPair, announced: int | None, now: int) -> int | None:
    """Return the rung to announce at `now`, the most urgent one that is due and not yet announced; None without one.

    `announced` is the most urgent rung announced for this expiry so far.
    """
    if pair.deleted_at is not None:
        return None
    reached = [days for days in _rungs_of(pair) if pair.expires_at - days * DAY <= now]
    if not reached or (announced is not None and announced <= reached[-1]):
        return None
    return reached[-1]


def next_rung_at(pair: KeyPair, announced: int | None) -> int | None:
    """Return when the next rung is due, nanoseconds since 1970-01-01 UTC; None after the last one."""
    if pair.deleted_at is not None:
        return None
    below = _NONE_YET if announced is None else announced
    return next((pair.expires_at - days * DAY for days in _rungs_of(pair) if days < below), None)


def _rungs_of(pair: KeyPair) -> tuple[int, ...]:
    """The rungs that were still ahead when the pair was made."""
    return tuple(days for days in RUNGS if not days or pair.expires_at - days * DAY > pair.created_at)


class ExpiryLadder:
    """Announces what is due, each rung once for each pair and expiry, durably. It knows of no mail."""

    def __init__(self, store: Store, announced: dict[tuple[str, int], int]) -> None:
        self._store = store
        self._directory = store.directory
        self._announced = announced
        self._due: list[tuple[int, str]] = []

    def next_at(self) -> int | None:
        """Return when the next rung of any pair is due, nanoseconds since 1970-01-01 UTC; None without one."""
        self._hear_of_changes()
        while self._due and self._outdated(*self._due[0]):
            heappop(self._due)
        return self._due[0][0] if self._due else None

    async def climb(self) -> int:
        """Announce every rung that is due: one change for each entity. Return how many pairs were announced."""
        count = 0
        for entity_id in sorted(self._entities_due()):
            async with self._store.change(SYSTEM) as change:
                rungs = list(self._rungs(entity_id, change.now))
                if not rungs:  # deleted or announced while we waited for our turn
                    change.let_go()
                    continue
                for stored, days in sorted(rungs, key=lambda rung: (rung[1], rung[0].pair.expires_at)):
                    self._announce(change, stored, days)
                count += len(rungs)
        return count
