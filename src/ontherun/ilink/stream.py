"""Stream: what outlives a connection, one per session and market segment.

Two rules keep recovery simple. Its state changes only by `apply(record)`, and the gateway journals every record before
anything that follows from it is sent. The only exceptions are the two counters: `next_inbound` and `next_outbound` go
up with each business message, which the gateway journals or recomputes anyway.
"""

from collections.abc import Callable, Iterator

from ontherun.ilink.controls import Controls
from ontherun.ilink.records import (
    Established,
    GapFilled,
    LoginFailed,
    Negotiated,
    PortClosed,
    PortOpened,
    Promoted,
    Role,
    StreamRecord,
    Unbound,
    WeekStarted,
)

FAILURES_TO_CLOSE = 5
FAILURE_WINDOW = 60_000_000_000  # ns; CME, Automated Port Closure: the fifth bad login within 60 s
LOGIN_WINDOW = 3_000_000_000  # ns; CME client wiki, Messaging Controls: windows of 3 s from their first message


class Stream:
    """Numbers, UUIDs and login history of one session on one market segment, for the trading week.

    - `uuid`: under which both directions are numbered now. 0 before the first login of the week.
    - `negotiated_uuid`: the last one negotiated; the only one that may be established.
    - `next_inbound`: the client's next business number; `next_outbound`: ours. Both begin at 1.
    - `previous_uuid`, `previous_seq_no`: the UUID before `uuid` and our last number under it, 0 if none.
    - `request_timestamp`: of the last accepted login message, ns.
    - `firm`: of the last accepted login message.
    - `primary_bound`, `backup_bound`: whether a connection is established on that listener.
    - `failures`: when the last bad logins were, ns; `port_closed`: whether they closed the ports.
    - `window_start`, `window_logins`: login messages counted by Messaging Controls.
    - `controls`: business messages counted by Messaging Controls, which the gateway does.
    - `lost`: the primary's binding ended ungracefully, and nobody has logged in since.
    """

    __slots__ = (  # noqa: RUF023 - the order of the description, and of repr
        "session",
        "segment",
        "firm",
        "uuid",
        "negotiated_uuid",
        "request_timestamp",
        "next_inbound",
        "next_outbound",
        "previous_uuid",
        "previous_seq_no",
        "primary_bound",
        "backup_bound",
        "failures",
        "port_closed",
        "window_start",
        "window_logins",
        "controls",
        "lost",
    )

    def __init__(self, session: str, segment: int) -> None:
        self.session = session
        self.segment = segment
        self.firm = ""
        self.request_timestamp = 0
        self.primary_bound = False
        self.backup_bound = False
        self.failures: tuple[int, ...] = ()
        self.port_closed = False
        self.window_start = 0
        self.window_logins = 0
        self.controls = Controls()
        self.lost = False
        self.next_inbound = 1
        self._begin_week()

    def _begin_week(self) -> None:
        self.uuid = 0
        self.negotiated_uuid = 0
        self._expect(1)
        self.next_outbound = 1
        self.previous_uuid = 0
        self.previous_seq_no = 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Stream):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment] # a stream changes

    def __repr__(self) -> str:
        return f"Stream({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"

    def bound(self, role: Role) -> bool:
        """Whether a connection is established on the listener with this role."""
        return self.primary_bound if role is Role.PRIMARY else self.backup_bound

    @property
    def loses_orders(self) -> bool:
        """Whether cancel on disconnect applies: the primary was lost, and no backup is there to take over."""
        return self.lost and not self.backup_bound

    def closes_ports(self, now: int) -> bool:
        """Whether the failures up to `now` are enough to close the ports."""
        return len(self.failures) >= FAILURES_TO_CLOSE and now - FAILURE_WINDOW < self.failures[0] <= now

    def logins_in_window(self, now: int) -> int:
        """Login messages counted in the window that is open `now`."""
        return self.window_logins if 0 <= now - self.window_start < LOGIN_WINDOW else 0

    def unbinding(self, now: int) -> list[StreamRecord]:
        """Records that end the bindings a stopped process left behind; apply and journal them after a recovery."""
        return [
            Unbound(self.session, self.segment, now, role, graceful=False)
            for role in (Role.BACKUP, Role.PRIMARY)
            if self.bound(role)
        ]

    def apply(self, record: StreamRecord) -> None:
        """Change the stream as `record` says. The record must be for this session and segment."""
        _APPLY[record.__class__](self, record)

    def _negotiated(self, record: Negotiated) -> None:
        self._count_login(record.at)
        self.firm = record.firm
        self.negotiated_uuid = record.uuid
        self.request_timestamp = record.request_timestamp

    def _established(self, record: Established) -> None:
        self._count_login(record.at)
        self.firm = record.firm
        self.request_timestamp = record.request_timestamp
        self._bind(record.role, bound=True)
        if record.uuid != self.uuid:
            self.previous_uuid = self.uuid
            self.previous_seq_no = self.next_outbound - 1
            self.uuid = self.negotiated_uuid = record.uuid
            self._expect(1)
            self.next_outbound = 1
        if record.role is Role.PRIMARY:
            self.lost = False

    def _gap_filled(self, record: GapFilled) -> None:
        self._expect(record.next_inbound)

    def _login_failed(self, record: LoginFailed) -> None:
        self._count_login(record.at)
        self.failures = (*self.failures[1 - FAILURES_TO_CLOSE :], record.at)

    def _port_closed(self, _: PortClosed) -> None:
        self.port_closed = True

    def _port_opened(self, _: PortOpened) -> None:
        self.port_closed = False
        self.failures = ()

    def _unbound(self, record: Unbound) -> None:
        self._bind(record.role, bound=False)
        if record.role is Role.PRIMARY:
            self.lost = not record.graceful

    def _promoted(self, _: Promoted) -> None:
        self.backup_bound = False
        self.primary_bound = True
        self.lost = False

    def _week_started(self, _: WeekStarted) -> None:
        self._begin_week()

    def _expect(self, number: int) -> None:
        self.controls.renumbered(self.next_inbound, number)
        self.next_inbound = number

    def _bind(self, role: Role, *, bound: bool) -> None:
        if role is Role.PRIMARY:
            self.primary_bound = bound
        else:
            self.backup_bound = bound

    def _count_login(self, at: int) -> None:
        if 0 <= at - self.window_start < LOGIN_WINDOW:
            self.window_logins += 1
        else:
            self.window_start = at
            self.window_logins = 1


