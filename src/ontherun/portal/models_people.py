"""What the API takes and gives about people, their rights and their tokens."""

from typing import Annotated, Literal

from pydantic import Field

from ontherun.portal.models import _UNIQUE, WHOLE, Id, Name, Strict
from ontherun.registry import EMAIL_PATTERN

RoleName = Literal[
    "admin-manager", "full-access", "read-only", "key-generator", "key-downloader", "key-deleter", "auditor"
]
Scope = Literal[
    "view",
    "manage-sessions",
    "approve-requests",
    "generate-keys",
    "download-keys",
    "delete-keys",
    "manage-people",
    "manage-notices",
    "read-the-audit",
    "operate-the-venue",
]
Email = Annotated[str, Field(pattern=EMAIL_PATTERN, max_length=254, examples=["ann@example.com"])]


class NewSignInLink(Strict):
    """For whom a one-time sign-in link is made; without an address for the local operator."""

    email: Email | None = None


class SignInLink(Strict):
    """A link that signs somebody in once. It is shown this once."""

    url: str
    email: str
    expires_at: str


class NewToken(Strict):
    """What it takes to create an API token. `scopes` are rights, or a role that stands for its rights.

    A service's token has its rights at `entity_id`, without one at the venue. One that is no service's belongs to the
    user who asks and never has more rights than that user.
    """

    name: Name
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=10, json_schema_extra=_UNIQUE)] | RoleName
    entity_id: Id | None = None
    service: bool = True
    expires_in_days: Annotated[int, Field(ge=1, le=365), WHOLE] = 90


class TokenView(Strict):
    """An API token, without the token itself."""

    token_id: int
    name: str
    scopes: list[str]
    owner: str | None
    entity_id: int | None
    created_by: str
    created_at: str
    expires_at: str | None
    used_at: str | None
    revoked_at: str | None


class IssuedToken(Strict):
    """A new API token. `token` is shown this once."""

    token: str
    about: TokenView


class RolesView(Strict):
    """The roles of a user at an entity, and whether the user gets its expiry mail."""

    entity_id: int
    roles: list[RoleName]
    registered_administrator: bool


class UserView(Strict):
    """A user, with the roles at entities that you see."""

    user_id: int
    email: str
    name: str
    state: Literal["active", "left"]
    operator: bool
    entities: list[RolesView]
    second_factor: bool
    locked_until: str | None
    created_at: str


class NewRole(Strict):
    """A role for a user at an entity."""

    entity_id: Id
    role: RoleName


class AdministratorMark(Strict):
    """Whether a user gets an entity's expiry mail; its Admin Managers do in any case."""

    entity_id: Id
    marked: bool


class NewInvitation(Strict):
    """Whom to invite, where and as what; without an entity as an operator of the venue, without roles."""

    email: Email
    entity_id: Id | None = None
    roles: Annotated[list[RoleName], Field(max_length=7, default_factory=list, json_schema_extra=_UNIQUE)]
    registered_administrator: bool = False


class InvitationView(Strict):
    """An invitation, without its code."""

    invitation_id: int
    email: str
    entity_id: int | None
    roles: list[RoleName]
    registered_administrator: bool
    state: Literal["open", "accepted", "withdrawn", "expired"]
    invited_by: str
    created_at: str
    expires_at: str


class IssuedInvitation(Strict):
    """A new invitation. `code` is shown this once, and is for the invited person alone."""

    code: str
    accept_at: str
    about: InvitationView


class Leaver(Strict):
    """Who has left."""

    email: Email


class LeaverView(Strict):
    """What a leaver lost. `service_tokens` are still good, and the person may know them: revoke or replace them."""

    email: str
    user_id: int | None
    account_closed: bool
    roles: int
    web_sessions: int
    api_tokens: int
    invitations: int
    service_tokens: list[int]


class ResetLink(Strict):
    """A link with which a user sets a new password, once, within a quarter of an hour. It is shown this once."""

    url: str
    email: str
    expires_at: str
