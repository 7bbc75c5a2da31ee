"""How somebody at the door becomes a user who is signed in.

Each way in ends in a new cookie and an audit entry; each failure in the same words, after the same work, whether or not
there is such an account, and in an audit entry that names the account but never what was typed.
"""

from ontherun.keys import Secret
from ontherun.registry.attempts import AttemptCounter, Visitor
from ontherun.registry.errors import NotRecognisedError
from ontherun.registry.passwords import Passwords
from ontherun.registry.principal import Principal, PrincipalKind
from ontherun.registry.records_people import LinkPurpose, User
from ontherun.registry.store import Change, Store
from ontherun.registry.users import Users, entity_of
from ontherun.registry.web_sessions import WebSessions

WRONG = "The e-mail address or the password is not right."
WRONG_LINK = "This link is not good: it was used, it is too old, or there is a newer one."


class SignIn:
    """Lets people in."""

    def __init__(
        self, store: Store, users: Users, sessions: WebSessions, attempts: AttemptCounter, passwords: Passwords
    ) -> None:
        self._store = store
        self._book = store.directory.people
        self._users = users
        self._sessions = sessions
        self._attempts = attempts
        self._passwords = passwords

    async def with_link(self, token: str, visitor: Visitor) -> Secret:
        """Sign in with a one-time link, which is used up; return the cookie. NotRecognisedError when it is not good."""
        async with self._store.change(_at_the_door(visitor)) as change:
            user = self._users.take_link(change, token, LinkPurpose.SIGN_IN)
            if user is None:
                raise NotRecognisedError(WRONG_LINK)
            return self._let_in(change, user, "link", visitor)

    async def with_password(self, email: str, password: str, visitor: Visitor) -> Secret:
        """Sign in with e-mail address and password; return the cookie.

        NotRecognisedError when one is not right, TooManyAttemptsError when no attempt may be made now.
        """
        with self._attempts.attempt(email, visitor.source, self._store.clock.now()):
            user = self._known(email)
            right = await self._passwords.matches(None if user is None else user.password_hash, password)
            async with self._store.change(_at_the_door(visitor)) as change:
                if user is not None and right and user is self._known(email):
                    self._attempts.forget(change, email)
                    return self._let_in(change, user, "password", visitor)
                self._failed(change, email, user, "password", visitor)
        raise NotRecognisedError(WRONG)

    def _known(self, email: str) -> User | None:
        user = self._book.user_of_email(email.strip())
        return user if user is not None and user.left_at is None else None

    def _let_in(self, change: Change, user: User, method: str, visitor: Visitor) -> Secret:
        cookie = self._sessions.begin(change, user, method, visitor)
        entity_id = entity_of(self._book, user.user_id)
        change.record("sign_in.succeeded", entity_id, f"user {user.user_id}", email=user.email, method=method)
        return cookie

    def _failed(self, change: Change, email: str, user: User | None, what: str, visitor: Visitor) -> None:
        locks = self._attempts.failed(change, email, visitor.source)
        subject = "no user" if user is None else f"user {user.user_id}"
        entity_id = None if user is None else entity_of(self._book, user.user_id)
        change.record("sign_in.failed", entity_id, subject, what=what)
        if locks:
            change.record("sign_in.locked", entity_id, subject)


def _at_the_door(visitor: Visitor) -> Principal:
    return Principal("visitor", PrincipalKind.PERSON, source=visitor.source)
