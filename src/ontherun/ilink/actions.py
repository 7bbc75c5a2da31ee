"""What a gateway session tells its gateway to do, in this order, after each call."""

from dataclasses import dataclass

from ontherun.ilink.records import StreamRecord
from ontherun.ilink.trace import LoginTrace


@dataclass(slots=True)
class Record:
    """Journal this record; the stream has it already. It must be durable before a Send of the same call leaves."""

    record: StreamRecord


@dataclass(slots=True)
class Send:
    """Send this frame."""

    frame: bytes


@dataclass(slots=True)
class Retransmit:
    """Send stored messages again: original numbers and UUID, PossRetransFlag 1, after the frames before this action.

    `count` is what there is. Call `GatewaySession.retransmitted` when the last one is sent; until then further requests
    are refused as "already in progress".
    """

    uuid: int
    from_seq_no: int
    count: int


@dataclass(slots=True)
class Trace:
    """A login attempt ended; keep the trace for the session's owner."""

    trace: LoginTrace


@dataclass(slots=True)
class Close:
    """Close the socket after what was sent."""


Action = Record | Send | Retransmit | Trace | Close
