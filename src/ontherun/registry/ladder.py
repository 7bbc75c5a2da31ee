"""The expiry ladder: each rung of `ontherun.keys.LADDER` announced once, durably.

Policies, here and nowhere else:
- after a pause (the process was down, the clock was moved) only the most urgent rung is announced, not each in turn;
- a pair whose expiry was moved starts anew for the new instant; what was announced for an instant is not repeated;
- what was already past when the pair was made is not announced, except that it has expired;
- pairs of one entity that expire on the same day (Central) are announced together, when the first one is due.
"""

from collections import defaultdict
from contextlib import suppress
from datetime import date, datetime
from heapq import heappop, heappush

from sqlalchemy import insert

from ontherun.calendar import CENTRAL
from ontherun.keys import KeyPair, next_notice, notices_due
from ontherun.keys.clock import DAY, SECOND
from ontherun.registry.principal import SYSTEM
from ontherun.registry.records import StoredKeyPair
from ontherun.registry.store import Change, Store
from ontherun.registry.tables_notices import ExpiryRungRow


def rung_due(pair: KeyPair, announced: int | None, now: int) -> int | None:
    """Return the rung to announce at `now`, in days before the expiry: the most urgent one that is due and not yet
    announced; None without one. `announced` is the most urgent rung announced for this expiry so far.
    """
    due = notices_due(pair, 0, now)
    if not due or (announced is not None and announced <= due[-1].days_left):
        return None
    return due[-1].days_left


class _NothingLeftError(Exception):
    """The pairs were deleted while we waited for our turn to write."""


class ExpiryLadder:
    """Announces what is due, each rung once for each pair and expiry, durably. It knows of no mail.

    `announced` is what the database has: (Access Key ID, its expiry) -> the most urgent rung.
    """

    def __init__(self, store: Store, announced: dict[tuple[str, int], int]) -> None:
        self._store = store
        self._directory = store.directory
        self._announced = announced
        self._next: list[tuple[int, str]] = []
        """A heap of (when the next rung is due, Access Key ID), with entries that are out of date."""
        self._expected: dict[str, int] = {}
        """Access Key ID -> the one entry of the heap that holds."""

    def next_at(self) -> int | None:
        """Return when the next rung of any pair is due, nanoseconds since 1970-01-01 UTC; None without one."""
        for access_key_id in self._directory.touched_pairs:
            self._expect(access_key_id)
        self._directory.touched_pairs.clear()
        while self._next and self._expected.get(self._next[0][1]) != self._next[0][0]:
            heappop(self._next)
        return self._next[0][0] if self._next else None

    async def climb(self) -> int:
        """Announce every rung that is due: one change for each entity. Return how many pairs were announced.

        UnavailableError when the database cannot be written; what was not announced is due still.
        """
        count = 0
        for access_key_ids in self._due().values():
            with suppress(_NothingLeftError):
                async with self._store.change(SYSTEM) as change:
                    count += self._announce(change, access_key_ids)
        return count

    def _due(self) -> dict[int, set[str]]:
        """Take from the heap whose rung is due, by entity, and with them what expires on the same days."""
        now = self._store.clock.now()
        due: dict[int, set[str]] = defaultdict(set)
        first = self.next_at()
        if first is None or first > now:
            return due  # as nearly always: what is due within a day is looked through only when something is due now
        days: set[tuple[int, date]] = set()
        soon: list[tuple[str, StoredKeyPair]] = []
        while (at := self.next_at()) is not None and at <= now + DAY:
            _, access_key_id = heappop(self._next)
            del self._expected[access_key_id]
            stored = self._directory.pair(access_key_id)
            assert stored is not None  # it was put
            soon.append((access_key_id, stored))
            if at <= now:
                days.add((stored.entity_id, _day(stored)))
        for access_key_id, stored in soon:
            if (stored.entity_id, _day(stored)) in days:
                due[stored.entity_id].add(access_key_id)
            self._directory.touched_pairs.add(access_key_id)  # back to the heap, announced or not
        return due

    def _announce(self, change: Change, access_key_ids: set[str]) -> int:
        """Have the rungs of these pairs of one entity announced, the most urgent first; return how many there are."""
        found = [self._rung(access_key_id, change.now) for access_key_id in access_key_ids]
        rungs = sorted((rung for rung in found if rung), key=lambda rung: (rung[1], rung[0].pair.expires_at))
        if not rungs:
            raise _NothingLeftError
        for stored, days in rungs:
            self._record(change, stored, days)
        marks = [(stored.pair.access_key_id, stored.pair.expires_at, days) for stored, days in rungs]
        names = ("access_key_id", "expires_at", "days")
        rows = [dict(zip(names, mark, strict=True)) | {"announced_at": change.now} for mark in marks]
        change.write(insert(ExpiryRungRow).values(rows))
        change.then(lambda: self._announced.update({(name, at): days for name, at, days in marks}))
        change.then(lambda: self._directory.touched_pairs.update(access_key_ids))
        return len(rungs)

    def _rung(self, access_key_id: str, now: int) -> tuple[StoredKeyPair, int] | None:
        """The rung to announce of a pair that is due now, or later on the day that its entity hears of."""
        stored = self._directory.pair(access_key_id)
        assert stored is not None  # it was put
        announced = self._announced.get((access_key_id, stored.pair.expires_at))
        days = rung_due(stored.pair, announced, now)
        if days is None and now < stored.pair.expires_at - DAY:
            days = rung_due(stored.pair, announced, now + DAY)
        return None if days is None else (stored, days)

    def _record(self, change: Change, stored: StoredKeyPair, days: int) -> None:
        pair = stored.pair
        session = self._directory.session(pair.session_id)
        outlive = [
            other.pair.access_key_id
            for other in self._directory.valid_pairs_of(pair.session_id, change.now)
            if other.pair.expires_at > pair.expires_at
        ]
        change.record(
            "key_pair.expiring" if days else "key_pair.expired",
            stored.entity_id,
            f"session {pair.session_id}",
            session_id=pair.session_id,
            access_key_id=pair.access_key_id,
            expires_at=pair.expires_at,
            days=days,
            label=session.label if session else "",
            successors=outlive,
        )

    def _expect(self, access_key_id: str) -> None:
        """Put the next rung of a pair into the heap."""
        stored = self._directory.pair(access_key_id)
        assert stored is not None  # it was put
        pair = stored.pair
        coming = next_notice(pair, self._announced.get((access_key_id, pair.expires_at)))
        if coming is None:
            self._expected.pop(access_key_id, None)
        elif self._expected.get(access_key_id) != coming.due_at:
            self._expected[access_key_id] = coming.due_at
            heappush(self._next, (coming.due_at, access_key_id))


def _day(stored: StoredKeyPair) -> date:
    """The day on which a pair expires, Central time."""
    return datetime.fromtimestamp(stored.pair.expires_at // SECOND, CENTRAL).date()
