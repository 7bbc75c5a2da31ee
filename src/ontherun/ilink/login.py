"""Judging a Negotiate or Establish: every check of the gateway, in their order, without changing anything.

0. The peer's address is in the session's allow-list, if it has one. Ours; first of all and never counted, so that a
   stranger's attempts cannot close the port of a session that has one.
1. The port is open, the rate of logins is within limits.
2. Every required field is there; every text is printable.
3. The UUID may be used; the timestamp is fresh and newer than the last one.
4. The session may log in for this firm on this segment.
5. The signature over the received values is that of the session's own key.
6. The listener's role allows it; no other connection holds the binding.
7. Establish only: NextSeqNo is acceptable.

Sources: CME client wiki, Negotiation Reject, Establishment Reject, Terminate, Automated Port Closure, Fault Tolerance.
The order in which several faults of one message are found is not stated there.
"""

from dataclasses import dataclass

from ontherun.ilink.codes import EstablishmentRejectCode as Reject
from ontherun.ilink.codes import TerminateCode
from ontherun.ilink.messages import UINT16_NULL, UINT32_NULL, UINT64_NULL, Establish, Negotiate
from ontherun.ilink.policy import SessionPolicy
from ontherun.ilink.records import Role
from ontherun.ilink.signing import SIGNATURE_BYTES, establish_text, negotiate_text
from ontherun.ilink.stream import Stream
from ontherun.ilink.templates import MAX_SEQ_NUM, MAX_TIME

NO_SIGNATURE = bytes(SIGNATURE_BYTES)
MISSING = UINT64_NULL


@dataclass(slots=True)
class Refusal:
    """Why a login ends here. `code` is a TerminateCode, or a reject code (equal for both messages where both have it).

    `counts`: whether it is a bad login in the sense of the automated port closure.
    """

    code: Reject | TerminateCode
    reason: str
    counts: bool = True


class Login:
    """One received login message with what the checks need again."""

    __slots__ = ("diagnosis", "firm", "key_id", "key_state", "message", "session", "stream", "text")

    def __init__(self, message: Negotiate | Establish) -> None:
        self.message = message
        self.session = message.session.decode("latin-1")
        self.firm = message.firm.decode("latin-1")
        self.key_id = message.access_key_id.decode("latin-1")
        self.stream: Stream | None = None
        self.text = b""
        self.key_state = ""
        self.diagnosis = ""

    def sign_text(self, policy: SessionPolicy) -> bytes:
        """The canonical text of the received values."""
        message = self.message
        session, firm = message.session, message.firm
        if policy.sign_padded_text:
            session, firm = session.ljust(3, b"\0"), firm.ljust(5, b"\0")
        if isinstance(message, Negotiate):
            self.text = negotiate_text(message.request_timestamp, message.uuid, session, firm)
        else:
            self.text = establish_text(
                message.request_timestamp,
                message.uuid,
                session,
                firm,
                message.trading_system_name,
                message.trading_system_version,
                message.trading_system_vendor,
                message.next_seq_no,
                message.keep_alive_interval,
            )
        return self.text


def check_before_key(
    login: Login, role: Role, negotiated: Stream | None, policy: SessionPolicy, now: int
) -> Refusal | None:
    """Steps 1 to 3. `negotiated` is the stream that this connection negotiated, if it did."""
    message, stream = login.message, login.stream
    refusal = check_rate(stream, policy, now) or check_fields(message, policy)
    if refusal is not None:
        return refusal
    if isinstance(message, Negotiate):
        refusal = check_negotiate_uuid(message, stream, role)
    else:
        refusal = check_establish_uuid(message, stream, negotiated, role)
    return refusal or check_timestamp(message.request_timestamp, stream, policy, now)


def check_rate(stream: Stream | None, policy: SessionPolicy, now: int) -> Refusal | None:
    """Step 1."""
    if stream is None:
        return None
    if stream.port_closed:
        return Refusal(TerminateCode.CME_ADMINISTERED_PORT_CLOSURE, "the port is closed", counts=False)
    if policy.logins_per_window and stream.logins_in_window(now) >= policy.logins_per_window:
        limit = policy.logins_per_window
        return Refusal(Reject.VOLUME_CONTROLS, f"more than {limit} login messages within 3 s", counts=False)
    return None


