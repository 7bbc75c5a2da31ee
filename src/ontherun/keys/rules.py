"""What generating and deleting a key pair allow.

In force (CME client wiki, Logon; CME Customer Center help, Securing Drop Copy Sessions): a pair is usable at once
and lives twelve months; a session has at most two valid pairs; a deletion works at once. Before a third pair is made,
the user deletes one of the two, whichever they choose. Not in force yet: the exchange also ends the older of two pairs
four weeks after its successor was made, at market close, which takes the market's calendar.
"""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ontherun.keys.clock import SECOND, utc_text
from ontherun.keys.pair import LIFE, KeyPair, KeyPairEvent
from ontherun.keys.secret import Secret, base64url

ACCESS_KEY_ID_RANDOM_BYTES = 15
"""15 bytes are exactly the 20 base64url characters of the wire field AccessKeyID (schema id 8 version 9, tag 39004).
That the exchange makes its ids this way is inferred from its published samples."""

SECRET_KEY_RANDOM_BYTES = 32
"""A full HMAC-SHA-256 key. The length of the exchange's own secrets is not published."""


class KeyRuleError(Exception):
    """What was asked for is against a rule of the life of key pairs. The text says which, and what would be right."""


class PairLimitError(KeyRuleError):
    """The session already has as many valid pairs as it may have. `valid` holds them, oldest first."""

    def __init__(self, session_id: str, valid: tuple[KeyPair, ...], now: int) -> None:
        self.valid = valid
        listed = " and ".join(
            f"{pair.access_key_id} ({pair.state(now)}, expires {utc_text(pair.expires_at)})" for pair in valid
        )
        super().__init__(
            f"Session {session_id} already has {len(valid)} valid key pairs: {listed}. "
            "Delete one of them, which takes effect at once, and generate again."
        )


class PairDeletedError(KeyRuleError):
    """The pair was deleted before."""

    def __init__(self, pair: KeyPair) -> None:
        super().__init__(f"Key pair {pair.access_key_id} of session {pair.session_id} is deleted. Generate a new pair.")


@dataclass(frozen=True, slots=True)
class KeyPolicy:
    """The numbers behind the rules."""

    lifetime_months: int = 12
    valid_pairs: int = 2

    def expiry(self, created_at: int) -> int:
        """Return when a pair made at `created_at` expires, in whole seconds: the same day and time, months later.

        Where that month is too short, its last day. The time of day of the exchange's own expiries is not published.
        """
        created = datetime.fromtimestamp(created_at // SECOND, UTC)
        years, month = divmod(created.month - 1 + self.lifetime_months, 12)
        year, month = created.year + years, month + 1
        day = min(created.day, monthrange(year, month)[1])
        return int(created.replace(year=year, month=month, day=day).timestamp()) * SECOND


def generate(
    session_id: str,
    pairs: Iterable[KeyPair],
    *,
    access_key_id_random: bytes,
    secret_key_random: bytes,
    now: int,
    policy: KeyPolicy,
) -> tuple[KeyPair, Secret]:
    """Make a new pair for the session that has `pairs` (valid or not). PairLimitError when it may have no more.

    The random bytes, ACCESS_KEY_ID_RANDOM_BYTES and SECRET_KEY_RANDOM_BYTES of them, come from the caller; ValueError
    when they are too few or too many.
    """
    if len(access_key_id_random) != ACCESS_KEY_ID_RANDOM_BYTES or len(secret_key_random) != SECRET_KEY_RANDOM_BYTES:
        raise ValueError(f"a pair needs {ACCESS_KEY_ID_RANDOM_BYTES} and {SECRET_KEY_RANDOM_BYTES} random bytes")
    valid = tuple(sorted((pair for pair in pairs if pair.state(now).valid), key=lambda pair: pair.created_at))
    if len(valid) >= policy.valid_pairs:
        raise PairLimitError(session_id, valid, now)
    pair = KeyPair(session_id, base64url(access_key_id_random), created_at=now, expires_at=policy.expiry(now))
    return pair, Secret(secret_key_random)


def delete(pair: KeyPair, now: int) -> KeyPair:
    """Delete a pair with immediate effect. PairDeletedError when it already is."""
    if LIFE[pair.state(now), KeyPairEvent.DELETE] is None:
        raise PairDeletedError(pair)
    return replace(pair, deleted_at=now)
