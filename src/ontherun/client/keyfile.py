"""KeyFile: a secure key pair as the portal hands it out."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ontherun.client.errors import KeyFileError
from ontherun.ilink.errors import SecretError
from ontherun.ilink.signing import decode_secret

_LENGTHS = {"session_id": range(3, 4), "firm": range(1, 6), "access_key_id": range(20, 21)}
_ENVIRONMENT_PREFIX = "ONTHERUN_"


@dataclass(frozen=True, slots=True)
class KeyFile:
    """An Access Key ID, its decoded Secret Key (32 bytes), and the session and firm that log in with them.

    Keys belong to the session id, so one pair serves every firm that trades over it: `with_firm` changes the firm.
    """

    session_id: str
    firm: str
    access_key_id: str
    secret: bytes = field(repr=False)
    expires_at: str | None = None
    environment: str | None = None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "KeyFile":
        """Read a downloaded JSON key file. Raises KeyFileError."""
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise KeyFileError(f"{path}: {error.strerror}") from error
        except ValueError:
            raise KeyFileError(f"{path} is not JSON: download the key pair in the format json") from None
        if not isinstance(values, dict):
            raise KeyFileError(f"{path}: a key file is a JSON object")
        return cls.from_values(values, str(path))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "KeyFile":
        """Read the variables of the download format `env`: ONTHERUN_SESSION_ID and so on. Raises KeyFileError."""
        found = os.environ if environment is None else environment
        values = {
            name.removeprefix(_ENVIRONMENT_PREFIX).lower(): value
            for name, value in found.items()
            if name.startswith(_ENVIRONMENT_PREFIX)
        }
        return cls.from_values(values, "environment")

    @classmethod
    def from_values(cls, values: Mapping[str, object], source: str = "key") -> "KeyFile":
        """Make one from `session_id`, `firm`, `access_key_id` and `secret_key` (base64url). Raises KeyFileError."""
        texts: dict[str, str] = {}
        for name in (*_LENGTHS, "secret_key"):
            value = values.get(name)
            if not isinstance(value, str) or not value:
                raise KeyFileError(f"{source}: {name} is missing")
            if name in _LENGTHS and (
                len(value) not in _LENGTHS[name] or not value.isascii() or not value.isprintable()
            ):
                raise KeyFileError(
                    f"{source}: {name} {value!r} does not have the right length or holds a wrong character"
                )
            texts[name] = value
        try:
            secret = decode_secret(texts.pop("secret_key"))
        except SecretError as error:
            raise KeyFileError(f"{source}: {error}") from None
        return cls(
            **texts, secret=secret, expires_at=_text(values, "expires_at"), environment=_text(values, "environment")
        )

    def with_firm(self, firm: str) -> "KeyFile":
        """The same pair for another firm of the session."""
        return KeyFile(self.session_id, firm, self.access_key_id, self.secret, self.expires_at, self.environment)


def _text(values: Mapping[str, object], name: str) -> str | None:
    value = values.get(name)
    return value if isinstance(value, str) else None