_APPLY: dict[type, Callable[..., None]] = {
    Negotiated: Stream._negotiated,
    Established: Stream._established,
    GapFilled: Stream._gap_filled,
    LoginFailed: Stream._login_failed,
    PortClosed: Stream._port_closed,
    PortOpened: Stream._port_opened,
    Unbound: Stream._unbound,
    Promoted: Stream._promoted,
    WeekStarted: Stream._week_started,
}


class StreamTable:
    """Streams in memory. `known(session, segment)` says whether a session exists; a stream is made at first use."""

    __slots__ = ("_known", "_streams")

    def __init__(self, known: Callable[[str, int], bool]) -> None:
        self._known = known
        self._streams: dict[tuple[str, int], Stream] = {}

    def __iter__(self) -> Iterator[Stream]:
        return iter(list(self._streams.values()))

    def get(self, session: str, segment: int) -> Stream | None:
        """The stream, made when the session is known and has none yet; None when it is not known."""
        stream = self._streams.get((session, segment))
        if stream is None and self._known(session, segment):
            stream = self._streams[session, segment] = Stream(session, segment)
        return stream

    def recover(self, record: StreamRecord) -> Stream:
        """Apply a journaled record to its stream, made without asking: a journal may outlive a session."""
        key = (record.session, record.segment)
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = Stream(*key)
        stream.apply(record)
        return stream
