"""What somebody tried and was refused: an audit entry says who, what, and why it was refused.

An attempt counts when a right or a second factor was missing, or when the thing is another entity's; for whoever tried,
that one does not exist, so only the operator of the venue sees the entry. What was never there is no attempt. Entries
name what exists and hold nothing else that was sent.

How many is a policy: ENTRIES within WINDOW seconds for each principal, so that nobody can fill the disk or bury what
matters. The next entry says how many were left out.
"""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType

from ontherun.registry.errors import ForbiddenError, NotFoundError, RegistryError, TooManyError, UnavailableError
from ontherun.registry.once import MARK
from ontherun.registry.principal import Principal
from ontherun.registry.rates import RateLimit
from ontherun.registry.store import Store

ENTRIES, WINDOW = 20, 3600.0

ATTEMPT: ContextVar[str] = ContextVar("attempt", default="")
"""What the request that is being served tries: its method and its route, without what was sent."""

_THING = re.compile(r"(session|Globex firm|entity|Drop Copy group|open request|webhook) (\w+)$")


class Refusals:
    """Writes refused attempts into the audit."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rate = RateLimit(ENTRIES, WINDOW)
        self._left_out: dict[str, int] = {}

    async def note(self, by: Principal, error: RegistryError) -> None:
        """Write that `by` was refused with `error`, unless that is no attempt, or there were too many already.

        Where the audit cannot be written nothing happens: the attempt is refused all the same.
        """
        found = self._what(by, error)
        if found is None:
            return
        entity_id, subject, why = found
        try:
            self._rate.take(by.name)
        except TooManyError:
            self._left_out[by.name] = self._left_out.get(by.name, 0) + 1
            return
        left_out = self._left_out.pop(by.name, 0)
        details = {"attempt": ATTEMPT.get(), "why": why, **({"left_out_before": left_out} if left_out else {})}
        mark = MARK.set(None)  # a refusal is no effect: the request may be sent again
        try:
            async with self._store.change(by) as change:
                change.record("access.refused", entity_id, subject, **details)
        except UnavailableError:
            self._left_out[by.name] = self._left_out.get(by.name, 0) + left_out + 1
        finally:
            MARK.reset(mark)

    def _what(self, by: Principal, error: RegistryError) -> tuple[int | None, str, str] | None:
        """Return whose audit it goes to, what was touched, and why that was refused; None: it was no attempt."""
        if isinstance(error, ForbiddenError):
            subject = "venue" if error.entity_id is None else f"entity {error.entity_id}"
            return error.entity_id, subject, str(error)
        if not isinstance(error, NotFoundError) or (named := _THING.search(error.what)) is None:
            return None
        owner = self._owner(*named.groups())
        if owner is None or by.sees(owner):
            return None
        return None, named[0], f"It belongs to entity {owner}, which {by.name} does not see."

    def _owner(self, kind: str, name: str) -> int | None:
        """Return the entity that a thing belongs to; None where there is no such thing."""
        directory, number = self._store.directory, int(name) if name.isascii() and name.isdecimal() else 0
        things: Mapping[str, object | None] = MappingProxyType(
            {
                "session": directory.session(name),
                "Globex firm": directory.firm(name),
                "entity": directory.entity(number),
                "Drop Copy group": directory.desk.group(number),
                "open request": directory.desk.open_request(number),
                "webhook": self._store.outbox.book.webhooks.get(number),
            }
        )
        owner: int | None = getattr(things[kind], "entity_id", None)
        return owner
