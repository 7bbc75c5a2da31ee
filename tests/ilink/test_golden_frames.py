"""What the machines send equals the golden frames byte for byte."""

from ontherun.ilink import ClientMemory, ClientSession, Send
from ontherun.ilink.codes import TerminateCode, words
from ontherun.ilink.messages import NegotiationReject, RetransmitRequest, Sequence

from .conftest import KEY_ID, SECRET, START, UUID, Venue, Wire
from .test_signing import ESTABLISH_FRAME_A, NEGOTIATE_FRAME_A
from .test_transition_tables import IDENTITY

RESPONSE = "2f00feca2100f5010800090000402046484706000100faed51728618ffff01ff000000000000000000000000ff0000"
REJECT = (
    "5100feca4500f60108000900484d4143206e6f742061757468656e74696361746564000000000000000000000000"
    "000000000000000000000000000000402046484706000100faed51728618000001ffff"
)
ACKNOWLEDGMENT = (
    "3300feca2700f801080009000040204648470600414209ee51728618010000000000000000000000000000001027ffff01ffff"
)
SEQUENCE = "1a00feca0e00fa0108000900004020464847060001000000ff00"
PROMOTION_LAPSED = "1a00feca0e00fa01080009000040204648470600010000000101"
TERMINATE = "4f00feca4300fb0108000900" + "00" * 48 + "0040204648470600424209ee517286180000ff"
REQUEST = "2a00feca1e00fc01080009000040204648470600ffffffffffffffff434209ee51728618050000000a00"
RETRANSMISSION = "2b00feca1f00fd01080009000040204648470600ffffffffffffffff434209ee51728618050000000a00ff"
NOT_APPLIED = "1d00feca11000102080009000040204648470600650000000a000000ff"


def send(wire: Wire, frame: bytes, now: int) -> list[str]:
    wire.venue.now = now
    return [action.frame.hex() for action in wire.session.receive(frame, now) if isinstance(action, Send)]


def test_a_whole_login_and_end(venue: Venue) -> None:
    wire = venue.connect()
    assert send(wire, NEGOTIATE_FRAME_A, START + 1) == [RESPONSE]
    assert send(wire, ESTABLISH_FRAME_A, START + 1_000_001) == [ACKNOWLEDGMENT]
    assert send(wire, Sequence(uuid=UUID, next_seq_no=1, keep_alive_interval_lapsed=1).encode(), START) == [SEQUENCE]
    assert send(wire, bytes.fromhex(TERMINATE), START) == [TERMINATE]


def test_a_reject(venue: Venue) -> None:
    wire = venue.connect()
    tampered = NEGOTIATE_FRAME_A[:12] + b"\1" + NEGOTIATE_FRAME_A[13:]
    assert send(wire, tampered, START + 1) == [REJECT]
    assert NegotiationReject.decode(bytes.fromhex(REJECT)).reason == b"HMAC not authenticated"


def test_a_promotion_and_a_gap(venue: Venue) -> None:
    wire = venue.connect()
    send(wire, NEGOTIATE_FRAME_A, START + 1)
    send(wire, ESTABLISH_FRAME_A, START + 1_000_001)
    wire.session.stream.next_inbound = 101
    (gap,) = wire.session.business(110, START) or []
    assert isinstance(gap, Send)
    assert gap.frame.hex() == NOT_APPLIED
    assert wire.session._sequence_out(1, START, 1).frame.hex() == PROMOTION_LAPSED


def test_a_retransmission(venue: Venue) -> None:
    wire = venue.connect()
    send(wire, NEGOTIATE_FRAME_A, START + 1)
    send(wire, ESTABLISH_FRAME_A, START + 1_000_001)
    wire.session.stream.next_outbound = 15
    assert send(wire, bytes.fromhex(REQUEST), START) == [RETRANSMISSION]
    assert RetransmitRequest.decode(bytes.fromhex(REQUEST)).msg_count == 10


def test_the_client_sends_the_same_logins() -> None:
    client = ClientSession(IDENTITY, SECRET, ClientMemory(), START)
    assert client.negotiate(START + 1, UUID) == NEGOTIATE_FRAME_A
    client.receive(bytes.fromhex(RESPONSE), START + 1)
    assert client.establish(START + 1_000_001) == ESTABLISH_FRAME_A
    client.receive(bytes.fromhex(ACKNOWLEDGMENT), START + 1_000_001)
    client.memory.request_timestamp = START
    assert client.terminate(START + 1_000_002).hex() == TERMINATE
    assert KEY_ID in NEGOTIATE_FRAME_A


def test_every_reason_on_the_wire_fits_its_field() -> None:
    assert words(TerminateCode.INVALID_SOFH) == "Invalid SOFH"
    assert max(len(words(code)) for code in TerminateCode) <= 48
