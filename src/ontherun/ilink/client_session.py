"""ClientSession: one connection of a client to a market segment's listener, without the socket.

Frames and times go in, events come out; `transitions.CLIENT` says what is allowed when. What must outlive the
connection is in a ClientMemory, which the caller keeps (and shares with the session on the designated backup).
"""

from collections import deque
from collections.abc import Callable
from struct import Struct
from typing import Protocol

from ontherun.ilink.actions import Close, Send
from ontherun.ilink.client_events import (
    BusinessMessage,
    Ended,
    Event,
    MessagesRecovered,
    MessagesRequested,
    NumbersNotApplied,
    PromotedToPrimary,
)
from ontherun.ilink.client_inbound import ClientMemory
from ontherun.ilink.client_login import NEVER, ClientIdentity, ClientLogin, code_name
from ontherun.ilink.codes import RetransmitRejectCode, TerminateCode
from ontherun.ilink.errors import LocalProtocolError
from ontherun.ilink.messages import (
    UINT8_NULL,
    UINT64_NULL,
    NotApplied,
    Retransmission,
    RetransmitReject,
    RetransmitRequest,
    Sequence,
    Terminate,
)
from ontherun.ilink.templates import (
    CLIENT_EVENTS,
    GATEWAY_BUSINESS,
    GATEWAY_SEQ_NUM_OFFSET,
    MAX_RETRANSMIT,
    MAX_SEQ_NUM,
)
from ontherun.ilink.transitions import CLIENT, ClientEvent, ClientState, Outcome
from ontherun.sbe.errors import DecodeError, FramingError
from ontherun.sbe.framing import HEADER, HEADER_SIZE

_ESTABLISHED = ClientState.ESTABLISHED
_BACKUP = ClientState.BACKUP
_SEQ_NUM_AND_UUID = Struct("<IQ")
_MILLISECOND = 1_000_000  # ns
_NOTHING_THERE = (RetransmitRejectCode.OUT_OF_RANGE, RetransmitRejectCode.INVALID_UUID)
_NO_BAD_LOGIN = (
    TerminateCode.FINISHED,
    TerminateCode.CME_ADMINISTERED_PORT_CLOSURE,
    TerminateCode.VOLUME_CONTROLS,
    TerminateCode.DISCONNECT_OR_TERMINATE_FROM_PRIMARY,
)
_SEQUENCES = 64  # more than can be on their way at once
_TRIES = 2  # how often a RetransmitRequest is sent before its messages are given up


class Numbered(Protocol):
    """A business message of a client, as the generated classes are."""

    seq_num: int

    def encode(self) -> bytes:
        """Return the whole frame."""


