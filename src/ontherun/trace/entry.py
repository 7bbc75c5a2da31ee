"""TraceEntry: one thing that happened on a connection, in the words of its session's owner."""

from collections.abc import Mapping
from enum import StrEnum, unique
from typing import NamedTuple

Fact = str | int | bool | None


@unique
class TraceKind(StrEnum):
    """What happened."""

    LOGIN = "login"
    """A Negotiate or Establish, and what became of it."""
    NOT_APPLIED = "not-applied"
    """The client's numbers have a gap; NotApplied asks it what to do."""
    GAP_FILLED = "gap-filled"
    """The client gave numbers up by a Sequence."""
    RETRANSMISSION = "retransmission"
    """The client asked for messages again, and got them or a RetransmitReject."""
    KEEP_ALIVE_LAPSED = "keep-alive-lapsed"
    """One side heard nothing for a keep-alive interval."""
    TERMINATE = "terminate"
    """One side ended the session."""
    DISCONNECTED = "disconnected"
    """The TCP connection is gone."""
    CANCEL_ON_DISCONNECT = "cancel-on-disconnect"
    """Resting orders were cancelled, since the connection was lost."""
    THROTTLED = "throttled"
    """More messages than the messaging controls allow."""
    PORT_CLOSED = "port-closed"
    """Too many bad logins closed the session's ports."""
    PORT_OPENED = "port-opened"
    """An administrator opened them."""
    PROMOTED = "promoted"
    """The backup became the primary."""
    WEEK_STARTED = "week-started"
    """Numbers begin anew."""
    SLOW_CONSUMER = "slow-consumer"
    """The peer does not read, and was let go."""
    BAD_FRAME = "bad-frame"
    """The byte stream cannot be cut into messages."""


@unique
class Level(StrEnum):
    """How much it concerns the owner."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class TraceEntry(NamedTuple):
    """One entry. It holds no secret, and no signature, neither sent nor expected.

    - `session`: the Session ID it belongs to; empty for what belongs to the venue's operator only: a connection that
      never named a session, or named one that there is not;
    - `at`: ns since the epoch; `connection`: the id that log lines carry too, empty for what no connection did;
    - `peer`: the other end's address and port; `segment`, `role`: of the listener, "primary" or "backup";
    - `code`: of the reject or Terminate on the wire, None where there was none;
    - `reason`: exactly what happened, in a sentence; `facts`: what else is known, by name;
    - `number`: grows with each entry of a venue; 0 until it is stored.
    """

    session: str
    at: int
    connection: str
    peer: str
    segment: int
    role: str
    kind: TraceKind
    level: Level
    reason: str
    code: int | None = None
    facts: Mapping[str, Fact] = {}
    number: int = 0
