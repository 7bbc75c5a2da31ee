"""What the key routes take and give. Times are ISO 8601 in UTC."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from ontherun.portal.models import AccessKeyId, Label, SessionId, Strict
from ontherun.registry import LARGEST_BULK, LONGEST_PUBLIC_KEY

FileFormat = Literal["text", "json", "env", "csv"]
Packing = Literal["json", "zip"]
StateName = Literal["not yet valid", "active", "expiring", "deactivated", "expired", "deleted"]

Reason = Annotated[Label, Field(description="why, for the audit")]
Time = Annotated[
    str,
    Field(
        max_length=40,
        description="a date and time with its offset from UTC (RFC 3339)",
        examples=["2027-01-04T17:30:00-05:00"],
        json_schema_extra={"format": "date-time"},
    ),
]
_UNIQUE: dict[str, JsonValue] = {"uniqueItems": True}


class NewKeyPair(Strict):
    """What it may take to generate a pair.

    `delete`: the Access Key ID of the pair that makes room for a third one. `cut_over_at`: when the new pair becomes
    valid and the older one ends.
    """

    delete: AccessKeyId | None = None
    cut_over_at: Time | None = None
    label: Label = ""


class PairChange(Strict):
    """What a pair is called."""

    label: Label


class NewCutOver(Strict):
    """When a pair takes over and every other pair of the session ends."""

    at: Time


class Receiver(Strict):
    """To whom a secret is sealed: the public key in PEM, RSA of 3072 to 8192 bits or X25519."""

    public_key: Annotated[str, Field(max_length=LONGEST_PUBLIC_KEY)]
    reason: Reason = ""


class Revocation(Strict):
    """Why every pair is revoked, and whether live logins end at once."""

    reason: Reason = ""
    end_live_sessions: bool = False


class SessionsInBulk(Strict):
    """Sessions that each get a pair. `delete_oldest`: where two are there already, the older one is deleted."""

    session_ids: Annotated[list[SessionId], Field(min_length=1, max_length=LARGEST_BULK, json_schema_extra=_UNIQUE)]
    delete_oldest: bool = False


class PairName(Strict):
    """One pair."""

    session_id: SessionId
    access_key_id: AccessKeyId


class PairsInBulk(Strict):
    """Some pairs."""

    pairs: Annotated[list[PairName], Field(min_length=1, max_length=LARGEST_BULK)]


class DownloadInBulk(PairsInBulk):
    """Pairs to download together: as one JSON array, or as a zip with a file of `format` for each."""

    packing: Packing = "json"
    format: FileFormat = "json"
    reason: Reason = ""


class NextChangeView(Strict):
    """What happens to a pair next, by the passing of time alone."""

    at: str
    state: StateName


class KeyUseView(Strict):
    """The logins with a pair that gateways accepted and refused. Noted at once, stored a few seconds later."""

    successes: int
    failures: int
    first_used_at: str | None
    last_used_at: str | None
    last_source: str
    last_gateway: str
    last_failed_at: str | None
    last_failed_source: str


class KeyPairView(Strict):
    """A key pair without its secret. `ends_by`: why it expires when it does."""

    session_id: str
    access_key_id: str
    label: str
    state: StateName
    created_at: str
    valid_from: str | None
    expires_at: str
    ends_by: Literal["end of its life", "four weeks after its successor", "cut-over to its successor"]
    deactivated_at: str | None
    deleted_at: str | None
    next_change: NextChangeView | None
    use: KeyUseView


class KeyFileView(Strict):
    """A key pair with its secret, as a file."""

    session_id: str
    firm: str
    access_key_id: str
    secret_key: str
    created_at: str
    expires_at: str
    environment: str
    label: str | None = None


class SealedKeyFileView(Strict):
    """A key pair with its secret sealed to a receiver's public key: docs/keys.md says how to open it."""

    format: str
    session_id: str
    firm: str
    access_key_id: str
    created_at: str
    expires_at: str
    environment: str
    label: str | None = None
    receiver: str
    algorithm: Literal["RSA-OAEP-SHA256", "X25519-HKDF-SHA256-AES256GCM"]
    ephemeral_public_key: str | None = None
    sealed_secret_key: str


class RevokedView(Strict):
    """The pairs that were revoked, and the sessions whose live logins were ended."""

    revoked: list[PairName]
    ended_sessions: list[str]


class OutcomeView(Strict):
    """What became of one of many. `problem` null: it was done."""

    session_id: str
    access_key_id: str | None
    problem: str | None


class ExpiryView(Strict):
    """A pair that expires, and whether the session can log in afterwards."""

    at: str
    session_id: str
    access_key_id: str
    label: str
    state: StateName
    ends_by: str
    has_successor: bool


class ConcernView(Strict):
    """Something that is not well, and what to do."""

    finding: str
    access_key_id: str | None
    advice: str


class HealthView(Strict):
    """How well the pairs of a session are looked after: 100 is well."""

    session_id: str
    entity_id: int
    label: str
    score: int
    concerns: list[ConcernView]


class HealthPage(Strict):
    """Sessions with what is not well first. `score` is the mean of all that you see."""

    score: int
    items: list[HealthView]
    next: str | None = None
