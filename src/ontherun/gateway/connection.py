"""One TCP connection of a gateway: bytes in, frames out.

The session state machine judges; the engine carries out orders; the gateway makes durable and sends. A connection
only passes on, in this order: what a turn of the loop brought is queued, committed, and only then written.
"""

import asyncio
import os
import select
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from ontherun.gateway import split
from ontherun.gateway.entries import Kind
from ontherun.gateway.lane import LARGE_READ, Lane
from ontherun.gateway.witness import Witness
from ontherun.ilink.actions import Action, Close, Record, Retransmit, Send, Trace
from ontherun.ilink.codes import TerminateCode, words
from ontherun.ilink.gateway_session import GatewaySession
from ontherun.ilink.records import PortClosed, Role, Unbound
from ontherun.ilink.trace import Verdict
from ontherun.ilink.transitions import GatewayState
from ontherun.sbe import FramingError
from ontherun.sbe.framing import ENCODING_TYPE, HEADER_SIZE

if TYPE_CHECKING:
    from ontherun.gateway.gateway import Gateway
    from ontherun.gateway.surroundings import RegisteredPartyDetails

_HUNG_UP = getattr(select, "POLLRDHUP", 0)  # Linux; POLLHUP and POLLERR are reported unasked

LAST_WORDS = 1.0
"""Seconds that a peer has to take what was written to it before we closed."""

SLOW_CONSUMER = 16 * 1024 * 1024
"""Unsent bytes at which a peer that does not read is disconnected; its messages stay and can be asked for again."""


_write = os.write
_ESTABLISHED = GatewayState.ESTABLISHED
_BACKUP = GatewayState.BACKUP


