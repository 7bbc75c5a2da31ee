"""What the forms about key pairs have in common: errors shown at the form, typed times, and the second factor."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Form, Request

from ontherun.calendar import CENTRAL, NEW_YORK
from ontherun.keys import KeyRuleError
from ontherun.portal.pages.shell import zone_of
from ontherun.portal.problems import status_for
from ontherun.registry import (
    Budget,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    NotRecognisedError,
    Principal,
    PrincipalKind,
    Registry,
    RegistryError,
    SecondFactor,
    SecondFactorRequiredError,
    TooManyAttemptsError,
    UnavailableError,
    parse_time,
)

FormError = (RegistryError, KeyRuleError)
"""What a form shows again with what was typed, instead of a page of its own."""

SECOND_FACTOR = "second_factor"
"""The field with the second factor: a code, or what a passkey answered."""


Answer = Annotated[str, Form(max_length=20_000)]
"""What the field with the second factor holds."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What was wrong with a form: where (a field's name, or "" for the whole form), the words, and the status."""

    where: str
    text: str
    status: int


def problem_of(error: Exception, fields: Mapping[str, str] | None = None) -> Problem:
    """Return how a form shows an error. `fields`: a name in the error -> the field of the form, where they differ.

    What the viewer may not see or do is raised again: it has a page of its own.
    """
    if isinstance(error, NotFoundError | UnavailableError):
        raise error
    if isinstance(error, SecondFactorRequiredError | NotRecognisedError | TooManyAttemptsError):
        return Problem(SECOND_FACTOR, str(error), status_for(error))
    if isinstance(error, ForbiddenError):
        raise error
    if isinstance(error, InvalidError):
        where = (fields or {}).get(error.where, error.where)
        return Problem(where, f"{error.what} Expected: {error.expected}", status_for(error))
    return Problem("", str(error), status_for(error))


@dataclass(frozen=True, slots=True)
class Question:
    """What a form asks a person for: a second factor of those that are enrolled, and how many are left today."""

    budget: Budget
    enrolled: bool
    has_passkey: bool


def question(registry: Registry, viewer: Principal) -> Question | None:
    """Return what a sensitive form asks for; None for whoever has no second factor to prove."""
    if viewer.kind is not PrincipalKind.PERSON or viewer.user_id is None:
        return None
    people = registry.directory.people
    return Question(
        registry.people.budget(viewer, registry.clock.now()),
        people.has_second_factor(viewer.user_id),
        bool(people.passkeys_of(viewer.user_id)),
    )


async def proof(registry: Registry, viewer: Principal, answer: str) -> SecondFactor | None:
    """Return the proof of a person's second factor; None for whoever has none to prove."""
    if viewer.kind is not PrincipalKind.PERSON:
        return None
    return await registry.people.prove(viewer, answer or None)


def zones(request: Request) -> list[tuple[str, str]]:
    """Return the time zones that a form offers: Central, New York and the viewer's own."""
    own = zone_of(request)
    offered = [(CENTRAL.key, "Central"), (NEW_YORK.key, "New York")]
    return offered if own in (CENTRAL.key, NEW_YORK.key) else [*offered, (own, own)]


def typed_time(where: str, text: str, zone: str) -> int:
    """Read a time that was typed into a form, as ns since 1970 UTC. InvalidError, which names the field."""
    try:
        return parse_time(text, zone)
    except InvalidError as error:
        raise InvalidError(where, error.what, error.expected) from None
