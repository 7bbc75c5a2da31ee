"""A plan: what a request will do, worked out and checked before anybody is asked to agree to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from ontherun.calendar import RequestKind as Run
from ontherun.registry.errors import ConflictError
from ontherun.registry.store import Change
from ontherun.registry.terms import AnyTerms

Origin = Mapping[str, Any]
"""What the audit entries of a request say of where it came from: its number and who submitted it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What `terms`, as checked, come to in the present state of things.

    `run` is the exchange's run that does such things; None: it never waits for one. `routine` plans concern nobody but
    the entity's own people, and need neither approval nor a run. `carry_out` puts the change together and returns the
    Session IDs that it concerns.
    """

    terms: AnyTerms
    entity_id: int
    run: Run | None
    summary: str
    effects: tuple[str, ...]
    carry_out: Callable[[Change, Origin], tuple[str, ...]]
    routine: bool = False


def counted(number: int, what: str) -> str:
    """Return "1 session", "2 sessions"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def words(name: str) -> str:
    """Return a field's name for people: front_end_system -> front end system."""
    return name.replace("_", " ")


def changed_fields(was: Any, now: Any, name: str) -> list[str]:
    """Return the names of the fields in which two records differ. ConflictError when they are alike."""
    changed = [field.name for field in fields(was) if getattr(was, field.name) != getattr(now, field.name)]
    if not changed:
        raise ConflictError(f"Nothing would change: {name} is like this already.")
    return changed


def change_effects(was: Any, now: Any, changed: list[str]) -> tuple[str, ...]:
    """Return one line for each changed field, with its value before and after."""
    return tuple(
        f"{words(name).capitalize()}: {_shown(getattr(was, name))} becomes {_shown(getattr(now, name))}."
        for name in changed
    )


def _shown(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case tuple() if len(value) > 10:
            return f"{len(value)} of them"
        case tuple():
            return ", ".join(map(str, value)) or "none"
        case _:
            return str(value) or "nothing"
