"""A key pair and the states of its life, as a literal table.

A pair is an Access Key ID, which travels in the login, and a secret key, which never travels and makes the HMAC
(CME Customer Center help, BrokerTec Order Entry Sessions). A pair belongs to a Session ID: every firm that uses the
session may log in with it (CME client wiki, Logon). The states active, expired and deleted are the exchange's
(same page). Ours are: expiring, still valid and inside the four weeks in which a successor is due; not yet valid, made
for a cut-over that lies ahead; deactivated, taken out of use and able to come back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from types import MappingProxyType
from typing import NamedTuple

from ontherun.keys.clock import DAY

NOTICE = 28 * DAY
"""How long before its expiry a pair counts as expiring, in nanoseconds: four weeks."""


@unique
class KeyPairState(StrEnum):
    """Where a pair is in its life."""

    NOT_YET_VALID = "not yet valid"
    ACTIVE = "active"
    EXPIRING = "expiring"
    DEACTIVATED = "deactivated"
    EXPIRED = "expired"
    DELETED = "deleted"

    @property
    def valid(self) -> bool:
        """Whether a login signed with the pair is accepted."""
        return self in (KeyPairState.ACTIVE, KeyPairState.EXPIRING)

    @property
    def living(self) -> bool:
        """Whether the pair is valid or can become so: it takes one of the session's places."""
        return self not in (KeyPairState.EXPIRED, KeyPairState.DELETED)


@unique
class KeyPairEvent(StrEnum):
    """What can happen to a pair after it was generated."""

    VALIDITY_BEGINS = "validity begins"
    EXPIRY_NEARS = "expiry nears"
    DEACTIVATE = "deactivate"
    ACTIVATE = "activate"
    EXPIRY_REACHED = "expiry reached"
    DELETE = "delete"


@unique
class EndReason(StrEnum):
    """Why a pair expires when it does."""

    LIFE = "end of its life"
    SUNSET = "four weeks after its successor"
    CUT_OVER = "cut-over to its successor"


_S, _E = KeyPairState, KeyPairEvent

LIFE: Mapping[tuple[KeyPairState, KeyPairEvent], KeyPairState | None] = MappingProxyType(
    {
        (_S.NOT_YET_VALID, _E.VALIDITY_BEGINS): _S.ACTIVE,
        (_S.NOT_YET_VALID, _E.EXPIRY_NEARS): _S.NOT_YET_VALID,
        (_S.NOT_YET_VALID, _E.DEACTIVATE): _S.DEACTIVATED,
        (_S.NOT_YET_VALID, _E.ACTIVATE): None,
        (_S.NOT_YET_VALID, _E.EXPIRY_REACHED): _S.EXPIRED,
        (_S.NOT_YET_VALID, _E.DELETE): _S.DELETED,
        (_S.ACTIVE, _E.VALIDITY_BEGINS): _S.ACTIVE,
        (_S.ACTIVE, _E.EXPIRY_NEARS): _S.EXPIRING,
        (_S.ACTIVE, _E.DEACTIVATE): _S.DEACTIVATED,
        (_S.ACTIVE, _E.ACTIVATE): None,
        (_S.ACTIVE, _E.EXPIRY_REACHED): _S.EXPIRED,
        (_S.ACTIVE, _E.DELETE): _S.DELETED,
        (_S.EXPIRING, _E.VALIDITY_BEGINS): _S.EXPIRING,
        (_S.EXPIRING, _E.EXPIRY_NEARS): _S.EXPIRING,
        (_S.EXPIRING, _E.DEACTIVATE): _S.DEACTIVATED,
        (_S.EXPIRING, _E.ACTIVATE): None,
        (_S.EXPIRING, _E.EXPIRY_REACHED): _S.EXPIRED,
        (_S.EXPIRING, _E.DELETE): _S.DELETED,
        (_S.DEACTIVATED, _E.VALIDITY_BEGINS): _S.DEACTIVATED,
        (_S.DEACTIVATED, _E.EXPIRY_NEARS): _S.DEACTIVATED,
        (_S.DEACTIVATED, _E.DEACTIVATE): None,
        (_S.DEACTIVATED, _E.ACTIVATE): _S.ACTIVE,
        (_S.DEACTIVATED, _E.EXPIRY_REACHED): _S.EXPIRED,
        (_S.DEACTIVATED, _E.DELETE): _S.DELETED,
        (_S.EXPIRED, _E.VALIDITY_BEGINS): _S.EXPIRED,
        (_S.EXPIRED, _E.EXPIRY_NEARS): _S.EXPIRED,
        (_S.EXPIRED, _E.DEACTIVATE): None,
        (_S.EXPIRED, _E.ACTIVATE): None,
        (_S.EXPIRED, _E.EXPIRY_REACHED): _S.EXPIRED,
        (_S.EXPIRED, _E.DELETE): _S.DELETED,
        (_S.DELETED, _E.VALIDITY_BEGINS): _S.DELETED,
        (_S.DELETED, _E.EXPIRY_NEARS): _S.DELETED,
        (_S.DELETED, _E.DEACTIVATE): None,
        (_S.DELETED, _E.ACTIVATE): None,
        (_S.DELETED, _E.EXPIRY_REACHED): _S.DELETED,
        (_S.DELETED, _E.DELETE): None,
    }
)
"""(state, event) -> next state; None: refused. A pair that is activated again is at once as far as its times say: it
may be expiring, or not yet valid."""


class NextChange(NamedTuple):
    """What happens next to a pair without anybody's doing: at `at` (ns since 1970 UTC) it will be `state`."""

    at: int
    state: KeyPairState


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key pair without its secret. Times are nanoseconds since 1970-01-01 UTC.

    `valid_from` None: valid since it was made. `expired_at` is set when its expiry was taken note of: from then on it
    stays expired, also on a clock that is moved back.
    """

    session_id: str
    access_key_id: str
    created_at: int
    expires_at: int
    deleted_at: int | None = None
    deactivated_at: int | None = None
    valid_from: int | None = None
    expired_at: int | None = None
    ends_by: EndReason = EndReason.LIFE

    def state(self, now: int) -> KeyPairState:
        """Return the state at `now`.

        The state follows from the times alone, so nothing has to run for a pair to begin or to expire. What somebody
        did to a pair holds at any time: a deleted pair stays deleted when the clock is moved back.
        """
        happened = (
            (_E.VALIDITY_BEGINS, self.valid_from is None or now >= self.valid_from),
            (_E.EXPIRY_NEARS, now >= self.expires_at - NOTICE),
            (_E.DEACTIVATE, self.deactivated_at is not None),
            (_E.EXPIRY_REACHED, now >= self.expires_at or self.expired_at is not None),
            (_E.DELETE, self.deleted_at is not None),
        )
        state = _S.NOT_YET_VALID
        for event, has_happened in happened:
            if has_happened:
                state = LIFE[state, event] or state
        return state

    def next_change(self, now: int) -> NextChange | None:
        """Return what happens next by the passing of time alone; None when nothing does."""
        state = self.state(now)
        if not state.living:
            return None
        ahead = {self.expires_at - NOTICE, self.expires_at, self.valid_from or 0}
        changes = (NextChange(at, self.state(at)) for at in sorted(ahead) if at > now)
        return next((change for change in changes if change.state is not state), None)
