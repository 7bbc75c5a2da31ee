"""What the venue itself does at a gateway: weeks and limits, ports and sessions, the market and its trades.

Each of these is journaled, and durable when its call returns.
"""

from collections.abc import Callable, Container
from typing import TYPE_CHECKING

from ontherun.calendar import calendar_of_segment
from ontherun.gateway import addenda
from ontherun.gateway.engine import Engine
from ontherun.gateway.entries import Kind, json_body
from ontherun.gateway.lane import Lane
from ontherun.gateway.surroundings import Directory, Log
from ontherun.gateway.turn import Turn
from ontherun.gateway.witness import Note
from ontherun.ilink.codes import TerminateCode, words
from ontherun.ilink.controls import ControlPolicy
from ontherun.ilink.messages.enums import ExecReason
from ontherun.ilink.records import PortOpened
from ontherun.ilink.templates import MAX_TIME
from ontherun.journal import Journal, Outbox
from ontherun.trace import Level, TraceEntry, TraceKind
from ontherun.trace.entry import Fact

if TYPE_CHECKING:
    from ontherun.gateway.connection import Connection

DISCONNECT = ExecReason.CANCEL_ON_DISCONNECT


class Office(Turn):
    """The middle floor of a Gateway: the venue's own deeds."""

    def __init__(
        self,
        engine: Engine,
        journal: Journal | None,
        outbox: "Outbox[tuple[str, int]]",
        directory: Directory,
        clock: Callable[[], int],
        log: Log,
        broken: Callable[[Exception], None],
        note: Note,
        poll: int,
    ) -> None:
        super().__init__(engine, journal, outbox, clock, log, broken, poll)
        self.connections: set[Connection] = set()
        self._directory = directory
        self._note = note
        self._weeks = calendar_of_segment(engine.segment_id)
        self.week_ends = MAX_TIME
        """When the next trading week begins, ns since the epoch."""

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

    def close_port(self, session: str, closing: "Connection", now: int) -> None:
        """Too many bad logins closed the session's ports, the last of them on `closing`: whoever is logged in there
        goes too. The exchange closes both ports; that a connection which is up ends with them is our reading."""
        self.log.warning("port_closed", session=session, segment=self.engine.segment_id, peer=closing.peer)
        code = TerminateCode.CME_ADMINISTERED_PORT_CLOSURE
        for connection in self._connections_of(session):
            if connection is not closing:
                connection.end(code, words(code), now)

    def _connections_of(self, session: str) -> "list[Connection]":
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
