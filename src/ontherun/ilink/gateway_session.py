"""GatewaySession: one client connection of a market segment's listener, without the socket.

Frames and times go in, actions come out; `transitions.GATEWAY` says what is allowed when. The gateway carries out the
actions in their order and makes every Record durable before a Send of the same call leaves. Business messages do not
pass through here one by one: in state ESTABLISHED the gateway asks `business` only about the number.
"""

from ontherun.ilink.actions import Action, Close, Record, Retransmit, Send
from ontherun.ilink.authority import Authority, SentMessages, Streams
from ontherun.ilink.codes import (
    BusinessRejectReason,
    RetransmitRejectCode,
    TerminateCode,
    words,
)
from ontherun.ilink.errors import LocalProtocolError
from ontherun.ilink.gateway_login import GatewayLogin
from ontherun.ilink.login import Refusal
from ontherun.ilink.messages import (
    BY_TEMPLATE,
    UINT8_NULL,
    UINT16_NULL,
    UINT32_NULL,
    UINT64_NULL,
    BusinessReject,
    Establish,
    Negotiate,
    Retransmission,
    RetransmitReject,
    RetransmitRequest,
    Sequence,
    Terminate,
)
from ontherun.ilink.policy import SessionPolicy
from ontherun.ilink.records import GapFilled, Promoted, Role
from ontherun.ilink.templates import CLIENT_BUSINESS, GATEWAY_EVENTS, MAX_RETRANSMIT, MAX_SEQ_NUM, MAX_TIME
from ontherun.ilink.transitions import GatewayEvent, GatewayState, Outcome
from ontherun.sbe.errors import DecodeError, FramingError
from ontherun.sbe.framing import HEADER, HEADER_SIZE

_ESTABLISHED = GatewayState.ESTABLISHED
_BACKUP = GatewayState.BACKUP
_MILLISECOND = 1_000_000  # ns
_NUMBER_SIZE = 4
_NEVER = 2**63 - 1


