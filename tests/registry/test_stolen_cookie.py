"""What somebody who has only got hold of a browser's cookie cannot make of it: a credential of their own."""

from collections.abc import AsyncIterator

import pytest
from tests.support.people import HERE, MINUTE, PASSWORD, App, make_user, person

from ontherun.registry import SYSTEM, ForbiddenError, Registry, Role, SecondFactorRequiredError

from .conftest import Venue

ANN = "ann@example.com"
FRESH, OLD = 14 * MINUTE, 16 * MINUTE


@pytest.fixture
async def strict(venue: Venue) -> AsyncIterator[Registry]:
    """A venue that is not LOCAL, where Ann has a password and no second factor."""
    await make_user(venue.registry, ANN, {1: Role.ADMIN_MANAGER})
    await venue.registry.close()
    registry = await Registry.open(venue.registry.data_dir, venue.registry.clock, environment="CERT", variables={})
    yield registry
    await registry.close()


async def without_password(registry: Registry) -> None:
    """Have Ann be somebody who signs in by a link or an identity provider only."""
    ann = registry.directory.people.user_of_email(ANN)
    assert ann is not None
    await registry.people.reset(SYSTEM, ann.user_id, None)


async def test_the_first_second_factor_takes_a_fresh_sign_in(strict: Registry) -> None:
    ann = person(strict, ANN, signed_in=OLD)
    app = App(strict, strict.second_factors.offer_totp(ann).text)
    with pytest.raises(ForbiddenError, match="sign in again"):
        await strict.second_factors.enrol_totp(ann, app.code(), None)
    assert await strict.second_factors.enrol_totp(person(strict, ANN, signed_in=FRESH), app.code(), None)


async def test_the_first_password_takes_a_fresh_sign_in(strict: Registry) -> None:
    await without_password(strict)
    with pytest.raises(ForbiddenError, match="sign in again"):
        await strict.sign_in.change_password(person(strict, ANN, signed_in=OLD), "", PASSWORD, HERE)
    await strict.sign_in.change_password(person(strict, ANN, signed_in=FRESH), "", PASSWORD, HERE)


async def test_the_first_password_takes_the_second_factor_that_there_is(strict: Registry) -> None:
    await without_password(strict)
    ann = person(strict, ANN)
    app = App(strict, strict.second_factors.offer_totp(ann).text)
    await strict.second_factors.enrol_totp(ann, app.code(), None)
    with pytest.raises(SecondFactorRequiredError):
        await strict.sign_in.change_password(ann, "", PASSWORD, HERE)
    proof = await strict.people.prove(ann, app.code(1))
    await strict.sign_in.change_password(ann, "", PASSWORD, HERE, proof)


async def test_a_clock_that_moved_back_makes_no_sign_in_fresh(strict: Registry) -> None:
    ann = person(strict, ANN, signed_in=-MINUTE)
    app = App(strict, strict.second_factors.offer_totp(ann).text)
    with pytest.raises(ForbiddenError, match="sign in again"):
        await strict.second_factors.enrol_totp(ann, app.code(), None)
