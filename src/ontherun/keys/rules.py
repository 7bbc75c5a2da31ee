"""What may be done with the key pairs of a session. Pure: pairs, the time and random bytes in, changed pairs out.

The rules (CME client wiki, Logon; CME Customer Center help, Securing Drop Copy Sessions): a pair is usable at once and
lives twelve months; a session has at most two; the older of two expires four weeks after the newer one was made, at
market close; for a third one, one of the two is deleted at once, and the other has four weeks left. Where the exchange
is silent, `KeyPolicy` says what was chosen. Deactivating, activating and the scheduled cut-over are this project's own.

No rule ever makes a life longer.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ontherun.calendar import US_ACTIVES, MarketCalendar
from ontherun.keys.clock import utc_text
from ontherun.keys.errors import (
    CutOverError,
    PairChoiceError,
    PairDeletedError,
    PairLimitError,
    PairStateError,
    TooEarlyError,
)
from ontherun.keys.pair import LIFE, EndReason, KeyPair, KeyPairEvent
from ontherun.keys.policy import KeyPolicy
from ontherun.keys.secret import Secret, base64url

ACCESS_KEY_ID_RANDOM_BYTES = 15
"""15 bytes are exactly the 20 base64url characters of the wire field AccessKeyID (schema id 8 version 9, tag 39004).
That the exchange makes its ids this way is inferred from its published samples."""

SECRET_KEY_RANDOM_BYTES = 32
"""A full HMAC-SHA-256 key. The length of the exchange's own secrets is not published."""


@dataclass(frozen=True, slots=True)
class Generated:
    """A new pair and its secret, and the older pairs that changed by it: deleted, with an earlier end, or expired for
    good."""

    pair: KeyPair
    secret: Secret
    changed: tuple[KeyPair, ...] = ()


def living(pairs: Iterable[KeyPair], now: int) -> tuple[KeyPair, ...]:
    """Return the pairs that are valid or can become so, oldest first."""
    return tuple(sorted((pair for pair in pairs if pair.state(now).living), key=lambda pair: pair.created_at))


def settle(pairs: Iterable[KeyPair], now: int) -> tuple[KeyPair, ...]:
    """Return the pairs whose expiry was reached and not taken note of yet, with the note taken.

    A pair that was noted stays expired on a clock that is moved back, so that a new pair never becomes a third one.
    """
    return tuple(
        replace(pair, expired_at=now)
        for pair in pairs
        if pair.expired_at is None and pair.deleted_at is None and now >= pair.expires_at
    )


def generate(
    session_id: str,
    pairs: Iterable[KeyPair],
    *,
    access_key_id_random: bytes,
    secret_key_random: bytes,
    now: int,
    policy: KeyPolicy,
    calendar: MarketCalendar = US_ACTIVES,
    delete: str | None = None,
    cut_over_at: int | None = None,
) -> Generated:
    """Make a new pair for the session that has `pairs`, whatever their states.

    A pair beside it gets four weeks until market close, or ends at `cut_over_at`, where the new one begins. A third
    pair takes `delete`, the Access Key ID of the one of the two that is deleted at once.
    PairLimitError when a choice is needed, PairChoiceError when that choice cannot be, TooEarlyError when the policy
    wants a second pair near the expiry only, CutOverError when the cut-over cannot be then. The random bytes,
    ACCESS_KEY_ID_RANDOM_BYTES and SECRET_KEY_RANDOM_BYTES of them, come from the caller; ValueError when they are too
    few or too many.
    """
    if len(access_key_id_random) != ACCESS_KEY_ID_RANDOM_BYTES or len(secret_key_random) != SECRET_KEY_RANDOM_BYTES:
        raise ValueError(f"a pair needs {ACCESS_KEY_ID_RANDOM_BYTES} and {SECRET_KEY_RANDOM_BYTES} random bytes")
    pairs = tuple(pairs)
    beside, gone = _make_room(session_id, living(pairs, now), delete, now, policy)
    if gone is None and beside and now < (opens_at := policy.successor_from(beside[-1])):
        raise TooEarlyError(beside[-1], opens_at)
    sunset = policy.sunset(now, calendar)
    ended = tuple(_ending(pair, sunset, EndReason.SUNSET) for pair in beside)
    expires_at = policy.expiry(now, calendar)
    if cut_over_at is not None:
        _check_cut_over(ended, expires_at, cut_over_at, now)
        ended = tuple(_ending(pair, cut_over_at, EndReason.CUT_OVER) for pair in ended)
    pair = KeyPair(
        session_id, base64url(access_key_id_random), created_at=now, expires_at=expires_at, valid_from=cut_over_at
    )
    shortened = (after for before, after in zip(beside, ended, strict=True) if after is not before)
    changed = (*settle(pairs, now), *(() if gone is None else (gone,)), *shortened)
    return Generated(pair, Secret(secret_key_random), changed)


