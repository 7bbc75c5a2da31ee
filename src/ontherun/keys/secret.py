"""A secret that does not show itself by accident."""

from base64 import urlsafe_b64encode
from hmac import compare_digest
from typing import NoReturn


def base64url(data: bytes) -> str:
    """Encode as base64url without padding (RFC 4648, section 5)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


class Secret:
    """Secret bytes. Printing, formatting and pickling never show them; `text` and `raw` do, on purpose.

    The exchange delivers a secret key base64url encoded, and a client decodes it before it is used as the HMAC key
    (CME client wiki, iLink 3 session layer): `text` is the delivered form, `raw` the HMAC key.
    """

    __slots__ = ("_raw",)

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    @property
    def raw(self) -> bytes:
        """The bytes themselves."""
        return self._raw

    @property
    def text(self) -> str:
        """The bytes as base64url without padding: 43 characters for 32 bytes."""
        return base64url(self._raw)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and compare_digest(self._raw, other._raw)

    def __hash__(self) -> int:
        return hash(self._raw)

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")
