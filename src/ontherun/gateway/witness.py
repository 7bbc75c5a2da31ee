"""A connection's witness: writes down, for the session's owner, what happened on it. Orders do not pass by here.

It reads what goes by on the session layer, so the state machine need not know that anybody looks.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ontherun.ilink.codes import RetransmitRejectCode, TerminateCode
from ontherun.ilink.messages import (
    UINT64_NULL,
    NotApplied,
    Retransmission,
    RetransmitReject,
    Sequence,
    Terminate,
)
from ontherun.ilink.records import GapFilled, PortClosed, Promoted, Role, StreamRecord, WeekStarted
from ontherun.ilink.trace import LoginTrace, Verdict
from ontherun.sbe import DecodeError
from ontherun.trace import Level, TraceEntry, TraceKind
from ontherun.trace.entry import Fact

if TYPE_CHECKING:
    from ontherun.ilink.gateway_session import GatewaySession

Note = Callable[[TraceEntry], None]
"""Keeps a trace entry; never waits."""

_SECOND = 1_000_000_000
_TEMPLATE = slice(6, 8)
_TELLING = {
    kind.TEMPLATE_ID.to_bytes(2, "little"): kind
    for kind in (NotApplied, Retransmission, RetransmitReject, Sequence, Terminate)
}


class Witness:
    """What one connection's trace entries have in common, and what they say.

    `connection` is its id; `known` says whether there is a session of this name; what happens before one is named
    belongs to nobody but the operator.
    """

    __slots__ = ("_ended", "_known", "_note", "_throttled", "connection", "owner", "peer", "role", "segment", "since")

    def __init__(
        self, note: Note, known: Callable[[str], bool], connection: str, peer: str, segment: int, role: Role, now: int
    ) -> None:
        self._note = note
        self._known = known
        self.since = now
        self._ended = ""
        self._throttled = -1  # the beginning of the window that was told
        self.connection = connection
        self.peer = peer
        self.segment = segment
        self.role = role
        self.owner = ""

    def tell(
        self, kind: TraceKind, level: Level, reason: str, now: int, code: int | None = None, **facts: Fact
    ) -> None:
        """Keep an entry about this connection."""
        role = self.role.name.lower()
        self._note(
            TraceEntry(
                self.owner, now, self.connection, self.peer, self.segment, role, kind, level, reason, code, facts
            )
        )

    def login(self, trace: LoginTrace, session: "GatewaySession") -> None:
        """A login attempt ended."""
        accepted = trace.verdict is Verdict.ACCEPTED
        if accepted or self._known(trace.session):
            self.owner = trace.session
        facts: dict[str, Fact] = {
            "message": trace.message,
            "verdict": trace.verdict.value,
            "code_name": trace.code_name,
            "session": trace.session,
            "firm": trace.firm,
            "access_key_id": trace.access_key_id,
            "uuid": trace.uuid,
            "request_timestamp": trace.request_timestamp,
            "clock_skew": trace.clock_skew,
            "key_state": trace.key_state,
            "canonical_text": trace.canonical_text,
            "diagnosis": trace.diagnosis,
        }
        if accepted and trace.message == "Establish":
            stream = session.stream
            facts["keep_alive_interval"] = session.keep_alive_interval
            facts["next_inbound"] = stream.next_inbound
            facts["next_outbound"] = stream.next_outbound
            facts["previous_uuid"] = stream.previous_uuid
        level = Level.INFO if accepted else Level.ERROR
        self.tell(TraceKind.LOGIN, level, trace.reason, trace.at, None if accepted else trace.code, **facts)

    def sent(self, frame: bytes, now: int, *, told: bool) -> None:
        """The gateway sends a frame of the session layer. `told`: a login's trace says it already."""
        kind = _TELLING.get(frame[_TEMPLATE])
        if kind is None:
            return
        message = kind.decode(frame)
        if isinstance(message, Terminate):
            reason = message.reason.decode("latin-1")
            if self._ended:  # this one only answers
                return
            self._ended = f"the gateway ended the session: {reason or 'in order'}"
            if not told:
                self._terminated("the gateway", message.error_codes, reason, now)
        elif isinstance(message, NotApplied):
            first, last = message.from_seq_no, message.from_seq_no + message.msg_count - 1
            reason = f"messages {first} to {last} were not applied: {first} was expected"
            self.tell(TraceKind.NOT_APPLIED, Level.WARNING, reason, now, from_seq_no=first, msg_count=message.msg_count)
        elif isinstance(message, Retransmission):
            self._retransmission(message, now)
        elif isinstance(message, RetransmitReject):
            code = message.error_codes
            reason = f"a retransmission was refused: {RetransmitRejectCode(code).name}"
            self.tell(TraceKind.RETRANSMISSION, Level.ERROR, reason, now, code)
        elif message.keep_alive_interval_lapsed == 1:
            reason = "the client sent nothing for a keep-alive interval; it is asked for a sign of life"
            self.tell(TraceKind.KEEP_ALIVE_LAPSED, Level.WARNING, reason, now, by="client")

    def received(self, frame: bytes, now: int) -> None:
        """The client sends a frame of the session layer."""
        kind = _TELLING.get(frame[_TEMPLATE])
        if kind is not Terminate and kind is not Sequence:
            return
        try:
            message = kind.decode(frame)
        except DecodeError:
            return  # the answer to it tells
        if isinstance(message, Sequence):
            if message.keep_alive_interval_lapsed == 1:
                reason = "the client heard nothing for a keep-alive interval, and asks for a sign of life"
                self.tell(TraceKind.KEEP_ALIVE_LAPSED, Level.WARNING, reason, now, by="gateway")
        elif not self._ended:
            self._ended = "the client ended the session"
            self._terminated("the client", message.error_codes, message.reason.decode("latin-1"), now)

    def record(self, record: StreamRecord, now: int) -> None:
        """A record of the stream was made."""
        if isinstance(record, GapFilled):
            reason = f"the client gave up the numbers below {record.next_inbound}, which is next"
            self.tell(TraceKind.GAP_FILLED, Level.WARNING, reason, now, next_inbound=record.next_inbound)
        elif isinstance(record, PortClosed):
            self.owner = record.session
            reason = "five bad logins within 60 s closed the ports: every login is refused until they are opened"
            self.tell(TraceKind.PORT_CLOSED, Level.ERROR, reason, now)
        elif isinstance(record, Promoted):
            self.role = Role.PRIMARY
            self.tell(TraceKind.PROMOTED, Level.WARNING, "this backup is the primary now", now)
        elif isinstance(record, WeekStarted):
            self.tell(TraceKind.WEEK_STARTED, Level.INFO, "a new trading week: numbers begin at 1", now)

    def slow_consumer(self, unsent: int, now: int) -> None:
        """The peer does not read."""
        self._ended = f"the client did not read: {unsent} bytes were waiting"
        self.tell(TraceKind.SLOW_CONSUMER, Level.ERROR, self._ended, now, unsent=unsent)

    def throttled(self, window: int, reason: str, now: int) -> None:
        """Messages were refused by Messaging Controls; told once for each window, which began at `window`."""
        if window != self._throttled:
            self._throttled = window
            self.tell(TraceKind.THROTTLED, Level.ERROR, reason, now)

    def bad_frame(self, reason: str, now: int) -> None:
        """The stream cannot be cut into messages."""
        self.tell(TraceKind.BAD_FRAME, Level.ERROR, reason, now)

    def lost(self, error: str, now: int) -> None:
        """The TCP connection is gone. Seconds are since it was made."""
        reason = self._ended or (f"the connection broke: {error}" if error else "the client closed the connection")
        level = Level.INFO if self._ended else Level.WARNING
        seconds = (now - self.since) // _SECOND
        self.tell(TraceKind.DISCONNECTED, level, f"{reason}; it was open for {seconds} s", now, seconds=seconds)

    # Inside.

    def _terminated(self, who: str, code: int, reason: str, now: int) -> None:
        name = next((known.name for known in TerminateCode if known == code), "unknown")
        words = f"{who} ended the session" + (f": {reason}" if reason else "")
        level = Level.INFO if code == TerminateCode.FINISHED else Level.ERROR
        by = who.removeprefix("the ")
        self.tell(TraceKind.TERMINATE, level, words, now, code, by=by, code_name=name)

    def _retransmission(self, message: Retransmission, now: int) -> None:
        first, count = message.from_seq_no, message.msg_count
        uuid = message.uuid if message.last_uuid == UINT64_NULL else message.last_uuid
        reason = f"{count} messages from {first} on are sent again, under UUID {uuid}"
        self.tell(TraceKind.RETRANSMISSION, Level.INFO, reason, now, from_seq_no=first, msg_count=count, uuid=uuid)
