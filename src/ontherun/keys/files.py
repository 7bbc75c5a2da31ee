"""The file that a user downloads: one key pair as text, JSON, environment variables or CSV.

The exchange's own layout is not published; one vendor's tools read session id, access id, secret key, creation date,
expiration date and environment from it (EPAM FIX Antenna .NET, CME secure logon), so these are what our files hold.
"""

import json
from collections.abc import Callable, Mapping
from csv import writer
from dataclasses import dataclass
from io import StringIO
from shlex import quote
from types import MappingProxyType

from ontherun.keys.clock import utc_text
from ontherun.keys.pair import KeyPair
from ontherun.keys.secret import Secret


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key pair with its secret, ready to be handed to its owner. `firm` is the session's primary Globex Firm ID.

    `label` is the owner's name for it: one line of any characters, in the file where it has one.
    """

    pair: KeyPair
    secret: Secret
    firm: str
    environment: str
    label: str = ""

    def fields(self) -> dict[str, str]:
        """Return the file's content by name, the secret in the clear."""
        return {
            "session_id": self.pair.session_id,
            "firm": self.firm,
            "access_key_id": self.pair.access_key_id,
            "secret_key": self.secret.text,
            "created_at": utc_text(self.pair.created_at),
            "expires_at": utc_text(self.pair.expires_at),
            "environment": self.environment,
            **({"label": self.label} if self.label else {}),
        }

    def as_json(self) -> str:
        """Return a JSON object."""
        return json.dumps(self.fields(), indent=2) + "\n"

    def as_env(self) -> str:
        """Return lines for a shell or an env file: ONTHERUN_SESSION_ID=ABC. Only a label may need quotes."""
        return "".join(f"ONTHERUN_{name.upper()}={quote(value)}\n" for name, value in self.fields().items())

    def as_csv(self) -> str:
        """Return a line of names and a line of values (RFC 4180, with LF); a label is no formula."""
        fields = self.fields()
        if self.label.startswith(("=", "+", "-", "@")):
            fields["label"] = f"'{self.label}"
        text = StringIO()
        writer(text, lineterminator="\n").writerows((fields.keys(), fields.values()))
        return text.getvalue()

    def as_text(self) -> str:
        """Return one labelled line for each field, for people."""
        return "".join(f"{_LABELS[name] + ':':<16}{value}\n" for name, value in self.fields().items())


_LABELS = {
    "session_id": "Session ID",
    "firm": "Globex Firm ID",
    "access_key_id": "Access Key ID",
    "secret_key": "Secret Key",
    "created_at": "Created",
    "expires_at": "Expires",
    "environment": "Environment",
    "label": "Label",
}

FILE_FORMATS: Mapping[str, Callable[[KeyFile], str]] = MappingProxyType(
    {"text": KeyFile.as_text, "json": KeyFile.as_json, "env": KeyFile.as_env, "csv": KeyFile.as_csv}
)
"""Format name -> how the file is written."""
