"""KeyFile: a secure key pair, as the portal or the exchange hands it out."""

import csv
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ontherun.client.errors import KeyFileError
from ontherun.ilink.errors import SecretError
from ontherun.ilink.signing import decode_secret

_LENGTHS = {"session_id": range(3, 4), "firm": range(1, 6), "access_key_id": range(20, 21)}
_ENVIRONMENT_PREFIX = "ONTHERUN_"
_COLUMNS = ("session_id", "access_key_id", "secret_key", "created_at", "expires_at", "environment")
_LABELS = {
    "Session ID": "session_id",
    "Globex Firm ID": "firm",
    "Access Key ID": "access_key_id",
    "Secret Key": "secret_key",
    "Created": "created_at",
    "Expires": "expires_at",
    "Environment": "environment",
}


@dataclass(frozen=True, slots=True)
class KeyFile:
    """An Access Key ID, its decoded Secret Key (32 bytes), and the session and firm that log in with them.

    Keys belong to the session id, so one pair serves every firm that trades over it: `with_firm` changes the firm.
    `expires_at`: as the file says it; `expiry`: the same as a time.
    """

    session_id: str
    firm: str
    access_key_id: str
    secret: bytes = field(repr=False)
    expires_at: str | None = None
    environment: str | None = None

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, firm: str | None = None, session_id: str | None = None) -> "KeyFile":
        """Read a key file; of several pairs, the one that expires last. Arguments and errors as for `load_all`."""
        return cls.load_all(path, firm=firm, session_id=session_id)[0]

    @classmethod
    def load_all(
        cls, path: str | os.PathLike[str], *, firm: str | None = None, session_id: str | None = None
    ) -> "tuple[KeyFile, ...]":
        """Read every pair of a key file, the one that expires last first. Raises KeyFileError.

        Takes the formats that `ontherun` hands out (json, env, csv, text) and the exchange's file of fixed columns,
        which names no firm: `firm` does. `session_id` chooses where a file holds the pairs of several sessions. The
        columns are not published by the exchange; they are known from EPAM FIX Antenna .NET (CME secure logon).
        """
        try:
            content = Path(path).read_text(encoding="utf-8-sig")
        except OSError as error:
            raise KeyFileError(f"{path}: {error.strerror}") from error
        except UnicodeDecodeError:
            raise KeyFileError(f"{path} is not a text file") from None
        found = [{**values, **({"firm": firm} if firm else {})} for values in _pairs(content, str(path))]
        if session_id is not None:
            found = [values for values in found if values.get("session_id") == session_id]
        keys = [cls.from_values(values, str(path)) for values in found]
        if not keys:
            raise KeyFileError(f"{path}: no key pair{'' if session_id is None else f' of session {session_id}'}")
        sessions = sorted({key.session_id for key in keys})
        if len(sessions) > 1:
            raise KeyFileError(f"{path} holds the keys of {', '.join(sessions)}: say which by session_id")
        return tuple(by_expiry(keys))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "KeyFile":
        """Read the variables of the download format `env`: ONTHERUN_SESSION_ID and so on. Raises KeyFileError."""
        return cls.from_values(_variables(os.environ if environment is None else environment), "environment")

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
        key = cls(
            **texts, secret=secret, expires_at=_text(values, "expires_at"), environment=_text(values, "environment")
        )
        try:
            _ = key.expiry
        except ValueError:
            raise KeyFileError(f"{source}: expires_at {key.expires_at!r} is no date or time (ISO 8601)") from None
        return key

    @property
    def expiry(self) -> datetime | None:
        """When the pair expires; a day without a time is meant to its end (UTC). None where the file says nothing."""
        if self.expires_at is None:
            return None
        at = datetime.fromisoformat(self.expires_at)
        if len(self.expires_at) <= len("2027-01-01"):
            at += timedelta(days=1)
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)

    def with_firm(self, firm: str) -> "KeyFile":
        """The same pair for another firm of the session."""
        return replace(self, firm=firm)


def by_expiry(keys: Iterable[KeyFile]) -> list[KeyFile]:
    """The pairs in the order in which they are tried: the latest expiry first, and before all one without."""
    return sorted(keys, key=lambda key: key.expiry or datetime.max.replace(tzinfo=UTC), reverse=True)


def _text(values: Mapping[str, object], name: str) -> str | None:
    value = values.get(name)
    return value if isinstance(value, str) else None


def _pairs(content: str, source: str) -> Iterator[Mapping[str, object]]:
    """The pairs that a file holds, by the names of the JSON format."""
    lines = [line for line in content.splitlines() if line.strip()]
    first = lines[0] if lines else ""
    if first.startswith(("{", "[")):
        try:
            values = json.loads(content)
        except ValueError as error:
            raise KeyFileError(f"{source} is not JSON: {error}") from None
        if not isinstance(values, dict):
            raise KeyFileError(f"{source}: a key file is a JSON object")
        yield values
    elif first.startswith(_ENVIRONMENT_PREFIX):
        yield _variables(dict(line.split("=", 1) for line in lines if "=" in line))
    elif first.startswith("session_id,"):
        yield from csv.DictReader(lines)
    elif first.startswith("Session ID:"):
        labelled = dict(line.split(":", 1) for line in lines if ":" in line)
        yield {_LABELS[label]: value.strip() for label, value in labelled.items() if label in _LABELS}
    elif first.split()[:2] == ["Session", "ID"]:
        for line in lines[1:]:
            yield dict(zip(_COLUMNS, line.split(maxsplit=len(_COLUMNS) - 1), strict=False))
    else:
        raise KeyFileError(
            f"{source} is no key file: neither JSON, nor the format env, csv or text, nor the exchange's columns"
        )


def _variables(found: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(_ENVIRONMENT_PREFIX).lower(): value
        for name, value in found.items()
        if name.startswith(_ENVIRONMENT_PREFIX)
    }
