"""People as their callers see them. Times are nanoseconds since 1970-01-01 UTC."""

from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Literal

from ontherun.registry.principal import Right, Role
from ontherun.registry.records import SealedSecret

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
EMAIL_PATTERN = rf"^{_ATOM}(\.{_ATOM})*@{_LABEL}(\.{_LABEL})*$"
"""A plain e-mail address in ASCII, at most 254 characters (RFC 5321). It is kept in small letters."""

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class PeoplePolicy:
    """What the sources leave open, or what an operator may want otherwise. Durations are nanoseconds.

    Five failed attempts lock an account for three hours; a hand-over token lives seven days; ten second-factor tokens
    a user and day, shared by logon and download; at least two Admin Managers (CME Customer Center help, Login and
    Logout, Generate a Token, User Administration; CME client wiki, Logon). Whether the ten are per person or per firm,
    and on whose day, is not said: here per person and Central day. The other values are ours.
    """

    second_factor: Literal["if-enrolled", "required"] = "required"
    """"if-enrolled" lets a person who has enrolled no second factor go without; one who has must always prove it."""
    second_factors_a_day: int = 10
    minimum_admin_managers: int = 2
    """The last ones of an entity cannot be removed; an entity that never had as many is told so."""
    failures_to_lock: int = 5
    locked_for: int = 3 * HOUR
    failures_of_source: int = 30
    """Failed attempts from one address within `source_window`, whosever the accounts; then the address must wait."""
    source_window: int = 15 * MINUTE
    shortest_password: int = 12
    session_idle: int = 30 * MINUTE
    session_life: int = 12 * HOUR
    fresh_sign_in: int = 15 * MINUTE
    """How old a sign-in may be that a first password or second factor is set with, where a second factor is
    "required": there is nothing else yet to ask for, and a stolen cookie must not become an account."""
    link_life: int = 15 * MINUTE
    invitation_life: int = 7 * DAY
    token_life: int = 90 * DAY
    longest_token_life: int = 365 * DAY


LOCAL_POLICY = PeoplePolicy(second_factor="if-enrolled", minimum_admin_managers=1)
"""What `ontherun up` starts with: a newcomer is inside within seconds."""


@dataclass(frozen=True, slots=True)
class User:
    """A person. `zone` is an IANA name; `subject` is who it is at the identity provider."""

    user_id: int
    email: str
    name: str
    zone: str
    operator: bool
    created_at: int
    left_at: int | None = None
    password_hash: str | None = field(default=None, repr=False)
    password_at: int | None = None
    subject: str | None = None

    @property
    def state(self) -> Literal["active", "left"]:
        """Whether the person is still here."""
        return "active" if self.left_at is None else "left"


@dataclass(frozen=True, slots=True)
class WebSession:
    """A browser that is signed in. `method` says how: "link", "password", "password and second factor", "passkey"..."""

    web_session_id: int
    user_id: int
    method: str
    source: str | None
    agent: str
    created_at: int
    seen_at: int


@unique
class LinkPurpose(StrEnum):
    """What a one-time link is good for."""

    SIGN_IN = "sign-in"
    NEW_PASSWORD = "new-password"  # noqa: S105 - a purpose, no password


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """A link that was not used yet."""

    purpose: LinkPurpose
    user_id: int
    created_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failed attempts of one account or address."""

    failures: int
    first_at: int
    last_at: int
    locked_until: int


@dataclass(frozen=True, slots=True)
class Totp:
    """A user's authenticator app."""

    secret: SealedSecret
    created_at: int
    last_step: int


@dataclass(frozen=True, slots=True)
class Passkey:
    """A WebAuthn credential of a user."""

    passkey_id: int
    credential_id: bytes
    user_id: int
    name: str
    public_key: bytes
    sign_count: int
    created_at: int
    used_at: int | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation. `entity_id` None: to be an operator of the venue. `state`: open, accepted or withdrawn."""

    invitation_id: int
    email: str
    entity_id: int | None
    roles: tuple[Role, ...]
    registered_administrator: bool
    invited_by: str
    created_at: int
    expires_at: int
    state: Literal["open", "accepted", "withdrawn"] = "open"

    def open(self, now: int) -> bool:
        """Whether it can be accepted at `now`."""
        return self.state == "open" and self.created_at <= now < self.expires_at


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A bearer token for the REST API, without the token itself.

    `owner` None: a service's. `entity_id` None: for a service's the whole venue, for a user's wherever the user has
    rights. `expires_at` None: never, which only the token file of this machine may.
    """

    token_id: int
    name: str
    scopes: frozenset[Right]
    owner: int | None
    entity_id: int | None
    created_by: str
    created_at: int
    expires_at: int | None
    used_at: int | None = None
    revoked_at: int | None = None

    def valid(self, now: int) -> bool:
        """Whether it is good at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
