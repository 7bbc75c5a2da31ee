"""Where one can go in the portal, and what waits there."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from ontherun.registry import ForbiddenError, Principal, Registry

Counter = Callable[[Registry, Principal], int]
"""How many things wait at a place for a viewer. It reads the directory, never the database: it runs on each page."""

Shown = Callable[[Registry, Principal], bool]
"""Whether a place is offered to a viewer."""


@dataclass(frozen=True, slots=True)
class Place:
    """A page of the portal that the navigation leads to. `icon` names a symbol of static/icons.svg."""

    url: str
    name: str
    icon: str
    counter: Counter | None = None
    shown: Shown | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A place as one page shows it. `waiting` 0: no counter."""

    place: Place
    current: bool
    waiting: int


def _operator(_registry: Registry, viewer: Principal) -> bool:
    try:
        viewer.require_operator()
    except ForbiddenError:
        return False
    return True


def _to_do(registry: Registry, viewer: Principal) -> int:
    return len(registry.requests.to_do(viewer))


def _unread(registry: Registry, viewer: Principal) -> int:
    return registry.notices.messages.unread(viewer)


GROUPS: tuple[tuple[str, tuple[Place, ...]], ...] = (
    (
        "Overview",
        (
            Place("/", "Start", "start"),
            Place("/messages", "Messages", "messages", counter=_unread),
        ),
    ),
    (
        "Sessions",
        (
            Place("/sessions", "Order Entry", "sessions"),
            Place("/drop-copy", "Drop Copy", "drop-copy"),
            Place("/market-data", "Market Data", "market-data"),
        ),
    ),
    (
        "Secure key pairs",
        (
            Place("/keys", "Key pairs", "keys"),
            Place("/keys/calendar", "Expiry calendar", "calendar"),
            Place("/keys/test", "Test a key", "test"),
        ),
    ),
    (
        "Requests",
        (
            Place("/requests", "My requests", "requests"),
            Place("/to-do", "To do", "to-do", counter=_to_do),
        ),
    ),
    (
        "Administration",
        (
            Place("/firms", "Entities and firms", "firms"),
            Place("/people", "People", "people"),
            Place("/notices", "Notices", "notices"),
            Place("/audit", "Audit", "audit"),
            Place("/api", "API", "api"),
        ),
    ),
    (
        "Venue",
        (
            Place("/venue", "Venue", "venue", shown=_operator),
            Place("/lab", "Lab clock", "lab", shown=_operator),
        ),
    ),
)


def links(registry: Registry, viewer: Principal, path: str, served: Collection[str]) -> list[tuple[str, list[Link]]]:
    """Return the groups of places that `served`, the paths of the pages, has and that the viewer is offered.

    The current place is the one whose URL is the longest that leads `path`.
    """
    found = []
    current = _current(path)
    for name, places in GROUPS:
        row = [
            Link(place, place is current, place.counter(registry, viewer) if place.counter else 0)
            for place in places
            if place.url in served and (place.shown is None or place.shown(registry, viewer))
        ]
        if row:
            found.append((name, row))
    return found


def _current(path: str) -> Place | None:
    leading = [
        place
        for _, places in GROUPS
        for place in places
        if path == place.url or (place.url != "/" and path.startswith(f"{place.url}/"))
    ]
    return max(leading, key=lambda place: len(place.url), default=None)
