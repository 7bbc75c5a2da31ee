"""The gateway of one market segment: its listeners, and the turn in which everything becomes durable and leaves.

A turn: all connections that had input in one turn of the event loop leave their journal entries and their frames
here; then one commit, then one write per connection. Nothing of a turn is written before its commit has returned.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Container, Mapping
from ssl import SSLContext
from time import monotonic_ns
from typing import TYPE_CHECKING, NoReturn, Protocol

from ontherun.calendar import calendar_of_segment
from ontherun.gateway import addenda
from ontherun.gateway.connection import LAST_WORDS, Connection
from ontherun.gateway.counts import Counts
from ontherun.gateway.engine import Engine
from ontherun.gateway.entries import HEAD, Kind, json_body
from ontherun.gateway.lane import Lane, PartyDetails
from ontherun.gateway.telling import connection_id, log_login, tell_refusals
from ontherun.gateway.witness import Note, Witness
from ontherun.ilink.authority import Authority
from ontherun.ilink.codes import TerminateCode, words
from ontherun.ilink.controls import ControlPolicy
from ontherun.ilink.gateway_session import GatewaySession
from ontherun.ilink.messages import UINT64_NULL
from ontherun.ilink.messages.enums import ExecReason
from ontherun.ilink.policy import SessionPolicy
from ontherun.ilink.records import PortOpened, Role
from ontherun.ilink.stream import Stream
from ontherun.ilink.templates import GATEWAY_BUSINESS, MAX_TIME
from ontherun.ilink.trace import LoginTrace, Verdict
from ontherun.journal import Journal, JournalError, Outbox
from ontherun.trace import Level, TraceEntry, TraceKind
from ontherun.trace.entry import Fact

DISCONNECT = ExecReason.CANCEL_ON_DISCONNECT

if TYPE_CHECKING:
    from ontherun.gateway.standby import Following

BACKLOG = 1024
ACCEPTORS = 8
"""How many connections a turn accepts: the loop takes one from each listening handle, so a storm shares its commits."""

TLS_HANDSHAKE = 10.0
"""Seconds for the handshake of a TLS listener."""

TICK = 0.25
"""Seconds between looks at the timers; keep-alive intervals are 5 s and more."""


_ONE_ENTRY = 2  # pieces: its head and its body
_FRAMES = Kind.FRAMES.value
_head = HEAD.pack


class Log(Protocol):
    """A structured log: an event and its facts."""

    def info(self, event: str, **facts: object) -> None:
        """Something that happened."""

    def warning(self, event: str, **facts: object) -> None:
        """Something that its owner should look at."""

    def error(self, event: str, **facts: object) -> None:
        """Something that stopped us."""

    def end_turn(self) -> None:
        """Write what was logged where somebody should look at it now."""

    def flush(self) -> None:
        """Write what was logged."""


class RegisteredPartyDetails(Protocol):
    """Party details as the registry holds them."""

    @property
    def account(self) -> bytes:
        """The customer account (PartyDetailRole 24), empty without one."""

    @property
    def self_match_prevention_id(self) -> int | None:
        """SelfMatchPreventionID (2362)."""


class Directory(Authority, Protocol):
    """What the gateway asks of the registry, synchronously and from memory."""

    def session(self, session_id: str) -> object | None:
        """The session, or None where there is none."""

    def key_used(self, trace: LoginTrace, source: str) -> None:
        """A login from the address `source` named the key pair `trace.access_key_id`, and ended like this."""

    def cancel_on_disconnect(self, session: str) -> bool:
        """Whether the session's resting Day orders go when its connection is lost."""

    def party_details(self, session: str, firm: str) -> Mapping[int, RegisteredPartyDetails]:
        """The registered party details of a session and firm by PartyDetailsListReqID."""


