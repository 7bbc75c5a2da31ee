"""Bearer tokens for the REST API: scopes, an owner or a service, a day on which they end."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from sqlalchemy import insert, update

from ontherun.keys import Secret
from ontherun.registry.checks import checked_name
from ontherun.registry.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, UnavailableError
from ontherun.registry.loading_people import scopes_to
from ontherun.registry.principal import (
    EVERY_RIGHT,
    RIGHTS_OF,
    SYSTEM,
    Principal,
    PrincipalKind,
    Right,
    Role,
    SecondFactor,
)
from ontherun.registry.records_people import DAY, MINUTE, ApiToken, PeoplePolicy
from ontherun.registry.sealing import write_private
from ontherun.registry.store import Change, Store
from ontherun.registry.tables_people import ApiTokenRow

PREFIX = "otr_"
_RANDOM_BYTES = 32
_LOCAL = "local administrator"
_USE_IS_KEPT_EVERY = 5 * MINUTE
"""How old the stored time of the last use may be, in nanoseconds."""


class ApiTokens:
    """Create, recognise, list and revoke API tokens."""

    def __init__(self, store: Store, policy: PeoplePolicy, random_bytes: Callable[[int], bytes]) -> None:
        self._store = store
        self._directory = store.directory
        self._book = store.directory.people
        self._policy = policy
        self._random_bytes = random_bytes

    async def create(
        self,
        by: Principal,
        name: str,
        scopes: Role | frozenset[Right],
        entity_id: int | None,
        *,
        service: bool = True,
        life: int | None = None,
        second_factor: SecondFactor | None = None,
    ) -> tuple[ApiToken, Secret]:
        """Create a token; it is `token_text` of the returned secret, shown this once and kept only as a hash.

        A service's token has its scopes at one entity, or with None at the venue, which only its operator may give. A
        user's own (`service` False) never has more than its owner has at the time of its use. `life` is in nanoseconds,
        at most a year. A role as `scopes` stands for its rights; nobody gives a right that they do not have.
        """
        name, rights = checked_name("name", name), _rights(scopes, entity_id)
        life = self._checked_life(life)
        by.require_second_factor(second_factor, self._store.clock.now())
        async with self._store.change(by) as change:
            self._check_grant(by, rights, entity_id, service=service)
            owner = None if service else by.user_id
            return self._create(change, by, name, rights, owner, entity_id, change.now + life)

    async def revoke(self, by: Principal, token_id: int) -> ApiToken:
        """Revoke a token with immediate effect. ConflictError when it already is."""
        async with self._store.change(by) as change:
            token = self._book.tokens.get(token_id)
            if token is None or not self._sees(by, token):
                raise NotFoundError(f"API token {token_id}")
            if token.owner is None or token.owner != by.user_id:
                self._require_over(by, token)
            if token.revoked_at is not None:
                raise ConflictError(f"API token {token_id} is revoked already.")
            return self.end(change, token)

    def list(self, by: Principal) -> list[ApiToken]:
        """Return the tokens that the principal sees, revoked ones too, in the order of their creation."""
        return [token for token in self._book.tokens.values() if self._sees(by, token)]

    def recognise(self, text: str, source: str | None = None) -> Principal | None:
        """Return whom a token that came with a request stands for; None when it is unknown, over or revoked."""
        token = self._book.token_of(_hash(text))
        if token is None or not token.valid(self._store.clock.now()):
            return None
        return self._book.token_principal(token, source)

    async def used(self, text: str) -> None:
        """Remember that a token was just used."""
        token, now = self._book.token_of(_hash(text)), self._store.clock.now()
        if token is None or (token.used_at is not None and 0 <= now - token.used_at < _USE_IS_KEPT_EVERY):
            return
        self._book.put_token(replace(token, used_at=now))
        try:
            await self._store.note(
                update(ApiTokenRow).where(ApiTokenRow.token_id == token.token_id).values(used_at=now)
            )
        except UnavailableError:
            return  # the time of the last use is not worth a refusal

    async def local_token_file(self, path: Path) -> Path:
        """Make sure that `path` holds an operator's token for the person at this machine, and return it.

        A file that holds a valid token is left alone. Otherwise the earlier local token is revoked and a new one
        written, for the owner's eyes only. It has no end: who reads the file has the database, too.
        """
        if self.recognise(_content(path)) is not None:
            return path
        async with self._store.change(SYSTEM) as change:
            for token in list(self._book.tokens.values()):
                if token.name == _LOCAL and token.expires_at is None and token.revoked_at is None:
                    self.end(change, token)
            _, secret = self._create(change, SYSTEM, _LOCAL, EVERY_RIGHT, None, None, None)
        _replace(path, token_text(secret) + "\n")
        return path

    def end(self, change: Change, token: ApiToken) -> ApiToken:
        """Revoke a token with `change`."""
        revoked = replace(token, revoked_at=change.now)
        change.write(update(ApiTokenRow).where(ApiTokenRow.token_id == token.token_id).values(revoked_at=change.now))
        change.record("api_token.revoked", token.entity_id, f"API token {token.token_id}", name=token.name)
        change.then(lambda: self._book.put_token(revoked))
        return revoked

    def _checked_life(self, life: int | None) -> int:
        longest = self._policy.longest_token_life
        life = self._policy.token_life if life is None else life
        if not 0 < life <= longest:
            raise InvalidError("expires_in_days", "is out of range.", f"1 to {longest // DAY} days")
        return life

    def _check_grant(self, by: Principal, rights: frozenset[Right], entity_id: int | None, *, service: bool) -> None:
        if not service and by.user_id is None:
            raise ForbiddenError(f"{by.name} is no user and cannot have a token of its own; make it a service's.")
        if entity_id is None:
            if service:
                by.require_operator()
            elif by.kind is not PrincipalKind.PERSON:
                raise ForbiddenError("A token makes tokens for one entity only: name it.")
            elif beyond := [right for right in sorted(rights) if by.entities(right) == frozenset()]:
                raise ForbiddenError(f"{by.name} may not {beyond[0]} anywhere and cannot have a token do it.")
            return
        if self._directory.entity(entity_id) is None or not by.sees(entity_id):
            raise NotFoundError(f"entity {entity_id}")
        if service:
            by.require(Right.MANAGE_PEOPLE, entity_id)
        for right in sorted(rights):
            if not by.may(right, entity_id):
                raise ForbiddenError(f"{by.name} may not {right} here and cannot have a token do it.")

    def _sees(self, by: Principal, token: ApiToken) -> bool:
        if token.owner is None:
            return by.sees(token.entity_id)
        if by.operator or token.owner == by.user_id:
            return True
        theirs = self._book.grants.get(token.owner, {})
        entities = theirs if token.entity_id is None else (token.entity_id,)
        return any(by.may(Right.MANAGE_PEOPLE, entity_id) for entity_id in entities)

    def _require_over(self, by: Principal, token: ApiToken) -> None:
        """Who may revoke a token that is not one's own: a manager of people where it has rights, or the operator."""
        if token.entity_id is not None:
            by.require(Right.MANAGE_PEOPLE, token.entity_id)
        elif token.owner is None:
            by.require_operator()

    def _create(
        self,
        change: Change,
        by: Principal,
        name: str,
        scopes: frozenset[Right],
        owner: int | None,
        entity_id: int | None,
        expires_at: int | None,
    ) -> tuple[ApiToken, Secret]:
        secret = Secret(self._random_bytes(_RANDOM_BYTES))
        token_hash = _hash(token_text(secret))
        token_id = len(self._book.tokens) + 1
        token = ApiToken(token_id, name, scopes, owner, entity_id, by.name, change.now, expires_at)
        change.write(
            insert(ApiTokenRow).values(
                token_id=token_id,
                token_hash=token_hash,
                name=name,
                scopes=scopes_to(scopes),
                owner=owner,
                entity_id=entity_id,
                created_by=by.name,
                created_at=change.now,
                expires_at=expires_at,
            )
        )
        change.record(
            "api_token.created",
            entity_id,
            f"API token {token_id}",
            name=name,
            scopes=sorted(scopes),
            owner=owner,
            expires_at=expires_at,
        )
        change.then(lambda: self._book.put_token(token, token_hash))
        return token, secret


def token_text(secret: Secret) -> str:
    """Return the token as it is sent: Authorization: Bearer otr_..."""
    return PREFIX + secret.text


def _rights(scopes: Role | frozenset[Right], entity_id: int | None) -> frozenset[Right]:
    if not isinstance(scopes, Role):
        if not scopes:
            raise InvalidError("scopes", "are empty.", "at least one right")
        return frozenset(scopes) | {Right.VIEW}
    if scopes is Role.ADMIN_MANAGER and entity_id is None:
        return EVERY_RIGHT
    return RIGHTS_OF[scopes]


def _content(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").strip() if path.exists() else ""


def _replace(path: Path, content: str) -> None:
    path.unlink(missing_ok=True)
    write_private(path, content)


def _hash(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()
