"""The floor of ClientSession: its state and table, the login, and the end."""

from dataclasses import dataclass

from ontherun.ilink.actions import Close, Send
from ontherun.ilink.client_events import (
    Ended,
    EstablishmentAccepted,
    Event,
    LoginRejected,
    NegotiationAccepted,
    Violation,
)
from ontherun.ilink.client_inbound import ClientMemory, Inbound, Wanted
from ontherun.ilink.codes import EstablishmentRejectCode, NegotiationRejectCode, TerminateCode
from ontherun.ilink.errors import LocalProtocolError
from ontherun.ilink.messages import (
    UINT8_NULL,
    UINT16_NULL,
    Establish,
    EstablishmentAck,
    EstablishmentReject,
    Negotiate,
    NegotiationReject,
    NegotiationResponse,
    NotApplied,
    Terminate,
)
from ontherun.ilink.signing import establish_text, negotiate_text, sign
from ontherun.ilink.templates import MAX_TIME
from ontherun.ilink.transitions import CLIENT, ClientEvent, ClientState, Outcome

NEVER = 2**63 - 1
_MILLISECOND = 1_000_000  # ns
_NO_ANSWER = -1
_NOT_COUNTED = frozenset(map(EstablishmentRejectCode, (1, 15, 16, 17, 27, 28)))
"""Rejects that are no bad login: CME, Automated Port Closure."""


@dataclass(frozen=True, slots=True)
class ClientIdentity:
    """Who logs in: printable ASCII of at most 3, 5, 20, 30, 10 and 10 characters; the interval in ms."""

    session: str
    firm: str
    access_key_id: str
    trading_system_name: str
    trading_system_version: str
    trading_system_vendor: str
    keep_alive_interval: int = 10_000


def code_name(kind: type[NegotiationRejectCode | EstablishmentRejectCode | TerminateCode], code: int) -> str:
    """The name of a received code, or "UNKNOWN"."""
    return next((member.name for member in kind if member == code), "UNKNOWN")


