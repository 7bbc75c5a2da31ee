"""Bearer tokens for the REST API."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from sqlalchemy import insert, update

from ontherun.keys import Secret
from ontherun.registry.checks import checked_name
from ontherun.registry.errors import ConflictError, NotFoundError
from ontherun.registry.principal import SYSTEM, Principal, Right, Role
from ontherun.registry.records import ApiToken
from ontherun.registry.sealing import write_private
from ontherun.registry.store import Change, Store
from ontherun.registry.tables import ApiTokenRow

PREFIX = "otr_"
_RANDOM_BYTES = 32
_LOCAL = "local administrator"


class ApiTokens:
    """Create, recognise and revoke API tokens."""

    def __init__(self, store: Store, random_bytes: Callable[[int], bytes]) -> None:
        self._store = store
        self._directory = store.directory
        self._random_bytes = random_bytes

    async def create(self, by: Principal, name: str, role: Role, entity_id: int | None) -> tuple[ApiToken, Secret]:
        """Create a token for an entity, or with None for the venue, which only its operator may.

        The token itself is `token_text` of the returned secret; it is shown this once and kept only as a hash.
        """
        name = checked_name("name", name)
        if entity_id is None:
            by.require_operator()
        elif self._directory.entity(entity_id) is None or not by.sees(entity_id):
            raise NotFoundError(f"entity {entity_id}")
        else:
            by.require(Right.MANAGE_PEOPLE, entity_id)
        async with self._store.change(by) as change:
            return self._create(change, name, role, entity_id)

    async def revoke(self, by: Principal, token_id: int) -> ApiToken:
        """Revoke a token with immediate effect. ConflictError when it already is."""
        async with self._store.change(by) as change:
            token = self._directory.token(token_id)
            if token is None or not by.sees(token.entity_id):
                raise NotFoundError(f"API token {token_id}")
            if token.entity_id is None:
                by.require_operator()
            else:
                by.require(Right.MANAGE_PEOPLE, token.entity_id)
            if token.revoked_at is not None:
                raise ConflictError(f"API token {token_id} is revoked already.")
            return self._revoke(change, token)

    def list(self, by: Principal) -> list[ApiToken]:
        """Return the tokens that the principal sees, revoked ones too, in the order of their creation."""
        return [token for token in self._directory.tokens() if by.sees(token.entity_id)]

    def recognise(self, text: str, source: str | None = None) -> Principal | None:
        """Return whom a token that came with a request stands for; None when it is unknown or revoked."""
        found = self._directory.principal(_hash(text))
        return found and replace(found, source=source)

    async def local_token_file(self, path: Path) -> Path:
        """Make sure that `path` holds an operator's admin token for the person at this machine, and return it.

        A file that holds a valid token is left alone. Otherwise the earlier local token is revoked and a new one
        written, for the owner's eyes only.
        """
        if self.recognise(_content(path)) is not None:
            return path
        async with self._store.change(SYSTEM) as change:
            for token in self._directory.tokens():
                if token.name == _LOCAL and token.entity_id is None and token.revoked_at is None:
                    self._revoke(change, token)
            _, secret = self._create(change, _LOCAL, Role.ADMIN_MANAGER, None)
        _replace(path, token_text(secret) + "\n")
        return path

    def _create(self, change: Change, name: str, role: Role, entity_id: int | None) -> tuple[ApiToken, Secret]:
        secret = Secret(self._random_bytes(_RANDOM_BYTES))
        token_hash = _hash(token_text(secret))
        token = ApiToken(len(self._directory.tokens()) + 1, name, role, entity_id, change.now)
        change.write(
            insert(ApiTokenRow).values(
                token_id=token.token_id,
                token_hash=token_hash,
                name=name,
                role=role.value,
                entity_id=entity_id,
                created_at=change.now,
            )
        )
        change.record("api_token.created", entity_id, f"API token {token.token_id}", name=name, role=role.value)
        change.then(lambda: self._directory.put_token(token, token_hash))
        return token, secret

    def _revoke(self, change: Change, token: ApiToken) -> ApiToken:
        revoked = ApiToken(token.token_id, token.name, token.role, token.entity_id, token.created_at, change.now)
        change.write(update(ApiTokenRow).where(ApiTokenRow.token_id == token.token_id).values(revoked_at=change.now))
        change.record("api_token.revoked", token.entity_id, f"API token {token.token_id}", name=token.name)
        change.then(lambda: self._directory.replace_token(revoked))
        return revoked


def token_text(secret: Secret) -> str:
    """Return the token as it is sent: Authorization: Bearer otr_..."""
    return PREFIX + secret.text


def _content(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").strip() if path.exists() else ""


def _replace(path: Path, content: str) -> None:
    path.unlink(missing_ok=True)
    write_private(path, content)


def _hash(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()
