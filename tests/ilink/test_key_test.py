"""Test my key: a pasted login gets its canonical text, the verdict of each key pair, and the mistake that made it."""

from base64 import b64encode, urlsafe_b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontherun.ilink import messages as m
from ontherun.ilink.key_test import Finding, Key, PastedError, first_difference, judge, read_frame, read_signature
from ontherun.ilink.signing import establish_text, negotiate_text, sign

from .conftest import OTHER_SECRET, SECOND, SECRET, START, UUID, establish, negotiate

NOW = START + SECOND
FIRST = Key("EXAMPLEKEYID00000001", SECRET, "active", valid=True)
SECOND_KEY = Key("EXAMPLEKEYID00000002", OTHER_SECRET, "expiring", valid=True)


def test(message: m.Negotiate | m.Establish, *keys: Key, **options: bytes) -> Finding:
    return judge(message, "ABC", keys or (FIRST, SECOND_KEY), NOW, **options)


test.__test__ = False  # type: ignore[attr-defined]


def vector(signature: str) -> m.Negotiate:
    return m.Negotiate(
        hmac_signature=bytes.fromhex(signature),
        access_key_id=b"EXAMPLEKEYID00000001",
        uuid=1_700_000_000_000_000,
        request_timestamp=1_700_000_000_000_000_000,
        session=b"ABC",
        firm=b"XYZ12",
    )


def test_the_published_vector_verifies_and_its_text_is_shown_line_by_line() -> None:
    found = test(vector("aa7d063833987c5823ddbce3dc23a149655b134052007bfccd6c7a66ec8e726c"))
    assert found.pairs[0].verifies
    assert not found.pairs[1].verifies
    assert found.canonical_text == "1700000000000000000\n1700000000000000\nABC\nXYZ12"
    assert found.values == (
        ("RequestTimestamp", "1700000000000000000"),
        ("UUID", "1700000000000000"),
        ("Session", "ABC"),
        ("Firm", "XYZ12"),
    )


def test_the_published_mistake_is_told() -> None:
    found = test(vector("85d942c6a78208fc39f8be23bdf44ebbeeec758ace7aa9df40844fd69f16edd8"))
    assert not found.accepted
    assert "decode it with base64url first" in found.pairs[0].mistake


def test_a_right_login_is_accepted_with_no_advice() -> None:
    for message in (negotiate(NOW), establish(NOW)):
        found = test(message)
        assert (found.accepted, found.verdict, found.advice) == (True, "The signature is right.", ())


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (b"%d\n%d\nABC\n007\n" % (NOW, UUID), "a line feed stands at the end"),
        (b"%d\n%d\nABC\n007" % (UUID, NOW), "in the order UUID, RequestTimestamp, Session, Firm"),
        (b"%d\n%d\nABC\n007" % (NOW // 10**6, UUID), "RequestTimestamp was signed in ms"),
        (b"%d\r\n%d\r\nABC\r\n007" % (NOW, UUID), "CR LF stands between the values"),
        (b"%d\n%d\nABC\n007\0\0" % (NOW, UUID), "signed with their NUL padding"),
    ],
)
def test_the_usual_mistakes_are_named(text: bytes, mistake: str) -> None:
    found = test(negotiate(NOW, hmac_signature=sign(SECRET, text)))
    assert mistake in found.pairs[0].mistake
    assert any(mistake in line for line in found.advice)


def test_a_signature_of_the_other_pair_is_told_with_its_access_key_id() -> None:
    found = test(negotiate(NOW, signed_with=OTHER_SECRET))
    assert not found.accepted
    assert found.advice == ("It was made with the secret of key pair EXAMPLEKEYID00000002: send that AccessKeyID.",)


def test_an_unknown_access_key_id_is_told_and_the_pair_that_fits() -> None:
    found = test(negotiate(NOW, access_key_id=b"WRONG"))
    assert found.verdict == "AccessKeyID 'WRONG' is no key pair of session ABC."
    assert "EXAMPLEKEYID00000001" in found.advice[0]


def test_a_right_signature_of_an_expired_pair_is_not_accepted() -> None:
    found = test(negotiate(NOW), Key("EXAMPLEKEYID00000001", SECRET, "expired", valid=False))
    assert (found.accepted, found.verdict) == (False, "The signature is right, but the key pair is expired.")


def test_a_login_of_another_session_is_told() -> None:
    found = test(negotiate(NOW, session=b"XYZ"))
    assert not found.accepted
    assert "another session than ABC" in found.advice[0]


