"""The signed texts and signatures of the login, against vectors computed with an independent tool."""

import hmac
from binascii import unhexlify

import pytest

from ontherun.ilink.errors import SecretError
from ontherun.ilink.messages import Establish, Negotiate
from ontherun.ilink.signing import decode_secret, establish_text, negotiate_text, sign

SECRET_A = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
SECRET_B = "----____ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH0"
UUID = 1767225600000000
NEGOTIATE_AT = 1767225600000000001
ESTABLISH_AT = 1767225600001000001

NEGOTIATE_FRAME_A = unhexlify(
    "5a00feca4c00f40108000900311fd7d2d982ef66c3d6aaf271057919b4f1617ac592919071a7d1a5e7a9021e"
    "4558414d504c454b45594944303030303030303100402046484706000100faed517286184142433030370000"
    "0000"
)
ESTABLISH_FRAME_A = unhexlify(
    "9200feca8400f701080009001d180d6f387cf2529e3338a11961fb60a112c4517f8a25cfdcadb884397b700c"
    "4558414d504c454b45594944303030303030303144656d6f4761746577617900000000000000000000000000"
    "000000000000312e302e3000000000004578616d706c65436f000040204648470600414209ee517286180100"
    "0000414243303037000010270000"
)


def texts(firm: bytes) -> tuple[bytes, bytes]:
    return (
        negotiate_text(NEGOTIATE_AT, UUID, b"ABC", firm),
        establish_text(ESTABLISH_AT, UUID, b"ABC", firm, b"DemoGateway", b"1.0.0", b"ExampleCo", 1, 10_000),
    )


def test_values_stand_in_order_with_one_line_feed_between_and_none_at_the_end() -> None:
    negotiate, establish = texts(b"007")
    assert negotiate == b"1767225600000000001\n1767225600000000\nABC\n007"
    assert establish == (b"1767225600001000001\n1767225600000000\nABC\n007\nDemoGateway\n1.0.0\nExampleCo\n1\n10000")


@pytest.mark.parametrize(
    ("secret", "firm", "negotiate", "establish"),
    [
        (
            SECRET_A,
            b"007",
            "311fd7d2d982ef66c3d6aaf271057919b4f1617ac592919071a7d1a5e7a9021e",
            "1d180d6f387cf2529e3338a11961fb60a112c4517f8a25cfdcadb884397b700c",
        ),
        (
            SECRET_B,
            b"DEFGH",
            "eb453b149db6918f47b0dcc437572cdca3b10a9b3d2aeae035bcc258b83ffe7d",
            "b1c97012811231ae3625ab42cbd947002edbeb8345f4c85e590e5f9eb818377f",
        ),
    ],
)
def test_signatures_equal_the_vectors(secret: str, firm: bytes, negotiate: str, establish: str) -> None:
    key = decode_secret(secret)
    assert [sign(key, text).hex() for text in texts(firm)] == [negotiate, establish]


@pytest.mark.parametrize(
    ("mistake", "signature"),
    [
        ("firm with its NULs", "a86195299286326775f7dec24fa881517bf050ec91593601adbcb626037bd87b"),
        ("line feed at the end", "fb3538105403424f5bb8560e20e916b310489406077ab6bbb47e526c793feae1"),
        ("secret not decoded", "22317dfd72b38917625ce5106ab9d4913cf5adfde8cfa471cbb04581ab6e3a53"),
    ],
)
def test_the_usual_mistakes_give_other_signatures(mistake: str, signature: str) -> None:
    text = texts(b"007")[0]
    key = decode_secret(SECRET_A)
    wrong = {
        "firm with its NULs": sign(key, text + b"\0\0"),
        "line feed at the end": sign(key, text + b"\n"),
        "secret not decoded": hmac.digest(SECRET_A.encode(), text, "sha256"),
    }
    assert wrong[mistake].hex() == signature
    assert sign(key, text).hex() != signature


def test_the_signed_messages_equal_the_golden_frames() -> None:
    key = decode_secret(SECRET_A)
    negotiate, establish = texts(b"007")
    assert (
        Negotiate.pack(sign(key, negotiate), b"EXAMPLEKEYID00000001", UUID, NEGOTIATE_AT, b"ABC", b"007", b"")
        == NEGOTIATE_FRAME_A
    )
    assert (
        Establish.pack(
            sign(key, establish),
            b"EXAMPLEKEYID00000001",
            b"DemoGateway",
            b"1.0.0",
            b"ExampleCo",
            UUID,
            ESTABLISH_AT,
            1,
            b"ABC",
            b"007",
            10_000,
            b"",
        )
        == ESTABLISH_FRAME_A
    )


def test_a_signature_keeps_its_zero_bytes_on_the_wire() -> None:
    signature = sign(decode_secret(SECRET_B), texts(b"DEFGH")[1])
    assert 0 in signature
    frame = Negotiate.pack(signature[::-1], b"K", UUID, NEGOTIATE_AT, b"ABC", b"DEFGH", b"")
    assert Negotiate.decode(frame).hmac_signature == signature[::-1]


def test_a_secret_may_carry_its_padding() -> None:
    assert decode_secret(SECRET_A) == decode_secret(SECRET_A + "=") == bytes(range(32))
    assert decode_secret(SECRET_B).startswith(bytes.fromhex("fbefbeffffff"))


@pytest.mark.parametrize(
    "text",
    ["", "short", SECRET_A + "==", SECRET_A + "A", SECRET_A[:-1] + "+", SECRET_A[:-1] + "\n", " " + SECRET_A[1:]],
)
def test_anything_else_is_no_secret_and_is_not_repeated(text: str) -> None:
    with pytest.raises(SecretError) as caught:
        decode_secret(text)
    assert not text or text not in str(caught.value)
