"""What a peer can send that is wrong: each is answered as the protocol says, and nobody else notices."""

import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.raw_client import RawClient
from tests.support.venue_process import VenueProcess

from ontherun.ilink import messages as m
from ontherun.ilink.codes import BusinessRejectReason, EstablishmentRejectCode, NegotiationRejectCode, TerminateCode

PRICE = 99 * 10**9


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path_factory.mktemp("bad_input") / "data", "--no-fsync") as running:
        yield running


@pytest.fixture
def client(venue: VenueProcess) -> Iterator[RawClient]:
    with RawClient(venue.address, venue.key()) as connected:
        yield connected


@pytest.fixture
def bystander(venue: VenueProcess) -> Iterator[RawClient]:
    """Another firm, which must go on trading whatever happens."""
    with RawClient(venue.address, venue.key(1)) as other:
        other.log_in()
        yield other
        other.order(venue.security_id("UB10"), 1, PRICE, 1, b"%d" % time.time_ns())
        assert other.receive().TEMPLATE_ID == m.ExecutionReportNew.TEMPLATE_ID


def header(frame: bytes, **changes: int) -> bytes:
    """The frame with fields of its SOFH and message header changed."""
    names = ("size", "encoding", "block_length", "template_id", "schema_id", "version")
    values = dict(zip(names, struct.unpack_from("<HHHHHH", frame), strict=True)) | changes
    return struct.pack("<HHHHHH", *values.values()) + frame[12:]


def an_order(client: RawClient, venue: VenueProcess, **changes: object) -> bytes:
    fields: dict[str, object] = {
        "price": PRICE,
        "order_qty": 1,
        "security_id": venue.security_id("UB10"),
        "side": 1,
        "seq_num": client.next_seq_no,
        "sender_id": b"T1",
        "cl_ord_id": b"%d" % time.time_ns(),
        "party_details_list_req_id": client.key["party_details_list_req_id"],
        "order_request_id": 1,
        "sending_time_epoch": time.time_ns(),
        "location": b"US,NY",
        "ord_type": ord("2"),
        "time_in_force": 0,
        "manual_order_indicator": 0,
        "exec_inst": 0,
    }
    return m.NewOrderSingle(**(fields | changes)).encode()  # type: ignore[arg-type]


@pytest.mark.parametrize("piece", [1, 7, 89])
def test_frames_may_arrive_in_any_pieces(venue: VenueProcess, client: RawClient, piece: int) -> None:
    client.log_in()
    frames = b""
    for _ in range(3):
        frames += an_order(client, venue)
        client.next_seq_no += 1
    for start in range(0, len(frames), piece):
        client.send(frames[start : start + piece])
    assert [client.expect(m.ExecutionReportNew).seq_num for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"encoding": 0x5BE0}, TerminateCode.INVALID_SOFH),
        ({"encoding": 0xFECA}, TerminateCode.INVALID_SOFH),
        ({"size": 0}, TerminateCode.INVALID_SOFH),
        ({"size": 11}, TerminateCode.INVALID_SOFH),
        ({"template_id": 9999}, TerminateCode.DECODING_ERROR),
        ({"schema_id": 7}, TerminateCode.DECODING_ERROR),
        ({"version": 99}, TerminateCode.DECODING_ERROR),
        ({"block_length": 3}, TerminateCode.DECODING_ERROR),
    ],
)
def test_a_frame_that_is_none_ends_this_connection_only(
    venue: VenueProcess, client: RawClient, bystander: RawClient, changes: dict[str, int], code: TerminateCode
) -> None:
    client.log_in()
    frame = m.Sequence(uuid=client.uuid, next_seq_no=1, keep_alive_interval_lapsed=0).encode()
    client.send(header(frame, **changes))
    assert client.expect(m.Terminate).error_codes == code
    assert client.closed()


