"""Browsers that are signed in: a random cookie, of which only the SHA-256 is kept, so that each can be ended at once.

A new cookie is made at each sign-in and at each proof of a second factor; what a browser brought before is never taken
over (no session fixation). A session ends after half an hour without a request and after twelve hours in any case.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256

from sqlalchemy import Executable, delete, insert, update

from ontherun.keys import Secret
from ontherun.registry.attempts import Visitor
from ontherun.registry.errors import NotFoundError, UnavailableError
from ontherun.registry.lab_clock import machine_time
from ontherun.registry.people_book import PeopleBook
from ontherun.registry.principal import Principal
from ontherun.registry.records_people import MINUTE, PeoplePolicy, User, WebSession
from ontherun.registry.store import Change, Store
from ontherun.registry.tables_people import WebSessionRow

_COOKIE_BYTES = 32
_SEEN_IS_KEPT_EVERY = MINUTE
"""How old the stored time of the last request may be, in nanoseconds: not each request is worth a write."""

_EARLIER_CSRF = 10
"""How many earlier form tokens of a browser are good: one for each second factor that a person may prove in a day."""

_CLOCK_STEP = MINUTE
"""How far the clock may be set back without ending sessions, in nanoseconds: machines correct theirs a little."""

LARGEST_AGENT = 200
MOST_OF_A_USER = 20
"""Browsers that a user may be signed in with at once; the oldest gives way."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A browser that was recognised: whose it is, with the rights of this moment."""

    principal: Principal
    user: User
    session: WebSession
    csrf: str
    earlier_csrf: tuple[str, ...] = ()
    """The tokens of cookies that this one replaced: a page that was open before a proof is still this browser's."""


def csrf_of(cookie: str) -> str:
    """Return the token that forms of a browser with this cookie carry. It cannot be had from what is stored."""
    return Secret(sha256(b"ontherun form|" + _bytes(cookie)).digest()).text


