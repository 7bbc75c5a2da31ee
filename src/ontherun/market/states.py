"""Trading states of a segment and what each allows."""

from enum import IntEnum
from typing import Final, NamedTuple

from ontherun.market.refusals import (
    CANCEL_WHILE_CLOSED,
    ENTRY_WHILE_CLOSED,
    ENTRY_WHILE_PAUSED,
    PRE_OPEN_OR_POST_CLOSE,
    Refusal,
)


class SecurityTradingStatus(IntEnum):
    """SecurityTradingStatus (326), the values of the exchange's schedule files."""

    PAUSE = 2
    CLOSED = 4
    OPEN = 17
    PRE_OPEN = 21
    POST_CLOSE = 26


class Permissions(NamedTuple):
    """What a state answers to a new or replaced day order, to FAK and FOK, and to a cancel; None lets it pass."""

    day: Refusal | None
    immediate: Refusal | None
    cancel: Refusal | None


PERMISSIONS: Final[dict[SecurityTradingStatus, Permissions]] = {
    SecurityTradingStatus.CLOSED: Permissions(ENTRY_WHILE_CLOSED, ENTRY_WHILE_CLOSED, CANCEL_WHILE_CLOSED),
    SecurityTradingStatus.PRE_OPEN: Permissions(None, PRE_OPEN_OR_POST_CLOSE, None),
    SecurityTradingStatus.OPEN: Permissions(None, None, None),
    SecurityTradingStatus.PAUSE: Permissions(ENTRY_WHILE_PAUSED, ENTRY_WHILE_PAUSED, None),
    SecurityTradingStatus.POST_CLOSE: Permissions(PRE_OPEN_OR_POST_CLOSE, PRE_OPEN_OR_POST_CLOSE, None),
}
"""Orders trade in OPEN only. Source: CME client wiki, reject texts and FAK in Open only; the rest is our reading."""
