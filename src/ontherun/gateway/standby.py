"""A gateway of a second process, warm: it follows the journal that the first one writes, and serves the backup.

It writes nothing. What the first process has committed it carries out through the same engine, which proves each batch
again. Logins on the backup are judged by copies of the streams, since the streams themselves are what the journal says
and nothing else; `failover.take_over` writes down what is still true of them.
"""

from collections.abc import Callable
from itertools import islice

from ontherun.gateway.connection import Connection
from ontherun.gateway.entries import Kind, decode
from ontherun.gateway.gateway import Gateway
from ontherun.gateway.recovery import carry_out
from ontherun.ilink import records
from ontherun.ilink.codes import TerminateCode
from ontherun.ilink.records import PortClosed, PortOpened, Role, StreamRecord, Unbound
from ontherun.ilink.stream import Stream
from ontherun.ilink.transitions import GatewayState
from ontherun.journal import Batch, JournalTail

_FOLLOWED = (
    "firm",
    "uuid",
    "negotiated_uuid",
    "next_inbound",
    "next_outbound",
    "previous_uuid",
    "previous_seq_no",
    "primary_bound",
)
"""What a copy of a stream takes from it each time; bindings of the backup and bad logins are its own."""


class Following:
    """What a gateway has while it follows. `backups` are the connections that wait, by Session ID.

    `known` says whether there is a session of a name.
    """

    def __init__(self, gateway: Gateway, tail: JournalTail, known: Callable[[str], bool]) -> None:
        self.backups: dict[str, Connection] = {}
        self.messages = 0
        self._gateway = gateway
        self._tail = tail
        self._known = known
        self._copies: dict[str, Stream] = {}

    def catch_up(self, most: int | None = None) -> int:
        """Carry out what was committed since, at most `most` batches; how many there were.

        Raises RecoveryError or JournalDamaged: this process must not take over then.
        """
        batches = 0
        for batch in islice(self._tail.read(), most):
            batches += 1
            self.messages += carry_out(self._gateway.engine, batch, self._gateway.outbox)
            if self._copies:
                self._notice(batch)
        return batches

    def get(self, session: str) -> Stream | None:
        """The copy by which a login of this session is judged; None where there is no such session."""
        self.catch_up()
        if (waiting := self.backups.get(session)) is not None:
            waiting.drop_if_hung_up(self._gateway.last_now)
        if not self._known(session):
            return None
        copy = self._copies.get(session)
        if copy is None:
            copy = self._copies[session] = Stream(session, self._gateway.engine.segment_id)
        lane = self._gateway.engine.lanes.get(session)
        if lane is not None:
            for name in _FOLLOWED:
                setattr(copy, name, getattr(lane.stream, name))
            copy.request_timestamp = max(copy.request_timestamp, lane.stream.request_timestamp)
            copy.port_closed |= lane.stream.port_closed
        return copy

    def record(self, connection: Connection, record: StreamRecord, now: int) -> None:
        """A connection's copy has changed."""
        if connection.session.state is GatewayState.BACKUP:
            self.backups[record.session] = connection
        elif self.backups.get(record.session) is connection:
            del self.backups[record.session]
        if isinstance(record, PortClosed):
            self._gateway.close_port(record.session, connection, now)

    def closed_ports(self) -> list[str]:
        """The sessions whose ports were closed here and not yet there."""
        lanes = self._gateway.engine.lanes
        return [
            session
            for session, copy in self._copies.items()
            if copy.port_closed and session in lanes and not lanes[session].stream.port_closed
        ]

    def _notice(self, batch: Batch) -> None:
        """See in a batch what concerns those who wait."""
        for entry in decode(batch.data):
            if entry.kind is not Kind.RECORD:
                continue
            record = records.from_bytes(entry.body)
            if isinstance(record, Unbound) and record.role is Role.PRIMARY:
                waiting = self.backups.get(record.session)
                if waiting is not None:
                    reason = "the primary's connection has ended"
                    now = self._gateway.now()
                    waiting.end(TerminateCode.DISCONNECT_OR_TERMINATE_FROM_PRIMARY, reason, now)
            elif isinstance(record, PortOpened) and record.session in self._copies:
                copy = self._copies[record.session]
                copy.port_closed, copy.failures = False, ()