class WebSessions:
    """Begin, recognise, list and end the sessions of browsers."""

    def __init__(self, store: Store, policy: PeoplePolicy, random_bytes: Callable[[int], bytes]) -> None:
        self._store = store
        self._book: PeopleBook = store.directory.people
        self._policy = policy
        self._random_bytes = random_bytes
        self._now = machine_time(store.clock)
        self._kept: dict[bytes, int] = {}
        self._earlier_csrf: dict[int, tuple[str, ...]] = {}
        self._last_number = max((session.web_session_id for session in self._book.web_sessions.values()), default=0)

    def begin(self, change: Change, user: User, method: str, visitor: Visitor) -> Secret:
        """Begin a session with `change`; return the cookie, which nobody will see again."""
        secret, now = Secret(self._random_bytes(_COOKIE_BYTES)), self._now()
        key = _hash(secret.text)
        self._last_number += 1
        agent = "".join(letter for letter in visitor.agent if letter.isprintable())[:LARGEST_AGENT]
        session = WebSession(self._last_number, user.user_id, method, visitor.source, agent, now, now)
        for old, _ in self._book.web_sessions_of(user.user_id)[: -MOST_OF_A_USER + 1]:
            self.drop(change, old)
        change.write(
            insert(WebSessionRow).values(
                web_session_id=session.web_session_id,
                cookie_hash=key,
                user_id=user.user_id,
                method=method,
                source=session.source,
                agent=agent,
                created_at=now,
                seen_at=now,
            )
        )
        change.then(lambda: self._book.web_sessions.update({key: session}))
        return secret

    async def recognise(self, cookie: str, source: str | None) -> SignedIn | None:
        """Return who is signed in with a cookie, and remember that it was seen. None when nobody is.

        One that is over is forgotten for good, so that a clock that moves back revives nothing.
        """
        key, now = _hash(cookie), self._now()
        session = self._book.web_sessions.get(key)
        if session is None:
            return None
        user = self._book.users[session.user_id]
        principal = self._book.principal_of(user, source)
        if principal is None or not self._lives(session, now):
            await self._forget(key)
            return None
        principal = replace(principal, signed_in_at=session.created_at)
        session = replace(session, seen_at=max(session.seen_at, now))
        self._book.web_sessions[key] = session
        if now - self._kept.get(key, session.created_at) >= _SEEN_IS_KEPT_EVERY:
            self._kept[key] = now
            await self._keep_quietly(update(WebSessionRow).where(WebSessionRow.cookie_hash == key).values(seen_at=now))
        earlier = self._earlier_csrf.get(session.web_session_id, ())
        return SignedIn(principal, user, session, csrf_of(cookie), earlier)

    async def rotate(self, cookie: str) -> Secret | None:
        """Give the session of a cookie a new one; the old cookie is good no more. None when there is no such session.

        Who has proved a second factor is trusted with more than whoever may have taken the cookie before.
        """
        before, secret = _hash(cookie), Secret(self._random_bytes(_COOKIE_BYTES))
        key = _hash(secret.text)
        row = update(WebSessionRow).where(WebSessionRow.cookie_hash == before)
        try:
            await self._store.note(row.values(cookie_hash=key))
        except UnavailableError:
            return None  # the proof is committed: an old cookie is better than an answer that is lost
        session = self._book.web_sessions.pop(before, None)
        if session is None:
            return None
        self._book.web_sessions[key] = session
        self._kept[key] = self._kept.pop(before, session.seen_at)
        earlier = self._earlier_csrf.get(session.web_session_id, ())
        self._earlier_csrf[session.web_session_id] = (csrf_of(cookie), *earlier)[:_EARLIER_CSRF]
        return secret

    def list(self, by: Principal) -> list[WebSession]:
        """Return the principal's own sessions, the newest first."""
        if by.user_id is None:
            return []
        now = self._now()
        found = [session for _, session in self._book.web_sessions_of(by.user_id) if self._lives(session, now)]
        return found[::-1]

    def here(self, cookie: str) -> int | None:
        """Return the number of the session of a cookie, or None."""
        session = self._book.web_sessions.get(_hash(cookie))
        return None if session is None else session.web_session_id

    async def end(self, by: Principal, web_session_id: int) -> None:
        """End one of the principal's own sessions. NotFoundError when there is none of that number."""
        async with self._store.change(by) as change:
            for key, session in self._book.web_sessions_of(by.user_id or 0):
                if session.web_session_id == web_session_id:
                    self.drop(change, key)
                    change.record("user.signed_out", None, f"user {session.user_id}", web_session=web_session_id)
                    return
            raise NotFoundError(f"session {web_session_id} of yours")

    async def end_others(self, by: Principal, cookie: str) -> int:
        """End all of the principal's own sessions but that of a cookie; return how many."""
        key = _hash(cookie)
        others = [other for other, _ in self._book.web_sessions_of(by.user_id or 0) if other != key]
        if others:
            async with self._store.change(by) as change:
                for other in others:
                    self.drop(change, other)
                change.record("user.signed_out", None, f"user {by.user_id}", web_sessions=len(others))
        return len(others)

    async def sign_out(self, by: Principal, cookie: str) -> None:
        """End the session of a cookie; nothing when there is none."""
        key = _hash(cookie)
        session = self._book.web_sessions.get(key)
        if session is None:
            return
        async with self._store.change(by) as change:
            self.drop(change, key)
            change.record("user.signed_out", None, f"user {session.user_id}", web_session=session.web_session_id)

    def drop(self, change: Change, key: bytes) -> None:
        """End the session of a cookie's hash with `change`."""
        change.write(delete(WebSessionRow).where(WebSessionRow.cookie_hash == key))
        change.then(lambda: self._drop(key))

    def drop_all(self, change: Change, user_id: int, but: str | None = None) -> int:
        """End every session of a user with `change`, but for the one of the cookie `but`; return how many."""
        kept = None if but is None else _hash(but)
        keys = [key for key, _ in self._book.web_sessions_of(user_id) if key != kept]
        for key in keys:
            self.drop(change, key)
        return len(keys)

    def _lives(self, session: WebSession, now: int) -> bool:
        return (
            session.seen_at - _CLOCK_STEP <= now < session.seen_at + self._policy.session_idle
            and now < session.created_at + self._policy.session_life
        )

    def _drop(self, key: bytes) -> None:
        session = self._book.web_sessions.pop(key, None)
        if session is not None:
            self._earlier_csrf.pop(session.web_session_id, None)
        self._kept.pop(key, None)

    async def _forget(self, key: bytes) -> None:
        self._drop(key)
        await self._keep_quietly(delete(WebSessionRow).where(WebSessionRow.cookie_hash == key))

    async def _keep_quietly(self, statement: Executable) -> None:
        """A database that is busy must not keep people from reading; the directory knows already."""
        try:
            await self._store.note(statement)
        except UnavailableError:
            return


def _bytes(cookie: str) -> bytes:
    return cookie.encode("utf-8", "surrogatepass")


def _hash(cookie: str) -> bytes:
    return sha256(b"ontherun cookie|" + _bytes(cookie)).digest()
