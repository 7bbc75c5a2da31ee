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
