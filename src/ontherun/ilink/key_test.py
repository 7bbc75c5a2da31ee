"""Test my key: a login that somebody pastes, judged as the gateway would, with the mistake that made its signature.

What is pasted is a whole Negotiate (template 500) or Establish (503) as hexadecimal or base64 text, or the values and
the signature one by one. What comes out is the canonical text, whether it verifies for each key pair of the session,
and advice; never a secret or a signature. Sources of the rules: `signing`, `login` and `diagnosis`.
"""

import binascii
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ontherun.ilink.diagnosis import ESTABLISH_VALUES, NEGOTIATE_VALUES, diagnose
from ontherun.ilink.login import MISSING, Login, check_fields
from ontherun.ilink.messages import BY_TEMPLATE, Establish, Negotiate
from ontherun.ilink.policy import SessionPolicy
from ontherun.ilink.signing import SIGNATURE_BYTES, sign
from ontherun.sbe import DecodeError
from ontherun.sbe.framing import ENCODING_TYPE, HEADER, HEADER_SIZE

LONGEST_TEXT = 8_192
"""Characters of a pasted frame; an Establish without credentials is 146 bytes."""

_SEPARATORS = re.compile(r"0x|\\x|[\s:,;\-]+", re.IGNORECASE)
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_SOFH_SIZE = 4
_LOGINS: dict[int, type[Negotiate | Establish]] = {500: Negotiate, 503: Establish}
_CENTURY = 100 * 365 * 86_400 * 1_000_000_000


class PastedError(ValueError):
    """What was pasted cannot be read. `where` names the field, `expected` says what would be right."""

    def __init__(self, where: str, what: str, expected: str) -> None:
        self.where, self.what, self.expected = where, what, expected
        super().__init__(f"{where}: {what} Expected: {expected}")


@dataclass(frozen=True, slots=True)
class Key:
    """A key pair of the session, for this one test. `valid`: whether a login may use it now; `state` in words."""

    access_key_id: str
    secret: bytes = field(repr=False)
    state: str
    valid: bool


@dataclass(frozen=True, slots=True)
class PairFinding:
    """What one key pair says: whether it made the signature, else by which mistake ("" when none is known)."""

    access_key_id: str
    state: str
    named: bool
    verifies: bool
    mistake: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What came out. `clock_skew`: ns that RequestTimestamp is behind the gateway's clock, None without one."""

    message: str
    values: tuple[tuple[str, str], ...]
    canonical_text: str
    accepted: bool
    verdict: str
    advice: tuple[str, ...]
    clock_skew: int | None
    pairs: tuple[PairFinding, ...]


def read_frame(text: str) -> Negotiate | Establish:
    """Read a pasted login message, with its four bytes of SOFH or without. PastedError when it is none."""
    if len(text) > LONGEST_TEXT:
        raise PastedError("frame", f"has {len(text)} characters.", f"one login message, at most {LONGEST_TEXT}")
    data = _bytes(text)
    if len(data) >= _SOFH_SIZE and int.from_bytes(data[2:4], "little") == ENCODING_TYPE:
        size = int.from_bytes(data[:2], "little")
        if size > len(data):
            raise PastedError("frame", f"ends after {len(data)} of the {size} bytes that it announces.", "all of it")
        frame = data[:size]
    else:
        frame = (len(data) + _SOFH_SIZE).to_bytes(2, "little") + ENCODING_TYPE.to_bytes(2, "little") + data
    if len(frame) < HEADER_SIZE:
        raise PastedError("frame", f"has {len(data)} bytes.", "a message header of 8 bytes and the body, at least")
    _, _, block_length, template, schema, _ = HEADER.unpack_from(frame)
    kind = _LOGINS.get(template)
    if kind is None or schema != Negotiate.SCHEMA_ID:
        known = BY_TEMPLATE.get(template) if schema == Negotiate.SCHEMA_ID else None
        what = f"is {known.__name__} (template {template})" if known else f"has template {template} of schema {schema}"
        raise PastedError("frame", f"{what}.", "Negotiate (500) or Establish (503) of schema 8")
    if len(frame) == HEADER_SIZE + block_length:  # some logs leave out Credentials, which are not signed
        frame = (len(frame) + 2).to_bytes(2, "little") + frame[2:] + bytes(2)
    try:
        return kind.decode(frame)
    except DecodeError as error:
        raise PastedError("frame", f"cannot be decoded: {error}.", "the bytes of one whole message") from None


def read_signature(text: str) -> bytes:
    """Read a pasted signature: 64 hexadecimal digits, or base64 or base64url. PastedError for anything else."""
    stripped = _SEPARATORS.sub("", text) if len(text) <= LONGEST_TEXT else ""
    if _HEX.fullmatch(stripped) and len(stripped) == 2 * SIGNATURE_BYTES:
        return bytes.fromhex(stripped)
    data = _base64(text.strip()) if len(text) <= LONGEST_TEXT else None
    if data is None or len(data) != SIGNATURE_BYTES:
        length = "" if data is None else f" It decodes to {len(data)} bytes."
        raise PastedError("signature", f"is no signature.{length}", "32 bytes: 64 hexadecimal digits, or 43 of base64")
    return data


