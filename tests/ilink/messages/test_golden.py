"""Frames whose bytes are known: what we encode is exactly that, and it decodes to the same values.

The session's values are made up; their HMACs were computed with another tool (`openssl dgst -sha256 -mac HMAC`).
"""

import pytest

from ontherun.ilink import messages as m

UUID = 1767225600000000
T1 = 1767225600000000001
T2 = 1767225600001000001

NEGOTIATE = (
    "5a00feca4c00f40108000900311fd7d2d982ef66c3d6aaf271057919b4f1617ac592919071a7d1a5e7a9021e"
    "4558414d504c454b45594944303030303030303100402046484706000100faed517286184142433030370000"
    "0000"
)
ESTABLISH = (
    "9200feca8400f701080009001d180d6f387cf2529e3338a11961fb60a112c4517f8a25cfdcadb884397b700c"
    "4558414d504c454b45594944303030303030303144656d6f4761746577617900000000000000000000000000"
    "000000000000312e302e3000000000004578616d706c65436f000040204648470600414209ee517286180100"
    "0000414243303037000010270000"
)
REJECT = (
    "5100feca4500f60108000900484d4143206e6f742061757468656e7469636174656400000000000000000000000000000000"
    "0000000000000000000000402046484706000100faed51728618000001ffff"
)
ZEROS_48 = "00" * 48

FRAMES = [
    (
        m.Negotiate(
            hmac_signature=bytes.fromhex("311fd7d2d982ef66c3d6aaf271057919b4f1617ac592919071a7d1a5e7a9021e"),
            access_key_id=b"EXAMPLEKEYID00000001",
            uuid=UUID,
            request_timestamp=T1,
            session=b"ABC",
            firm=b"007",
        ),
        NEGOTIATE,
    ),
    (
        m.Establish(
            hmac_signature=bytes.fromhex("1d180d6f387cf2529e3338a11961fb60a112c4517f8a25cfdcadb884397b700c"),
            access_key_id=b"EXAMPLEKEYID00000001",
            trading_system_name=b"DemoGateway",
            trading_system_version=b"1.0.0",
            trading_system_vendor=b"ExampleCo",
            uuid=UUID,
            request_timestamp=T2,
            next_seq_no=1,
            session=b"ABC",
            firm=b"007",
            keep_alive_interval=10000,
        ),
        ESTABLISH,
    ),
    (
        m.NegotiationResponse(
            uuid=UUID, request_timestamp=T1, fault_tolerance_indicator=1, previous_seq_no=0, previous_uuid=0
        ),
        "2f00feca2100f5010800090000402046484706000100faed51728618ffff01ff000000000000000000000000ff0000",
    ),
    (
        m.NegotiationReject(
            reason=b"HMAC not authenticated",
            uuid=UUID,
            request_timestamp=T1,
            error_codes=0,
            fault_tolerance_indicator=1,
        ),
        REJECT,
    ),
    (
        m.EstablishmentAck(
            uuid=UUID,
            request_timestamp=T2,
            next_seq_no=1,
            previous_seq_no=0,
            previous_uuid=0,
            keep_alive_interval=10000,
            fault_tolerance_indicator=1,
        ),
        "3300feca2700f801080009000040204648470600414209ee51728618010000000000000000000000000000001027ffff01ffff",
    ),
    (
        m.Sequence(uuid=UUID, next_seq_no=1, keep_alive_interval_lapsed=0),
        "1a00feca0e00fa0108000900004020464847060001000000ff00",
    ),
    (
        m.Sequence(uuid=UUID, next_seq_no=1, fault_tolerance_indicator=1, keep_alive_interval_lapsed=1),
        "1a00feca0e00fa01080009000040204648470600010000000101",
    ),
    (
        m.Terminate(uuid=UUID, request_timestamp=T2 + 1, error_codes=0),
        "4f00feca4300fb0108000900" + ZEROS_48 + "0040204648470600424209ee517286180000ff",
    ),
    (
        m.RetransmitRequest(uuid=UUID, request_timestamp=T2 + 2, from_seq_no=5, msg_count=10),
        "2a00feca1e00fc01080009000040204648470600ffffffffffffffff434209ee51728618050000000a00",
    ),
    (
        m.Retransmission(uuid=UUID, request_timestamp=T2 + 2, from_seq_no=5, msg_count=10),
        "2b00feca1f00fd01080009000040204648470600ffffffffffffffff434209ee51728618050000000a00ff",
    ),
    (
        m.NotApplied(uuid=UUID, from_seq_no=101, msg_count=10),
        "1d00feca11000102080009000040204648470600650000000a000000ff",
    ),
]


def names(value: object) -> str:
    return type(value).__name__ if isinstance(value, m.Message) else ""


@pytest.mark.parametrize(("message", "frame"), FRAMES, ids=names)
def test_a_message_is_encoded_byte_for_byte(message: m.Message, frame: str) -> None:
    assert message.encode().hex() == frame


@pytest.mark.parametrize(("message", "frame"), FRAMES, ids=names)
def test_a_frame_is_decoded_to_its_values(message: m.Message, frame: str) -> None:
    assert m.decode(bytes.fromhex(frame)) == message


@pytest.mark.parametrize(("message", "frame"), FRAMES, ids=names)
def test_a_known_frame_has_no_fault(message: m.Message, frame: str) -> None:
    assert message.fault() is None


def test_a_signature_keeps_its_nul_bytes() -> None:
    signature = bytes.fromhex("b1c97012811231ae3625ab42cbd947002edbeb8345f4c85e590e5f9eb8183700")
    negotiate = m.Negotiate(
        hmac_signature=signature,
        access_key_id=b"EXAMPLEKEYID00000001",
        uuid=UUID,
        request_timestamp=T1,
        session=b"ABC",
        firm=b"DEFGH",
    )
    assert m.Negotiate.decode(negotiate.encode()).hmac_signature == signature


@pytest.mark.parametrize(
    ("template_id", "size"),
    [
        *[(500, 90), (501, 47), (502, 81), (503, 146), (504, 51), (505, 85), (506, 26), (507, 79)],
        *[(508, 42), (509, 43), (510, 87), (513, 29), (521, 342)],
    ],
)
def test_a_frame_without_credentials_has_the_known_size(template_id: int, size: int) -> None:
    message = m.BY_TEMPLATE[template_id]
    assert 12 + message.BLOCK_LENGTH + 2 * len(message.DATA) == size
