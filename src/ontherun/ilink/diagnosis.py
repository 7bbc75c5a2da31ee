"""Why a signature is wrong: compares a refused one with those that the usual mistakes produce.

Works on what the peer sent and the secret; returns a sentence without either. Costs about 0.1 ms, so it runs only for a
login that is refused already, and equally for an unknown key (with a stand-in secret), so that its time tells nothing.
"""

import binascii
import hashlib
import hmac
from collections.abc import Iterator
from itertools import permutations

from ontherun.ilink.signing import sign

NEGOTIATE_VALUES = ("RequestTimestamp", "UUID", "Session", "Firm")
ESTABLISH_VALUES = (
    *NEGOTIATE_VALUES,
    "TradingSystemName",
    "TradingSystemVersion",
    "TradingSystemVendor",
    "NextSeqNo",
    "KeepAliveInterval",
)
_WIDTHS = {
    "Session": 3,
    "Firm": 5,
    "TradingSystemName": 30,
    "TradingSystemVersion": 10,
    "TradingSystemVendor": 10,
}
_JOINERS = {
    b"\r\n": "CR LF stands between the values: use LF alone",
    b"": "nothing stands between the values: put one LF between two of them",
    b"\\n": "a backslash and an n stand between the values instead of one LF byte",
    b"\x01": "SOH stands between the values: use LF",
    b" ": "a space stands between the values: use LF",
    b",": "a comma stands between the values: use LF",
    b"|": "a bar stands between the values: use LF",
    b":": "a colon stands between the values: use LF",
}


def diagnose(signature: bytes, secret: bytes, access_key_id: bytes, text: bytes) -> str:
    """The first known mistake that turns canonical `text` and `secret` into `signature`, as advice; "" if none does.

    `text` is the canonical text of the received message, so it has the four values of Negotiate or the nine of
    Establish.
    """
    found = ""
    for mistake, candidate in _candidates(secret, access_key_id, text):
        # All are tried, whichever fits: the time taken is the same for every refused login.
        if hmac.compare_digest(candidate, signature) and not found:
            found = mistake
    return found


def _candidates(secret: bytes, access_key_id: bytes, text: bytes) -> Iterator[tuple[str, bytes]]:
    yield from _other_outputs(secret, text)
    keys = list(_other_keys(secret, access_key_id))
    for mistake, key in keys:
        yield mistake, sign(key, text)
    for index, (mistake, wrong) in enumerate(_other_texts(text)):
        yield mistake, sign(secret, wrong)
        if index < 2:  # the two most frequent ones also come together with a wrong key
            for other, key in keys:
                yield f"{other}; and {mistake}", sign(key, wrong)


def _other_outputs(secret: bytes, text: bytes) -> Iterator[tuple[str, bytes]]:
    right = sign(secret, text)
    yield "HMACSignature holds the start of the hexadecimal text: put the 32 raw bytes", right.hex()[:32].encode()
    yield (
        "HMACSignature holds the start of the hexadecimal text: put the 32 raw bytes",
        right.hex().upper()[:32].encode(),
    )
    encoded = binascii.b2a_base64(right, newline=False)
    yield "HMACSignature holds the start of the base64 text: put the 32 raw bytes", encoded[:32]
    url = encoded.replace(b"+", b"-").replace(b"/", b"_")
    yield "HMACSignature holds the start of the base64url text: put the 32 raw bytes", url[:32]
    yield "HMACSignature holds the bytes in reverse order", right[::-1]
    cut = right.partition(b"\0")[0]
    yield "HMACSignature was cut at a zero byte: treat it as bytes, not as text", cut.ljust(32, b"\0")
    plain = "a plain SHA-256 was computed: use HMAC-SHA-256 with the secret as key"
    yield plain, hashlib.sha256(secret + text).digest()
    yield plain, hashlib.sha256(text + secret).digest()
    yield plain, hashlib.sha256(text).digest()
    other = "another hash was used under the HMAC: use SHA-256"
    yield other, hmac.digest(secret, text, "sha512")[:32]
    yield other, hmac.digest(secret, text, "sha1").ljust(32, b"\0")


