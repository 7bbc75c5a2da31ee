"""The notices that the expiry of a pair calls for.

The exchange mails the registered administrators before a pair expires (CME Customer Center help, BrokerTec Order Entry
Sessions); how often and how early is not published. The ladder is chosen here: four weeks, when the rollover opens,
then closer and closer, and once more when the pair has expired.
"""

from typing import NamedTuple

from ontherun.keys.clock import DAY
from ontherun.keys.pair import KeyPair

LADDER = (28, 14, 7, 3, 1, 0)
"""Days before the expiry at which a notice is due; 0: expired."""


class ExpiryNotice(NamedTuple):
    """One notice of a pair's expiry. `days_left` 0: it has expired. `due_at` is in nanoseconds since 1970 UTC."""

    access_key_id: str
    days_left: int
    due_at: int


def notices_due(pair: KeyPair, since: int, now: int) -> tuple[ExpiryNotice, ...]:
    """Return the notices of `pair` that became due after `since`, up to and including `now`: earliest first.

    None are due for a deleted pair, nor on a clock that was moved back (`now` <= `since`), nor any that lie before the
    pair was made: a pair whose end is brought forward passes over the steps that are behind it.
    """
    end = pair.expires_at
    if pair.deleted_at is not None or end <= since or now < end - LADDER[0] * DAY:
        return ()  # most pairs on most days
    after = max(since, pair.created_at)
    return tuple(
        ExpiryNotice(pair.access_key_id, days, due_at) for days in LADDER if after < (due_at := end - days * DAY) <= now
    )


def next_notice(pair: KeyPair, announced: int | None) -> ExpiryNotice | None:
    """Return the notice that comes after the one at `announced` days; None: after none. None when none does."""
    ladder = notices_due(pair, 0, pair.expires_at)
    return next((notice for notice in ladder if announced is None or notice.days_left < announced), None)