class ClientSession(ClientLogin):
    """The client's side of one connection; `ClientLogin` describes the attributes.

    Calls that send return the frame, or raise LocalProtocolError when the state does not allow them.
    """

    __slots__ = ("_asked_from", "_pinged_at", "_requested_at", "_sequences", "_tries")

    def __init__(
        self, identity: ClientIdentity, secret: bytes, memory: ClientMemory, now: int, *, gap_fill: bool = True
    ) -> None:
        super().__init__(identity, secret, memory, now, gap_fill=gap_fill)
        self._pinged_at = 0
        self._asked_from = 0  # FromSeqNo of the open RetransmitRequest
        self._requested_at = 0  # when the open RetransmitRequest was sent or last brought a message
        self._tries = 0
        self._sequences: deque[int] = deque(maxlen=_SEQUENCES)  # NextSeqNo of Establish and each Sequence sent

    # Sending

    def number(self, message: Numbered, now: int) -> bytes:
        """Give `message` the next number and encode it. An EncodeError leaves the number unused."""
        self._step(ClientEvent.SEND_BUSINESS)
        number = self.memory.next_outbound
        if number > MAX_SEQ_NUM:
            raise LocalProtocolError("the numbers of this UUID are used up: negotiate a new one")
        message.seq_num = number
        frame = message.encode()
        self.memory.next_outbound = number + 1
        self.last_sent = now
        return frame

    def rewind(self, from_seq_no: int) -> None:
        """After NumbersNotApplied: give the next message `from_seq_no`, to send again what was not applied."""
        self._step(ClientEvent.SEND_BUSINESS)
        if not 1 <= from_seq_no <= self.memory.next_outbound:
            raise LocalProtocolError(f"number {from_seq_no} was not used yet")
        self.memory.next_outbound = from_seq_no

    def sequence(self, now: int) -> bytes:
        """Say what our next number is: fills the gap of a NotApplied, up to there."""
        self._step(ClientEvent.SEND_BUSINESS)
        return self._sequence_out(0, now).frame

    # What arrives

    def receive(self, frame: bytes, now: int) -> list[Event]:
        """Take one whole frame."""
        self.last_received = now
        event, reason = _event(frame)
        entry = CLIENT[self.state][event]
        if entry is Outcome.IGNORE:
            return []
        if not isinstance(entry, ClientState):
            return self._violated(reason or f"{event.value} in state {self.state.name}", now)
        before, self.state = self.state, entry
        try:
            return _HANDLERS[event](self, frame, now)
        except DecodeError as fault:
            self.state = before
            return self._violated(str(fault), now)

    def framing_fault(self, error: FramingError, now: int) -> list[Event]:
        """The byte stream cannot be cut into frames any further."""
        if CLIENT[self.state][ClientEvent.BAD_FRAME] is Outcome.IGNORE:
            return []
        return self._violated(str(error), now)

    def _on_establishment(self, frame: bytes, now: int) -> list[Event]:
        events = self._on_establishment_ack(frame, now)
        self._pinged_at = 0
        if self.state is not _ESTABLISHED:
            return events
        self._sequences.append(self.memory.next_outbound)
        if self._early_not_applied is not None:
            events += self._answer_not_applied(self._early_not_applied, now)
        return events + self._recover(now)

    def _on_business(self, frame: bytes, now: int) -> list[Event]:
        _, _, block_length, template, _, _ = HEADER.unpack_from(frame)
        flag_at = GATEWAY_BUSINESS[template]
        if flag_at >= HEADER_SIZE + block_length or flag_at >= len(frame):
            raise DecodeError(f"template {template} with a block of {block_length} bytes has no PossRetransFlag")
        number, uuid = _SEQ_NUM_AND_UUID.unpack_from(frame, GATEWAY_SEQ_NUM_OFFSET)
        message = BusinessMessage(template, uuid, number, frame[flag_at] == 1, frame)
        if self.state is _BACKUP:
            return [message] if number == 0 else self._violated(f"SeqNum {number} on a backup", now)
        if message.poss_retrans:
            return self._replayed(message, now)
        if uuid != self.uuid:
            return self._violated(f"UUID {uuid} is not the session's", now)
        passed = self._inbound.live(message)
        if passed is None:
            return self._violated(f"SeqNum {number} was used already", now)
        return [*passed, *self._recover(now)]

    def _on_sequence(self, frame: bytes, now: int) -> list[Event]:
        message = Sequence.decode(frame)
        number = message.next_seq_no
        if message.uuid != self.uuid:
            return self._violated(f"Sequence with UUID {message.uuid}", now)
        events: list[Event] = []
        if self.state is _BACKUP:
            if message.fault_tolerance_indicator == 1:
                self._step(ClientEvent.PROMOTED)
                events += [PromotedToPrimary(), self._sequence_out(0, now)]  # shows what the old primary never applied
            elif number:
                return self._violated(f"NextSeqNo {number} on a backup", now)
        if self.state is _ESTABLISHED:
            if not 1 <= number <= MAX_SEQ_NUM + 1 or not self._inbound.told(number):
                return self._violated(f"NextSeqNo {number} is less than the gateway has sent", now)
            events += self._recover(now)
        if message.keep_alive_interval_lapsed == 1:
            events.append(self._sequence_out(0, now))
        return events

    def _on_not_applied(self, frame: bytes, now: int) -> list[Event]:
        message = NotApplied.decode(frame)
        number = message.from_seq_no
        if message.uuid != self.uuid or not 1 <= number < self.memory.next_outbound:
            return self._violated(f"NotApplied from {number}, which was not sent", now)
        if self.state is ClientState.TERMINATING:  # nothing can be sent any more: the next login goes on beyond them
            return [NumbersNotApplied(number, self._gap(message)[0], filled=True)]
        if self.state is not _ESTABLISHED:
            self._early_not_applied = message  # before EstablishmentAck: answered after it
            return []
        return self._answer_not_applied(message, now)

    def _answer_not_applied(self, message: NotApplied, now: int) -> list[Event]:
        count, filled = self._gap(message)
        events: list[Event] = [NumbersNotApplied(message.from_seq_no, count, self.gap_fill or filled)]
        if self.gap_fill:
            events.append(self._sequence_out(0, now))
        return events

    def _gap(self, message: NotApplied) -> tuple[int, bool]:
        """How many of our messages were not applied, and whether a Sequence of ours gave them up already.

        Nothing after the gap was applied either, up to the first Sequence that we had sent meanwhile: it filled it.
        """
        first = message.from_seq_no
        exposed_by = first + message.msg_count - 1
        later = [number for number in self._sequences if number >= exposed_by]
        if later and later[0] == exposed_by:
            del later[0]  # this one opened the gap
        return (later[0] if later else self.memory.next_outbound) - first, bool(later)

    def _on_terminate(self, frame: bytes, now: int) -> list[Event]:
        message = Terminate.decode(frame)
        code = message.error_codes
        if self._logging_in and code not in _NO_BAD_LOGIN:
            self.memory.refused(now)
        ended = Ended(code, code_name(TerminateCode, code), message.reason.decode("latin-1"))
        if code == TerminateCode.FINISHED and message.uuid == self.uuid and not self._terminated:
            answer = Terminate.pack(b"", self.uuid, message.request_timestamp, TerminateCode.FINISHED, UINT8_NULL)
            return [Send(answer), ended, Close()]
        return [ended, Close()]

    # Recovery

    def _recover(self, now: int) -> list[Event]:
        """Ask for what is missing, if nothing is asked for yet."""
        if self._wanted is not None or self.state is not _ESTABLISHED:
            return []
        self._wanted = self._inbound.wanted()
        self._tries = 0
        wanted = self._wanted
        if wanted is None:
            return []
        return [MessagesRequested(wanted.uuid, wanted.first, wanted.last - wanted.first + 1), self._request(now)]

    def _request(self, now: int) -> Send:
        wanted = self._wanted
        assert wanted is not None
        self._tries += 1
        self._requested_at = self.last_sent = now
        self._sent_timestamp = self._timestamp(now)
        last_uuid = UINT64_NULL if wanted.uuid == self.uuid else wanted.uuid
        first = self._asked_from = self._inbound.next_of(wanted)
        count = min(wanted.last - first + 1, MAX_RETRANSMIT)
        return Send(RetransmitRequest.pack(self.uuid, last_uuid, self._sent_timestamp, first, count))

    def _replayed(self, message: BusinessMessage, now: int) -> list[Event]:
        wanted = self._wanted
        if wanted is None:
            return []
        events: list[Event] = [*self._inbound.replayed(message, wanted)]
        if events:
            self._requested_at = now
        if self._inbound.finished(wanted):
            self._wanted = None
            events.append(MessagesRecovered(wanted.uuid, wanted.first, wanted.last - wanted.first + 1))
            events += self._recover(now)
        return events

    def _on_retransmission(self, frame: bytes, now: int) -> list[Event]:
        message = Retransmission.decode(frame)
        wanted = self._wanted
        if wanted is None or message.request_timestamp != self._sent_timestamp:
            return []  # to a request that was repeated since
        if message.from_seq_no != self._asked_from or not message.msg_count:
            return self._violated("Retransmission of other messages than asked for", now)
        self._requested_at = now
        if wanted.uuid == self.uuid:  # the true count; under an earlier UUID it only echoes
            wanted.last = min(wanted.last, message.from_seq_no + message.msg_count - 1)
        return []

    def _on_retransmit_reject(self, frame: bytes, now: int) -> list[Event]:
        message = RetransmitReject.decode(frame)
        if self._wanted is None or message.request_timestamp != self._sent_timestamp:
            return []  # to a request that was repeated since
        if message.error_codes == RetransmitRejectCode.RETRANSMIT_ALREADY_IN_PROGRESS:
            return []  # asked again when this one's time is over
        passed = self._inbound.reached_unknown_end() if message.error_codes in _NOTHING_THERE else None
        if passed is not None:
            self._wanted = None
            return [*passed, *self._recover(now)]
        return self._give_up(f"RetransmitReject {message.error_codes}", now)

    def _give_up(self, reason: str, now: int) -> list[Event]:
        wanted, self._wanted = self._wanted, None
        assert wanted is not None
        return [*self._inbound.give_up(wanted, reason), *self._recover(now)]

    # Time

    def deadline(self) -> int:
        """When `tick` is needed next, ns. It can only move later until something is received or sent."""
        if self.state is not _ESTABLISHED and self.state is not _BACKUP:
            return self._deadline if self.state is not ClientState.CLOSED else NEVER
        own = self.last_sent + self._identity.keep_alive_interval * _MILLISECOND
        silence = self._peer_interval * _MILLISECOND
        due = min(own, max(self._pinged_at, self.last_received) + silence)
        return due if self._wanted is None else min(due, self._requested_at + 2 * silence)

    def tick(self, now: int) -> list[Event]:
        """Do what time asks for; nothing before `deadline`."""
        if now < self.deadline():
            return []
        if self.state is not _ESTABLISHED and self.state is not _BACKUP:
            return self._timed_out()
        silence = self._peer_interval * _MILLISECOND
        events: list[Event] = []
        if self._pinged_at > self.last_received:
            if now - self._pinged_at >= silence:
                return self._violated("nothing received for two keep-alive intervals", now)
        elif now - self.last_received >= silence:
            self._pinged_at = now
            events.append(self._sequence_out(1, now))
        if self._wanted is not None and now - self._requested_at >= 2 * silence:
            events += [self._request(now)] if self._tries < _TRIES else self._give_up("no answer", now)
        if now - self.last_sent >= self._identity.keep_alive_interval * _MILLISECOND:
            events.append(self._sequence_out(0, now))
        return events

    def _sequence_out(self, lapsed: int, now: int) -> Send:
        self.last_sent = now
        number = self.memory.next_outbound if self.state is _ESTABLISHED else 0
        self._sequences.append(number)
        return Send(Sequence.pack(self.uuid, number, UINT8_NULL, lapsed))


