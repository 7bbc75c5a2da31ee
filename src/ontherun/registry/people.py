"""What people may do: roles at entities, registered administrators, leavers, accounts that are locked.

Nobody gives a right that they do not have. Who grants roles proves a second factor (CME Customer Center help, Adding
User Entitlements: the granter enters the login password again).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import delete, insert, update

from ontherun.registry.attempts import AttemptCounter, account_key
from ontherun.registry.errors import ConflictError, ForbiddenError, NotFoundError, SecondFactorRequiredError
from ontherun.registry.people_book import PeopleBook
from ontherun.registry.principal import RIGHTS_OF, Principal, Right, Role, SecondFactor
from ontherun.registry.records_people import LinkPurpose, PeoplePolicy, User
from ontherun.registry.refusals import Refusals
from ontherun.registry.second_factors import Budget, SecondFactors
from ontherun.registry.store import Change, Store
from ontherun.registry.tables_people import (
    InvitationRow,
    RegisteredAdministratorRow,
    RoleGrantRow,
    UserRow,
)
from ontherun.registry.tokens import ApiTokens
from ontherun.registry.users import Users, entity_of
from ontherun.registry.web_sessions import WebSessions


@dataclass(frozen=True, slots=True)
class Left:
    """What a leaver lost. `service_tokens` are those that the person made for services: the person may know them."""

    user: User | None
    roles: int
    web_sessions: int
    api_tokens: int
    invitations: int
    account_closed: bool
    service_tokens: tuple[int, ...]


class People:
    """See, grant and take away what people may do."""

    def __init__(
        self,
        store: Store,
        users: Users,
        sessions: WebSessions,
        tokens: ApiTokens,
        second_factors: SecondFactors,
        attempts: AttemptCounter,
        policy: PeoplePolicy,
        refusals: Refusals,
    ) -> None:
        self._store = store
        self._directory = store.directory
        self._book: PeopleBook = store.directory.people
        self._users = users
        self._sessions = sessions
        self._tokens = tokens
        self._second_factors = second_factors
        self._attempts = attempts
        self._policy = policy
        self._refusals = refusals

    # Second factors, where pages look for them.

    async def prove(self, by: Principal, answer: str | None) -> SecondFactor:
        """See `SecondFactors.prove`. That there was no answer is an attempt that the audit keeps."""
        try:
            return await self._second_factors.prove(by, answer)
        except SecondFactorRequiredError as error:
            await self._refusals.note(by, error)
            raise

    def budget(self, by: Principal, now: int) -> Budget:
        """See `SecondFactors.budget`."""
        return self._second_factors.budget(by, now)

    # Seeing.

    def list(self, by: Principal, entity_id: int | None = None) -> list[User]:
        """Return the users with a role at the entities that the principal sees (or at one), and the principal's own.

        The operator sees all. In the order of their creation; those who have left are last known to the operator only.
        """
        if entity_id is not None:
            self._seen(by, entity_id)
            return self._book.users_at(entity_id)
        return [user for user in self._book.users.values() if self.sees(by, user)]

    def get(self, by: Principal, user_id: int) -> User:
        """Return a user. NotFoundError when there is none for this principal."""
        user = self._book.user(user_id)
        if user is None or not self.sees(by, user):
            raise NotFoundError(f"user {user_id}")
        return user

    def sees(self, by: Principal, user: User) -> bool:
        """Whether a user exists for a principal."""
        if by.operator or user.user_id == by.user_id:
            return True
        return any(by.sees(entity_id) for entity_id in self._book.grants.get(user.user_id, ()))

    def roles_seen(self, by: Principal, user: User) -> dict[int, frozenset[Role]]:
        """Return a user's roles at the entities that the principal sees."""
        return {
            entity_id: roles
            for entity_id, roles in self._book.grants.get(user.user_id, {}).items()
            if by.sees(entity_id) or user.user_id == by.user_id
        }

    def locked_until(self, user: User) -> int | None:
        """Return until when too many failed attempts keep a user from signing in with a password, or None."""
        return self._attempts.locked_until(account_key(user.email), self._store.clock.now())

    # Granting.

    async def grant(
        self, by: Principal, user_id: int, entity_id: int, role: Role, second_factor: SecondFactor | None
    ) -> User:
        """Give a user a role at an entity. ConflictError when the user has it."""
        by.require_second_factor(second_factor, self._store.clock.now())
        async with self._store.change(by) as change:
            user = self._managed(by, user_id, entity_id)
            self.require_rights(by, entity_id, (role,))
            if user.left_at is not None:
                raise ConflictError(f"{user.email} has left. Invite the person again.")
            if role in self._book.roles(user_id, entity_id):
                raise ConflictError(f"{user.email} has the role {role} there already.")
            self.give(change, by, user, entity_id, (role,))
        return user

    def give(self, change: Change, by: Principal, user: User, entity_id: int, roles: Collection[Role]) -> None:
        """Give a user roles with `change`; those that the user has stay."""
        held = self._book.roles(user.user_id, entity_id)
        for role in sorted(set(roles) - held):
            change.write(
                insert(RoleGrantRow).values(
                    user_id=user.user_id,
                    entity_id=entity_id,
                    role=role.value,
                    granted_at=change.now,
                    granted_by=by.name,
                )
            )
            change.record("role.granted", entity_id, f"user {user.user_id}", role=role.value, email=user.email)
        change.then(lambda: self._book.put_roles(user.user_id, entity_id, held.union(roles)))

    async def revoke(
        self, by: Principal, user_id: int, entity_id: int, role: Role, second_factor: SecondFactor | None
    ) -> User:
        """Take a role at an entity from a user, with immediate effect. The last Admin Managers cannot be taken away."""
        by.require_second_factor(second_factor, self._store.clock.now())
        async with self._store.change(by) as change:
            user = self._managed(by, user_id, entity_id)
            if role not in self._book.roles(user_id, entity_id):
                raise ConflictError(f"{user.email} does not have the role {role} there.")
            if role is Role.ADMIN_MANAGER:
                self._keep_enough_managers(user, entity_id)
            self._take(change, user, entity_id, {role})
        return user

    async def mark_administrator(self, by: Principal, user_id: int, entity_id: int, *, marked: bool) -> User:
        """Have a user get the entity's expiry mail, or not. Admin Managers always do."""
        async with self._store.change(by) as change:
            user = self._managed(by, user_id, entity_id)
            held = self._book.administrators.setdefault(entity_id, set())
            if marked is (user_id in held):
                raise ConflictError(f"{user.email} is {'' if marked else 'not '}marked there already.")
            self.mark(change, user, entity_id, marked=marked)
        return user

    def mark(self, change: Change, user: User, entity_id: int, *, marked: bool) -> None:
        """Mark or unmark a registered administrator with `change`."""
        table, user_id = RegisteredAdministratorRow, user.user_id
        if marked:
            change.write(insert(table).values(user_id=user_id, entity_id=entity_id))
        else:
            change.write(delete(table).where(table.user_id == user_id, table.entity_id == entity_id))
        action = "user.administrator_marked" if marked else "user.administrator_unmarked"
        change.record(action, entity_id, f"user {user_id}", email=user.email)
        held = self._book.administrators.setdefault(entity_id, set())
        change.then(lambda: held.add(user_id) if marked else held.discard(user_id))

    # Leaving.

    async def leave(self, by: Principal, email: str) -> Left:
        """End everything that a person has in the entities that the principal manages, in one change.

        Roles, marks and open invitations there; and for a person who has no role left anywhere the account, with its
        web sessions, API tokens, passkeys and authenticator app. What a person with roles elsewhere keeps is what
        belongs there; a token of theirs that is bound to no entity shrinks with the roles, and every browser is signed
        out. An address that nobody has, or nobody here, is answered alike: NotFoundError.
        """
        managed = by.entities(Right.MANAGE_PEOPLE)
        async with self._store.change(by) as change:
            user = self._book.user_of_email(email)
            user = None if user is None or user.left_at is not None else user
            held = {} if user is None else self._book.grants.get(user.user_id, {})
            entities = [entity_id for entity_id in held if managed is None or entity_id in managed]
            invitations = self._withdraw_all(change, email, managed)
            if user is None or not (entities or by.operator):
                if user is not None and self.sees(by, user):
                    raise ForbiddenError(f"{by.name} does not manage {user.email}.")
                if invitations:
                    return Left(None, 0, 0, 0, invitations, False, ())
                raise NotFoundError(f"person with the address {email} whom you manage")
            return self._leave(change, by, user, entities, invitations)

    def _leave(self, change: Change, by: Principal, user: User, entities: Sequence[int], invitations: int) -> Left:
        roles = 0
        for entity_id in entities:
            taken = self._book.roles(user.user_id, entity_id)
            if Role.ADMIN_MANAGER in taken:
                self._keep_enough_managers(user, entity_id)
            roles += len(taken)
            self._take(change, user, entity_id, taken)
        for entity_id, marked in self._book.administrators.items():
            if user.user_id in marked and (by.operator or by.may(Right.MANAGE_PEOPLE, entity_id)):
                self.mark(change, user, entity_id, marked=False)
        elsewhere = set(self._book.grants.get(user.user_id, {})) - set(entities)
        gone = not elsewhere and (by.operator or not user.operator)
        own = [
            token
            for token in self._book.tokens_of(user.user_id)
            if token.revoked_at is None and (gone or token.entity_id in entities)
        ]
        for token in own:
            self._tokens.end(change, token)
        ended = self._sessions.drop_all(change, user.user_id)
        self._users.drop_links(change, user.user_id)
        if gone:
            self._close(change, user)
        made = tuple(
            token.token_id
            for token in self._book.tokens.values()
            if token.owner is None
            and token.created_by == user.email
            and token.valid(change.now)
            and by.sees(token.entity_id)
        )
        change.record(
            "user.left",
            entities[0] if len(entities) == 1 else None,
            f"user {user.user_id}",
            email=user.email,
            roles=roles,
            web_sessions=ended,
            api_tokens=len(own),
            account_closed=gone,
        )
        return Left(user, roles, ended, len(own), invitations, gone, made)

    def _close(self, change: Change, user: User) -> None:
        left = replace(user, left_at=change.now, operator=False, password_hash=None, subject=None)
        values = {"left_at": change.now, "operator": False, "password_hash": None, "subject": None}
        change.write(update(UserRow).where(UserRow.user_id == user.user_id).values(**values))
        self._second_factors.drop_all(change, user.user_id)
        change.then(lambda: self._book.put_user(left))

    def _withdraw_all(self, change: Change, email: str, managed: frozenset[int] | None) -> int:
        found = [
            invitation
            for invitation in self._book.invitations.values()
            if invitation.email == email.lower()
            and invitation.state == "open"
            and (managed is None or invitation.entity_id in managed)
        ]
        for invitation in found:
            number, withdrawn = invitation.invitation_id, replace(invitation, state="withdrawn")
            change.write(update(InvitationRow).where(InvitationRow.invitation_id == number).values(state="withdrawn"))
            change.record(
                "user.invitation_withdrawn", invitation.entity_id, f"invitation {number}", email=email.lower()
            )
            change.then(partial(self._book.invitations.__setitem__, number, withdrawn))
        return len(found)

    # Helping.

    async def unlock(self, by: Principal, user_id: int) -> User:
        """Forget the failed attempts of a user whom the principal manages."""
        async with self._store.change(by) as change:
            user = self._helped(by, user_id)
            self._attempts.forget(change, user.email)
            change.record("user.unlocked", entity_of(self._book, user_id), f"user {user_id}", email=user.email)
        return user

    async def reset(self, by: Principal, user_id: int, second_factor: SecondFactor | None) -> str:
        """Take every credential from a user, end the browsers, and return the token of a link to set a new password.

        Only for one who manages every entity in which the user has a role: the link is as good as being the user.
        """
        by.require_second_factor(second_factor, self._store.clock.now())
        async with self._store.change(by) as change:
            user = self._helped(by, user_id)
            theirs = self._book.grants.get(user_id, {})
            if not by.operator and (user.operator or not all(self._manages(by, entity_id) for entity_id in theirs)):
                raise ForbiddenError(
                    f"{user.email} has rights that you do not manage, and whoever sets the password anew has them all. "
                    "Ask the operator of the venue."
                )
            bare = replace(user, password_hash=None, password_at=None)
            change.write(update(UserRow).where(UserRow.user_id == user_id).values(password_hash=None, password_at=None))
            change.then(lambda: self._book.put_user(bare))
            self._second_factors.drop_all(change, user_id)
            self._sessions.drop_all(change, user_id)
            self._attempts.forget(change, user.email)
            change.record("user.reset", entity_of(self._book, user_id), f"user {user_id}", email=user.email)
            return self._users.issue_link(change, user, LinkPurpose.NEW_PASSWORD).text

    # What is asked before.

    def require_rights(self, by: Principal, entity_id: int, roles: Collection[Role]) -> None:
        """ForbiddenError unless the principal manages people at an entity and has every right that the roles give."""
        by.require(Right.MANAGE_PEOPLE, entity_id)
        for role in roles:
            for right in sorted(RIGHTS_OF[role]):
                if not by.may(right, entity_id):
                    raise ForbiddenError(f"{by.name} may not {right} here and cannot give the role {role}.")

    def enough_managers(self, entity_id: int) -> bool:
        """Whether an entity has as many Admin Managers as the policy asks for."""
        return len(self._book.admin_managers(entity_id)) >= self._policy.minimum_admin_managers

    def _keep_enough_managers(self, user: User, entity_id: int) -> None:
        left = [manager for manager in self._book.admin_managers(entity_id) if manager.user_id != user.user_id]
        if len(left) < self._policy.minimum_admin_managers:
            raise ConflictError(
                f"Entity {entity_id} needs at least {self._policy.minimum_admin_managers} Admin Managers and would "
                f"have {len(left)} without {user.email}. Give somebody else the role first."
            )

    def _take(self, change: Change, user: User, entity_id: int, roles: Collection[Role]) -> None:
        table = RoleGrantRow
        rest = self._book.roles(user.user_id, entity_id).difference(roles)
        for role in sorted(roles):
            change.write(
                delete(table).where(
                    table.user_id == user.user_id, table.entity_id == entity_id, table.role == role.value
                )
            )
            change.record("role.revoked", entity_id, f"user {user.user_id}", role=role.value, email=user.email)
        change.then(lambda: self._book.put_roles(user.user_id, entity_id, rest))

    def _seen(self, by: Principal, entity_id: int) -> None:
        if self._directory.entity(entity_id) is None or not by.sees(entity_id):
            raise NotFoundError(f"entity {entity_id}")

    def _managed(self, by: Principal, user_id: int, entity_id: int) -> User:
        self._seen(by, entity_id)
        user = self.get(by, user_id)
        by.require(Right.MANAGE_PEOPLE, entity_id)
        return user

    def _manages(self, by: Principal, entity_id: int) -> bool:
        return by.may(Right.MANAGE_PEOPLE, entity_id)

    def _helped(self, by: Principal, user_id: int) -> User:
        user = self.get(by, user_id)
        theirs = self._book.grants.get(user_id, {})
        if not by.operator and not any(self._manages(by, entity_id) for entity_id in theirs):
            raise ForbiddenError(f"{by.name} does not manage {user.email}.")
        return user
