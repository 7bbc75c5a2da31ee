"""How the key pairs of each session stand: worked out once, and again when a pair, a login or the time changes it.

Lists of ten thousand sessions ask for it at each page. What is kept holds until `until`: before that, nothing changes
by the passing of time alone. A pair that changes and a login with one make the registry forget it (`Directory`,
`KeyUses`); a clock that moves back makes it be worked out anew.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ontherun.keys import NEVER, Health, KeyPairState, KeyUse, health_holds_until, health_of_session
from ontherun.registry.directory import Directory
from ontherun.registry.records import StoredKeyPair


@dataclass(frozen=True, slots=True)
class Standing:
    """The pairs of one session from `since` on and before `until`, nanoseconds since 1970-01-01 UTC."""

    since: int
    until: int
    health: Health
    valid: tuple[StoredKeyPair, ...]
    """The pairs that a login may use."""
    expiring: int
    """How many of them are in their last four weeks."""
    next_expiry: int | None
    """When the first of them ends, or None without any."""
    used: bool
    """Whether anybody ever logged in with one of them."""


class Standings:
    """Looks up, or works out, how the pairs of a session stand."""

    def __init__(self, directory: Directory, uses: Mapping[str, KeyUse], now: Callable[[], int]) -> None:
        self._directory = directory
        self._known = directory.standings
        self._uses = uses
        self._now = now

    def of(self, session_id: str, now: int | None = None) -> Standing:
        """Return how the pairs of a session stand at `now`, which a caller that asks for many gives."""
        now = self._now() if now is None else now
        found = self._known.get(session_id)
        if found is None or not found.since <= now < found.until:
            found = self._known[session_id] = self._work_out(session_id, now)
        return found

    def _work_out(self, session_id: str, now: int) -> Standing:
        stored = tuple(self._directory.pairs_of(session_id))
        pairs = [each.pair for each in stored]
        states = [pair.state(now) for pair in pairs]
        valid = tuple(each for each, state in zip(stored, states, strict=True) if state.valid)
        return Standing(
            now,
            health_holds_until(pairs, self._uses, now),
            health_of_session(pairs, self._uses, now),
            valid,
            states.count(KeyPairState.EXPIRING),
            min((each.pair.expires_at for each in valid), default=None),
            any(self._uses.get(each.pair.access_key_id, NEVER).successes for each in valid),
        )