class GatewaySession(GatewayLogin):
    """The gateway's side of one connection; its attributes are those of GatewayConnection.

    `role` is the listener's, `now` ns since the epoch, `source` the peer's network address. The gateway sets
    `last_received` and `last_sent` for whatever passes by this class, and adds to `stream.next_outbound` for each
    business message it numbers.
    """

    __slots__ = ("_messages", "_pinged_at", "_promotion_unheard", "_retransmitting")

    def __init__(
        self,
        segment: int,
        role: Role,
        policy: SessionPolicy,
        authority: Authority,
        streams: Streams,
        messages: SentMessages,
        now: int,
        source: str = "",
    ) -> None:
        super().__init__(segment, role, policy, authority, streams, now, source)
        self._messages = messages
        self._pinged_at = 0  # when the Sequence with the lapsed flag went out
        self._retransmitting = False
        self._promotion_unheard = False  # the client may still believe that this is a backup

    def shift(self, by: int) -> None:
        """The clock was moved by `by` ns: intervals under way go on as if it had not been."""
        super().shift(by)
        self._pinged_at += by

    # What arrives

    def receive(self, frame: bytes, now: int) -> list[Action]:
        """Take one whole frame that is not a business message of an established session.

        Raises LocalProtocolError for one that is: `business` is there for it.
        """
        event = self._event(frame)
        if event is GatewayEvent.BUSINESS:
            if self.state is _ESTABLISHED:
                raise LocalProtocolError("business messages of an established session go to business()")
            return self._stray_business(frame, now)
        self.last_received = now
        if event is GatewayEvent.NEGOTIATE:
            return self._receive_login(Negotiate, frame, now)
        if event is GatewayEvent.ESTABLISH:
            return self._receive_login(Establish, frame, now)
        answer = self._take(event, _undecodable_reason(frame) if event is GatewayEvent.UNDECODABLE else "")
        if isinstance(answer, Outcome):
            return []
        if answer is not None:
            return self._end_by(answer, now)
        try:
            if event is GatewayEvent.SEQUENCE:
                return self._sequence(Sequence.decode(frame), now)
            if event is GatewayEvent.RETRANSMIT_REQUEST:
                return self._retransmit_request(RetransmitRequest.decode(frame), now)
            if self.state is GatewayState.CLOSED:  # the echo of our Terminate
                return [Close()]
            return self._peer_terminates(Terminate.decode(frame), now)
        except DecodeError as fault:
            return self._fault(TerminateCode.DECODING_ERROR, str(fault), now)

    def _event(self, frame: bytes) -> GatewayEvent:
        if len(frame) < HEADER_SIZE:
            return GatewayEvent.UNDECODABLE
        _, _, block_length, template, schema, version = HEADER.unpack_from(frame)
        if schema != Sequence.SCHEMA_ID or version not in self._policy.versions:
            return GatewayEvent.UNDECODABLE
        number_at = CLIENT_BUSINESS.get(template)
        if number_at is not None and min(len(frame), HEADER_SIZE + block_length) < number_at + _NUMBER_SIZE:
            return GatewayEvent.UNDECODABLE  # no place for a number: it cannot be judged as a business message
        return GATEWAY_EVENTS.get(template, GatewayEvent.UNDECODABLE)

    def business(self, seq_num: int, now: int, msg_type: str = "") -> list[Action] | None:
        """Ask whether the business message with this number may be applied.

        None: it is the expected one, its number is consumed, go on. A list: it is not applied, do this instead (an
        empty list: a gap is open and unanswered). `msg_type` (372) is only for the reject on a backup.
        """
        self.last_received = now
        if self.state is _ESTABLISHED and seq_num == self.stream.next_inbound and seq_num <= MAX_SEQ_NUM:
            self.stream.next_inbound = seq_num + 1
            return None
        answer = self._take(GatewayEvent.BUSINESS)
        if isinstance(answer, Outcome):
            return []
        if answer is not None:
            return self._end_by(answer, now)
        if self.state is _BACKUP:
            return self._business_on_backup(seq_num, msg_type, now)
        expected = self.stream.next_inbound
        if not expected <= seq_num <= MAX_SEQ_NUM:
            return self._fault(TerminateCode.INVALID_MSG_SEQ_NO, f"SeqNum {seq_num}, expected {expected}", now)
        if self._gap_at == expected:
            return []
        return [self._not_applied(seq_num, now)]

    def framing_fault(self, error: FramingError, now: int) -> list[Action]:
        """The byte stream cannot be cut into frames any further: Terminate 18."""
        answer = self._take(GatewayEvent.BAD_FRAME, str(error))
        return self._end_by(answer, now) if isinstance(answer, Refusal) else []

    def undecodable(self, reason: str, now: int) -> list[Action]:
        """A business message has a body that does not decode, and no BusinessReject answers it: Terminate 19."""
        answer = self._take(GatewayEvent.UNDECODABLE, reason)
        return self._end_by(answer, now) if isinstance(answer, Refusal) else []

    def lost(self, now: int) -> list[Action]:
        """The connection is gone. A binding that was not ended by Terminate ends ungracefully."""
        return [action for action in self._close(now) if not isinstance(action, Close)]

    # What our own side does

    def end(self, code: TerminateCode, reason: str, now: int) -> list[Action]:
        """Send Terminate unprompted: 0 to stop in order, 8, 9, 23, 26, 29...; nothing when it has ended already."""
        if self.state is GatewayState.TERMINATED:
            return []
        return self._end(code, reason, self.uuid, now, now)

    def replaced(self) -> None:
        """The gateway of this primary failed, and its backup is promoted next: the binding is the backup's to go on
        with, so it does not end here, and nothing is said."""
        self._bound = False
        self._step(GatewayEvent.CLOSE)

    def promote(self, now: int) -> list[Action]:
        """Make this backup the primary. The old one was lost, is `replaced`, or died with its process.

        Raises LocalProtocolError if it is no backup.
        """
        self._step(GatewayEvent.PROMOTE)
        self.role = Role.PRIMARY
        self._promotion_unheard = True
        record = Promoted(self.stream.session, self.segment, now)
        self.stream.apply(record)
        return [Record(record), self._sequence_out(0, now, Role.PRIMARY)]

    def retransmitted(self) -> None:
        """The messages of the last Retransmit action are sent: another request may come."""
        self._retransmitting = False

    def deadline(self) -> int:
        """When `tick` is needed next, ns. It can only move later until something is received or sent."""
        if self.state is _ESTABLISHED or self.state is _BACKUP:
            if self._policy.session_ends_with_key:
                return 0  # at every opportunity: nobody tells when a key is deleted
            interval = self.keep_alive_interval * _MILLISECOND
            return min(self.last_sent, max(self._pinged_at, self.last_received)) + interval
        return _NEVER if self.state is GatewayState.CLOSED else self._deadline

    def tick(self, now: int) -> list[Action]:
        """Do what time asks for; nothing before `deadline`."""
        if now < self.deadline():
            return []
        if self.state is _ESTABLISHED or self.state is _BACKUP:
            if self._policy.session_ends_with_key and not self._authority.key_is_valid(self.access_key_id, now):
                return self._end(TerminateCode.OTHER, "the key pair is no longer valid", self.uuid, now, now)
            return self._keep_alive(now)
        if self._login is not None:
            return self.resolve(None, now)
        answer = self._take(GatewayEvent.TIMEOUT, "no login within the time allowed")
        if answer is None:
            return [Close()]
        return self._end_by(answer, now) if isinstance(answer, Refusal) else []

    def _keep_alive(self, now: int) -> list[Action]:
        interval = self.keep_alive_interval * _MILLISECOND
        if self._pinged_at > self.last_received:
            if now - self._pinged_at >= interval:
                answer = self._take(GatewayEvent.TIMEOUT, "nothing received for two keep-alive intervals")
                return self._end_by(answer, now) if isinstance(answer, Refusal) else []
        elif now - self.last_received >= interval:
            self._pinged_at = now
            return [self._sequence_out(1, now)]
        if now - self.last_sent >= interval:
            return [self._sequence_out(0, now)]
        return []

    # Messages of an established session

    def _sequence_out(self, lapsed: int, now: int, indicator: int = UINT8_NULL) -> Send:
        self.last_sent = now
        number = self.stream.next_outbound if self.state is _ESTABLISHED else 0
        return Send(Sequence.pack(self.uuid, number, indicator, lapsed))

    def _fault(self, code: TerminateCode, reason: str, now: int, timestamp: int | None = None) -> list[Action]:
        """End because of a fault inside a message that the state allows."""
        return self._end(code, reason, self.uuid, now if timestamp is None else timestamp, now)

    def _sequence(self, message: Sequence, now: int) -> list[Action]:
        number, lapsed = message.next_seq_no, message.keep_alive_interval_lapsed
        fault = self._wrong_uuid(message.uuid)
        if fault is None and number == UINT32_NULL:
            fault = TerminateCode.REQUIRED_NEXT_SEQ_NO_MISSING
        if fault is None and lapsed == UINT8_NULL:
            fault = TerminateCode.REQUIRED_KEEP_ALIVE_INTERVAL_LAPSED_MISSING
        if fault is not None:
            return self._fault(fault, words(fault), now)
        if lapsed > 1:
            return self._fault(TerminateCode.DECODING_ERROR, f"KeepAliveIntervalLapsed {lapsed}", now)
        if number == 0 and self._promotion_unheard:  # crossed the Sequence that says so: still a sign of life
            return [self._sequence_out(0, now)] if lapsed else []
        self._promotion_unheard = False
        expected, most = (self.stream.next_inbound, MAX_SEQ_NUM) if self.state is _ESTABLISHED else (0, 0)
        if not expected <= number <= most:
            return self._fault(TerminateCode.INVALID_NEXT_SEQ_NO, f"NextSeqNo {number}, expected {expected}", now)
        actions: list[Action] = []
        gap_is_open = self._gap_at == expected
        if number == expected:
            self._gap_at = 0  # the client sends the missing ones again
        elif gap_is_open or not self._policy.sequence_opens_gap:
            record = GapFilled(self.stream.session, self.segment, now, number)
            self.stream.apply(record)
            actions.append(Record(record))
        else:
            actions.append(self._not_applied(number, now))
        if lapsed:
            actions.append(self._sequence_out(0, now))
        return actions

    def _wrong_uuid(self, uuid: int) -> TerminateCode | None:
        if uuid == self.uuid:
            return None
        return TerminateCode.REQUIRED_UUID_MISSING if uuid == UINT64_NULL else TerminateCode.INVALID_UUID

    def _peer_terminates(self, message: Terminate, now: int) -> list[Action]:
        timestamp = message.request_timestamp
        fault = self._wrong_uuid(message.uuid)
        if fault is None and timestamp == UINT64_NULL:
            fault = TerminateCode.REQUIRED_REQUEST_TIMESTAMP_MISSING
        if fault is None and message.error_codes == UINT16_NULL:
            fault = TerminateCode.REQUIRED_CODE_MISSING
        if fault is None and timestamp > MAX_TIME:
            fault = TerminateCode.INVALID_TIMESTAMP
        if fault is not None:
            return self._fault(fault, words(fault), now, timestamp)
        if message.error_codes != TerminateCode.FINISHED:
            reason = f"a client sends code 0, not {message.error_codes}"
            return self._fault(TerminateCode.OTHER, reason, now, timestamp)
        actions = self._unbind(now, graceful=True)
        actions += self._forget_login(now)
        actions.append(self._terminate(TerminateCode.FINISHED, "", self.uuid, timestamp, now))
        return actions

    def _stray_business(self, frame: bytes, now: int) -> list[Action]:
        template = HEADER.unpack_from(frame)[3]
        offset = CLIENT_BUSINESS[template]
        number = int.from_bytes(frame[offset : offset + _NUMBER_SIZE], "little")
        return self.business(number, now, BY_TEMPLATE[template].MSG_TYPE) or []

    def _business_on_backup(self, seq_num: int, msg_type: str, now: int) -> list[Action]:
        """BusinessReject 131. On a backup nothing is numbered, in either direction."""
        if seq_num:
            return self._fault(TerminateCode.INVALID_MSG_SEQ_NO, f"SeqNum {seq_num} on a backup", now)
        self.last_sent = now
        frame = BusinessReject(
            seq_num=0,
            uuid=self.uuid,
            text=b"not supported on the designated backup",
            sending_time_epoch=now,
            ref_seq_num=UINT32_NULL,
            business_reject_reason=BusinessRejectReason.NOT_SUPPORTED_ON_BACKUP,
            ref_msg_type=msg_type.encode()[:2],
            poss_retrans_flag=0,
        ).encode()
        return [Send(frame)]

    # Retransmission

    def _retransmit_request(self, request: RetransmitRequest, now: int) -> list[Action]:
        refused = self._retransmit_fault(request)
        if refused is not None:
            self.last_sent = now
            reason, last, timestamp = words(refused).encode(), request.last_uuid, request.request_timestamp
            return [Send(RetransmitReject.pack(reason, self.uuid, last, timestamp, refused, UINT8_NULL))]
        uuid = self.uuid if request.last_uuid == UINT64_NULL else request.last_uuid
        first = request.from_seq_no
        wanted = request.msg_count or MAX_RETRANSMIT
        count = min(wanted, self._messages.stored(self.stream, uuid).stop - first)
        self._retransmitting = True
        self.last_sent = now
        # Under an earlier UUID the count asked for is echoed: CME client wiki, Retransmission.
        said = count if uuid == self.uuid else wanted
        frame = Retransmission.pack(self.uuid, request.last_uuid, request.request_timestamp, first, said, UINT8_NULL)
        return [Send(frame), Retransmit(uuid, first, count)]

    def _retransmit_fault(self, request: RetransmitRequest) -> RetransmitRejectCode | None:
        codes = RetransmitRejectCode
        first, count = request.from_seq_no, request.msg_count
        if request.uuid == UINT64_NULL:
            return codes.REQUIRED_UUID_MISSING
        if request.request_timestamp == UINT64_NULL:
            return codes.REQUIRED_REQUEST_TIMESTAMP_MISSING
        if first == UINT32_NULL:
            return codes.REQUIRED_FROM_SEQ_NO_MISSING
        if count == UINT16_NULL:
            return codes.REQUIRED_MSG_COUNT_MISSING
        if request.uuid != self.uuid:
            return codes.INVALID_UUID
        if request.request_timestamp > MAX_TIME:
            return codes.INVALID_TIMESTAMP
        if not 1 <= first <= MAX_SEQ_NUM:
            return codes.INVALID_FROM_SEQ_NO
        if count > MAX_RETRANSMIT:
            return codes.REQUEST_LIMIT_EXCEEDED
        if self._retransmitting:
            return codes.RETRANSMIT_ALREADY_IN_PROGRESS
        return self._range_fault(request, first, count)

    def _range_fault(self, request: RetransmitRequest, first: int, count: int) -> RetransmitRejectCode | None:
        if self.state is _BACKUP:
            return RetransmitRejectCode.OUT_OF_RANGE  # a backup carries no business messages
        current = request.last_uuid in (UINT64_NULL, self.uuid)
        stored = self._messages.stored(self.stream, self.uuid if current else request.last_uuid)
        if not stored and not current and request.last_uuid:
            return RetransmitRejectCode.INVALID_UUID
        beyond = current and not self._policy.cut_retransmission and first + count > stored.stop
        return RetransmitRejectCode.OUT_OF_RANGE if first not in stored or beyond else None


def _undecodable_reason(frame: bytes) -> str:
    if len(frame) < HEADER_SIZE:
        return f"{len(frame)} bytes are less than a header"
    _, _, block_length, template, schema, version = HEADER.unpack_from(frame)
    if template in CLIENT_BUSINESS and schema == Sequence.SCHEMA_ID:
        return f"template {template} version {version}, block of {block_length} in a frame of {len(frame)} bytes"
    return f"template {template} of schema {schema} version {version}"
