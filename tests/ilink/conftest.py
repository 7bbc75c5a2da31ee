"""One listener of a venue, with what it stores, and clients that speak to it frame by frame."""

from dataclasses import dataclass, field

import pytest

from ontherun.ilink import (
    Action,
    AuthorityUnavailable,
    Close,
    GatewaySession,
    KeyAnswer,
    KeyFound,
    KeyPending,
    KeyRefused,
    LoginTrace,
    Record,
    Retransmit,
    Role,
    Send,
    SessionPolicy,
    Stream,
    StreamRecord,
    StreamTable,
    Trace,
)
from ontherun.ilink.messages import Establish, Message, Negotiate, Sequence, Terminate, decode
from ontherun.ilink.signing import establish_text, negotiate_text, sign

START = 1_767_225_600_000_000_000  # 2026-01-01 00:00:00 UTC, ns
SECOND = 1_000_000_000
UUID = START // 1_000
SECRET = bytes(range(32))
OTHER_SECRET = bytes(range(32, 64))
KEY_ID = b"EXAMPLEKEYID00000001"
SEGMENT = 40


class Keys:
    """The authority: session ABC with firms 007 and DEFGH and two keys, session XYZ with one of its own."""

    def __init__(self) -> None:
        self.available = True
        self.pending = False
        self.keys = {
            "EXAMPLEKEYID00000001": ("ABC", SECRET),
            "EXAMPLEKEYID00000002": ("ABC", OTHER_SECRET),
            "XYZXYZXYZXYZXYZXYZXY": ("XYZ", SECRET),
        }
        self.expires_at = 0
        self.sources: set[str] = set()

    def allowed(self, session: str, firm: str, segment: int) -> bool:
        return (session, firm) in {("ABC", "007"), ("ABC", "DEFGH"), ("XYZ", "007")} and segment == SEGMENT

    def source_allowed(self, session: str, source: str) -> bool:
        return not self.sources or source in self.sources

    def key(self, access_key_id: str, session: str, now: int) -> KeyAnswer:
        if not self.available:
            raise AuthorityUnavailable
        return KeyPending() if self.pending else self.answer(access_key_id, session)

    def answer(self, access_key_id: str, session: str) -> KeyAnswer:
        owner, secret = self.keys.get(access_key_id, ("", b""))
        if not owner:
            return KeyRefused("unknown")
        return KeyFound(secret, self.expires_at) if owner == session else KeyRefused("belongs to another session")


class Venue:
    """The streams and keys behind the listeners of one market segment; journals every record."""

    def __init__(self, policy: SessionPolicy | None = None) -> None:
        self.policy = policy or SessionPolicy()
        self.keys = Keys()
        self.streams = StreamTable(lambda session, segment: session in {"ABC", "XYZ"} and segment == SEGMENT)
        self.journal: list[bytes] = []
        self.sent: dict[tuple[str, int], range] = {}
        self.now = START

    def stored(self, stream: Stream, uuid: int) -> range:
        if uuid == stream.uuid:
            return range(1, stream.next_outbound)
        return self.sent.get((stream.session, uuid), range(0))

    def stream(self, session: str = "ABC") -> Stream:
        stream = self.streams.get(session, SEGMENT)
        assert stream is not None
        return stream

    def connect(self, role: Role = Role.PRIMARY, source: str = "192.0.2.1") -> "Wire":
        return Wire(self, GatewaySession(SEGMENT, role, self.policy, self.keys, self.streams, self, self.now, source))

    def apply(self, record: StreamRecord) -> None:
        """A record of the administrator's or the calendar's."""
        self.stream(record.session).apply(record)
        self.journal.append(record.to_bytes())


