"""What the rules of the life of key pairs refuse. Each text says which rule, and what would be right."""

from ontherun.keys.clock import utc_text
from ontherun.keys.pair import KeyPair, KeyPairEvent, KeyPairState


class KeyRuleError(Exception):
    """What was asked for is against a rule of the life of key pairs. The text says which, and what would be right."""


class PairLimitError(KeyRuleError):
    """The session already has as many pairs as it may have. `pairs` holds them, oldest first: one has to be chosen."""

    def __init__(self, session_id: str, pairs: tuple[KeyPair, ...], now: int, *, oldest_only: bool = False) -> None:
        self.pairs = pairs
        listed = " and ".join(_named(pair, now) for pair in pairs)
        choice = f"Delete the oldest, {pairs[0].access_key_id}" if oldest_only else "Delete one of them"
        super().__init__(
            f"Session {session_id} already has {len(pairs)} key pairs: {listed}. "
            f"{choice}, which takes effect at once, and generate again; or generate and name the one to delete. "
            "The pair that stays then expires four weeks later at market close."
        )


class PairChoiceError(KeyRuleError):
    """The pair that was chosen to be deleted for a third one cannot be."""


class TooEarlyError(KeyRuleError):
    """By this venue's policy a second pair is made only within four weeks of the first one's expiry."""

    def __init__(self, pair: KeyPair, opens_at: int) -> None:
        self.opens_at = opens_at
        super().__init__(
            f"Key pair {pair.access_key_id} of session {pair.session_id} is valid until {utc_text(pair.expires_at)}. "
            f"A second pair is made only in the four weeks before that, from {utc_text(opens_at)}."
        )


class PairDeletedError(KeyRuleError):
    """The pair was deleted before."""

    def __init__(self, pair: KeyPair) -> None:
        super().__init__(f"Key pair {pair.access_key_id} of session {pair.session_id} is deleted. Generate a new pair.")


class PairStateError(KeyRuleError):
    """What was asked for does not go with the state of the pair."""

    def __init__(self, pair: KeyPair, event: KeyPairEvent, now: int) -> None:
        state = pair.state(now)
        super().__init__(
            f"Key pair {pair.access_key_id} of session {pair.session_id} is {state}: one cannot {event} it. "
            f"{_RIGHT[state]}"
        )


class CutOverError(KeyRuleError):
    """A cut-over that would leave a gap, or that lies in the past."""


_RIGHT = {
    KeyPairState.NOT_YET_VALID: "It becomes valid by itself at its cut-over.",
    KeyPairState.ACTIVE: "It is in use already.",
    KeyPairState.EXPIRING: "It is in use already.",
    KeyPairState.DEACTIVATED: "Activate it to bring it back.",
    KeyPairState.EXPIRED: "Generate a new pair.",
    KeyPairState.DELETED: "Generate a new pair.",
}


def _named(pair: KeyPair, now: int) -> str:
    return f"{pair.access_key_id} ({pair.state(now)}, expires {utc_text(pair.expires_at)})"
