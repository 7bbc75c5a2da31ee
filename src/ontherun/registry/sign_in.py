"""How somebody at the door becomes a user who is signed in.

Each way in ends in a new cookie and an audit entry; each failure in the same words, after the same work, whether or not
there is such an account, and in an audit entry that names the account but never what was typed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256

from sqlalchemy import update

from ontherun.keys import Secret
from ontherun.registry.attempts import AttemptCounter, Visitor
from ontherun.registry.errors import NotRecognisedError
from ontherun.registry.passkeys import Passkeys
from ontherun.registry.passwords import LONGEST, Passwords, checked_password
from ontherun.registry.people_book import PeopleBook
from ontherun.registry.principal import Principal, PrincipalKind, SecondFactor
from ontherun.registry.records_people import MINUTE, LinkPurpose, PeoplePolicy, User
from ontherun.registry.second_factors import WRONG_CODE, SecondFactors
from ontherun.registry.store import Change, Store
from ontherun.registry.tables_people import UserRow
from ontherun.registry.users import Users, entity_of
from ontherun.registry.web_sessions import WebSessions

WRONG = "The e-mail address or the password is not right."
WRONG_LINK = "This link is not good: it was used, it is too old, or there is a newer one."
WRONG_PASSKEY = "This passkey is not known here, or it took too long."
TOO_LATE = "This took too long. Begin again with your password."

_TICKET_LIFE = 5 * MINUTE
_MOST_TICKETS = 1000


@dataclass(frozen=True, slots=True)
class SecondFactorOwed:
    """The password was right, and a second factor is still to come. `ticket` is good for five minutes."""

    ticket: str
    passkeys: bool


@dataclass(frozen=True, slots=True)
class _Ticket:
    user: User
    made_at: int


class SignIn:
    """Lets people in."""

    def __init__(
        self,
        store: Store,
        users: Users,
        sessions: WebSessions,
        attempts: AttemptCounter,
        passwords: Passwords,
        passkeys: Passkeys,
        second_factors: SecondFactors,
        policy: PeoplePolicy,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._book: PeopleBook = store.directory.people
        self._users = users
        self._sessions = sessions
        self._attempts = attempts
        self._passwords = passwords
        self._passkeys = passkeys
        self._second_factors = second_factors
        self._policy = policy
        self._random_bytes = random_bytes
        self._tickets: dict[bytes, _Ticket] = {}

    async def with_link(self, token: str, visitor: Visitor) -> Secret:
        """Sign in with a one-time link, which is used up; return the cookie. NotRecognisedError when it is not good."""
        with self._attempts.attempt(None, visitor.source, self._store.clock.now()):
            async with self._store.change(_at_the_door(visitor)) as change:
                user = self._users.take_link(change, token, LinkPurpose.SIGN_IN)
                if user is not None:
                    return self.let_in(change, user, "link", visitor)
                self._failed(change, None, None, "link", visitor)
        raise NotRecognisedError(WRONG_LINK)

    async def with_password(self, email: str, password: str, visitor: Visitor) -> Secret | SecondFactorOwed:
        """Sign in with e-mail address and password; return the cookie, or what is still owed.

        NotRecognisedError when one is not right, TooManyAttemptsError when no attempt may be made now.
        """
        with self._attempts.attempt(email, visitor.source, self._store.clock.now()):
            user = self._known(email)
            right = await self._passwords.matches(None if user is None else user.password_hash, password)
            if user is not None and right and user is self._known(email):
                if self._book.has_second_factor(user.user_id):
                    return self._owed(user)
                fresh = await self._rehashed(user, password)
                async with self._store.change(_at_the_door(visitor)) as change:
                    self._attempts.forget(change, email)
                    self._keep_hash(change, user, fresh)
                    return self.let_in(change, user, "password", visitor)
            async with self._store.change(_at_the_door(visitor)) as change:
                self._failed(change, email, user, "password", visitor)
        raise NotRecognisedError(WRONG)

    async def with_second_factor(self, ticket: str, answer: str, visitor: Visitor) -> Secret:
        """Go on after the password with a code, a recovery code or a passkey's answer; return the cookie.

        Besides the errors of `with_password`, SecondFactorsSpentError when today's are spent.
        """
        key, now = _hash(ticket), self._store.clock.now()
        held = self._tickets.get(key)
        if held is None or not 0 <= now - held.made_at < _TICKET_LIFE:
            raise NotRecognisedError(TOO_LATE)
        with self._attempts.attempt(held.user.email, visitor.source, now):
            async with self._store.change(_at_the_door(visitor)) as change:
                user = self._known(held.user.email)
                if user is None or user.password_hash != held.user.password_hash or key not in self._tickets:
                    raise NotRecognisedError(TOO_LATE)
                self._second_factors.require_budget(user.user_id, change.now)
                kind = self._second_factors.check(change, user, answer)
                if kind is not None:
                    self._second_factors.spend(change, user.user_id)
                    self._attempts.forget(change, user.email)
                    change.then(lambda: self._tickets.pop(key, None))
                    return self.let_in(change, user, f"password and {kind}", visitor)
                self._failed(change, user.email, user, "second factor", visitor)
        raise NotRecognisedError(WRONG_CODE)

    async def with_passkey(self, answer: str, visitor: Visitor) -> Secret:
        """Sign in with a passkey alone, which is two factors in one; return the cookie. NotRecognisedError if not.

        A lock after wrong passwords does not keep a passkey out: it cannot be guessed.
        """
        with self._attempts.attempt(None, visitor.source, self._store.clock.now()):
            async with self._store.change(_at_the_door(visitor)) as change:
                passkey = self._passkeys.check(change, answer, None)
                user = None if passkey is None else self._book.user(passkey.user_id)
                if user is not None and user.left_at is None:
                    self._second_factors.require_budget(user.user_id, change.now)
                    self._second_factors.spend(change, user.user_id)
                    self._attempts.forget(change, user.email)
                    return self.let_in(change, user, "passkey", visitor)
                self._failed(change, None, user, "passkey", visitor)
        raise NotRecognisedError(WRONG_PASSKEY)

    async def with_new_password(self, token: str, password: str, visitor: Visitor) -> Secret:
        """Set a new password with a one-time link for it, and sign in; return the cookie.

        NotRecognisedError when the link is not good, InvalidError when the password is not.
        """
        owner = self._users.owner_of_link(token, LinkPurpose.NEW_PASSWORD)
        if owner is None:
            raise NotRecognisedError(WRONG_LINK)
        checked_password(password, self._policy.shortest_password, (owner.email, owner.name))
        hashed = await self._passwords.hash(password)
        async with self._store.change(_at_the_door(visitor)) as change:
            user = self._users.take_link(change, token, LinkPurpose.NEW_PASSWORD)
            if user is None:
                raise NotRecognisedError(WRONG_LINK)
            user = self._set_password(change, user, hashed)
            return self.let_in(change, user, "new password", visitor)

    async def change_password(
        self, by: Principal, current: str, password: str, visitor: Visitor, second_factor: SecondFactor | None = None
    ) -> Secret:
        """Change one's own password, given the present one; every other browser is signed out.

        Who has none yet proves a second factor, or that the sign-in is fresh: see `SecondFactors.require_proof`.
        Return the new cookie of this one. NotRecognisedError when the present password is not right.
        """
        user = self._book.users[by.user_id or 0]
        if user.password_hash is None:
            self._second_factors.require_proof(by, second_factor)
        with self._attempts.attempt(user.email, by.source, self._store.clock.now()):
            right = user.password_hash is None or await self._passwords.matches(user.password_hash, current)
            if right:
                checked_password(password, self._policy.shortest_password, (user.email, user.name))
                hashed = await self._passwords.hash(password)
                async with self._store.change(by) as change:
                    self._attempts.forget(change, user.email)
                    self._sessions.drop_all(change, user.user_id)
                    self._users.drop_links(change, user.user_id)
                    user = self._set_password(change, self._book.users[user.user_id], hashed)
                    return self._sessions.begin(change, user, "password", visitor)
            async with self._store.change(by) as change:
                self._failed(change, user.email, user, "password", visitor)
        raise NotRecognisedError("The present password is not right.")

    def let_in(self, change: Change, user: User, method: str, visitor: Visitor) -> Secret:
        """Begin a session with `change`; return the cookie."""
        cookie = self._sessions.begin(change, user, method, visitor)
        entity_id = entity_of(self._book, user.user_id)
        change.record("sign_in.succeeded", entity_id, f"user {user.user_id}", email=user.email, method=method)
        return cookie

    def _known(self, email: str) -> User | None:
        user = self._book.user_of_email(email.strip())
        return user if user is not None and user.left_at is None else None

    def _owed(self, user: User) -> SecondFactorOwed:
        ticket = Secret(self._random_bytes(32)).text
        while len(self._tickets) >= _MOST_TICKETS:
            del self._tickets[next(iter(self._tickets))]
        self._tickets[_hash(ticket)] = _Ticket(user, self._store.clock.now())
        return SecondFactorOwed(ticket, bool(self._book.passkeys_of(user.user_id)))

    async def _rehashed(self, user: User, password: str) -> str | None:
        if user.password_hash is None or not self._passwords.needs_rehash(user.password_hash):
            return None
        return await self._passwords.hash(password[:LONGEST])

    def _keep_hash(self, change: Change, user: User, password_hash: str | None) -> None:
        if password_hash is not None:
            self._put_hash(change, user, password_hash, user.password_at)

    def _set_password(self, change: Change, user: User, password_hash: str) -> User:
        change.record("user.password_changed", entity_of(self._book, user.user_id), f"user {user.user_id}")
        return self._put_hash(change, user, password_hash, change.now)

    def _put_hash(self, change: Change, user: User, password_hash: str, at: int | None) -> User:
        changed = replace(user, password_hash=password_hash, password_at=at)
        row = update(UserRow).where(UserRow.user_id == user.user_id)
        change.write(row.values(password_hash=password_hash, password_at=at))
        change.then(lambda: self._book.put_user(changed))
        return changed

    def _failed(self, change: Change, email: str | None, user: User | None, what: str, visitor: Visitor) -> None:
        locks = self._attempts.failed(change, email, visitor.source)
        subject = "no user" if user is None else f"user {user.user_id}"
        entity_id = None if user is None else entity_of(self._book, user.user_id)
        change.record("sign_in.failed", entity_id, subject, what=what)
        if locks:
            change.record("sign_in.locked", entity_id, subject)


def _at_the_door(visitor: Visitor) -> Principal:
    return Principal("visitor", PrincipalKind.PERSON, source=visitor.source)


def _hash(ticket: str) -> bytes:
    return sha256(ticket.encode("utf-8", "surrogatepass")).digest()