def check_fields(message: Negotiate | Establish, policy: SessionPolicy) -> Refusal | None:
    """Step 2."""
    session, firm, key_id = message.session, message.firm, message.access_key_id
    if message.uuid == MISSING:
        return Refusal(TerminateCode.REQUIRED_UUID_MISSING, "UUID is null")
    if message.request_timestamp == MISSING:
        return Refusal(Reject.REQUIRED_REQUEST_TIMESTAMP_MISSING, "RequestTimestamp is null")
    if message.hmac_signature == NO_SIGNATURE:
        return Refusal(Reject.REQUIRED_HMAC_SIGNATURE_MISSING, "HMACSignature is all zero")
    if not key_id:
        return Refusal(Reject.REQUIRED_ACCESS_KEY_ID_MISSING, "AccessKeyID is empty")
    if not session:
        return Refusal(Reject.REQUIRED_SESSION_MISSING, "Session is empty")
    if not firm:
        return Refusal(Reject.REQUIRED_FIRM_MISSING, "Firm is empty")
    if isinstance(message, Establish) and (missing := _missing(message, policy)):
        return missing
    if not _printable(key_id):
        return Refusal(Reject.INVALID_ACCESS_KEY_ID, f"AccessKeyID {key_id!r} is not printable ASCII")
    if not _printable(session):
        return Refusal(Reject.INVALID_SESSION, f"Session {session!r} is not printable ASCII")
    if not _printable(firm):
        return Refusal(Reject.INVALID_FIRM, f"Firm {firm!r} is not printable ASCII")
    return _unfit(message, policy) if isinstance(message, Establish) else None


def _missing(message: Establish, policy: SessionPolicy) -> Refusal | None:
    if not message.trading_system_name:
        return Refusal(Reject.REQUIRED_TRADING_SYSTEM_NAME_MISSING, "TradingSystemName is empty")
    if not message.trading_system_version:
        return Refusal(Reject.REQUIRED_TRADING_SYSTEM_VERSION_MISSING, "TradingSystemVersion is empty")
    if not message.trading_system_vendor:
        return Refusal(Reject.REQUIRED_TRADING_SYSTEM_VENDOR_MISSING, "TradingSystemVendor is empty")
    if message.keep_alive_interval == UINT16_NULL:
        return Refusal(Reject.REQUIRED_KEEP_ALIVE_INTERVAL_MISSING, "KeepAliveInterval is null")
    if message.next_seq_no == UINT32_NULL:
        if policy.missing_next_seq_no_is_rejected:
            return Refusal(Reject.REQUIRED_NEXT_SEQ_NO_MISSING, "NextSeqNo is null")
        return Refusal(TerminateCode.REQUIRED_NEXT_SEQ_NO_MISSING, "NextSeqNo is null")
    return None


def _unfit(message: Establish, policy: SessionPolicy) -> Refusal | None:
    if not _printable(message.trading_system_name):
        return Refusal(Reject.INVALID_TRADING_SYSTEM_NAME, "TradingSystemName is not printable ASCII")
    if not _printable(message.trading_system_version):
        return Refusal(Reject.INVALID_TRADING_SYSTEM_VERSION, "TradingSystemVersion is not printable ASCII")
    if not _printable(message.trading_system_vendor):
        return Refusal(Reject.INVALID_TRADING_SYSTEM_VENDOR, "TradingSystemVendor is not printable ASCII")
    interval = message.keep_alive_interval
    if not policy.keep_alive_min <= interval <= policy.keep_alive_max:
        allowed = f"{policy.keep_alive_min}..{policy.keep_alive_max}"
        return Refusal(Reject.INVALID_KEEP_ALIVE_INTERVAL, f"KeepAliveInterval {interval} ms is outside {allowed}")
    return None


def _printable(text: bytes) -> bool:
    return text.isascii() and text.decode("ascii").isprintable()


def check_negotiate_uuid(message: Negotiate, stream: Stream | None, role: Role) -> Refusal | None:
    """Step 3 for Negotiate. On a backup the UUID may be the primary's: that Negotiate is refused for its own reason."""
    uuid = message.uuid
    if uuid > MAX_TIME:
        return Refusal(TerminateCode.INVALID_UUID, f"UUID {uuid} is out of range")
    last = stream.negotiated_uuid if stream is not None else 0
    if uuid <= last and role is Role.PRIMARY:
        return Refusal(TerminateCode.INVALID_UUID, f"UUID {uuid} is not greater than the last one, {last}")
    return None


