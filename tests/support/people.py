"""People for tests: users with roles, passwords and authenticator apps."""

from dataclasses import replace

import pyotp

from ontherun.keys import Secret
from ontherun.registry import SYSTEM, LinkPurpose, Principal, Registry, Role, User, Visitor
from ontherun.registry.people_book import PeopleBook

PASSWORD = "seven brown horses"
HERE = Visitor("192.0.2.7", "a browser")
SECOND = 1_000_000_000
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
_HASHES: list[str] = []
"""The hash of PASSWORD, computed once: it takes a tenth of a second."""


def book(registry: Registry) -> PeopleBook:
    return registry.directory.people


async def make_user(registry: Registry, email: str, roles: dict[int, Role], *, operator: bool = False) -> User:
    """Make a user who has PASSWORD and a role at each entity."""
    if not _HASHES:
        _HASHES.append(await registry.sign_in._passwords.hash(PASSWORD))
    hashed = _HASHES[0]
    async with registry._store.change(SYSTEM) as change:
        user = registry.users.create(change, email, email.split("@")[0], operator=operator, password_hash=hashed)
        change.record("user.created", None, f"user {user.user_id}")
    for entity_id, role in roles.items():
        await registry.people.grant(SYSTEM, user.user_id, entity_id, role, None)
    return user


def person(registry: Registry, email: str, source: str | None = "192.0.2.7", signed_in: int = 0) -> Principal:
    """A person who signed in `signed_in` nanoseconds ago."""
    user = book(registry).user_of_email(email)
    assert user is not None
    found = book(registry).principal_of(user, source)
    assert found is not None
    return replace(found, signed_in_at=registry.clock.now() - signed_in)


class App:
    """An authenticator app."""

    def __init__(self, registry: Registry, secret: str) -> None:
        self.registry = registry
        self.totp = pyotp.TOTP(secret)

    def code(self, steps: int = 0) -> str:
        return self.totp.generate_otp(self.registry.clock.now() // (30 * SECOND) + steps)


async def enrol(registry: Registry, email: str) -> tuple[App, list[str]]:
    """Have a user enrol an authenticator app; return it and the recovery codes."""
    by = person(registry, email)
    app = App(registry, registry.second_factors.offer_totp(by).text)
    proof = await registry.people.prove(by, None)
    return app, await registry.second_factors.enrol_totp(by, app.code(), proof)


async def link_for(registry: Registry, user: User, purpose: LinkPurpose = LinkPurpose.SIGN_IN) -> Secret:
    return await registry.users.link(SYSTEM, user.user_id, purpose)
