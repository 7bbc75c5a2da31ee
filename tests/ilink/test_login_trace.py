"""The login trace says the exact reason, names the usual mistakes, and never holds a secret."""

import base64
import hashlib
import hmac
from collections.abc import Callable

import pytest

from ontherun.ilink import KeyExpiry, KeyFound, Record, Role, SessionPolicy, Verdict
from ontherun.ilink.diagnosis import diagnose
from ontherun.ilink.signing import sign

from .conftest import KEY_ID, SECOND, SECRET, START, UUID, Venue, Wire, negotiate

KEY_TEXT = base64.urlsafe_b64encode(SECRET).rstrip(b"=")
AWKWARD = bytes.fromhex("fbefbeffffff") + bytes(range(26))  # base64url text with - and _


def hmac_of(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha256")


def lines(text: bytes, *order: int) -> bytes:
    values = text.split(b"\n")
    return b"\n".join(values[index] for index in order)


MISTAKES: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("secret key was used as text", lambda text: hmac_of(KEY_TEXT, text)),
    ("secret key was used as text", lambda text: hmac_of(KEY_TEXT + b"=", text)),
    ("secret key was used as text", lambda text: hmac_of(KEY_TEXT + b"\n", text)),
    ("used as hexadecimal text", lambda text: hmac_of(SECRET.hex().encode(), text)),
    ("Access Key ID was used as key", lambda text: hmac_of(KEY_ID, text)),
    ("line feed stands at the end", lambda text: hmac_of(SECRET, text + b"\n")),
    (
        "secret key was used as text: decode it with base64url first; and a line feed",
        lambda text: hmac_of(KEY_TEXT, text + b"\n"),
    ),
    ("signed with their NUL padding", lambda text: hmac_of(SECRET, text.replace(b"\n007", b"\n007\0\0"))),
    ("Firm was signed padded with spaces", lambda text: hmac_of(SECRET, text.replace(b"\n007", b"\n007  "))),
    ("CR LF stands between", lambda text: hmac_of(SECRET, text.replace(b"\n", b"\r\n"))),
    ("CR LF stands at the end", lambda text: hmac_of(SECRET, text + b"\r\n")),
    ("nothing stands between", lambda text: hmac_of(SECRET, text.replace(b"\n", b""))),
    ("backslash and an n", lambda text: hmac_of(SECRET, text.replace(b"\n", b"\\n"))),
    ("SOH stands between", lambda text: hmac_of(SECRET, text.replace(b"\n", b"\x01"))),
    ("order UUID, RequestTimestamp, Session, Firm", lambda text: hmac_of(SECRET, lines(text, 1, 0, 2, 3))),
    ("order RequestTimestamp, UUID, Firm, Session", lambda text: hmac_of(SECRET, lines(text, 0, 1, 3, 2))),
    ("Firm is missing", lambda text: hmac_of(SECRET, lines(text, 0, 1, 2))),
    ("signed in us", lambda text: hmac_of(SECRET, lines(text, 0)[:-3] + text[len(lines(text, 0)) :])),
    ("Session was signed in other letter case", lambda text: hmac_of(SECRET, text.replace(b"ABC", b"abc"))),
    ("signed as one value", lambda text: hmac_of(SECRET, text.replace(b"ABC\n007", b"ABC007"))),
    ("UTF-16", lambda text: hmac_of(SECRET, text.decode().encode("utf-16-le"))),
    ("hexadecimal text", lambda text: hmac_of(SECRET, text).hex()[:32].encode()),
    ("base64 text", lambda text: base64.b64encode(hmac_of(SECRET, text))[:32]),
    ("reverse order", lambda text: hmac_of(SECRET, text)[::-1]),
    ("plain SHA-256", lambda text: hashlib.sha256(SECRET + text).digest()),
    ("another hash", lambda text: hmac.digest(SECRET, text, "sha512")[:32]),
]


@pytest.mark.parametrize(
    ("mistake", "signature"), MISTAKES, ids=[f"{i} {name}" for i, (name, _) in enumerate(MISTAKES)]
)
def test_a_usual_mistake_in_negotiate_is_named(wire: Wire, mistake: str, signature: Callable[[bytes], bytes]) -> None:
    text = b"%d\n%d\nABC\n007" % (START, UUID)
    wire.negotiate(hmac_signature=signature(text))
    trace = wire.traces[-1]
    assert mistake in trace.diagnosis
    assert trace.canonical_text.encode() == text


ESTABLISH_MISTAKES: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("text of Negotiate", lambda text: hmac_of(SECRET, lines(text, 0, 1, 2, 3))),
    ("NextSeqNo and KeepAliveInterval", lambda text: hmac_of(SECRET, lines(text, 0, 1, 2, 3, 4, 5, 6, 8, 7))),
    ("KeepAliveInterval was signed in s", lambda text: hmac_of(SECRET, text[:-3])),
    ("TradingSystemVersion is missing", lambda text: hmac_of(SECRET, lines(text, 0, 1, 2, 3, 4, 6, 7, 8))),
    (
        "TradingSystemName was signed with its NUL",
        lambda text: hmac_of(SECRET, text.replace(b"way", b"way" + bytes(19))),
    ),
]


@pytest.mark.parametrize(("mistake", "signature"), ESTABLISH_MISTAKES, ids=[name for name, _ in ESTABLISH_MISTAKES])
def test_a_usual_mistake_in_establish_is_named(wire: Wire, mistake: str, signature: Callable[[bytes], bytes]) -> None:
    wire.negotiate()
    wire.venue.now += 1
    text = b"%d\n%d\nABC\n007\nDemoGateway\n1.0.0\nExampleCo\n1\n10000" % (START + 1, UUID)
    wire.establish(hmac_signature=signature(text))
    assert mistake in wire.traces[-1].diagnosis