def _event(frame: bytes) -> tuple[ClientEvent, str]:
    if len(frame) < HEADER_SIZE:
        return ClientEvent.UNDECODABLE, f"{len(frame)} bytes are less than a header"
    _, _, _, template, schema, _ = HEADER.unpack_from(frame)
    event = CLIENT_EVENTS.get(template)
    if schema != Sequence.SCHEMA_ID or event is None:
        return ClientEvent.UNDECODABLE, f"template {template} of schema {schema}"
    return event, ""


_HANDLERS: dict[ClientEvent, Callable[[ClientSession, bytes, int], list[Event]]] = {
    ClientEvent.NEGOTIATION_RESPONSE: ClientSession._on_negotiation_response,
    ClientEvent.NEGOTIATION_REJECT: ClientSession._on_negotiation_reject,
    ClientEvent.ESTABLISHMENT_ACK: ClientSession._on_establishment,
    ClientEvent.ESTABLISHMENT_REJECT: ClientSession._on_establishment_reject,
    ClientEvent.SEQUENCE: ClientSession._on_sequence,
    ClientEvent.TERMINATE: ClientSession._on_terminate,
    ClientEvent.RETRANSMISSION: ClientSession._on_retransmission,
    ClientEvent.RETRANSMIT_REJECT: ClientSession._on_retransmit_reject,
    ClientEvent.NOT_APPLIED: ClientSession._on_not_applied,
    ClientEvent.BUSINESS: ClientSession._on_business,
}