def check_establish_uuid(
    message: Establish, stream: Stream | None, negotiated: Stream | None, role: Role
) -> Refusal | None:
    """Step 3 for Establish. `negotiated` is the stream that this connection negotiated, if it did.

    On a backup before its primary any UUID may come: step 6 refuses that login for its own reason.
    """
    uuid = message.uuid
    if uuid > MAX_TIME:
        return Refusal(TerminateCode.INVALID_UUID, f"UUID {uuid} is out of range")
    if negotiated is not None and stream is not negotiated:
        return Refusal(Reject.SESSION_BLOCKED, f"Negotiate was for session {negotiated.session}")
    if stream is None:
        return None  # no such session: step 4 says so
    if role is Role.BACKUP and not stream.primary_bound:
        return None
    last = stream.negotiated_uuid
    if not last:
        return Refusal(TerminateCode.UNNEGOTIATED, "the session has not negotiated a UUID this week")
    if uuid != last:
        return Refusal(TerminateCode.INVALID_UUID, f"UUID {uuid} is not the last negotiated one, {last}")
    return None


def check_timestamp(timestamp: int, stream: Stream | None, policy: SessionPolicy, now: int) -> Refusal | None:
    """Step 3, RequestTimestamp."""
    if timestamp > MAX_TIME:
        return Refusal(Reject.INVALID_TIMESTAMP, f"RequestTimestamp {timestamp} is out of range")
    offset = 0 if policy.clock_offset is None else policy.clock_offset()
    if offset and -policy.future_tolerance <= now - offset - timestamp <= policy.stale_after:
        pass  # fresh by the machine's clock, which the client has
    elif now - timestamp > policy.stale_after:
        return Refusal(Reject.INVALID_TIMESTAMP, f"RequestTimestamp is {now - timestamp} ns old")
    elif timestamp - now > policy.future_tolerance:
        return Refusal(Reject.INVALID_TIMESTAMP, f"RequestTimestamp is {timestamp - now} ns ahead")
    last = stream.request_timestamp if stream is not None else 0
    if timestamp <= last and (policy.clock_offset is None or last - now <= policy.future_tolerance):
        return Refusal(Reject.INVALID_TIMESTAMP, f"RequestTimestamp is not greater than the last one used, {last}")
    return None


def check_role(message: Negotiate | Establish, stream: Stream, role: Role, policy: SessionPolicy) -> Refusal | None:
    """Step 6."""
    negotiate = isinstance(message, Negotiate)
    if role is Role.BACKUP:
        if not stream.primary_bound:
            return Refusal(Reject.DESIGNATED_BACKUP, "the designated primary is not established", counts=False)
        if negotiate:
            return Refusal(
                Reject.NEGOTIATE_NOT_ALLOWED, "a backup takes Establish with the primary's UUID", counts=False
            )
        if message.uuid != stream.uuid:
            return Refusal(TerminateCode.INVALID_UUID, f"the primary is established under UUID {stream.uuid}")
    if stream.bound(role):
        code = policy.duplicate_negotiate if negotiate else policy.duplicate_establish
        return Refusal(code, "another connection of this session is established on this listener")
    return None


def check_next_seq_no(message: Establish, stream: Stream, role: Role) -> Refusal | None:
    """Step 7. A number beyond the expected one is accepted: the gap is answered with NotApplied."""
    number = message.next_seq_no
    if role is Role.BACKUP:
        if number:
            return Refusal(TerminateCode.INVALID_NEXT_SEQ_NO, f"NextSeqNo is {number} on a backup, where it is 0")
        return None
    if message.uuid != stream.uuid:
        if number != 1:
            return Refusal(TerminateCode.INVALID_NEXT_SEQ_NO, f"NextSeqNo is {number} under a new UUID, where it is 1")
        return None
    if not stream.next_inbound <= number <= MAX_SEQ_NUM:
        expected = f"{stream.next_inbound} or more is expected"
        return Refusal(TerminateCode.INVALID_NEXT_SEQ_NO, f"NextSeqNo is {number}, {expected}")
    return None
