"""Passwords: argon2id in a thread, two at a time, and what makes a password too easy to guess.

The rules are those of NIST SP 800-63B and OWASP ASVS 5 (6.2): length counts, no composition rules, no forced change;
common and breached passwords and words of the context are refused. What is common is judged by zxcvbn (the 30,000
passwords that leaks show most often, names, words, dates, rows of keys, and what is made of them) and by a short list
of our own, without asking anybody on the network.
"""

import asyncio
import re
import unicodedata
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ontherun.registry.errors import InvalidError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LONGEST: Final = 256
"""Characters of the longest password."""

_AT_ONCE: Final = 2
"""Hashes that are computed at once: each takes 64 MiB and a tenth of a second."""

_CONTEXT: Final = ("ontherun", "brokertec", "ilink", "globex")
_FEWEST_GUESSES: Final = 10**8
"""What somebody has to try at least, by zxcvbn's estimate: its score 3, "safely unguessable" where attempts are few."""

_JUDGED: Final = 72
"""Characters of a password that zxcvbn looks at: its work grows with their square."""

_SHORTEST_REST: Final = 6
"""Characters that must be left of a password once what can be guessed is taken out of it."""


class Passwords:
    """Hashes and compares passwords off the event loop."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def hash(self, password: str) -> str:
        """Return the argon2id hash of a password, with its parameters."""
        async with self._places:
            return await asyncio.to_thread(lambda: _hasher().hash(_normal(password)))

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether a password has this hash. Without a hash the answer is False, after the same work."""
        async with self._places:
            fits = password_hash is not None and len(password) <= LONGEST
            return await asyncio.to_thread(_matches, password_hash if fits else None, password[:LONGEST])

    @staticmethod
    def needs_rehash(password_hash: str) -> bool:
        """Whether a hash was made with weaker parameters than today's."""
        return _hasher().check_needs_rehash(password_hash)


def checked_password(password: str, shortest: int, context: Collection[str] = ()) -> str:
    """Return a new password. InvalidError when it is too short, too long or too easy to guess.

    `context` are words that belong to the person: name and e-mail address.
    """
    if len(password) < shortest or len(password) > LONGEST:
        raise InvalidError("password", "has another length.", f"{shortest} to {LONGEST} characters, of any kind")
    plain = _normal(password).lower()
    rest = plain
    for word in sorted(_guessable(context), key=len, reverse=True):
        rest = rest.replace(word, "")
    rest = re.sub(r"(.)\1{2,}", r"\1", rest)
    rest = re.sub(r"0?123456789?0?|12345|abcdef\w?|(19|20)\d\d", "", rest)
    made_of_little = len(rest) < min(_SHORTEST_REST, len(plain)) or len(set(plain)) < _SHORTEST_REST - 1
    if made_of_little or _guesses(plain, context) < _FEWEST_GUESSES:
        raise InvalidError(
            "password",
            "is too easy to guess.",
            "something that is not made of common passwords, your name, your address or one character again and again; "
            "three or four unrelated words do well",
        )
    return password


def _guessable(context: Collection[str]) -> frozenset[str]:
    words = {word for text in context for word in re.split(r"[^\w]+", text.lower()) if len(word) > 3}
    return _common().union(words, _CONTEXT)


def _guesses(plain: str, context: Collection[str]) -> int:
    """Estimate how many guesses a password withstands."""
    from zxcvbn import zxcvbn  # at the first new password: its lists take a tenth of a second and 15 MB

    return int(zxcvbn(plain[:_JUDGED], user_inputs=[*context, *_CONTEXT])["guesses"])


@cache
def _common() -> frozenset[str]:
    path = Path(__file__).with_name("common_passwords.txt")
    return frozenset(path.read_text(encoding="ascii").split())


def _normal(password: str) -> str:
    """The same password typed on another keyboard is the same (NIST SP 800-63B: NFKC)."""
    return unicodedata.normalize("NFKC", password)


@cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher  # at the first sign-in: a start must not wait for it

    return PasswordHasher(parallelism=1)


@cache
def _nobodys_hash() -> str:
    return _hasher().hash("nobody has this password")


def _matches(password_hash: str | None, password: str) -> bool:
    from argon2.exceptions import VerificationError

    try:
        _hasher().verify(password_hash or _nobodys_hash(), _normal(password))
    except VerificationError:
        return False
    return password_hash is not None