def test_a_tag_value_message_ends_the_session(venue: VenueProcess, client: RawClient, bystander: RawClient) -> None:
    client.log_in()
    client.send(b"8=FIX.4.2\x019=49\x0135=0\x0134=1\x01")
    assert client.expect(m.Terminate).error_codes == TerminateCode.INVALID_SOFH


@pytest.mark.parametrize(
    ("changes", "reason", "tag"),
    [
        ({"order_qty": m.UINT32_NULL}, BusinessRejectReason.CONDITIONALLY_REQUIRED_FIELD_MISSING, 38),
        ({"sender_id": b""}, BusinessRejectReason.CONDITIONALLY_REQUIRED_FIELD_MISSING, 5392),
        ({"sender_id": b"T\x07"}, BusinessRejectReason.INVALID_TEXT, 5392),
        ({"cl_ord_id": b"A\0B"}, BusinessRejectReason.INVALID_TEXT, 11),
        ({"cl_ord_id": b"caf\xe9"}, BusinessRejectReason.INVALID_TEXT, 11),
        ({"side": 9}, BusinessRejectReason.ENUM_NOT_SUPPORTED, 54),
        ({"ord_type": ord("9")}, BusinessRejectReason.ENUM_NOT_SUPPORTED, 40),
        ({"time_in_force": 77}, BusinessRejectReason.ENUM_NOT_SUPPORTED, 59),
        ({"order_request_id": 2**63}, BusinessRejectReason.VALUE_OUT_OF_RANGE, 2422),
        ({"party_details_list_req_id": 4711}, BusinessRejectReason.UNKNOWN_ID, 1505),
    ],
)
def test_a_field_at_fault_is_refused_by_its_tag_and_consumes_its_number(
    venue: VenueProcess, client: RawClient, changes: dict[str, object], reason: BusinessRejectReason, tag: int
) -> None:
    client.log_in()
    client.send(an_order(client, venue, **changes))
    reject = client.expect(m.BusinessReject)
    assert (reject.business_reject_reason, reject.ref_tag_id, reject.ref_seq_num) == (reason, tag, 1)
    assert reject.ref_msg_type == b"D"
    assert reject.text
    client.next_seq_no = 2
    client.send(an_order(client, venue))
    assert client.expect(m.ExecutionReportNew).seq_num == 2


def test_an_order_that_does_not_decode_is_refused_with_109(venue: VenueProcess, client: RawClient) -> None:
    client.log_in()
    frame = an_order(client, venue)
    client.send(header(frame[:-40], size=len(frame) - 40, block_length=92))
    reject = client.expect(m.BusinessReject)
    assert reject.business_reject_reason == BusinessRejectReason.COULD_NOT_BE_DECODED


def test_a_message_that_the_segment_does_not_take_is_refused_with_3(venue: VenueProcess, client: RawClient) -> None:
    client.log_in()
    request = m.RequestForQuote(
        party_details_list_req_id=1,
        quote_req_id=1,
        manual_order_indicator=0,
        seq_num=1,
        sender_id=b"T1",
        sending_time_epoch=1,
        location=b"US,NY",
    )
    client.send(request.encode())
    assert client.expect(m.BusinessReject).business_reject_reason == BusinessRejectReason.UNSUPPORTED_MESSAGE_TYPE


@pytest.mark.parametrize("template", [514, 537])
def test_a_business_message_too_short_for_its_number_ends_the_session(
    venue: VenueProcess, client: RawClient, template: int
) -> None:
    client.log_in()
    client.send(struct.pack("<HHHHHH", 32, 0xCAFE, 20, template, 8, 9) + bytes(16) + struct.pack("<I", 1))
    assert client.expect(m.Terminate).error_codes == TerminateCode.DECODING_ERROR
    client.close()
    with RawClient(venue.address, client.key) as again:
        again.uuid = client.uuid
        again.establish(1)
        again.expect(m.EstablishmentAck)