def judge(
    message: Negotiate | Establish,
    session: str,
    keys: Sequence[Key],
    now: int,
    *,
    signed_text: bytes | None = None,
    policy: SessionPolicy | None = None,
) -> Finding:
    """Judge a login of `session`, whose pairs are `keys`, at `now` (ns since the epoch).

    `signed_text`: what the client says that it signed, to be compared with the canonical text. Whether the session's
    UUID or numbers fit is not judged: that changes with each login.
    """
    policy = policy or SessionPolicy()
    login = Login(message)
    text = login.sign_text(policy)
    pairs = tuple(_try(message, key, login.key_id, text) for key in keys)
    refusal = check_fields(message, policy)
    fits = next((pair for pair in pairs if pair.verifies), None)
    named = next((pair for pair in pairs if pair.named), None)
    usable = named is not None and any(key.valid for key in keys if key.access_key_id == named.access_key_id)
    advice: list[str] = []
    if login.session != session:
        advice.append(
            f"Session is {_seen(message.session)!r}: its key pairs are those of another session than {session}."
        )
    if refusal is not None:
        verdict = f"Refused before the signature is looked at: {refusal.reason}."
    elif named is None:
        verdict = f"AccessKeyID {_seen(message.access_key_id)!r} is no key pair of session {session}."
        if fits is not None:
            advice.append(f"The signature is right for key pair {fits.access_key_id}: send that AccessKeyID.")
    elif not named.verifies:
        verdict = "The signature is not what this key pair makes of these values."
        if fits is not None:
            advice.append(f"It was made with the secret of key pair {fits.access_key_id}: send that AccessKeyID.")
    elif not usable:
        verdict = f"The signature is right, but the key pair is {named.state}."
    else:
        verdict = "The signature is right."
    advice += [f"{pair.access_key_id}: {pair.mistake}." for pair in pairs if pair.mistake]
    if fits is None and pairs and not any(pair.mistake for pair in pairs):
        advice.append(
            "No known mistake makes this signature: compare the text that you sign with the one here, byte by byte."
        )
    if signed_text is not None and (difference := first_difference(text, signed_text, message)):
        advice.append(difference)
    advice += _about_time(message.request_timestamp, now, policy)
    names = NEGOTIATE_VALUES if isinstance(message, Negotiate) else ESTABLISH_VALUES
    return Finding(
        type(message).__name__,
        tuple(zip(names, _seen(text).split("\n"), strict=False)),
        _seen(text),
        refusal is None and named is not None and named.verifies and usable and login.session == session,
        verdict,
        tuple(advice),
        None if message.request_timestamp == MISSING else now - message.request_timestamp,
        pairs,
    )


def unreadable(error: PastedError) -> Finding:
    """The finding about something that is no login."""
    return Finding("", (), "", False, f"The {error.where} {error.what}", (f"Paste {error.expected}.",), None, ())


def first_difference(right: bytes, signed: bytes, message: Negotiate | Establish) -> str:
    """Say where a signed text first differs from the canonical one; "" when it does not."""
    if right == signed:
        return ""
    at = next((i for i, (a, b) in enumerate(zip(right, signed, strict=False)) if a != b), min(len(right), len(signed)))
    names = NEGOTIATE_VALUES if isinstance(message, Negotiate) else ESTABLISH_VALUES
    index = min(right[:at].count(b"\n"), len(names) - 1)
    bytes_there = f"{_byte(right, at)} is right, you signed {_byte(signed, at)}"
    return f"Your text differs first at byte {at + 1}, in {names[index]}: {bytes_there}."


def _try(message: Negotiate | Establish, key: Key, named: str, text: bytes) -> PairFinding:
    verifies = hmac.compare_digest(sign(key.secret, text), message.hmac_signature)
    mistake = "" if verifies else diagnose(message.hmac_signature, key.secret, message.access_key_id, text)
    return PairFinding(key.access_key_id, key.state, key.access_key_id == named, verifies, mistake)


def _about_time(timestamp: int, now: int, policy: SessionPolicy) -> list[str]:
    """Advice about RequestTimestamp, which is in ns and must reach the gateway within seconds."""
    if timestamp == MISSING:
        return []
    for factor, unit in ((1_000, "us"), (1_000_000, "ms"), (1_000_000_000, "s")):
        if abs(now - timestamp * factor) < _CENTURY / 4 and abs(now - timestamp) > _CENTURY / 4:
            return [f"RequestTimestamp is in {unit}: send and sign ns since 1970-01-01 UTC."]
    late, early = now - timestamp > policy.stale_after, timestamp - now > policy.future_tolerance
    if not late and not early:
        return []
    away = f"{abs(now - timestamp) / 1_000_000_000:,.3f} s {'behind' if late else 'ahead of'} the gateway's clock now"
    limit = (policy.stale_after if late else policy.future_tolerance) // 1_000_000_000
    return [
        f"RequestTimestamp is {away}. Beyond {limit} s a login is refused (code 3), as every old one from a log is."
    ]


def _byte(text: bytes, at: int) -> str:
    if at >= len(text):
        return "the end"
    byte = text[at : at + 1]
    names = {b"\n": "a line feed", b"\r": "a carriage return", b"\0": "a zero byte", b" ": "a space"}
    return names.get(byte) or (
        repr(byte.decode()) if byte.isascii() and byte.decode().isprintable() else f"0x{byte.hex()}"
    )


def _seen(text: bytes) -> str:
    """Text for people: what is not printable ASCII stands as \\xNN, but line feeds stay."""
    return "".join(chr(b) if 32 <= b < 127 or b == 10 else f"\\x{b:02x}" for b in text)


def _bytes(text: str) -> bytes:
    digits = _SEPARATORS.sub("", text)
    if _HEX.fullmatch(digits):
        return bytes.fromhex(digits)
    data = _base64("".join(text.split()))
    if data is None:
        raise PastedError(
            "frame", "is neither hexadecimal nor base64 text.", "the bytes of a login message as one of them"
        )
    return data


def _base64(text: str) -> bytes | None:
    if not _BASE64.fullmatch(text):
        return None
    bare = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return binascii.a2b_base64(bare + "=" * (-len(bare) % 4), strict_mode=True)
    except binascii.Error:
        return None