def _other_keys(secret: bytes, access_key_id: bytes) -> Iterator[tuple[str, bytes]]:
    padded = binascii.b2a_base64(secret, newline=False).replace(b"+", b"-").replace(b"/", b"_")
    undecoded = "the secret key was used as text: decode it with base64url first"
    yield undecoded, padded.rstrip(b"=")
    yield undecoded, padded
    yield undecoded, padded.rstrip(b"=") + b"\n"
    yield "the secret key was used as hexadecimal text: use its 32 bytes", secret.hex().encode()
    lost = padded.replace(b"-", b"").replace(b"_", b"").rstrip(b"=")
    lost = lost[:-1] if len(lost) % 4 == 1 else lost
    dropped = binascii.a2b_base64(lost + b"=" * (-len(lost) % 4))
    yield "the secret key was decoded as plain base64, which drops - and _: decode it as base64url", dropped
    yield "the Access Key ID was used as key: the Secret Key is the key", access_key_id


def _other_texts(text: bytes) -> Iterator[tuple[str, bytes]]:
    values = text.split(b"\n")
    names = NEGOTIATE_VALUES if len(values) == len(NEGOTIATE_VALUES) else ESTABLISH_VALUES
    if len(values) != len(names):
        return  # a value with a line feed in it: refused before
    yield "a line feed stands at the end of the signed text: none belongs there", text + b"\n"
    padded = [value.ljust(_WIDTHS.get(name, 0), b"\0") for name, value in zip(names, values, strict=True)]
    yield "the texts were signed with their NUL padding: sign them without", b"\n".join(padded)
    yield "CR LF stands at the end of the signed text: nothing belongs there", text + b"\r\n"
    yield "a zero byte stands at the end of the signed text: nothing belongs there", text + b"\0"
    for index, name in enumerate(names):
        if padded[index] != values[index]:
            yield (
                f"{name} was signed with its NUL padding: sign it without",
                b"\n".join([*values[:index], padded[index], *values[index + 1 :]]),
            )
            spaced = values[index].ljust(_WIDTHS[name], b" ")
            yield (
                f"{name} was signed padded with spaces: sign it without padding",
                b"\n".join([*values[:index], spaced, *values[index + 1 :]]),
            )
    for joiner, mistake in _JOINERS.items():
        yield mistake, joiner.join(values)
    yield "the signed text is UTF-16: sign its ASCII bytes", text.decode("latin-1").encode("utf-16-le")
    yield from _other_values(names, values)


def _other_values(names: tuple[str, ...], values: list[bytes]) -> Iterator[tuple[str, bytes]]:
    for order in list(permutations(range(4)))[1:]:
        listed = ", ".join(names[index] for index in order)
        mistake = f"the first values were signed in the order {listed}, not RequestTimestamp, UUID, Session, Firm"
        yield mistake, b"\n".join([*(values[index] for index in order), *values[4:]])
    for index, name in enumerate(names):
        yield f"{name} is missing in the signed text", b"\n".join(values[:index] + values[index + 1 :])
    for digits, unit in ((3, "us"), (6, "ms"), (9, "s")):
        yield (
            f"RequestTimestamp was signed in {unit}: sign the ns that are sent",
            b"\n".join([values[0][:-digits], *values[1:]]),
        )
    for index, name in ((2, "Session"), (3, "Firm")):
        for changed in (values[index].lower(), values[index].upper()):
            if changed != values[index]:
                yield (
                    f"{name} was signed in other letter case than it is sent",
                    b"\n".join([*values[:index], changed, *values[index + 1 :]]),
                )
    joined = values[2] + values[3]
    yield "Session and Firm were signed as one value", b"\n".join([*values[:2], joined, *values[4:]])
    if len(names) > 4:
        yield "Establish was signed with the text of Negotiate: it has nine values", b"\n".join(values[:4])
        swapped = [*values[:7], values[8], values[7]]
        yield "NextSeqNo and KeepAliveInterval were signed in the wrong order", b"\n".join(swapped)
        if values[8].endswith(b"000"):
            yield (
                "KeepAliveInterval was signed in s: sign the ms that are sent",
                b"\n".join([*values[:8], values[8][:-3]]),
            )
