"""The gateway of one market segment: its listeners, and what its connections and their sessions ask of it."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping
from ssl import SSLContext
from typing import TYPE_CHECKING

from ontherun.gateway.connection import LAST_WORDS, Connection
from ontherun.gateway.engine import Engine
from ontherun.gateway.entries import Kind, json_body
from ontherun.gateway.lane import Lane, PartyDetails
from ontherun.gateway.office import Office
from ontherun.gateway.surroundings import Directory, Log, RegisteredPartyDetails
from ontherun.gateway.telling import connection_id, log_login
from ontherun.gateway.witness import Note, Witness
from ontherun.ilink.codes import TerminateCode
from ontherun.ilink.gateway_session import GatewaySession
from ontherun.ilink.messages import UINT64_NULL
from ontherun.ilink.policy import SessionPolicy
from ontherun.ilink.records import Role
from ontherun.ilink.stream import Stream
from ontherun.ilink.templates import GATEWAY_BUSINESS
from ontherun.ilink.trace import LoginTrace, Verdict
from ontherun.journal import Journal, Outbox

if TYPE_CHECKING:
    from ontherun.gateway.standby import Following

BACKLOG = 1024
ACCEPTORS = 8
"""How many connections a turn accepts: the loop takes one from each listening handle, so a storm shares its commits."""

TLS_HANDSHAKE = 10.0
"""Seconds for the handshake of a TLS listener."""

TICK = 0.25
"""Seconds between looks at the timers; keep-alive intervals are 5 s and more."""


class Gateway(Office):
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
        super().__init__(engine, journal, outbox, directory, clock, log, broken, note, poll)
        self.roles = {role: role for role in Role}
        """What the listener of each designated role is now: a promotion may change it."""
        self.following: Following | None = None
        """Set while another process writes the journal."""
        self.policy = policy
        self._offset = policy.clock_offset() if policy.clock_offset is not None else 0
        self._started = self.last_now // 1_000_000
        self.later = self._loop.call_later
        self._servers: list[asyncio.Server] = []
        self.going_down = ""
        """Why no client is taken any more; empty while they are."""
        self._timer: asyncio.TimerHandle | None = None
        self._tick_due = 0.0

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
    def listening(self) -> bool:
        """Whether clients can connect."""
        return any(server.is_serving() for server in self._servers)

    # What connections ask.

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
        super().write_to(journal)
        self.following = None

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

    def traced(self, connection: Connection, trace: LoginTrace) -> None:
        """Note which key pair was used, and keep and log how the login attempt ended: one line for an accepted login,
        everything for one that was not."""
        self.counts.login(trace)
        connection.witness.login(trace, connection.session)
        if trace.verdict is not Verdict.ACCEPTED or trace.message == "Establish":
            self._directory.key_used(trace, connection.peer.rpartition(":")[0])
        log_login(self.log, connection, trace)

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
