"""People whom an identity provider vouches for (OpenID Connect): only those who are users already, or are invited."""

from dataclasses import dataclass, replace

from sqlalchemy import update

from ontherun.keys import Secret
from ontherun.registry.attempts import Visitor
from ontherun.registry.errors import NotRecognisedError
from ontherun.registry.invitations import Invitations
from ontherun.registry.people_book import PeopleBook
from ontherun.registry.principal import Principal, PrincipalKind
from ontherun.registry.records_people import User
from ontherun.registry.sign_in import SignIn
from ontherun.registry.store import Change, Store
from ontherun.registry.tables_people import UserRow
from ontherun.registry.users import entity_of

NOT_INVITED = (
    "The identity provider knows you, but nobody has invited you to this venue, or not with an address that the "
    "provider has verified. Ask somebody who manages people at your entity."
)


@dataclass(frozen=True, slots=True)
class Identity:
    """What an identity provider says of somebody. `email` is None where it has not verified one."""

    issuer: str
    subject: str
    email: str | None
    name: str

    @property
    def key(self) -> str:
        """The one name that never changes: the provider's own, and the person's there."""
        return f"{self.issuer} {self.subject}"


class Identities:
    """Let people in whom the identity provider has recognised."""

    def __init__(self, store: Store, invitations: Invitations, sign_in: SignIn) -> None:
        self._store = store
        self._book: PeopleBook = store.directory.people
        self._invitations = invitations
        self._sign_in = sign_in

    async def sign_in(self, identity: Identity, visitor: Visitor) -> Secret:
        """Sign in who an identity provider says it is; return the cookie. NotRecognisedError when nobody is invited.

        Somebody is found by the provider's name for the person, and the first time by the verified address, which then
        is tied to that name: another person who gets the address later is not taken for the first. Open invitations of
        the address are accepted by it.
        """
        async with self._store.change(Principal("visitor", PrincipalKind.PERSON, source=visitor.source)) as change:
            user = self._found(change, identity)
            if user is not None:
                return self._sign_in.let_in(change, user, "single sign-on", visitor)
            change.record("sign_in.failed", None, "no user", what="single sign-on")
        raise NotRecognisedError(NOT_INVITED)

    def _found(self, change: Change, identity: Identity) -> User | None:
        user = self._book.user_of_subject(identity.key)
        if user is not None:
            return user if user.left_at is None else None
        if identity.email is None:
            return None
        user = self._book.user_of_email(identity.email)
        invited = self._invitations.of(identity.email, change.now)
        if user is not None and (user.subject is not None or (user.left_at is not None and not invited)):
            return None
        if user is None or user.left_at is not None:
            if not invited:
                return None
            user = self._invitations.become(change, identity.email, identity.name)
        user = self._tie(change, user, identity)
        self._invitations.accept_all(change, user, invited)
        return user

    def _tie(self, change: Change, user: User, identity: Identity) -> User:
        tied = replace(user, subject=identity.key)
        change.write(update(UserRow).where(UserRow.user_id == user.user_id).values(subject=identity.key))
        change.record(
            "user.identity_tied", entity_of(self._book, user.user_id), f"user {user.user_id}", issuer=identity.issuer
        )
        change.then(lambda: self._book.put_user(tied))
        return tied
