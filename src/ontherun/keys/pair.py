"""A key pair and the states of its life, as a literal table.

A pair is an Access Key ID, which travels in the login, and a secret key, which never travels and makes the HMAC
(CME Customer Center help, BrokerTec Order Entry Sessions). A pair belongs to a Session ID: every firm that uses the
session may log in with it (CME client wiki, Logon). The states active, expired and deleted are the exchange's
(same page); expiring is ours: still valid, and inside the four weeks in which a successor is due.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from types import MappingProxyType

from ontherun.keys.clock import DAY

NOTICE = 28 * DAY
"""How long before its expiry a pair counts as expiring, in nanoseconds: four weeks."""


@unique
class KeyPairState(StrEnum):
    """Where a pair is in its life."""

    ACTIVE = "active"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    DELETED = "deleted"

    @property
    def valid(self) -> bool:
        """Whether a login signed with the pair is accepted."""
        return self in (KeyPairState.ACTIVE, KeyPairState.EXPIRING)


@unique
class KeyPairEvent(StrEnum):
    """What can happen to a pair after it was generated."""

    EXPIRY_NEARS = "expiry nears"
    EXPIRY_REACHED = "expiry reached"
    DELETE = "delete"


_S, _E = KeyPairState, KeyPairEvent

LIFE: Mapping[tuple[KeyPairState, KeyPairEvent], KeyPairState | None] = MappingProxyType(
    {
        (_S.ACTIVE, _E.EXPIRY_NEARS): _S.EXPIRING,
        (_S.ACTIVE, _E.EXPIRY_REACHED): _S.EXPIRED,
        (_S.ACTIVE, _E.DELETE): _S.DELETED,
        (_S.EXPIRING, _E.EXPIRY_NEARS): _S.EXPIRING,
        (_S.EXPIRING, _E.EXPIRY_REACHED): _S.EXPIRED,
        (_S.EXPIRING, _E.DELETE): _S.DELETED,
        (_S.EXPIRED, _E.EXPIRY_NEARS): _S.EXPIRED,
        (_S.EXPIRED, _E.EXPIRY_REACHED): _S.EXPIRED,
        (_S.EXPIRED, _E.DELETE): _S.DELETED,
        (_S.DELETED, _E.EXPIRY_NEARS): _S.DELETED,
        (_S.DELETED, _E.EXPIRY_REACHED): _S.DELETED,
        (_S.DELETED, _E.DELETE): None,
    }
)
"""(state, event) -> next state; None: refused."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key pair without its secret. Times are nanoseconds since 1970-01-01 UTC."""

    session_id: str
    access_key_id: str
    created_at: int
    expires_at: int
    deleted_at: int | None = None

    def state(self, now: int) -> KeyPairState:
        """Return the state at `now`.

        The state follows from the times alone, so nothing has to run for a pair to expire. A deleted pair stays deleted
        when the clock is moved back.
        """
        happened = (
            (_E.EXPIRY_NEARS, now >= self.expires_at - NOTICE),
            (_E.EXPIRY_REACHED, now >= self.expires_at),
            (_E.DELETE, self.deleted_at is not None),
        )
        state = _S.ACTIVE
        for event, has_happened in happened:
            if has_happened:
                state = LIFE[state, event] or state
        return state
