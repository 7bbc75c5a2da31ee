"""Times as people write them, and pairs as the rules make them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ontherun.keys import Generated, KeyPair, KeyPolicy, generate
from ontherun.keys.clock import SECOND

POLICY = KeyPolicy()
_NEW_YORK = ZoneInfo("America/New_York")


def new_york(text: str) -> int:
    """Nanoseconds since 1970 UTC of a New York wall clock: "2026-11-23 10:00"."""
    return int(datetime.fromisoformat(text).replace(tzinfo=_NEW_YORK).timestamp()) * SECOND


def make(pairs: Iterable[KeyPair], now: int, seed: int = 1, policy: KeyPolicy = POLICY, **options: Any) -> Generated:
    """Generate with random bytes that are all `seed`."""
    return generate(
        "ABC",
        pairs,
        access_key_id_random=bytes([seed] * 15),
        secret_key_random=bytes([seed] * 32),
        now=now,
        policy=policy,
        **options,
    )


class Keyring:
    """The pairs of one session, as a registry would keep them."""

    def __init__(self, policy: KeyPolicy = POLICY) -> None:
        self.policy = policy
        self.pairs: dict[str, KeyPair] = {}

    def generate(self, now: int, **options: Any) -> KeyPair:
        made = make(self.pairs.values(), now, len(self.pairs) + 1, self.policy, **options)
        self.put(*made.changed, made.pair)
        return made.pair

    def put(self, *pairs: KeyPair) -> None:
        self.pairs.update({pair.access_key_id: pair for pair in pairs})

    def again(self, pair: KeyPair) -> KeyPair:
        """The pair as it is now."""
        return self.pairs[pair.access_key_id]

    def valid(self, now: int) -> list[KeyPair]:
        return [pair for pair in self.pairs.values() if pair.state(now).valid]