class Gateway:
    """The listeners and connections of one market segment.

    Without a `journal` it only follows one, see `following`. `clock` returns ns since the epoch; `poll` is how long, in
    ns, the loop is kept awake after input (0: not at all); `broken` is called once when the journal cannot be written:
    nothing may be acknowledged any more; `note` keeps what the owners of sessions are told.
    """

    def __init__(
        self,
        engine: Engine,
        journal: Journal | None,
        outbox: "Outbox[tuple[str, int]]",
        directory: Directory,
        policy: SessionPolicy,
        clock: Callable[[], int],
        log: Log,
        broken: Callable[[Exception], None],
        note: Note,
        poll: int = 0,
    ) -> None:
        self.engine = engine
        self.outbox = outbox
        self.log = log
        self.connections: set[Connection] = set()
        self.roles = {role: role for role in Role}
        """What the listener of each designated role is now: a promotion may change it."""
        self.following: Following | None = None
        """Set while another process writes the journal."""
        self.last_now = clock()
        self._offset = policy.clock_offset() if policy.clock_offset is not None else 0
        self._keep = nobody if journal is None else journal.commit
        self._directory = directory
        self.policy = policy
        self._clock = clock
        self._broken = broken
        self._note = note
        self._started = self.last_now // 1_000_000
        self.counts = Counts(engine)
        self._poll = poll
        self._awake_until = 0
        self._awake = False
        self._entries: list[bytes] = []
        self._speakers: list[Connection] = []
        self._scheduled = False
        self._failed = False
        self._alone = False
        self._syncs = getattr(journal, "fsync", False)
        self._loop = asyncio.get_running_loop()
        self._call_soon = self._loop.call_soon
        self.later = self._loop.call_later
        self._servers: list[asyncio.Server] = []
        self.going_down = ""
        """Why no client is taken any more; empty while they are."""
        self._timer: asyncio.TimerHandle | None = None
        self._tick_due = 0.0
        self._weeks = calendar_of_segment(engine.segment_id)
        self.week_ends = MAX_TIME
        """When the next trading week begins, ns since the epoch."""

    # Starting and stopping.

    async def listen(self, host: str, port: int, role: Role, tls: SSLContext | None = None) -> int:
        """Listen as the designated primary or backup; the port, which is a free one where 0 was asked for.

        With `tls` a connection begins when its handshake is done, for which it has TLS_HANDSHAKE seconds.
        """
        listening = socket.create_server((host, port), backlog=BACKLOG)
        for _ in range(ACCEPTORS):
            accepting = await self._loop.create_server(
                lambda: Connection(self, role),
                sock=listening.dup(),
                backlog=BACKLOG,
                ssl=tls,
                ssl_handshake_timeout=None if tls is None else TLS_HANDSHAKE,
                ssl_shutdown_timeout=None if tls is None else LAST_WORDS,
            )
            self._servers.append(accepting)
        if self._timer is None:
            self.counts.begin()
            self._tick_due = self._loop.time() + TICK
            self._timer = self._loop.call_later(TICK, self._tick)
        with listening:
            return int(listening.getsockname()[1])

    async def drain(self, reason: str, seconds: float) -> None:
        """Stop listening, end every session with Terminate, and wait until the clients are gone, at most `seconds`.

        A client that does not answer its Terminate is let go after the policy's `close_grace`.
        """
        self.going_down = reason
        for server in self._servers:
            server.close()
        now = self.now()
        for connection in list(self.connections):
            connection.end(TerminateCode.FINISHED, reason, now)
        self.flush()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.connections:  # noqa: ASYNC110 -- connections come and go, nobody else waits for the last
                    await asyncio.sleep(0.005)

    async def close(self, reason: str) -> None:
        """Stop listening, end every session with Terminate, write what is durable, and close the connections."""
        await self.drain(reason, 0)
        if self._timer is not None:
            self._timer.cancel()
        for connection in list(self.connections):
            connection.transport.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS):
                while self.connections:  # noqa: ASYNC110 -- connections come and go, nobody else waits for the last
                    await asyncio.sleep(0.005)
        for connection in list(self.connections):
            connection.transport.abort()
        while self.connections:  # noqa: ASYNC110 -- their connection_lost is due in the next turn
            await asyncio.sleep(0)
        self.flush()

    @property
    def failed(self) -> bool:
        """Whether the journal could not be written: nothing is acknowledged any more."""
        return self._failed

    @property
    def listening(self) -> bool:
        """Whether clients can connect."""
        return any(server.is_serving() for server in self._servers)

    # What connections ask.

    def now(self) -> int:
        """The time of what is about to happen, ns; it never runs backwards by itself, only when a lab moves it."""
        now = self._clock()
        if now < self.last_now:
            return self.last_now
        self.last_now = now
        return now

    def follow_clock(self) -> None:
        """Notice that a lab moved or stopped the clock: time is what it says now, and no interval under way ends early
        or late for it, so that a live session survives any journey."""
        offset = self.policy.clock_offset() if self.policy.clock_offset is not None else 0
        by = offset - self._offset
        if by:
            self._offset = offset
            self.last_now = self._clock()
            for connection in self.connections:
                connection.session.shift(by)

    def new_session(self, listener: Role, source: str) -> GatewaySession:
        """The state machine for a new connection from the address `source` to the listener designated like this."""
        segment, role = self.engine.segment_id, self.roles[listener]
        return GatewaySession(segment, role, self.policy, self._directory, self, self, self.now(), source)

    def new_witness(self, peer: str, role: Role) -> Witness:
        """The witness of a new connection, with the connection's id: segment, start of the gateway, count."""
        self.counts.accepted += 1
        segment = self.engine.segment_id
        name = connection_id(segment, self._started, self.counts.accepted)
        return Witness(self._note, self._is_session, name, peer, segment, role, self.last_now)

    def _is_session(self, session: str) -> bool:
        return self._directory.session(session) is not None

    def get(self, session: str, segment: int) -> Stream | None:  # noqa: ARG002 -- this gateway has one segment
        """The stream of a session that logs in; None where there is no such session. The session machine asks.

        What this turn said to the session is numbered under its present UUID, and leaves before the login changes that;
        so does what a lost connection, which this turn is yet to read, makes it say.
        """
        if self.following is not None:
            return self.following.get(session)
        lane = self.engine.lanes.get(session)
        if lane is not None:
            for there in (lane.connection, lane.backup):
                if there is not None:
                    there.drop_if_hung_up(self.last_now)
            if lane.out:
                self.flush()
        if lane is None:
            if self._directory.session(session) is None:
                return None
            lane = self.engine.open_lane(session)
            self.journal(Kind.LANE, lane.number, self.last_now, json_body({"session": session}))
        return lane.stream

    def stored(self, stream: Stream, uuid: int) -> range:
        """The numbers that can be sent again under `uuid`. The session machine asks."""
        return self.outbox.stored((stream.session, uuid))

    def read_again(self, lane: Lane, uuid: int, from_seq_no: int, count: int) -> list[bytes]:
        """The stored frames with these numbers, with PossRetransFlag set."""
        frames = []
        for stored in self.outbox.read((lane.stream.session, uuid), from_seq_no, count):
            frame = bytearray(stored)
            frame[GATEWAY_BUSINESS[int.from_bytes(frame[6:8], "little")]] = 1
            frames.append(bytes(frame))
        return frames

    def bind(self, lane: Lane, connection: Connection) -> Mapping[int, RegisteredPartyDetails]:
        """From here on what is said to the lane goes to this connection. Returns a live view of its party details."""
        lane.connection = connection
        lane.came_back(self.stored(lane.stream, lane.missed_uuid).stop)
        if lane.backup is connection:
            lane.backup = None
        return self.party_details(lane)

    def party_details(self, lane: Lane) -> Mapping[int, RegisteredPartyDetails]:
        """A live view of the registered party details that orders of this lane may name."""
        return self._directory.party_details(lane.stream.session, lane.owner.firm)

    def write_to(self, journal: Journal) -> None:
        """Be the journal's writer from here on."""
        self._keep = journal.commit
        self._syncs = getattr(journal, "fsync", False)
        self.following = None

    def unbind_all(self, but: Container[str] = ()) -> None:
        """Journal that the bindings which a stopped process left behind are gone, and what follows from that; those of
        the sessions in `but` go on."""
        now = self.now()
        for session, lane in self.engine.lanes.items():
            if session in but:
                continue
            records = lane.stream.unbinding(now)
            for record in records:
                lane.stream.apply(record)
                self.journal(Kind.RECORD, lane.number, now, record.to_bytes())
                reason = "the venue had stopped without ending the session; the binding ends now"
                self.tell(record.session, TraceKind.DISCONNECTED, Level.WARNING, reason)
            if records and lane.stream.loses_orders:
                self.cancel_on_disconnect(lane, now)

    def keep_weeks(self) -> None:
        """Begin each trading week of the segment's calendar when it comes, the present one now if it has not begun."""
        self.week_ends = self._weeks.week_after(self.engine.week)
        self._begin_due_week(self.now())

    def start_week(self, begins: int) -> None:
        """Begin the trading week of `begins`, ns since the epoch: durable on return.

        Whoever is logged in gets Terminate 0 first, under the old week's numbers; so nobody's orders go as with a lost
        connection.
        """
        now = self.now()
        for connection in list(self.connections):
            if connection.session.stream.session:
                connection.end(TerminateCode.FINISHED, "the trading week is over", now)
        self.flush()
        self.outbox.clear()
        self.journal(Kind.WEEK, 0, now, json_body({"begins": begins}))
        self.engine.start_week(begins, now)
        self.flush()
        self.week_ends = self._weeks.week_after(begins)
        self.log.warning("week_started", segment=self.engine.segment_id, begins=begins)
        for session in self.engine.lanes:
            self.tell(session, TraceKind.WEEK_STARTED, Level.INFO, "a new trading week: numbers begin at 1")

    def _begin_due_week(self, now: int) -> None:
        if now >= self.week_ends:
            self.start_week(self._weeks.week_of(now))

    def set_controls(self, policy: ControlPolicy) -> None:
        """Take these limits of Messaging Controls; durable on return."""
        self.journal(Kind.CONTROLS, 0, self.now(), json_body(policy.to_json()))
        self.engine.control(policy)
        self.flush()
        self.log.warning("messaging_controls", segment=self.engine.segment_id, **policy.to_json())

    def cancel_on_disconnect(self, lane: Lane, now: int) -> None:
        """Cancel a session's resting Day orders after its connection was lost, unless the session is set not to."""
        if self._directory.cancel_on_disconnect(lane.stream.session):
            self.journal(Kind.CANCEL, lane.number, now, json_body({"reason": int(DISCONNECT)}))
            count = self.engine.cancel_day_orders(lane, DISCONNECT, now)
            if count:
                reason = f"the session was lost: resting Day orders were cancelled: {count}"
                self.tell(lane.stream.session, TraceKind.CANCEL_ON_DISCONNECT, Level.WARNING, reason, orders=count)

    def tell(self, session: str, kind: TraceKind, level: Level, reason: str, **facts: Fact) -> None:
        """Keep an entry about a session that no connection made."""
        segment = self.engine.segment_id
        self._note(TraceEntry(session, self.last_now, "", "", segment, "primary", kind, level, reason, None, facts))

    def closed_ports(self) -> set[str]:
        """The sessions whose ports too many bad logins closed."""
        return {session for session, lane in self.engine.lanes.items() if lane.stream.port_closed}

    def open_port(self, session: str) -> None:
        """Let a session log in again after its ports were closed; durable on return."""
        lane = self.engine.lanes[session]
        record = PortOpened(session, self.engine.segment_id, self.now())
        lane.stream.apply(record)
        self.journal(Kind.RECORD, lane.number, self.last_now, record.to_bytes())
        self.log.warning("port_opened", session=session, segment=self.engine.segment_id)
        self.tell(session, TraceKind.PORT_OPENED, Level.INFO, "an administrator opened the ports: it may log in again")
        self.flush()

    def end_session(self, session: str, reason: str) -> bool:
        """End what this session has open here with Terminate 23; durable on return. False when there is nothing.

        The exchange names no code for a session that an administrator ends; 23 is Other.
        """
        now = self.now()
        connections = self._connections_of(session)
        for connection in connections:
            connection.end(TerminateCode.OTHER, reason, now)
        if connections:
            self.log.warning("session_ended", session=session, segment=self.engine.segment_id, reason=reason)
            self.flush()
        return bool(connections)

    def close_port(self, session: str, closing: Connection, now: int) -> None:
        """Too many bad logins closed the session's ports, the last of them on `closing`: whoever is logged in there
        goes too. The exchange closes both ports; that a connection which is up ends with them is our reading."""
        self.log.warning("port_closed", session=session, segment=self.engine.segment_id, peer=closing.peer)
        code = TerminateCode.CME_ADMINISTERED_PORT_CLOSURE
        for connection in self._connections_of(session):
            if connection is not closing:
                connection.end(code, words(code), now)

    def _connections_of(self, session: str) -> list[Connection]:
        return [connection for connection in self.connections if connection.session.stream.session == session]

    def command(self, name: str, **given: int) -> int:
        """Do something to the market as the venue (`ontherun.gateway.venue_commands`); durable on return.

        Returns how many events that were. Raises LookupError or ValueError, and nothing has changed then.
        """
        now = self.now()
        events = self.engine.command(name, given, now)
        self.journal(Kind.COMMAND, 0, now, json_body({"do": name, **given}))
        self.log.info("market_command", segment=self.engine.segment_id, command=name, events=events, **given)
        self.flush()
        return events

    def change_trade(self, order_event_exec_id: int, price: int | None, qty: int | None) -> int:
        """Cancel the trade with this OrderEventExecID (1797), or correct it to this price (1e-9) and quantity.

        Durable on return, which is the new OrderEventExecID. Raises `addenda.TradeNotFoundError`.
        """
        self.flush()
        sides = addenda.sides_of(self.engine, self.outbox, order_event_exec_id)
        listed = [[side.lane, side.frame.hex()] for side in sides]
        value: dict[str, object] = {"event": order_event_exec_id, "price": price, "qty": qty, "sides": listed}
        now = self.now()
        changed = addenda.write(self.engine, value, now)
        self.journal(Kind.ADDENDUM, 0, now, json_body(value))
        self.log.info("trade_changed", segment=self.engine.segment_id, trade=order_event_exec_id, becomes=changed)
        self.flush()
        return changed

    def sync_party_details(self, lane: Lane, registered: Mapping[int, RegisteredPartyDetails]) -> None:
        """Journal the party details that were registered since, so that orders may name them."""
        owner = lane.owner
        for number in sorted(registered.keys() - owner.party_details.keys()):
            known = registered[number]
            guard = UINT64_NULL if known.self_match_prevention_id is None else known.self_match_prevention_id
            details = PartyDetails(number, known.account, guard)
            self.engine.register(lane, owner.firm, details)
            fact: dict[str, object] = {"firm": owner.firm, "id": number, "account": details.account.decode()}
            fact["self_match_prevention_id"] = guard
            self.journal(Kind.PARTY, lane.number, self.last_now, json_body(fact))

    def journal(self, kind: Kind, lane: int, now: int, body: bytes) -> None:
        """Put an entry into this turn's batch."""
        self._entries += (HEAD.pack(kind, lane, len(body), now), body)
        if not self._scheduled:
            self._schedule()

    def took(self, lane: Lane, frames: bytes, now: int) -> None:
        """Journal business frames that were carried out.

        They are committed and answered at once if they seem to be alone in their turn, as those before them were.
        """
        self._entries += (_head(_FRAMES, lane.number, len(frames), now), frames)
        if not self._scheduled:
            if self._alone:
                self._commit()
            self._schedule()

    def speak(self, connection: Connection) -> None:
        """Write what the connection has queued at the end of this turn."""
        self._speakers.append(connection)
        if not self._scheduled:
            self._schedule()

    def traced(self, connection: Connection, trace: LoginTrace) -> None:
        """Note which key pair was used, and keep and log how the login attempt ended: one line for an accepted login,
        everything for one that was not."""
        self.counts.login(trace)
        connection.witness.login(trace, connection.session)
        if trace.verdict is not Verdict.ACCEPTED or trace.message == "Establish":
            self._directory.key_used(trace, connection.peer.rpartition(":")[0])
        log_login(self.log, connection, trace)

    # The turn.

    def flush(self) -> None:
        """End this turn: commit what is left of it, then write it."""
        self._scheduled = False
        entries = self._entries
        self._alone = not self._syncs and len(entries) <= (0 if self._alone else _ONE_ENTRY)
        if entries:
            self._commit()
        if self._failed:
            return
        self.log.end_turn()  # why a login was refused is known before the refusal leaves
        if self._speakers:
            speakers = dict.fromkeys(self._speakers)
            self._speakers.clear()
            for connection in speakers:
                connection.write()
        if self.engine.refusals or self.engine.errors:
            tell_refusals(self.engine, self.log, self.counts, self.last_now)
        if self._poll:
            self._awake_until = monotonic_ns() + self._poll
            if not self._awake:
                self._stay_awake()

    def _commit(self) -> None:
        """Commit what the turn has brought so far, and answer it."""
        if self._failed:
            return
        try:
            self._keep(b"".join(self._entries), self.engine.outputs_crc())
            self._entries.clear()
            self._deliver()
        except Exception as error:  # noqa: BLE001 -- whatever it is, from here on nothing may be acknowledged
            self._failed = True
            self._broken(error)
            self.log.error("journal_failed", error=str(error))
            self.log.flush()

    def _deliver(self) -> None:
        """Write what was said to whoever is there, then store it for those who ask again."""
        engine = self.engine
        for lane in engine.touched:
            if lane.connection is not None:
                lane.connection.write(lane.joined)
        append = self.outbox.append
        for lane in engine.touched:
            append(lane.key, lane.first, len(lane.out), lane.joined)
        engine.end_turn()

    def _schedule(self) -> None:
        self._scheduled = True
        self._call_soon(self.flush)

    def _stay_awake(self) -> None:
        """Keep the loop from sleeping until `poll` has passed since a turn: saves the wake-up of a sleeping core."""
        self._awake = monotonic_ns() < self._awake_until
        if self._awake:
            self._call_soon(self._stay_awake)

    def _tick(self) -> None:
        due, self._tick_due = self._tick_due, self._loop.time() + TICK
        self.counts.lag.add(max(0.0, self._loop.time() - due))
        self.follow_clock()  # one that stands still falls back all the time
        now = self.now()
        for connection in list(self.connections):
            if connection.session.deadline() <= now:
                connection.tick(now)
        self._begin_due_week(now)
        self.log.flush()
        self._timer = self._loop.call_later(TICK, self._tick)


def nobody(_batch: bytes, _outputs_crc: int, /) -> NoReturn:
    """Commit nothing: another process has the journal. To come here is our mistake, and stops the venue."""
    raise JournalError("this process follows the journal, and may not write it")