@dataclass
class Wire:
    """One connection: what the gateway answers, decoded."""

    venue: Venue
    session: GatewaySession
    traces: list[LoginTrace] = field(default_factory=list)
    retransmits: list[Retransmit] = field(default_factory=list)
    closed: bool = False

    def carry_out(self, actions: list[Action]) -> list[Message]:
        sent: list[Message] = []
        for action in actions:
            match action:
                case Record(record):
                    self.venue.journal.append(record.to_bytes())
                case Send(frame):
                    assert not self.closed
                    sent.append(decode(frame))
                case Trace(trace):
                    self.traces.append(trace)
                case Retransmit():
                    self.retransmits.append(action)
                case Close():
                    self.closed = True
        return sent

    def send(self, message: Message | bytes) -> list[Message]:
        frame = message if isinstance(message, bytes) else message.encode()
        return self.carry_out(self.session.receive(frame, self.venue.now))

    def business(self, seq_num: int) -> list[Message] | None:
        actions = self.session.business(seq_num, self.venue.now)
        return None if actions is None else self.carry_out(actions)

    def tick(self) -> list[Message]:
        return self.carry_out(self.session.tick(self.venue.now))

    def wait(self, nanoseconds: int) -> list[Message]:
        """Let time pass, ticking whenever the session asks for it."""
        until = self.venue.now + nanoseconds
        sent: list[Message] = []
        while self.session.deadline() <= until:
            self.venue.now = max(self.venue.now, self.session.deadline())
            sent += self.tick()
        self.venue.now = until
        return sent

    def negotiate(self, **values: object) -> list[Message]:
        return self.send(negotiate(self.venue.now, **values))

    def establish(self, **values: object) -> list[Message]:
        return self.send(establish(self.venue.now, **values))

    def log_in(self, uuid: int = UUID) -> "Wire":
        """Negotiate and establish; the clock moves so that timestamps grow."""
        self.venue.now += 1_000
        self.negotiate(uuid=uuid)
        self.venue.now += 1_000
        self.establish(uuid=uuid)
        return self

    def bind(self, uuid: int = UUID, **values: object) -> list[Message]:
        """Establish alone."""
        self.venue.now += 1_000
        return self.establish(uuid=uuid, **values)


def negotiate(now: int, *, signed_with: bytes = SECRET, **values: object) -> Negotiate:
    """A signed Negotiate of session ABC; `values` replace fields before (hmac_signature: after) signing."""
    message = Negotiate(
        hmac_signature=bytes(32), access_key_id=KEY_ID, uuid=UUID, request_timestamp=now, session=b"ABC", firm=b"007"
    )
    for name, value in values.items():
        setattr(message, name, value)
    if "hmac_signature" not in values:
        text = negotiate_text(message.request_timestamp, message.uuid, message.session, message.firm)
        message.hmac_signature = sign(signed_with, text)
    return message


def establish(now: int, *, signed_with: bytes = SECRET, **values: object) -> Establish:
    """A signed Establish of session ABC; `values` replace fields before (hmac_signature: after) signing."""
    message = Establish(
        hmac_signature=bytes(32),
        access_key_id=KEY_ID,
        trading_system_name=b"DemoGateway",
        trading_system_version=b"1.0.0",
        trading_system_vendor=b"ExampleCo",
        uuid=UUID,
        request_timestamp=now,
        next_seq_no=1,
        session=b"ABC",
        firm=b"007",
        keep_alive_interval=10_000,
    )
    for name, value in values.items():
        setattr(message, name, value)
    if "hmac_signature" not in values:
        text = establish_text(
            message.request_timestamp,
            message.uuid,
            message.session,
            message.firm,
            message.trading_system_name,
            message.trading_system_version,
            message.trading_system_vendor,
            message.next_seq_no,
            message.keep_alive_interval,
        )
        message.hmac_signature = sign(signed_with, text)
    return message


def sequence(next_seq_no: int, *, uuid: int = UUID, lapsed: int = 0) -> Sequence:
    return Sequence(uuid=uuid, next_seq_no=next_seq_no, keep_alive_interval_lapsed=lapsed)


def terminate(now: int, *, uuid: int = UUID, code: int = 0, timestamp: int | None = None) -> Terminate:
    return Terminate(uuid=uuid, request_timestamp=now if timestamp is None else timestamp, error_codes=code)


@pytest.fixture
def venue() -> Venue:
    return Venue()


@pytest.fixture
def wire(venue: Venue) -> Wire:
    """A connection to the primary on which nothing was said yet."""
    return venue.connect()


@pytest.fixture
def established(venue: Venue) -> Wire:
    """A connection to the primary that is established, numbers at 1."""
    return venue.connect().log_in()
