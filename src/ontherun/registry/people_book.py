"""The people part of the directory, in memory: users, what they may do, their browsers, their second factors, tokens.

Like the rest of the directory it changes right after each commit and never before. Looking up never waits.
"""

from collections.abc import Collection, Iterable

from ontherun.registry.principal import EVERY_RIGHT, RIGHTS_OF, Principal, PrincipalKind, Right, Role
from ontherun.registry.records_people import (
    ApiToken,
    Attempts,
    Invitation,
    OneTimeLink,
    Passkey,
    Totp,
    User,
    WebSession,
)


class PeopleBook:
    """Every record of people, as last committed."""

    def __init__(self) -> None:
        self.users: dict[int, User] = {}
        self.grants: dict[int, dict[int, frozenset[Role]]] = {}
        """User id -> entity id -> roles there."""
        self.administrators: dict[int, set[int]] = {}
        """Entity id -> users marked as registered administrators."""
        self.web_sessions: dict[bytes, WebSession] = {}
        self.links: dict[bytes, OneTimeLink] = {}
        self.attempts: dict[str, Attempts] = {}
        self.totps: dict[int, Totp] = {}
        self.passkeys: dict[bytes, Passkey] = {}
        self.recovery_codes: dict[bytes, int] = {}
        self.second_factors_used: dict[tuple[int, str], int] = {}
        self.invitations: dict[int, Invitation] = {}
        self.invitation_ids: dict[bytes, int] = {}
        self.tokens: dict[int, ApiToken] = {}
        self.token_ids: dict[bytes, int] = {}
        self._by_email: dict[str, int] = {}
        self._by_subject: dict[str, int] = {}

    # Users.

    def user(self, user_id: int) -> User | None:
        """Return the user, left or not, or None."""
        return self.users.get(user_id)

    def user_of_email(self, email: str) -> User | None:
        """Return the user with an e-mail address, left or not, or None."""
        return self.users.get(self._by_email.get(email.lower(), 0))

    def user_of_subject(self, subject: str) -> User | None:
        """Return the user that the identity provider knows as `subject`, or None."""
        return self.users.get(self._by_subject.get(subject, 0))

    def put_user(self, user: User) -> None:
        """Add or replace."""
        before = self.users.get(user.user_id)
        if before is not None and before.subject is not None:
            del self._by_subject[before.subject]
        self.users[user.user_id] = user
        self._by_email[user.email] = user.user_id
        if user.subject is not None:
            self._by_subject[user.subject] = user.user_id

    # Rights.

    def roles(self, user_id: int, entity_id: int) -> frozenset[Role]:
        """Return the user's roles at an entity."""
        return self.grants.get(user_id, {}).get(entity_id, frozenset())

    def put_roles(self, user_id: int, entity_id: int, roles: Iterable[Role]) -> None:
        """Replace the user's roles at an entity."""
        held, wanted = self.grants.setdefault(user_id, {}), frozenset(roles)
        if wanted:
            held[entity_id] = wanted
        else:
            held.pop(entity_id, None)

    def users_at(self, entity_id: int) -> list[User]:
        """Return the users with a role at an entity, in the order of their creation."""
        return [user for user in self.users.values() if entity_id in self.grants.get(user.user_id, ())]

    def admin_managers(self, entity_id: int) -> list[User]:
        """Return the Admin Managers of an entity."""
        return [user for user in self.users_at(entity_id) if Role.ADMIN_MANAGER in self.roles(user.user_id, entity_id)]

    def registered_administrators(self, entity_id: int) -> list[User]:
        """Return who gets an entity's expiry mail: its Admin Managers and those marked, nobody who has left."""
        marked = self.administrators.get(entity_id, set())
        return [
            user
            for user in self.users.values()
            if user.left_at is None
            and (user.user_id in marked or Role.ADMIN_MANAGER in self.roles(user.user_id, entity_id))
        ]

    def principal_of(self, user: User, source: str | None = None) -> Principal | None:
        """Return a person with the rights of this moment; None for one who has left."""
        if user.left_at is not None:
            return None
        return Principal(
            user.email,
            PrincipalKind.PERSON,
            {} if user.operator else self._rights(user.user_id),
            EVERY_RIGHT if user.operator else frozenset(),
            source,
            user.user_id,
        )

    def _rights(self, user_id: int) -> dict[int, frozenset[Right]]:
        return {
            entity_id: frozenset().union(*(RIGHTS_OF[role] for role in roles))
            for entity_id, roles in self.grants.get(user_id, {}).items()
        }

    # Second factors.

    def passkeys_of(self, user_id: int) -> list[Passkey]:
        """Return a user's passkeys, in the order of their creation."""
        return [passkey for passkey in self.passkeys.values() if passkey.user_id == user_id]

    def recovery_codes_of(self, user_id: int) -> list[bytes]:
        """Return the hashes of a user's recovery codes that were not used yet."""
        return [code for code, owner in self.recovery_codes.items() if owner == user_id]

    def has_second_factor(self, user_id: int) -> bool:
        """Whether the user has enrolled one. Recovery codes alone are none: they stand in for one."""
        return user_id in self.totps or any(passkey.user_id == user_id for passkey in self.passkeys.values())

    def put_invitation(self, invitation: Invitation, code_hash: bytes) -> None:
        """Add."""
        self.invitations[invitation.invitation_id] = invitation
        self.invitation_ids[code_hash] = invitation.invitation_id

    # Web sessions.

    def web_sessions_of(self, user_id: int) -> list[tuple[bytes, WebSession]]:
        """Return a user's browsers by the hash of their cookies, the newest last."""
        return [(key, session) for key, session in self.web_sessions.items() if session.user_id == user_id]

    # API tokens.

    def put_token(self, token: ApiToken, token_hash: bytes | None = None) -> None:
        """Add (with its hash) or replace."""
        self.tokens[token.token_id] = token
        if token_hash is not None:
            self.token_ids[token_hash] = token.token_id

    def token_of(self, token_hash: bytes) -> ApiToken | None:
        """Return the API token with this SHA-256, good or not, or None."""
        return self.tokens.get(self.token_ids.get(token_hash, 0))

    def tokens_of(self, user_id: int) -> Collection[ApiToken]:
        """Return a user's tokens."""
        return [token for token in self.tokens.values() if token.owner == user_id]

    def token_principal(self, token: ApiToken, source: str | None = None) -> Principal | None:
        """Return whom a good token stands for, with the rights of this moment; None when its owner has left."""
        name = f"token {token.token_id} ({token.name})"
        if token.owner is not None:
            user = self.users[token.owner]
            return self._token_of_user(token, user, f"{name} of {user.email}", source)
        if token.entity_id is not None:
            return Principal(name, PrincipalKind.TOKEN, {token.entity_id: token.scopes}, source=source)
        return Principal(name, PrincipalKind.TOKEN, everywhere=token.scopes, source=source)

    def _token_of_user(self, token: ApiToken, user: User, name: str, source: str | None) -> Principal | None:
        if user.left_at is not None:
            return None
        if user.operator and token.entity_id is None:
            return Principal(name, PrincipalKind.TOKEN, {}, token.scopes, source, user.user_id)
        held = {token.entity_id: EVERY_RIGHT} if user.operator else self._rights(user.user_id)
        grants = {
            entity_id: rights & token.scopes
            for entity_id, rights in held.items()
            if entity_id is not None and token.entity_id in (None, entity_id)
        }
        return Principal(name, PrincipalKind.TOKEN, grants, frozenset(), source, user.user_id)
