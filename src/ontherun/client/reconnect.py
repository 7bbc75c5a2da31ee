"""Reconnect: which ends of a connection, and which refusals of a login, another try can mend."""

from dataclasses import dataclass
from typing import Final

from ontherun.client.errors import ClientError, LoginRefused
from ontherun.ilink.codes import NegotiationRejectCode, TerminateCode

BEGIN_AGAIN: Final = frozenset(
    {TerminateCode.UNNEGOTIATED, TerminateCode.INVALID_NEXT_SEQ_NO, TerminateCode.INVALID_UUID}
)
"""A login under the old UUID that ends with one of these needs a new, greater UUID."""

STAY_AWAY: Final = frozenset({TerminateCode.CME_ADMINISTERED_PORT_CLOSURE, TerminateCode.VOLUME_CONTROLS})
"""An end that a person has to look at first."""

_STILL_THERE: Final = frozenset({TerminateCode.ALREADY_NEGOTIATED, TerminateCode.ALREADY_ESTABLISHED})
"""The venue has not noticed yet that the lost connection is gone: it does after two keep-alive intervals."""

_PASSING: Final = frozenset(
    {
        NegotiationRejectCode.HMAC_NOT_AVAILABLE,
        NegotiationRejectCode.VOLUME_CONTROLS,
        NegotiationRejectCode.DESIGNATED_BACKUP,
    }
)
"""Rejects that time heals. Every other refusal would be repeated."""


@dataclass(frozen=True, slots=True)
class Reconnect:
    """How to come back after a loss: wait `first_delay` s before the second try, twice as long before each next one.

    `greatest_delay`: s; `tries`: give up after so many, None: never. Whatever is said here, a login that could be the
    fifth bad one within 60 s waits until it cannot.
    """

    first_delay: float = 0.1
    greatest_delay: float = 5.0
    tries: int | None = None


def is_wrong_port(error: ClientError) -> bool:
    """Whether this listener is the designated backup now: the primary is to be found at the other address."""
    return isinstance(error, LoginRefused) and not error.ended and error.code == NegotiationRejectCode.DESIGNATED_BACKUP


def is_wrong_key(error: ClientError) -> bool:
    """Whether the venue did not accept the key pair."""
    wrong = NegotiationRejectCode.HMAC_NOT_AUTHENTICATED
    return isinstance(error, LoginRefused) and not error.ended and error.code == wrong


def needs_new_uuid(error: LoginRefused) -> bool:
    """Whether the venue does not know the UUID or the number that we go on with."""
    return error.ended and error.code in BEGIN_AGAIN


def pause(error: ClientError, delay: float, keep_alive_interval: int) -> float | None:
    """How long to wait before the next try, s; None when another try would be refused again.

    `delay`: s; `keep_alive_interval`: ms.
    """
    if not isinstance(error, LoginRefused):
        return delay
    if not error.ended:
        return delay if error.code in _PASSING else None
    if error.code in _STILL_THERE:
        return max(delay, 2 * keep_alive_interval / 1000)
    return delay if error.code == TerminateCode.FINISHED else None