def test_a_number_that_jumps_ahead_gets_not_applied(venue: VenueProcess, client: RawClient) -> None:
    client.log_in()
    client.next_seq_no = 5
    client.send(an_order(client, venue))
    not_applied = client.expect(m.NotApplied)
    assert (not_applied.from_seq_no, not_applied.msg_count) == (1, 5)


def test_a_number_that_was_used_ends_the_session(venue: VenueProcess, client: RawClient) -> None:
    client.log_in()
    client.send(an_order(client, venue))
    client.expect(m.ExecutionReportNew)
    client.send(an_order(client, venue))
    assert client.expect(m.Terminate).error_codes == TerminateCode.INVALID_MSG_SEQ_NO


class TestLogin:
    """Logins that are refused, with the exchange's codes."""

    @pytest.fixture(autouse=True)
    def _own_venue(self, tmp_path: Path) -> Iterator[None]:
        """A venue of its own: five bad logins within 60 s close a session's port."""
        with VenueProcess(tmp_path / "data", "--no-fsync") as venue:
            self.venue = venue
            yield

    def refused(self, **changes: object) -> int:
        with RawClient(self.venue.address, self.venue.key()) as client:
            client.negotiate(**changes)
            return client.expect(m.NegotiationReject).error_codes

    def test_an_unknown_key_is_not_authenticated(self) -> None:
        assert self.refused(access_key_id=b"AAAAAAAAAAAAAAAAAAAA") == NegotiationRejectCode.HMAC_NOT_AUTHENTICATED

    def test_another_sessions_key_is_not_authenticated(self) -> None:
        other = self.venue.key(1)["access_key_id"].encode()
        assert self.refused(access_key_id=other) == NegotiationRejectCode.HMAC_NOT_AUTHENTICATED

    def test_a_secret_that_was_not_decoded_is_not_authenticated(self) -> None:
        with RawClient(self.venue.address, self.venue.key()) as client:
            client.secret = client.key["secret_key"].encode()
            client.negotiate()
            assert client.expect(m.NegotiationReject).error_codes == NegotiationRejectCode.HMAC_NOT_AUTHENTICATED
        log = (self.venue.data / "ontherun.log").read_text()
        assert "the secret key was used as text: decode it with base64url first" in log
        assert client.key["secret_key"] not in log

    def test_a_firm_that_the_session_does_not_carry_is_blocked(self) -> None:
        assert self.refused(firm=b"WRONG") == NegotiationRejectCode.SESSION_BLOCKED

    def test_a_stale_timestamp_is_refused(self) -> None:
        assert self.refused(request_timestamp=time.time_ns() - 6 * 10**9) == NegotiationRejectCode.INVALID_TIMESTAMP

    def test_a_replayed_negotiate_is_refused(self) -> None:
        with RawClient(self.venue.address, self.venue.key()) as client:
            client.log_in()
            uuid = client.uuid
            client.terminate()
        with RawClient(self.venue.address, self.venue.key()) as client:
            client.negotiate(uuid)
            assert client.expect(m.Terminate).error_codes == TerminateCode.INVALID_UUID

    def test_an_establish_with_a_wrong_signature_is_rejected(self) -> None:
        with RawClient(self.venue.address, self.venue.key()) as client:
            client.negotiate()
            client.expect(m.NegotiationResponse)
            client.establish(hmac_signature=b"\x01" * 32)
            assert client.expect(m.EstablishmentReject).error_codes == EstablishmentRejectCode.HMAC_NOT_AUTHENTICATED

    def test_the_fifth_bad_login_closes_the_port(self) -> None:
        for _ in range(4):
            self.refused(access_key_id=b"AAAAAAAAAAAAAAAAAAAA")
        with RawClient(self.venue.address, self.venue.key()) as client:
            client.negotiate(access_key_id=b"AAAAAAAAAAAAAAAAAAAA")
            assert client.expect(m.Terminate).error_codes == TerminateCode.CME_ADMINISTERED_PORT_CLOSURE
