"""Invitations: how somebody becomes a user, or gets rights at one more entity.

It takes two things: the address that was invited, and a code, which the inviter is shown once and hands over; no mail
holds it. The code lives seven days (CME Customer Center help, Generate a Token).
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from hmac import compare_digest

from sqlalchemy import insert, update

from ontherun.keys import Secret
from ontherun.registry.attempts import AttemptCounter, Visitor
from ontherun.registry.errors import ConflictError, InvalidError, NotFoundError, NotRecognisedError
from ontherun.registry.passwords import Passwords, checked_password
from ontherun.registry.people import People
from ontherun.registry.people_book import PeopleBook
from ontherun.registry.principal import Principal, PrincipalKind, Right, Role, SecondFactor
from ontherun.registry.records_people import Invitation, PeoplePolicy, User
from ontherun.registry.second_factors import base32
from ontherun.registry.sign_in import SignIn
from ontherun.registry.store import Change, Store
from ontherun.registry.tables_people import InvitationRow, UserRow
from ontherun.registry.users import Users, checked_email

_CODE_BYTES = 15
WRONG = "There is no open invitation of this address with this code."


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that was just made, and its code, which nobody will see again."""

    invitation: Invitation
    code: str


class Invitations:
    """Invite people, and let those in who are."""

    def __init__(
        self,
        store: Store,
        users: Users,
        people: People,
        sign_in: SignIn,
        attempts: AttemptCounter,
        passwords: Passwords,
        policy: PeoplePolicy,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._book: PeopleBook = store.directory.people
        self._users = users
        self._people = people
        self._sign_in = sign_in
        self._attempts = attempts
        self._passwords = passwords
        self._policy = policy
        self._random_bytes = random_bytes

    async def invite(
        self,
        by: Principal,
        email: str,
        entity_id: int | None,
        roles: Collection[Role],
        *,
        registered_administrator: bool = False,
        second_factor: SecondFactor | None = None,
    ) -> Invited:
        """Invite somebody to an entity, or with None to be an operator of the venue.

        An earlier open invitation of the address to the same entity is withdrawn. Whether the address has an account
        makes no difference that the inviter could see.
        """
        email = checked_email("email", email)
        by.require_second_factor(second_factor, self._store.clock.now())
        async with self._store.change(by) as change:
            self._check(by, entity_id, roles)
            for old in self._open(email, change.now):
                if old.entity_id == entity_id:
                    self._end(change, old, "withdrawn")
            return self._make(change, by, email, entity_id, roles, registered_administrator=registered_administrator)

    async def withdraw(self, by: Principal, invitation_id: int) -> Invitation:
        """Withdraw an open invitation. ConflictError when it is none any more."""
        async with self._store.change(by) as change:
            invitation = self._book.invitations.get(invitation_id)
            if invitation is None or not by.sees(invitation.entity_id):
                raise NotFoundError(f"invitation {invitation_id}")
            self._require_over(by, invitation.entity_id)
            if not invitation.open(change.now):
                raise ConflictError(f"Invitation {invitation_id} is not open any more.")
            withdrawn = self._end(change, invitation, "withdrawn")
            change.record(
                "user.invitation_withdrawn", invitation.entity_id, f"invitation {invitation_id}", email=invitation.email
            )
        return withdrawn

    def list(self, by: Principal) -> list[Invitation]:
        """Return the invitations to what the principal manages, the newest last."""
        managed = by.entities(Right.MANAGE_PEOPLE)
        return [
            invitation
            for invitation in self._book.invitations.values()
            if managed is None or invitation.entity_id in managed
        ]

    async def accept(self, email: str, code: str, name: str, password: str, visitor: Visitor) -> Secret:
        """Make a new user of somebody who is invited, and sign the person in; return the cookie.

        NotRecognisedError when address and code do not belong together; ConflictError when the address has an account,
        whose owner signs in and accepts as `accept_as`.
        """
        email = checked_email("email", email)
        with self._attempts.attempt(email, visitor.source, self._store.clock.now()):
            invitation = self._recognised(email, code)
            hashed = None
            if invitation is not None:
                user = self._book.user_of_email(email)
                if user is not None and user.left_at is None:
                    raise ConflictError("This address has an account. Sign in first, then accept the invitation.")
                checked_password(password, self._policy.shortest_password, (email, name))
                hashed = await self._passwords.hash(password)
            async with self._store.change(_invited(email, visitor)) as change:
                if invitation is not None and hashed is not None and self._recognised(email, code) == invitation:
                    user = self._become(change, email, name, hashed)
                    self._attempts.forget(change, email)
                    self._accept(change, invitation, user)
                    return self._sign_in.let_in(change, user, "invitation", visitor)
                change.record("user.invitation_refused", None, "no user")
                self._attempts.failed(change, email, visitor.source)
        raise NotRecognisedError(WRONG)

    async def accept_as(self, by: Principal, code: str) -> Invitation:
        """Accept an invitation as a user who is signed in. NotRecognisedError when it is another's, or not good."""
        user = self._book.user(by.user_id or 0)
        if user is None:
            raise NotFoundError("user behind this token or process")
        with self._attempts.attempt(user.email, by.source, self._store.clock.now()):
            async with self._store.change(by) as change:
                invitation = self._recognised(user.email, code)
                if invitation is not None:
                    self._accept(change, invitation, user)
                    return invitation
                change.record("user.invitation_refused", None, f"user {user.user_id}")
                self._attempts.failed(change, user.email, by.source)
        raise NotRecognisedError(WRONG)

    def of(self, email: str, now: int) -> Sequence[Invitation]:
        """Return the open invitations of an address."""
        return self._open(email.lower(), now)

    def accept_all(self, change: Change, user: User, invitations: Collection[Invitation]) -> None:
        """Accept invitations with `change` for a user whose address somebody else has verified."""
        for invitation in invitations:
            self._accept(change, invitation, user)

    def _check(self, by: Principal, entity_id: int | None, roles: Collection[Role]) -> None:
        if entity_id is None:
            by.require_operator()
            if roles:
                raise ConflictError("Roles are of an entity, and an operator needs none: name an entity, or no roles.")
            return
        if self._store.directory.entity(entity_id) is None or not by.sees(entity_id):
            raise NotFoundError(f"entity {entity_id}")
        self._people.require_rights(by, entity_id, roles)
        if not roles:
            raise ConflictError("Whoever is invited to an entity needs at least one role there.")
        if len(set(roles)) < len(roles):
            raise InvalidError("roles", "name one twice.", "each once")

    def _require_over(self, by: Principal, entity_id: int | None) -> None:
        if entity_id is None:
            by.require_operator()
        else:
            by.require(Right.MANAGE_PEOPLE, entity_id)

    def _make(
        self,
        change: Change,
        by: Principal,
        email: str,
        entity_id: int | None,
        roles: Collection[Role],
        *,
        registered_administrator: bool,
    ) -> Invited:
        code = base32(self._random_bytes(_CODE_BYTES))
        key, number = _hash(code), len(self._book.invitations) + 1
        expires_at = change.now + self._policy.invitation_life
        invitation = Invitation(
            number, email, entity_id, tuple(sorted(roles)), registered_administrator, by.name, change.now, expires_at
        )
        change.write(
            insert(InvitationRow).values(
                invitation_id=number,
                code_hash=key,
                email=email,
                entity_id=entity_id,
                roles=[role.value for role in invitation.roles],
                registered_administrator=registered_administrator,
                invited_by=by.name,
                created_at=change.now,
                expires_at=expires_at,
                state="open",
            )
        )
        named = [role.value for role in invitation.roles]
        change.record(
            "user.invited", entity_id, f"invitation {number}", email=email, roles=named, expires_at=expires_at
        )
        change.then(lambda: self._book.put_invitation(invitation, key))
        return Invited(invitation, "-".join(code[place : place + 6] for place in range(0, 24, 6)))

    def _open(self, email: str, now: int) -> Sequence[Invitation]:
        return [found for found in self._book.invitations.values() if found.email == email and found.open(now)]

    def _recognised(self, email: str, code: str) -> Invitation | None:
        key = _hash(code.strip().replace("-", "").replace(" ", "").upper())
        found = self._book.invitations.get(self._book.invitation_ids.get(key, 0))
        if found is None or not found.open(self._store.clock.now()):
            return None
        return found if compare_digest(found.email.encode("ascii"), email.encode("ascii")) else None

    def _accept(self, change: Change, invitation: Invitation, user: User) -> None:
        accepted = self._end(change, invitation, "accepted")
        inviter = Principal(invitation.invited_by, PrincipalKind.PERSON)
        change.record(
            "user.invitation_accepted",
            invitation.entity_id,
            f"user {user.user_id}",
            email=user.email,
            invited_by=invitation.invited_by,
        )
        if accepted.entity_id is None:
            change.write(update(UserRow).where(UserRow.user_id == user.user_id).values(operator=True))
            change.then(lambda: self._book.put_user(replace(self._book.users[user.user_id], operator=True)))
            return
        self._people.give(change, inviter, user, accepted.entity_id, accepted.roles)
        marked = user.user_id in self._book.administrators.get(accepted.entity_id, ())
        if accepted.registered_administrator and not marked:
            self._people.mark(change, user, accepted.entity_id, marked=True)

    def _become(self, change: Change, email: str, name: str, password_hash: str | None) -> User:
        """Make a user with `change`; one who had left and is invited again is the same, with nothing of before."""
        before = self._book.user_of_email(email)
        if before is None:
            user = self._users.create(change, email, name, password_hash=password_hash)
            change.record("user.created", None, f"user {user.user_id}", email=email)
            return user
        return self._users.come_back(change, before, name, password_hash=password_hash)

    def become(self, change: Change, email: str, name: str) -> User:
        """Make a user without a password with `change`."""
        return self._become(change, email, name, None)

    def _end(self, change: Change, invitation: Invitation, state: str) -> Invitation:
        ended = replace(invitation, state=state)  # type: ignore[arg-type]
        number = invitation.invitation_id
        change.write(update(InvitationRow).where(InvitationRow.invitation_id == number).values(state=state))
        change.then(lambda: self._book.invitations.update({number: ended}))
        return ended


def _invited(email: str, visitor: Visitor) -> Principal:
    return Principal(email, PrincipalKind.PERSON, source=visitor.source)


def _hash(code: str) -> bytes:
    return sha256(b"ontherun invitation|" + code.encode("utf-8", "surrogatepass")).digest()
