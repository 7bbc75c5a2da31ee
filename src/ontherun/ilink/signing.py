"""HMAC login: the canonical texts, the signature over them, and the secret key's text form.

Source: CME client wiki, pages Negotiate, Establish and Session Layer. The version name of the algorithm,
"CME-1-SHA-256", is a schema constant that is not transmitted.
"""

import binascii
import hmac

from ontherun.ilink.errors import SecretError

SECRET_BYTES = 32
SIGNATURE_BYTES = 32


def negotiate_text(request_timestamp: int, uuid: int, session: bytes, firm: bytes) -> bytes:
    """The signed text of Negotiate: four values, one LF between two of them, none at the end.

    Numbers are plain decimal; `session` and `firm` stand without their NUL padding.
    """
    return b"%d\n%d\n%b\n%b" % (request_timestamp, uuid, session, firm)


def establish_text(
    request_timestamp: int,
    uuid: int,
    session: bytes,
    firm: bytes,
    trading_system_name: bytes,
    trading_system_version: bytes,
    trading_system_vendor: bytes,
    next_seq_no: int,
    keep_alive_interval: int,
) -> bytes:
    """The signed text of Establish: nine values, one LF between two of them, none at the end.

    `keep_alive_interval` is in ms, as on the wire; texts stand without their NUL padding.
    """
    return b"%d\n%d\n%b\n%b\n%b\n%b\n%b\n%d\n%d" % (
        request_timestamp,
        uuid,
        session,
        firm,
        trading_system_name,
        trading_system_version,
        trading_system_vendor,
        next_seq_no,
        keep_alive_interval,
    )


def sign(secret: bytes, text: bytes) -> bytes:
    """HMAC-SHA-256 of `text` with the decoded secret: 32 raw bytes, as HMACSignature (39005) carries them."""
    return hmac.digest(secret, text, "sha256")


def decode_secret(text: str) -> bytes:
    """The 32 key bytes of a Secret Key, from its base64url text of 43 characters (or 44 with its `=`).

    Raises SecretError; white space around the text is not accepted, because a signer that keeps it would fail too.
    """
    if len(text) not in (43, 44) or (len(text) == 44 and text[-1] != "="):
        raise SecretError("a secret key has 43 base64url characters, or 44 with its padding")
    if not text.isascii() or not text[:43].replace("-", "a").replace("_", "a").isalnum():
        raise SecretError("a secret key holds only the base64url characters A-Z a-z 0-9 - _")
    return binascii.a2b_base64(text[:43].replace("-", "+").replace("_", "/") + "=")
