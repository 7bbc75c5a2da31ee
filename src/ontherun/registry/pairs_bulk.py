"""Many key pairs in one go: one transaction, one second factor, an audit entry for each pair."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from ontherun.keys import KeyFile, KeyRuleError, living
from ontherun.registry.checks import checked_distinct, checked_name
from ontherun.registry.errors import InvalidError, RegistryError
from ontherun.registry.pairs import KeyPairs
from ontherun.registry.principal import Principal, Right, SecondFactor
from ontherun.registry.records import LABEL_PATTERN, AnySession, StoredKeyPair
from ontherun.registry.store import Change, Store

T = TypeVar("T")

LARGEST_BULK = 1000
"""The most sessions or pairs of one call."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one of many: the pair, or why there is none."""

    session_id: str
    access_key_id: str | None
    problem: str | None = None


class KeyPairsInBulk:
    """Generates, reads and deletes pairs of many sessions.

    Generating and deleting do what can be done and say of each of the others why not; when nothing can be done, the
    first error is raised. Reading is all or nothing.
    """

    def __init__(self, store: Store, pairs: KeyPairs) -> None:
        self._store = store
        self._pairs = pairs

    async def generate(
        self, by: Principal, session_ids: Sequence[str], *, delete_oldest: bool = False
    ) -> list[Outcome]:
        """Generate a pair for each session. `delete_oldest`: where two are there already, the older one goes."""
        ids = _bounded("session_ids", checked_distinct("session_ids", session_ids))
        async with self._store.change(by) as change:
            return _outcomes(
                (session_id, None, partial(self._generate_one, change, by, session_id, delete_oldest))
                for session_id in ids
            )

    async def download(
        self,
        by: Principal,
        wanted: Sequence[tuple[str, str]],
        file_format: str,
        *,
        reason: str = "",
        second_factor: SecondFactor | None = None,
    ) -> list[KeyFile]:
        """Read pairs, given as (Session ID, Access Key ID), with their secrets; as `KeyPairs.download` for each."""
        reason = checked_name("reason", reason, LABEL_PATTERN)
        wanted = _bounded("pairs", tuple(dict.fromkeys(wanted)))
        async with self._store.change(by) as change:
            found = [self._pairs.readable(by, session_id, access_key_id) for session_id, access_key_id in wanted]
            by.require_second_factor(second_factor, change.now)
            for stored in found:
                self._pairs.record_download(
                    change, stored, file_format=file_format, reason=reason, together_with=len(found) - 1
                )
        return [self._pairs.opened(stored) for stored in found]

    async def delete(self, by: Principal, wanted: Sequence[tuple[str, str]]) -> list[Outcome]:
        """Delete pairs, given as (Session ID, Access Key ID)."""
        wanted = _bounded("pairs", tuple(dict.fromkeys(wanted)))
        async with self._store.change(by) as change:
            return _outcomes((*pair, partial(self._delete_one, change, by, *pair)) for pair in wanted)

    def newest(self, by: Principal, session_ids: Sequence[str]) -> list[StoredKeyPair]:
        """Return the newest living pair of each session that has one."""
        now = self._store.clock.now()
        found = []
        for session_id in session_ids:
            alive = living([stored.pair for stored in self._pairs.list(by, session_id)], now)
            if alive:
                found.append(self._pairs.get(by, session_id, alive[-1].access_key_id))
        return found

    def _generate_one(self, change: Change, by: Principal, session_id: str, delete_oldest: bool) -> str:
        session = self._pairs.session(by, session_id)
        by.require(Right.GENERATE_KEYS, session.entity_id)
        chosen = self._oldest_of_two(by, session, change.now) if delete_oldest else None
        if chosen is not None:
            by.require(Right.DELETE_KEYS, session.entity_id)
        return self._pairs.changes.generate(change, session, chosen, None).pair.access_key_id

    def _oldest_of_two(self, by: Principal, session: AnySession, now: int) -> str | None:
        alive = living([stored.pair for stored in self._pairs.list(by, session.session_id)], now)
        return alive[0].access_key_id if len(alive) >= self._pairs.policy.valid_pairs else None

    def _delete_one(self, change: Change, by: Principal, session_id: str, access_key_id: str) -> str:
        stored = self._pairs.get(by, session_id, access_key_id)
        by.require(Right.DELETE_KEYS, stored.entity_id)
        self._pairs.changes.delete(change, stored)
        return access_key_id


def _bounded(where: str, wanted: tuple[T, ...]) -> tuple[T, ...]:
    if not 1 <= len(wanted) <= LARGEST_BULK:
        raise InvalidError(where, f"holds {len(wanted)}.", f"1 to {LARGEST_BULK} different ones")
    return wanted


def _outcomes(attempts: Iterable[tuple[str, str | None, Callable[[], str]]]) -> list[Outcome]:
    """Try each: (Session ID, Access Key ID where there is one, what to do). The first error when none succeeds."""
    outcomes: list[Outcome] = []
    first_error: RegistryError | KeyRuleError | None = None
    for session_id, access_key_id, attempt in attempts:
        try:
            outcomes.append(Outcome(session_id, attempt()))
        except (RegistryError, KeyRuleError) as error:
            first_error = first_error or error
            outcomes.append(Outcome(session_id, access_key_id, str(error)))
    if first_error is not None and all(outcome.problem for outcome in outcomes):
        raise first_error
    return outcomes
