"""The life of a request: a literal table of states and events. Anything that is not in it is refused.

The names of the states follow the exchange's My Requests page (CME Customer Center help, Request Center; Submitted,
In-Progress, Completed and Failed are shown there, the others are implied by its approvals).
"""

from collections.abc import Mapping
from enum import StrEnum, unique
from types import MappingProxyType

from ontherun.registry.errors import ConflictError


@unique
class RequestStatus(StrEnum):
    """Where a request is. Submitted is passed through within the transaction that submits it."""

    SUBMITTED = "Submitted"
    PENDING_APPROVAL = "Pending Approval"
    IN_PROGRESS = "In-Progress"
    COMPLETED = "Completed"
    FAILED = "Failed"
    REJECTED = "Rejected"
    CANCELLED = "Cancelled"

    @property
    def open(self) -> bool:
        """Whether something will still happen to the request."""
        return self in _OPEN


@unique
class RequestEvent(StrEnum):
    """What happens to a request."""

    HOLD = "hold for approval"
    BEGIN = "begin"
    APPROVE = "approve"
    REJECT = "reject"
    AMEND = "amend"
    CANCEL = "cancel"
    COMPLETE = "complete"
    FAIL = "fail"


_S, _E = RequestStatus, RequestEvent
_OPEN = frozenset({_S.SUBMITTED, _S.PENDING_APPROVAL, _S.IN_PROGRESS})

TRANSITIONS: Mapping[tuple[RequestStatus, RequestEvent], RequestStatus] = MappingProxyType(
    {
        (_S.SUBMITTED, _E.HOLD): _S.PENDING_APPROVAL,
        (_S.SUBMITTED, _E.BEGIN): _S.IN_PROGRESS,
        (_S.PENDING_APPROVAL, _E.APPROVE): _S.IN_PROGRESS,
        (_S.PENDING_APPROVAL, _E.REJECT): _S.REJECTED,
        (_S.PENDING_APPROVAL, _E.AMEND): _S.SUBMITTED,
        (_S.PENDING_APPROVAL, _E.CANCEL): _S.CANCELLED,
        (_S.IN_PROGRESS, _E.AMEND): _S.SUBMITTED,
        (_S.IN_PROGRESS, _E.CANCEL): _S.CANCELLED,
        (_S.IN_PROGRESS, _E.COMPLETE): _S.COMPLETED,
        (_S.IN_PROGRESS, _E.FAIL): _S.FAILED,
    }
)
"""(state, event) -> the next state."""


def after(status: RequestStatus, event: RequestEvent, request_id: int) -> RequestStatus:
    """Return the state that follows. ConflictError when the event cannot happen in this state."""
    following = TRANSITIONS.get((status, event))
    if following is None:
        raise ConflictError(f"Request {request_id} is {status}, so that nobody can {event} it.")
    return following
