"""How well the key pairs of a session are looked after: findings, each with what to do, and a score from 0 to 100.

None of this is the exchange's. Ages and weights are chosen here, in one place.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from itertools import pairwise

from ontherun.keys.clock import DAY, utc_text
from ontherun.keys.pair import NOTICE, KeyPair, KeyPairState


@dataclass(frozen=True, slots=True)
class KeyUse:
    """The logins with a pair: counts of those that a gateway accepted and refused, and the last ones.

    Times are nanoseconds since 1970-01-01 UTC. `last_source` is the network address, `last_gateway` names the gateway.
    """

    successes: int = 0
    failures: int = 0
    first_used_at: int | None = None
    last_used_at: int | None = None
    last_source: str = ""
    last_gateway: str = ""
    last_failed_at: int | None = None
    last_failed_source: str = ""

    def after(self, at: int, source: str, gateway: str, *, ok: bool) -> "KeyUse":
        """Return the record after one more login."""
        if not ok:
            return KeyUse(
                self.successes,
                self.failures + 1,
                self.first_used_at,
                self.last_used_at,
                self.last_source,
                self.last_gateway,
                at,
                source,
            )
        first = at if self.first_used_at is None else self.first_used_at
        return KeyUse(
            self.successes + 1, self.failures, first, at, source, gateway, self.last_failed_at, self.last_failed_source
        )


NEVER = KeyUse()
"""A pair that nobody has logged in with."""


@unique
class Finding(StrEnum):
    """What is not well."""

    NO_VALID_PAIR = "no valid pair"
    NO_SUCCESSOR = "no successor"
    OLD_KEY_IN_USE = "the old key still logs in"
    NEVER_USED = "never used"
    OLD = "older than policy"
    FAILING = "logins fail"


@dataclass(frozen=True, slots=True)
class HealthPolicy:
    """When something counts as not well, in nanoseconds, and how many points it costs.

    A pair should be replaced after `oldest`: half its life, since common benchmarks ask for less than the exchange's
    twelve months. Nobody is expected to have used a pair before it is `unused` old.
    """

    oldest: int = 182 * DAY
    unused: int = 7 * DAY
    successor: int = NOTICE
    failing: int = DAY

    def points(self, finding: Finding) -> int:
        """Return what a finding costs."""
        return _POINTS[finding]


_POINTS: Mapping[Finding, int] = {
    Finding.NO_VALID_PAIR: 60,
    Finding.NO_SUCCESSOR: 40,
    Finding.OLD_KEY_IN_USE: 30,
    Finding.FAILING: 20,
    Finding.NEVER_USED: 15,
    Finding.OLD: 10,
}


@dataclass(frozen=True, slots=True)
class Concern:
    """A finding about one pair (None: about the session), and what to do."""

    finding: Finding
    access_key_id: str | None
    advice: str


@dataclass(frozen=True, slots=True)
class Health:
    """The health of a session's key pairs: 100 is well."""

    score: int
    concerns: tuple[Concern, ...]


def health_of_session(
    pairs: Iterable[KeyPair],
    uses: Mapping[str, KeyUse],
    now: int,
    policy: HealthPolicy = HealthPolicy(),
) -> Health:
    """Look at the pairs of one session; `uses` by Access Key ID. A session that never had a pair is not ill."""
    found = [(pair, pair.state(now)) for pair in pairs]
    alive = sorted((each for each in found if each[1].living), key=lambda each: each[0].created_at)
    valid = [pair for pair, state in alive if state.valid]
    concerns = (
        *_about_session(bool(found), alive, valid, now, policy),
        *(concern for pair in valid for concern in _about_pair(pair, pair is alive[-1][0], uses, now, policy)),
        *_old_keys_in_use(valid, uses),
    )
    lost = sum(policy.points(finding) for finding in {concern.finding for concern in concerns})
    return Health(max(0, 100 - lost), concerns)


def score_of_entity(sessions: Iterable[Health]) -> int:
    """Return the mean of the sessions' scores, rounded down; 100 without sessions."""
    scores = [health.score for health in sessions]
    return sum(scores) // len(scores) if scores else 100


def _about_session(
    had_pairs: bool,
    alive: Sequence[tuple[KeyPair, KeyPairState]],
    valid: Sequence[KeyPair],
    now: int,
    policy: HealthPolicy,
) -> Iterable[Concern]:
    if not had_pairs:
        return
    if not valid:
        yield Concern(Finding.NO_VALID_PAIR, None, "The session cannot log in. Generate a pair, or activate one.")
        return
    in_use = (pair for pair, state in alive if state is not KeyPairState.DEACTIVATED)
    last = max(in_use, key=lambda pair: pair.expires_at)
    if last.expires_at - now <= policy.successor:
        advice = f"After {_minute(last.expires_at)} the session cannot log in. Generate the successor now."
        yield Concern(Finding.NO_SUCCESSOR, last.access_key_id, advice)


def _about_pair(
    pair: KeyPair,
    newest: bool,
    uses: Mapping[str, KeyUse],
    now: int,
    policy: HealthPolicy,
) -> Iterable[Concern]:
    use = uses.get(pair.access_key_id, NEVER)
    if use.last_used_at is None and now - max(pair.created_at, pair.valid_from or 0) >= policy.unused:
        yield Concern(
            Finding.NEVER_USED, pair.access_key_id, "Nobody has logged in with it. Delete it if nobody needs it."
        )
    if newest and now - pair.created_at > policy.oldest:
        days = policy.oldest // DAY
        yield Concern(Finding.OLD, pair.access_key_id, f"It is older than {days} days. Replace it.")
    failed = use.last_failed_at
    if failed is not None and now - failed <= policy.failing and failed > (use.last_used_at or 0):
        advice = (
            f"The last login, from {use.last_failed_source}, was refused. Test the key; five refusals close the port."
        )
        yield Concern(Finding.FAILING, pair.access_key_id, advice)


def _old_keys_in_use(valid: Sequence[KeyPair], uses: Mapping[str, KeyUse]) -> Iterable[Concern]:
    """Find pairs that still log in though a newer one is valid, and has not logged in since."""
    for old, new in pairwise(valid):
        old_use, new_use = uses.get(old.access_key_id, NEVER), uses.get(new.access_key_id, NEVER)
        begun = max(new.created_at, new.valid_from or 0, new_use.last_used_at or 0)
        if old_use.last_used_at is not None and old_use.last_used_at > begun:
            advice = f"It ends at {_minute(old.expires_at)}. Move the client to {new.access_key_id} before that."
            yield Concern(Finding.OLD_KEY_IN_USE, old.access_key_id, advice)


def _minute(at: int) -> str:
    return f"{utc_text(at)[:16].replace('T', ' ')} UTC"
