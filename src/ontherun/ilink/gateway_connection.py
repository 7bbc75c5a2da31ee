"""The floor of GatewaySession: its state and table, counting bad logins, and the end of a binding."""

from ontherun.ilink.actions import Action, Close, Record, Send, Trace
from ontherun.ilink.authority import Authority, Streams
from ontherun.ilink.codes import EstablishmentRejectCode, NegotiationRejectCode, TerminateCode
from ontherun.ilink.errors import LocalProtocolError
from ontherun.ilink.login import Login, Refusal
from ontherun.ilink.messages import UINT8_NULL, Negotiate, NotApplied, Terminate
from ontherun.ilink.policy import SessionPolicy
from ontherun.ilink.records import LoginFailed, PortClosed, Role, Unbound
from ontherun.ilink.stream import FAILURE_WINDOW, FAILURES_TO_CLOSE, Stream
from ontherun.ilink.trace import LoginTrace, Verdict
from ontherun.ilink.transitions import GATEWAY, GatewayEvent, GatewayState, Outcome

_NOT_LOGGED_IN = frozenset(map(TerminateCode, range(2, 8)))  # bad logins too: CME, Automated Port Closure
_MAX_REASON = 48


class GatewayConnection:
    """State, counting and end of one connection.

    - `state`: a GatewayState; `segment`, `role`: of the listener (the role changes by promotion);
    - `stream`: of the session that logged in; a blank one until a login is accepted;
    - `uuid`, `firm`, `access_key_id`: of the accepted login, 0 and "" before; `key_expires_at`: ns, 0 if never;
    - `keep_alive_interval`: ms, 0 before establishment;
    - `last_received`, `last_sent`: ns.
    """

    __slots__ = (
        "_authority",
        "_bound",
        "_deadline",
        "_failures",
        "_gap_at",
        "_login",
        "_login_by",
        "_policy",
        "_source",
        "_streams",
        "access_key_id",
        "firm",
        "keep_alive_interval",
        "key_expires_at",
        "last_received",
        "last_sent",
        "role",
        "segment",
        "state",
        "stream",
        "uuid",
    )

    def __init__(
        self,
        segment: int,
        role: Role,
        policy: SessionPolicy,
        authority: Authority,
        streams: Streams,
        now: int,
        source: str,
    ) -> None:
        self.state = GatewayState.UNNEGOTIATED
        self.segment = segment
        self.role = role
        self.stream = Stream("", segment)
        self.uuid = 0
        self.firm = ""
        self.access_key_id = ""
        self.key_expires_at = 0
        self.keep_alive_interval = 0
        self.last_received = now
        self.last_sent = now
        self._policy = policy
        self._authority = authority
        self._streams = streams
        self._source = source
        self._login_by = self._deadline = now + policy.login_timeout
        self._login: Login | None = None  # the one whose key is being asked
        self._failures: tuple[int, ...] = ()  # bad logins here that name no session we know
        self._bound = False
        self._gap_at = 0  # the number for which NotApplied is out: the gap is open while it is still expected

    @property
    def gap_from(self) -> int:
        """The number that is missing first while NotApplied waits for the client's answer, 0 otherwise."""
        return self._gap_at if self._gap_at == self.stream.next_inbound else 0

    def shift(self, by: int) -> None:
        """The clock was moved by `by` ns: intervals under way go on as if it had not been."""
        self.last_received += by
        self.last_sent += by
        self._login_by += by
        self._deadline += by
        self._failures = tuple(at + by for at in self._failures)

    # The transition table

    def _step(self, event: GatewayEvent) -> bool:
        """Take an event of our own; False when the table ignores it."""
        entry = GATEWAY[self.state][event]
        if isinstance(entry, GatewayState):
            self.state = entry
            return True
        if entry is Outcome.IGNORE:
            return False
        raise LocalProtocolError(f"{event.value}: not in state {self.state.name}")

    def _take(self, event: GatewayEvent, reason: str = "") -> Refusal | Outcome | None:
        """Take a peer's event: None when it is allowed and has to be acted on, else the Refusal, or IGNORE."""
        entry = GATEWAY[self.state][event]
        if isinstance(entry, GatewayState):
            self.state = entry
            return None
        if self._policy.violations and event is not GatewayEvent.TIMEOUT:
            changed = self._policy.violations.get((self.state, event), entry)
            entry = Outcome.IGNORE if changed is None else changed
        if isinstance(entry, Outcome):
            return entry
        return Refusal(entry, reason or f"{event.value} in state {self.state.name}", entry in _NOT_LOGGED_IN)

    # Bad logins

    def _known_stream(self) -> Stream | None:
        """The stream that a fault on this connection counts for, if one is known."""
        if self.stream.session:
            return self.stream
        return self._login.stream if self._login is not None else None

    def _count(self, refusal: Refusal, stream: Stream | None, template: int, now: int) -> tuple[Refusal, list[Action]]:
        """Count a bad login; the fifth within 60 s turns into Terminate 8 and closes the session's ports."""
        if not refusal.counts or not self._policy.port_closure or (stream is not None and stream.port_closed):
            return refusal, []
        actions: list[Action] = []
        if stream is None:
            self._failures = (*self._failures[1 - FAILURES_TO_CLOSE :], now)
            closes = len(self._failures) == FAILURES_TO_CLOSE and self._failures[0] > now - FAILURE_WINDOW
        else:
            failed = LoginFailed(stream.session, self.segment, now, template, refusal.code)
            stream.apply(failed)
            actions.append(Record(failed))
            closes = stream.closes_ports(now)
            if closes:
                closed = PortClosed(stream.session, self.segment, now)
                stream.apply(closed)
                actions.append(Record(closed))
        if closes:
            reason = f"{FAILURES_TO_CLOSE} bad logins within 60 s, the last: {refusal.reason}"
            refusal = Refusal(TerminateCode.CME_ADMINISTERED_PORT_CLOSURE, reason, counts=False)
        return refusal, actions

    # The end

    def _end_by(self, refusal: Refusal, now: int) -> list[Action]:
        """End because of a message that is no login."""
        refusal, actions = self._count(refusal, self._known_stream(), Terminate.TEMPLATE_ID, now)
        assert isinstance(refusal.code, TerminateCode)
        return actions + self._end(refusal.code, refusal.reason, self.uuid, now, now)

    def _end(self, code: TerminateCode, reason: str, uuid: int, timestamp: int, now: int) -> list[Action]:
        """Send Terminate and end the binding; nothing when the connection has ended already."""
        if not self._step(GatewayEvent.END):
            return []
        actions = self._unbind(now, graceful=code is TerminateCode.FINISHED)
        actions += self._forget_login(now)
        actions.append(self._terminate(code, reason, uuid, timestamp, now))
        return actions

    def _terminate(self, code: TerminateCode, reason: str, uuid: int, timestamp: int, now: int) -> Send:
        """Terminate, after which the peer has `close_grace` to close."""
        self._deadline = now + self._policy.close_grace
        self.last_sent = now
        text = reason.encode("ascii", "replace")[:_MAX_REASON]
        return Send(Terminate.pack(text, uuid, timestamp, code, UINT8_NULL))

    def _unbind(self, now: int, *, graceful: bool) -> list[Action]:
        if not self._bound:
            return []
        self._bound = False
        record = Unbound(self.stream.session, self.segment, now, self.role, graceful)
        self.stream.apply(record)
        return [Record(record)]

    def _forget_login(self, now: int) -> list[Action]:
        """A login that is still being checked when the connection ends."""
        login, self._login = self._login, None
        if login is None:
            return []
        trace = self._trace(login, now)
        trace.reason = "the connection ended before the key's authority answered"
        return [Trace(trace)]

    def _close(self, now: int) -> list[Action]:
        if not self._step(GatewayEvent.CLOSE):
            return []
        return [*self._unbind(now, graceful=False), *self._forget_login(now), Close()]

    def _trace(self, login: Login, now: int) -> LoginTrace:
        message = login.message
        timestamp = message.request_timestamp
        return LoginTrace(
            "Negotiate" if isinstance(message, Negotiate) else "Establish",
            now,
            self.segment,
            self.role,
            login.session,
            login.firm,
            login.key_id,
            message.uuid,
            timestamp,
            now - timestamp,
            login.text.decode("latin-1"),
            login.key_state,
            diagnosis=login.diagnosis,
        )

    def _not_applied(self, number: int, now: int) -> Send:
        """Say that everything from the expected number up to `number`, which opened the gap, was not applied."""
        expected = self._gap_at = self.stream.next_inbound
        self.last_sent = now
        return Send(NotApplied.pack(self.uuid, expected, number - expected + 1, UINT8_NULL))


def told(
    trace: LoginTrace,
    verdict: Verdict,
    code: TerminateCode | EstablishmentRejectCode | NegotiationRejectCode,
    reason: str,
) -> Trace:
    """The trace with what the wire said and why."""
    trace.verdict, trace.code, trace.code_name, trace.reason = verdict, int(code), code.name, reason
    return Trace(trace)