class ClientLogin:
    """State, login and end of one connection.

    - `secret`: the decoded secret key, 32 bytes (`signing.decode_secret`);
    - `gap_fill`: answer NotApplied at once with a Sequence; otherwise the caller answers, by `rewind`;
    - `state`: a ClientState; `uuid`: of the login on this connection, 0 before; `memory`: what outlives it;
    - `last_received`, `last_sent`: ns.
    """

    __slots__ = (
        "_deadline",
        "_early_not_applied",
        "_identity",
        "_inbound",
        "_logging_in",
        "_peer_interval",
        "_secret",
        "_sent_timestamp",
        "_terminated",
        "_wanted",
        "gap_fill",
        "last_received",
        "last_sent",
        "memory",
        "state",
        "uuid",
    )

    def __init__(
        self, identity: ClientIdentity, secret: bytes, memory: ClientMemory, now: int, *, gap_fill: bool
    ) -> None:
        self.state = ClientState.CONNECTED
        self.memory = memory
        self.gap_fill = gap_fill
        self.uuid = 0
        self.last_received = now
        self.last_sent = now
        self._identity = identity
        self._secret = secret
        self._inbound = Inbound(memory)
        self._sent_timestamp = 0  # of the login message or RetransmitRequest that waits for its answer
        self._deadline = NEVER  # of the states that are not established
        self._peer_interval = identity.keep_alive_interval
        self._wanted: Wanted | None = None  # asked for by RetransmitRequest
        self._early_not_applied: NotApplied | None = None
        self._terminated = False
        self._logging_in = False  # a login message is out

    def __repr__(self) -> str:
        return f"{type(self).__name__}(state={self.state.name}, uuid={self.uuid}, memory={self.memory!r})"

    def _step(self, event: ClientEvent) -> None:
        """Take an event of our own."""
        entry = CLIENT[self.state][event]
        if isinstance(entry, ClientState):
            self.state = entry
        elif entry is not Outcome.IGNORE:
            raise LocalProtocolError(f"{event.value}: not in state {self.state.name}")

    # Sending

    def negotiate(self, now: int, uuid: int) -> bytes:
        """Negotiate a new `uuid`, greater than every one of this week (advice: microseconds since the epoch)."""
        if not max(self.memory.uuid, self.memory.negotiated_uuid) < uuid <= MAX_TIME:
            raise LocalProtocolError(f"UUID {uuid} is not greater than the last one")
        self._step(ClientEvent.SEND_NEGOTIATE)
        self.uuid = uuid
        session, firm, key_id = self._begin(now)
        timestamp = self._sent_timestamp
        signature = sign(self._secret, negotiate_text(timestamp, uuid, session, firm))
        return Negotiate.pack(signature, key_id, uuid, timestamp, session, firm, b"")

    def establish(self, now: int, *, backup: bool = False) -> bytes:
        """Establish the UUID that was negotiated last, here or on an earlier connection.

        `backup`: the listener is the designated backup, which takes the primary's UUID and no numbers.
        """
        memory = self.memory
        uuid = memory.negotiated_uuid
        if not uuid:
            raise LocalProtocolError("no UUID has been negotiated this week")
        self._step(ClientEvent.SEND_BACKUP_ESTABLISH if backup else ClientEvent.SEND_ESTABLISH)
        self.uuid = uuid
        session, firm, key_id = self._begin(now)
        timestamp, identity = self._sent_timestamp, self._identity
        name = identity.trading_system_name.encode()
        version = identity.trading_system_version.encode()
        vendor = identity.trading_system_vendor.encode()
        number = 0 if backup else memory.next_outbound if uuid == memory.uuid else 1
        interval = identity.keep_alive_interval
        text = establish_text(timestamp, uuid, session, firm, name, version, vendor, number, interval)
        signature = sign(self._secret, text)
        return Establish.pack(
            signature, key_id, name, version, vendor, uuid, timestamp, number, session, firm, interval, b""
        )

    def _begin(self, now: int) -> tuple[bytes, bytes, bytes]:
        """Begin to wait for an answer, two intervals at most: CME client wiki, Negotiate."""
        identity = self._identity
        self._logging_in = True
        self._deadline = now + 2 * identity.keep_alive_interval * _MILLISECOND
        self.last_sent = now
        self._sent_timestamp = self._timestamp(now)
        return identity.session.encode(), identity.firm.encode(), identity.access_key_id.encode()

    def _timestamp(self, now: int) -> int:
        """A RequestTimestamp greater than every earlier one, also when the clock went back."""
        self.memory.request_timestamp = max(now, self.memory.request_timestamp + 1)
        return self.memory.request_timestamp

    def terminate(self, now: int, reason: str = "") -> bytes:
        """Terminate with code 0; the gateway answers and we close. Without an answer: after one interval."""
        self._step(ClientEvent.SEND_TERMINATE)
        self._deadline = now + self._identity.keep_alive_interval * _MILLISECOND
        self._terminated = True
        return self._terminate(reason, now)

    def _terminate(self, reason: str, now: int) -> bytes:
        self.last_sent = now
        text = reason.encode("ascii", "replace")[:48]
        return Terminate.pack(text, self.uuid, self._timestamp(now), TerminateCode.FINISHED, UINT8_NULL)

    # The end

    def lost(self) -> None:
        """The connection is gone."""
        self._step(ClientEvent.CLOSE)

    def _violated(self, reason: str, now: int) -> list[Event]:
        """End because of the gateway's fault; a client always says code 0 (CME client wiki, Terminate)."""
        events: list[Event] = [Violation(reason)]
        if CLIENT[self.state][ClientEvent.SEND_TERMINATE] is ClientState.TERMINATING:
            events.append(Send(self._terminate(reason, now)))
        self._step(ClientEvent.CLOSE)
        events.append(Close())
        return events

    def _timed_out(self) -> list[Event]:
        """No answer to a login or to our Terminate."""
        reason = "no answer to Terminate" if self._terminated else "no answer to the login"
        self._step(ClientEvent.TIMEOUT)
        return [Ended(_NO_ANSWER, "NO_ANSWER", reason), Close()] if self.state is ClientState.CLOSED else []

    # Answers to the login

    def _echoed(self, answer: NegotiationResponse | NegotiationReject | EstablishmentAck | EstablishmentReject) -> bool:
        return answer.uuid == self.uuid and answer.request_timestamp == self._sent_timestamp

    def _on_negotiation_response(self, frame: bytes, now: int) -> list[Event]:
        answer = NegotiationResponse.decode(frame)
        if not self._echoed(answer):
            return self._violated("NegotiationResponse to another request", now)
        self._deadline = NEVER
        self._logging_in = False
        lost = self._inbound.week_began(answer.previous_uuid)
        if lost is None and self.memory.negotiated_uuid > self.memory.uuid:
            self.memory.unheard.append(self.memory.negotiated_uuid)
        self.memory.negotiated_uuid = self.uuid
        expiry = answer.secret_key_secure_id_expiration
        accepted = NegotiationAccepted(answer.previous_uuid, answer.previous_seq_no, expiry, lost is not None)
        return [accepted, *(lost or ())]

    def _on_negotiation_reject(self, frame: bytes, now: int) -> list[Event]:
        return self._rejected(NegotiationReject.decode(frame), "Negotiate", NegotiationRejectCode, now)

    def _on_establishment_reject(self, frame: bytes, now: int) -> list[Event]:
        return self._rejected(EstablishmentReject.decode(frame), "Establish", EstablishmentRejectCode, now)

    def _rejected(
        self,
        answer: NegotiationReject | EstablishmentReject,
        asked: str,
        codes: type[NegotiationRejectCode | EstablishmentRejectCode],
        now: int,
    ) -> list[Event]:
        if not self._echoed(answer):
            return self._violated(f"{type(answer).__name__} to another request", now)
        self._deadline = NEVER
        self._logging_in = False
        code = answer.error_codes
        if code not in _NOT_COUNTED:
            self.memory.refused(now)
        return [LoginRejected(asked, code, code_name(codes, code), answer.reason.decode("latin-1"))]

    def _on_establishment_ack(self, frame: bytes, now: int) -> list[Event]:
        answer = EstablishmentAck.decode(frame)
        if not self._echoed(answer):
            return self._violated("EstablishmentAck to another request", now)
        if answer.keep_alive_interval in (0, UINT16_NULL):
            return self._violated("EstablishmentAck without KeepAliveInterval", now)
        backup = self.state is ClientState.BACKUP
        self._logging_in = False
        number, previous, last = answer.next_seq_no, answer.previous_uuid, answer.previous_seq_no
        if not backup and not self._inbound.established(answer.uuid, number, previous, last):
            return self._violated(f"NextSeqNo {number} is less than the gateway has sent", now)
        self._peer_interval = answer.keep_alive_interval
        expiry = answer.secret_key_secure_id_expiration
        return [EstablishmentAccepted(backup, previous, last, answer.keep_alive_interval, expiry)]