class Connection(asyncio.Protocol):
    """A peer, from the TCP connect to its end. `listener` is the designated role of the one that took it."""

    __slots__ = (
        "_behind",
        "_fd",
        "_gateway",
        "_lane",
        "_queue",
        "_registered",
        "_rest",
        "closing",
        "listener",
        "peer",
        "session",
        "transport",
        "witness",
    )

    def __init__(self, gateway: "Gateway", listener: Role) -> None:
        self._gateway = gateway
        self.listener = listener
        self._lane: Lane | None = None
        self._registered: Mapping[int, RegisteredPartyDetails] = {}
        self._rest = b""
        self._queue: list[bytes] = []
        self._fd = -1
        self._behind = False
        self.closing = False
        self.peer = ""

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer is there; it has 60 s to log in."""
        self.transport = cast("asyncio.Transport", transport)
        host, port = transport.get_extra_info("peername", ("?", 0))[:2]
        self.peer = f"{host}:{port}"
        self.session: GatewaySession = self._gateway.new_session(self.listener, host)
        self.witness: Witness = self._gateway.new_witness(self.peer, self.session.role)
        self.transport.set_write_buffer_limits(high=SLOW_CONSUMER)
        if transport.get_extra_info("sslcontext") is None:
            self._fd = transport.get_extra_info("socket").fileno()
        self._gateway.connections.add(self)
        if self._gateway.going_down:
            self.end(TerminateCode.FINISHED, self._gateway.going_down, self._gateway.now())

    def data_received(self, data: bytes) -> None:
        """Carry out every whole frame; keep the rest for the next read."""
        if self.closing:
            return
        gateway = self._gateway
        now = gateway.now()
        session = self.session
        session.last_received = now
        position = 0
        if self._rest:
            data = self._rest + data
            if gateway.policy.split_safeguard:
                position = self._take_split(data, now)
        end = len(data)
        while position < end and not self.closing:
            lane = self._lane
            if lane is not None and session.state is _ESTABLISHED:
                if len(self._registered) != len(lane.owner.party_details):
                    gateway.sync_party_details(lane, self._registered)
                start = position
                position = gateway.engine.take(lane, data, start, end, now)
                if position > start:
                    taken = data if position - start == end else data[start:position]
                    gateway.took(lane, taken, now)
                    if len(taken) > LARGE_READ:
                        lane.heard.clear()
                    lane.heard.append(taken)
                    if position == end:
                        break
            frame = self._next_frame(data, position, end, now)
            if frame is None:
                break
            position += len(frame)
            self._other(frame, now)
        self._rest = data[position:] if position < end else b""

    def pause_writing(self) -> None:
        """The peer does not read: let it go."""
        self._gateway.counts.slow_consumers += 1
        self.closing = True
        unsent = self.transport.get_write_buffer_size()
        self._gateway.log.warning("slow_consumer", connection=self.id, peer=self.peer, unsent=unsent)
        self.witness.slow_consumer(unsent, self._gateway.now())
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer is gone; orders and numbers stay."""
        self.closing = True
        gateway = self._gateway
        gateway.connections.discard(self)
        now = gateway.now()
        self.act(lambda: self.session.lost(now), now)
        error = str(exc) if exc else ""
        self.witness.lost(error, now)
        session = self.witness.owner
        gateway.log.info("disconnected", connection=self.id, session=session, peer=self.peer, error=error or None)

    # What the gateway calls.

    @property
    def id(self) -> str:
        """What names this connection in the log and in traces."""
        return self.witness.connection

    def act(self, judge: Callable[[], list[Action]], now: int) -> None:
        """Let the session machine judge, and do what it says.

        What is numbered already goes out first: a Sequence or an acknowledgement must not overtake a message that it
        counts.
        """
        if self._lane is not None and self._lane.out:
            self._gateway.flush()
        actions = judge()
        told = any(isinstance(action, Trace) and action.trace.verdict is Verdict.TERMINATED for action in actions)
        for action in actions:
            if isinstance(action, Send):
                self.witness.sent(action.frame, now, told=told)
                self._send(action.frame)
            elif isinstance(action, Record):
                self.witness.record(action.record, now)
                self._record(action, now)
            elif isinstance(action, Retransmit):
                self._retransmit(action)
            elif isinstance(action, Trace):
                self._gateway.traced(self, action.trace)
            elif isinstance(action, Close):
                self.closing = True
                self._gateway.speak(self)

    def drop_if_hung_up(self, now: int) -> None:
        """End the binding now when the peer has closed or reset the connection, which this turn is yet to read.

        A client that comes back at once is not a second one. What it sent and did not see answered is not applied.
        """
        asked = select.poll()
        asked.register(self.transport.get_extra_info("socket").fileno(), _HUNG_UP)
        if asked.poll(0):
            self.fail(now)

    def tick(self, now: int) -> None:
        """A timer of the session machine is due."""
        self.act(lambda: self.session.tick(now), now)

    def end(self, code: TerminateCode, reason: str, now: int) -> None:
        """End the session with Terminate, unprompted."""
        self.act(lambda: self.session.end(code, reason, now), now)

    def promote(self, now: int) -> None:
        """Go on as the primary, in place of the one that failed."""
        self.act(lambda: self.session.promote(now), now)

    def rebind(self) -> None:
        """Look where party details are registered now: another directory was put in place."""
        if self._lane is not None:
            self._registered = self._gateway.party_details(self._lane)

    def fail(self, now: int) -> None:
        """End as when this listener's gateway fails: nothing more is said."""
        self.closing = True
        self.act(lambda: self.session.lost(now), now)
        self.transport.abort()

    def write(self, numbered: bytes = b"") -> None:
        """Write what is queued and then `numbered`, and close where that was the last: the turn is durable.

        What the socket takes goes past the transport, which would wait for the end of the turn. Only now is a
        retransmission over: a peer gets one a turn, however many it asks for in one segment.
        """
        if self._queue:
            self._queue.append(numbered)
            numbered = b"".join(self._queue)
            self._queue.clear()
            self.session.retransmitted()
        if numbered and not self.transport.is_closing():
            self.session.last_sent = self._gateway.last_now
            if self._fd >= 0 and not (self._behind and self.transport.get_write_buffer_size()):
                try:
                    sent = _write(self._fd, numbered)
                except OSError:  # full, or gone, which the transport finds out
                    sent = 0
                self._behind = sent != len(numbered)
                if self._behind:
                    self.transport.write(numbered[sent:])
            else:
                self.transport.write(numbered)
        if self.closing:
            self.transport.close()
            if self.transport.get_write_buffer_size():  # a peer that does not read would keep the connection for ever
                self._gateway.later(LAST_WORDS, self.transport.abort)

    # Inside.

    def _take_split(self, data: bytes, now: int) -> int:
        """Carry out business messages of which the first came in pieces: where in `data` the rest begins."""
        lane, gateway = self._lane, self._gateway
        if lane is None or self.session.state is not _ESTABLISHED:
            return 0
        count = split.delayed(gateway.engine, data)
        if count > gateway.policy.split_limit:
            code = TerminateCode.EXCEEDED_MAX_NO_OF_SPLIT_MSGS_QUEUED
            self.end(code, words(code), now)
            return len(data)
        if not count:
            return 0
        gateway.sync_party_details(lane, self._registered)
        stop = split.take(gateway.engine, lane, data, len(data), now)
        if stop:
            lane.hear(data[:stop])
            gateway.journal(Kind.SPLIT, lane.number, now, data[:stop])
        return stop

    def _next_frame(self, data: bytes, position: int, end: int, now: int) -> bytes | None:
        """The whole frame at `position`; None when it is not whole yet, or when the stream cannot be read any
        further."""
        if end - position < 4:
            return None
        size = int.from_bytes(data[position : position + 2], "little")
        encoding = int.from_bytes(data[position + 2 : position + 4], "little")
        if encoding != ENCODING_TYPE:
            error = FramingError("encoding", encoding, [])
        elif size < HEADER_SIZE:
            error = FramingError("size", size, [])
        else:
            return data[position : position + size] if end - position >= size else None
        self._gateway.counts.bad_frames += 1
        self._gateway.log.warning("bad_frame", connection=self.id, peer=self.peer, error=str(error))
        self.witness.bad_frame(str(error), now)
        self.act(lambda: self.session.framing_fault(error, now), now)
        self.closing = True
        self._gateway.speak(self)
        return None

    def _other(self, frame: bytes, now: int) -> None:
        """A frame that the engine did not take: of the session layer, out of sequence, or not to be read."""
        session, engine = self.session, self._gateway.engine
        self.witness.received(frame, now)
        if self._lane is not None and self._lane.over_limit:
            self._lane.over_limit = False
            self.end(TerminateCode.VOLUME_CONTROLS, words(TerminateCode.VOLUME_CONTROLS), now)
        elif session.state is not _ESTABLISHED or not engine.is_business(frame):
            self.act(lambda: session.receive(frame, now), now)
        elif (number := engine.number_of(frame)) is not None:
            self.act(lambda: session.business(number, now) or [], now)
        else:
            self.act(lambda: session.undecodable(f"{len(frame)} bytes are too short for a SeqNum", now), now)

    def _send(self, frame: bytes) -> None:
        self._queue.append(frame)
        self._gateway.speak(self)

    def _record(self, action: Record, now: int) -> None:
        record = action.record
        if self._gateway.following is not None:
            self._gateway.following.record(self, record, now)
            return
        lane = self._gateway.engine.lanes[record.session]
        self._gateway.journal(Kind.RECORD, lane.number, now, record.to_bytes())
        lane.bind()
        if self.session.state is _ESTABLISHED:
            if self._lane is None:
                self._lane = lane
                self._registered = self._gateway.bind(lane, self)
        elif self.session.state is _BACKUP:
            lane.backup = self
        elif lane.backup is self:
            lane.backup = None
        elif lane.connection is self:  # its Terminate is the last that this connection says
            lane.connection = None
            lane.left()
        if isinstance(record, Unbound) and lane.stream.loses_orders:
            self._gateway.cancel_on_disconnect(lane, now)
        elif isinstance(record, PortClosed):
            self._gateway.close_port(record.session, self, now)
        if lane.connection is None and lane.backup is not None:
            reason = "the primary's connection has ended"
            lane.backup.end(TerminateCode.DISCONNECT_OR_TERMINATE_FROM_PRIMARY, reason, now)

    def _retransmit(self, action: Retransmit) -> None:
        assert self._lane is not None
        self._lane.told_again(action.uuid, action.from_seq_no, action.count)
        for frame in self._gateway.read_again(self._lane, action.uuid, action.from_seq_no, action.count):
            self._send(frame)
