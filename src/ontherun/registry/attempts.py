"""Failed attempts to sign in: counted for each account and each address, on disk, so that a restart forgives nobody.

Accounts that do not exist are counted and locked like those that do, so that neither an answer nor its time tells them
apart. Attempts under way count as failed until they are known to be right: a thousand at once are no way around.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network

from sqlalchemy import delete
from sqlalchemy.dialects.sqlite import insert as upsert

from ontherun.keys import utc_text
from ontherun.registry.errors import TooManyAttemptsError
from ontherun.registry.people_book import PeopleBook
from ontherun.registry.records_people import Attempts, PeoplePolicy
from ontherun.registry.store import Change
from ontherun.registry.tables_people import AttemptsRow

_MOST_KEPT = 10_000
"""Counters that are kept; the oldest make room. One address makes 30 of them in a quarter of an hour."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is at the door: the address, and what the browser calls itself."""

    source: str | None = None
    agent: str = ""


def account_key(email: str) -> str:
    """Return the counter of an account: no address of a person, only a hash of it."""
    return "account " + sha256(email.strip().lower().encode("utf-8", "surrogatepass")).hexdigest()


def source_key(source: str | None) -> str:
    """Return the counter of a network address; of IPv6 its first 64 bits: who has one address there has them all."""
    with suppress(ValueError):
        address = ip_address(source or "")
        if isinstance(address, IPv6Address):
            inner = address.ipv4_mapped
            source = str(inner) if inner else str(ip_network((int(address), 64), strict=False))
    return f"source {source or 'here'}"[:80]


class AttemptCounter:
    """Says whether an attempt may be made, and counts how it went."""

    def __init__(self, book: PeopleBook, policy: PeoplePolicy) -> None:
        self._book = book
        self._policy = policy
        self._under_way: Counter[str] = Counter()

    def locked_until(self, key: str, now: int) -> int | None:
        """Return until when a counter refuses every attempt, or None."""
        found = self._book.attempts.get(key)
        return found.locked_until if found is not None and now < found.locked_until else None

    @contextmanager
    def attempt(self, email: str | None, source: str | None, now: int) -> Iterator[None]:
        """Hold a place for one attempt while it is under way. TooManyAttemptsError when it may not be made now.

        Without an address of an account (a passkey, a link) only the network address is counted.
        """
        limits = {source_key(source): self._policy.failures_of_source}
        if email is not None:
            limits[account_key(email)] = self._policy.failures_to_lock
        for key, limit in limits.items():
            until = self.locked_until(key, now)
            if until is not None:
                raise TooManyAttemptsError(
                    f"There were too many failed attempts. The next one is possible at {utc_text(until)}."
                )
            if self._failures(key, now) + self._under_way[key] >= limit:
                raise TooManyAttemptsError("Too many attempts are under way at once. Try again in a moment.")
        self._under_way.update(limits.keys())
        try:
            yield
        finally:
            self._under_way.subtract(limits.keys())
            for key in limits:
                if not self._under_way[key]:
                    del self._under_way[key]

    def failed(self, change: Change, email: str | None, source: str | None) -> bool:
        """Count a failed attempt with `change`; return whether it locks the account."""
        policy = self._policy
        self._count(change, source_key(source), policy.failures_of_source, policy.source_window)
        if email is None:
            return False
        return self._count(change, account_key(email), policy.failures_to_lock, policy.locked_for)

    def forget(self, change: Change, email: str) -> None:
        """Begin an account's count anew with `change`: it was right, or somebody unlocks it."""
        key = account_key(email)
        if key in self._book.attempts:
            change.write(delete(AttemptsRow).where(AttemptsRow.key == key))
            change.then(lambda: self._book.attempts.pop(key, None))

    def _failures(self, key: str, now: int) -> int:
        """Return the failures that still count: a clock that moved back lets none be forgotten."""
        found = self._book.attempts.get(key)
        if found is None or (found.locked_until and now >= found.locked_until):
            return 0
        window = self._policy.source_window if key.startswith("source") else self._policy.locked_for
        return found.failures if now - found.first_at < window else 0

    def _count(self, change: Change, key: str, limit: int, locked_for: int) -> bool:
        failures, now = self._failures(key, change.now) + 1, change.now
        before = self._book.attempts.get(key)
        first_at = before.first_at if before is not None and failures > 1 else now
        counted = Attempts(failures, first_at, now, now + locked_for if failures >= limit else 0)
        values = {
            "failures": counted.failures,
            "first_at": counted.first_at,
            "last_at": counted.last_at,
            "locked_until": counted.locked_until,
        }
        statement = upsert(AttemptsRow).values(key=key, **values)
        change.write(statement.on_conflict_do_update(index_elements=["key"], set_=values))
        change.then(lambda: self._book.attempts.update({key: counted}))
        self._make_room(change)
        return failures >= limit

    def _make_room(self, change: Change) -> None:
        if len(self._book.attempts) < _MOST_KEPT:
            return
        now, book = change.now, self._book.attempts
        oldest = min(book, key=lambda key: (now < book[key].locked_until, book[key].last_at))  # a lock goes last
        change.write(delete(AttemptsRow).where(AttemptsRow.key == oldest))
        change.then(lambda: self._book.attempts.pop(oldest, None))