def test_a_secret_decoded_as_plain_base64_is_named() -> None:
    text = b"1\n2\nABC\n007"
    dropped = base64.b64decode(base64.urlsafe_b64encode(AWKWARD))  # drops what it does not know
    assert len(dropped) < 32
    assert "plain base64" in diagnose(hmac_of(dropped, text), AWKWARD, KEY_ID, text)


def test_a_signature_cut_at_a_zero_byte_is_named() -> None:
    text = next(
        text for text in (b"%d\n2\nABC\n007" % number for number in range(1_000)) if 0 in sign(SECRET, text)[1:31]
    )
    cut = sign(SECRET, text).split(b"\0")[0].ljust(32, b"\0")
    assert "zero byte" in diagnose(cut, SECRET, KEY_ID, text)


def test_an_unknown_mistake_has_no_diagnosis(wire: Wire) -> None:
    wire.negotiate(hmac_signature=b"s" * 32)
    assert wire.traces[-1].diagnosis == ""
    assert "not what this key makes" in wire.traces[-1].reason


def test_nothing_is_diagnosed_for_an_unknown_key(wire: Wire) -> None:
    wire.negotiate(access_key_id=b"EXAMPLEKEYID00000009", hmac_signature=hmac_of(bytes(32), b"x"))
    trace = wire.traces[-1]
    assert (trace.key_state, trace.diagnosis, trace.reason) == ("unknown", "", "no valid key: unknown")


def test_an_accepted_login_is_traced_whole(wire: Wire) -> None:
    wire.venue.now += 7
    wire.negotiate(request_timestamp=START)
    (trace,) = wire.traces
    assert (trace.message, trace.at, trace.segment, trace.role) == ("Negotiate", START + 7, 40, Role.PRIMARY)
    assert (trace.session, trace.firm, trace.access_key_id) == ("ABC", "007", KEY_ID.decode())
    assert (trace.uuid, trace.request_timestamp, trace.clock_skew) == (UUID, START, 7)
    assert trace.canonical_text == f"{START}\n{UUID}\nABC\n007"
    assert (trace.key_state, trace.verdict, trace.code, trace.code_name) == (
        "valid",
        Verdict.ACCEPTED,
        0,
        "NegotiationResponse",
    )


def test_a_login_cut_off_while_it_is_checked_is_traced(wire: Wire) -> None:
    wire.venue.keys.pending = True
    wire.negotiate()
    wire.carry_out(wire.session.lost(START))
    assert [trace.verdict for trace in wire.traces] == [Verdict.IGNORED]


def test_every_login_attempt_gives_exactly_one_trace(venue: Venue) -> None:
    wire = venue.connect()
    for number, message in enumerate(
        [
            negotiate(START, signed_with=b"wrong"),
            negotiate(START).encode()[:-2],
            negotiate(START),
        ]
    ):
        wire.send(message)
        assert len(wire.traces) == min(number + 1, 2), "the third comes after the end and is ignored"


def test_a_trace_and_its_repr_hold_no_secret_and_no_signature(venue: Venue) -> None:
    forbidden = {SECRET.hex(), KEY_TEXT.decode(), repr(SECRET)[2:-1], base64.b64encode(SECRET).decode()}
    wire = venue.connect()
    for _, signature in MISTAKES[:4]:
        text = b"%d\n%d\nABC\n007" % (venue.now, UUID)
        sent = signature(text)
        right = sign(SECRET, text)
        forbidden |= {repr(sent)[2:-1], sent.hex(), repr(right)[2:-1], right.hex()}
        wire.negotiate(hmac_signature=sent)
        venue.now += 1
    wire.log_in()
    shown = repr(wire.traces) + repr(wire.session) + repr(venue.stream())
    assert len(wire.traces) == 6
    assert not any(secret in shown for secret in forbidden)
    assert "secret" not in repr(KeyFound(SECRET))


def test_what_an_unauthenticated_peer_is_told_is_the_name_of_the_code_only(venue: Venue) -> None:
    venue.connect().negotiate(uuid=UUID + 77)
    venue.now += 1_000
    (answer,) = venue.connect().negotiate(uuid=UUID)
    assert answer.reason == b"Invalid UUID"


@pytest.mark.parametrize(
    ("expiry", "left", "told"),
    [
        (KeyExpiry.DAYS_LEFT, 0, 65_535),
        (KeyExpiry.DAYS_LEFT, START + 86_400 * SECOND * 3 // 2, 1),
        (KeyExpiry.DAYS_LEFT, START - 1, 0),
        (KeyExpiry.DAYS_LEFT, 2**63, 65_534),
        (KeyExpiry.DAYS_SINCE_EPOCH, START + SECOND, 20_454),
    ],
)
def test_the_keys_expiry_is_told_as_the_policy_says(expiry: KeyExpiry, left: int, told: int) -> None:
    venue = Venue(SessionPolicy(key_expiry=expiry))
    venue.keys.expires_at = left
    wire = venue.connect()
    assert wire.negotiate()[0].secret_key_secure_id_expiration == told
    assert wire.bind()[0].secret_key_secure_id_expiration in (told, told - 1)
    assert wire.session.key_expires_at == left


def test_the_record_comes_before_the_answer(wire: Wire) -> None:
    actions = wire.session.receive(negotiate(START).encode(), START)
    assert isinstance(actions[0], Record)


def test_padded_texts_may_be_signed_where_the_policy_says_so() -> None:
    wire = Venue(SessionPolicy(sign_padded_text=True)).connect()
    text = b"%d\n%d\nABC\n007\0\0" % (START, UUID)
    wire.negotiate(hmac_signature=hmac_of(SECRET, text))
    assert wire.traces[-1].verdict is Verdict.ACCEPTED