@pytest.mark.parametrize(("factor", "unit"), [(10**3, "us"), (10**6, "ms"), (10**9, "s")])
def test_a_timestamp_in_another_unit_is_told(factor: int, unit: str) -> None:
    assert test(negotiate(NOW // factor)).advice == (
        f"RequestTimestamp is in {unit}: send and sign ns since 1970-01-01 UTC.",
    )


def test_the_skew_is_told_in_seconds_with_the_limit() -> None:
    found = test(negotiate(NOW - 7 * SECOND))
    assert found.clock_skew == 7 * SECOND
    assert found.advice[0].startswith("RequestTimestamp is 7.000 s behind the gateway's clock now.")
    assert "ahead of" in test(negotiate(NOW + 7 * SECOND)).advice[0]


def test_what_the_gateway_refuses_before_the_signature_comes_first() -> None:
    found = test(establish(NOW, trading_system_name=b""))
    assert found.verdict == "Refused before the signature is looked at: TradingSystemName is empty."


def test_the_first_difference_from_a_signed_text_is_told() -> None:
    right = negotiate_text(NOW, UUID, b"ABC", b"007")
    message = negotiate(NOW)
    assert first_difference(right, right, message) == ""
    assert "in Firm: the end is right, you signed a line feed" in first_difference(right, right + b"\n", message)
    assert "in Session: 'A' is right, you signed 'a'" in first_difference(right, right.replace(b"A", b"a"), message)
    assert "in Firm: '7' is right, you signed the end" in first_difference(right, right[:-1], message)
    assert any("in Firm" in line for line in test(message, signed_text=right + b"\0").advice)


@pytest.mark.parametrize("message", [negotiate(NOW), establish(NOW)], ids=["Negotiate", "Establish"])
def test_a_frame_is_read_in_every_form_that_logs_have(message: m.Negotiate | m.Establish) -> None:
    frame = message.encode()
    forms = [
        frame.hex(),
        frame.hex().upper(),
        frame.hex(" "),
        frame.hex(":"),
        "0x" + frame.hex(),
        "".join(f"\\x{byte:02x}" for byte in frame),
        f"  {frame.hex()[:60]}\r\n{frame.hex()[60:]}\n",
        frame[4:].hex(),
        b64encode(frame).decode(),
        urlsafe_b64encode(frame).decode().rstrip("="),
        b64encode(frame[4:]).decode(),
        frame.hex() + b"the next frame in the log".hex(),
    ]
    for form in forms:
        assert read_frame(form).encode() == frame, form


def test_a_frame_from_a_log_without_its_empty_credentials_is_read() -> None:
    for message in (negotiate(NOW), establish(NOW)):
        assert test(read_frame(message.encode()[4:-2].hex())).accepted


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "neither hexadecimal nor base64"),
        ("hello, world", "neither hexadecimal nor base64"),
        ("00", "has 1 bytes"),
        (negotiate(NOW).encode().hex()[:-2], "ends after"),
        (
            m.Terminate(reason=b"", uuid=1, request_timestamp=1, error_codes=0).encode().hex(),
            "is Terminate (template 507)",
        ),
        ("4c00f4010900090041" * 3, "of schema"),
        ("41" * 5000, "has 10000 characters"),
    ],
)
def test_what_is_no_login_is_refused_in_words(text: str, what: str) -> None:
    with pytest.raises(PastedError) as error:
        read_frame(text)
    assert what in str(error.value)
    assert error.value.where == "frame"


@given(st.one_of(st.text(max_size=300), st.binary(max_size=200).map(bytes.hex)))
@settings(max_examples=100)
def test_garbage_is_a_clear_error_and_nothing_else(text: str) -> None:
    for read in (read_frame, read_signature):
        try:
            read(text)
        except PastedError as error:
            assert error.expected  # noqa: PT017 - most texts raise, some do not


@given(st.binary(max_size=200), st.sampled_from([500, 503]))
@settings(max_examples=100)
def test_a_frame_with_garbage_in_it_is_judged_or_refused(body: bytes, template: int) -> None:
    block = 76 if template == 500 else 132
    header = block.to_bytes(2, "little") + template.to_bytes(2, "little") + b"\x08\0\x09\0"
    try:
        message = read_frame((header + body).hex())
    except PastedError:
        return
    found = test(message)
    assert not found.accepted
    assert found.canonical_text.isascii()


def test_a_signature_is_read_from_hex_and_base64() -> None:
    signature = sign(SECRET, b"x")
    for text in (
        signature.hex(),
        signature.hex(" "),
        b64encode(signature).decode(),
        urlsafe_b64encode(signature).decode()[:43],
    ):
        assert read_signature(text) == signature
    with pytest.raises(PastedError, match="It decodes to 20 bytes"):
        read_signature(b64encode(bytes(20)).decode())


def test_nothing_that_comes_out_holds_a_secret_or_a_signature() -> None:
    text = establish_text(NOW, UUID, b"ABC", b"007", b"DemoGateway", b"1.0.0", b"ExampleCo", 1, 10_000)
    for message in (establish(NOW), establish(NOW, hmac_signature=sign(OTHER_SECRET, text + b"\n"))):
        shown = repr(test(message)) + repr(FIRST)
        for secret in (SECRET, OTHER_SECRET, message.hmac_signature):
            assert secret.hex() not in shown
            assert b64encode(secret).decode().rstrip("=") not in shown