def delete(pair: KeyPair, now: int) -> KeyPair:
    """Delete a pair with immediate effect. PairDeletedError when it already is."""
    if LIFE[pair.state(now), KeyPairEvent.DELETE] is None:
        raise PairDeletedError(pair)
    return replace(pair, deleted_at=now)


def deactivate(pair: KeyPair, now: int) -> KeyPair:
    """Take a pair out of use until it is activated again; its life goes on. PairStateError when that cannot be."""
    _check(pair, KeyPairEvent.DEACTIVATE, now)
    return replace(pair, deactivated_at=now)


def activate(pair: KeyPair, now: int) -> KeyPair:
    """Bring a deactivated pair back, for what is left of its life. PairStateError when it is not deactivated."""
    _check(pair, KeyPairEvent.ACTIVATE, now)
    return replace(pair, deactivated_at=None)


def cut_over(pairs: Iterable[KeyPair], to: KeyPair, at: int, now: int) -> tuple[KeyPair, ...]:
    """Have every other living pair of the session end at `at`, and `to` valid from then on at the latest.

    Returns the pairs that change. CutOverError when there is nothing to cut over from, or when it would leave a gap.
    An end once set may be brought forward, never put off.
    """
    if not to.state(now).living:
        raise PairStateError(to, KeyPairEvent.ACTIVATE, now)
    if to.deactivated_at is not None:
        raise CutOverError(f"Key pair {to.access_key_id} is deactivated. Activate it before a cut-over to it.")
    others = tuple(pair for pair in living(pairs, now) if pair.access_key_id != to.access_key_id)
    if not others:
        raise CutOverError(f"Session {to.session_id} has no other key pair to cut over from. Generate one first.")
    _check_cut_over(others, to.expires_at, at, now)
    changed = [ended for pair in others if (ended := _ending(pair, at, EndReason.CUT_OVER)) is not pair]
    if to.valid_from is not None and now < to.valid_from and at != to.valid_from:
        changed.append(replace(to, valid_from=at))
    return tuple(changed)


def _make_room(
    session_id: str, beside: tuple[KeyPair, ...], chosen: str | None, now: int, policy: KeyPolicy
) -> tuple[tuple[KeyPair, ...], KeyPair | None]:
    """Return the pairs that stay beside the new one, and the one that is deleted for it."""
    if len(beside) < policy.valid_pairs:
        if chosen is not None:
            raise PairChoiceError(
                f"Session {session_id} has room for another key pair, so none is deleted for it. "
                "Generate without a choice."
            )
        return beside, None
    if chosen is None:
        raise PairLimitError(session_id, beside, now, oldest_only=policy.oldest_only)
    gone = next((pair for pair in beside if pair.access_key_id == chosen), None)
    if gone is None or (policy.oldest_only and gone is not beside[0]):
        right = beside[:1] if policy.oldest_only else beside
        raise PairChoiceError(
            f"Key pair {chosen} cannot be deleted for a third one of session {session_id}. "
            f"Choose {' or '.join(pair.access_key_id for pair in right)}."
        )
    return tuple(pair for pair in beside if pair is not gone), delete(gone, now)


def _ending(pair: KeyPair, at: int, reason: EndReason) -> KeyPair:
    return replace(pair, expires_at=at, ends_by=reason) if at < pair.expires_at else pair


def _check_cut_over(from_pairs: Iterable[KeyPair], expires_at: int, at: int, now: int) -> None:
    if at <= now:
        raise CutOverError(f"A cut-over at {utc_text(at)} lies in the past. Choose a time to come.")
    latest = max((pair.expires_at for pair in from_pairs), default=expires_at - 1)
    if at > latest:
        raise CutOverError(
            f"A cut-over at {utc_text(at)} would come too late: until then no key pair would be valid from "
            f"{utc_text(latest)} on. Choose {utc_text(latest)} or earlier."
        )


def _check(pair: KeyPair, event: KeyPairEvent, now: int) -> None:
    state = pair.state(now)
    if LIFE[state, event] is None:
        raise PairDeletedError(pair) if pair.deleted_at is not None else PairStateError(pair, event, now)
