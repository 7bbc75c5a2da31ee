"""Who the users are: create them, and one-time links for them."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from hashlib import sha256
from zoneinfo import available_timezones

from sqlalchemy import delete, insert, update

from ontherun.keys import Secret
from ontherun.registry.checks import checked_name
from ontherun.registry.errors import InvalidError, NotFoundError
from ontherun.registry.lab_clock import machine_time
from ontherun.registry.people_book import PeopleBook
from ontherun.registry.principal import SYSTEM, Principal
from ontherun.registry.records_people import EMAIL_PATTERN, LinkPurpose, OneTimeLink, PeoplePolicy, User
from ontherun.registry.store import Change, Store
from ontherun.registry.tables_people import OneTimeLinkRow, UserRow

LOCAL_OPERATOR = "operator@localhost"
"""The user that the person at this machine is, in a LOCAL venue."""

_TOKEN_BYTES = 32


def checked_email(where: str, email: str) -> str:
    """Return an e-mail address in small letters. InvalidError when it is none."""
    if len(email) > 254 or not re.fullmatch(EMAIL_PATTERN, email):
        raise InvalidError(where, "is no e-mail address.", "name@example.com, in ASCII, at most 254 characters")
    return email.lower()


@cache
def zones() -> tuple[str, ...]:
    """Return the names of all time zones; reading them takes long."""
    return tuple(sorted(available_timezones()))


def checked_zone(zone: str) -> str:
    """Return the name of a time zone. InvalidError when there is none of that name."""
    if zone not in zones():
        raise InvalidError("zone", "is no time zone.", "an IANA name such as America/New_York")
    return zone


def entity_of(book: PeopleBook, user_id: int) -> int | None:
    """Return the entity whose audit shows what a user does with the own account: the only one, else the venue's."""
    entities = list(book.grants.get(user_id, ()))
    return entities[0] if len(entities) == 1 else None


class Users:
    """Create users and one-time links, and change what a user says of themselves."""

    def __init__(self, store: Store, policy: PeoplePolicy, random_bytes: Callable[[int], bytes]) -> None:
        self._store = store
        self._book = store.directory.people
        self._policy = policy
        self._random_bytes = random_bytes
        self._now = machine_time(store.clock)

    def create(
        self, change: Change, email: str, name: str, *, operator: bool = False, password_hash: str | None = None
    ) -> User:
        """Create a user with `change`. The caller has checked that nobody has this address."""
        user = User(
            len(self._book.users) + 1,
            email,
            checked_name("name", name),
            "UTC",
            operator,
            change.now,
            password_hash=password_hash,
            password_at=None if password_hash is None else change.now,
        )
        change.write(
            insert(UserRow).values(
                user_id=user.user_id,
                email=email,
                name=name,
                zone=user.zone,
                operator=operator,
                created_at=change.now,
                password_hash=password_hash,
                password_at=user.password_at,
            )
        )
        change.then(lambda: self._book.put_user(user))
        return user

    def come_back(self, change: Change, user: User, name: str, *, password_hash: str | None) -> User:
        """Have somebody who had left be a user again with `change`, with nothing of before but the number."""
        at = None if password_hash is None else change.now
        back = replace(user, name=checked_name("name", name), left_at=None, password_hash=password_hash, password_at=at)
        row = update(UserRow).where(UserRow.user_id == user.user_id)
        change.write(row.values(name=name, left_at=None, password_hash=password_hash, password_at=at))
        change.record("user.came_back", None, f"user {user.user_id}", email=user.email)
        change.then(lambda: self._book.put_user(back))
        return back

    async def local_operator(self) -> User:
        """Return the user that the person at this machine is; made at the first start."""
        user = self._book.user_of_email(LOCAL_OPERATOR)
        if user is not None:
            return user
        async with self._store.change(SYSTEM) as change:
            user = self.create(change, LOCAL_OPERATOR, "local operator", operator=True)
            change.record("user.created", None, f"user {user.user_id}", email=user.email, operator=True)
        return user

    async def change_profile(self, by: Principal, name: str, zone: str) -> User:
        """Change one's own name and time zone."""
        name, zone = checked_name("name", name), checked_zone(zone)
        async with self._store.change(by) as change:
            user = self._of(by)
            changed = replace(user, name=name, zone=zone)
            change.write(update(UserRow).where(UserRow.user_id == user.user_id).values(name=name, zone=zone))
            change.record(
                "user.changed", entity_of(self._book, user.user_id), f"user {user.user_id}", name=name, zone=zone
            )
            change.then(lambda: self._book.put_user(changed))
        return changed

    async def link(self, by: Principal, user_id: int, purpose: LinkPurpose) -> Secret:
        """Make a one-time link for a user; return its token, which is kept only as a hash. Only the operator may.

        Earlier links of the user for the same purpose are good no more.
        """
        by.require_operator()
        async with self._store.change(by) as change:
            user = self._book.user(user_id)
            if user is None or user.left_at is not None:
                raise NotFoundError(f"user {user_id}")
            return self.issue_link(change, user, purpose)

    def issue_link(self, change: Change, user: User, purpose: LinkPurpose) -> Secret:
        """Make a one-time link with `change`."""
        secret = Secret(self._random_bytes(_TOKEN_BYTES))
        key = link_hash(secret.text)
        self.drop_links(change, user.user_id, purpose)
        now = self._now()
        link = OneTimeLink(purpose, user.user_id, now, now + self._policy.link_life)
        change.write(
            insert(OneTimeLinkRow).values(
                token_hash=key,
                purpose=purpose.value,
                user_id=user.user_id,
                created_at=link.created_at,
                expires_at=link.expires_at,
            )
        )
        entity_id = entity_of(self._book, user.user_id)
        change.record("user.link_made", entity_id, f"user {user.user_id}", purpose=purpose.value)
        change.then(lambda: self._book.links.update({key: link}))
        return secret

    def take_link(self, change: Change, token: str, purpose: LinkPurpose) -> User | None:
        """Use a one-time link up with `change`; return whose it was, or None when it is not good."""
        user = self.owner_of_link(token, purpose)
        if user is not None:
            self._drop_link(change, link_hash(token))
        return user

    def owner_of_link(self, token: str, purpose: LinkPurpose) -> User | None:
        """Return whose a one-time link is, without using it up; None when it is not good."""
        link, now = self._book.links.get(link_hash(token)), self._now()
        if link is None or link.purpose is not purpose or not link.created_at <= now < link.expires_at:
            return None
        user = self._book.users[link.user_id]
        return None if user.left_at is not None else user

    def drop_links(self, change: Change, user_id: int, purpose: LinkPurpose | None = None) -> None:
        """Make a user's links good for nothing with `change`."""
        for key, link in self._book.links.items():
            if link.user_id == user_id and purpose in (None, link.purpose):
                self._drop_link(change, key)

    def _drop_link(self, change: Change, key: bytes) -> None:
        change.write(delete(OneTimeLinkRow).where(OneTimeLinkRow.token_hash == key))
        change.then(lambda: self._book.links.pop(key, None))

    def _of(self, by: Principal) -> User:
        user = self._book.user(by.user_id or 0)
        if user is None:
            raise NotFoundError("user behind this token or process")
        return user


def link_hash(token: str) -> bytes:
    """Return what is kept of a one-time link's token."""
    return sha256(b"ontherun link|" + token.encode("utf-8", "surrogatepass")).digest()
