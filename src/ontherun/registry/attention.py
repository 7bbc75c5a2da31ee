"""What needs attention now: of each session, key pair and whatever else is watched, what somebody should act on.

Worked out from the directory at each asking; nothing is stored, so nothing can be out of date.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import TYPE_CHECKING

from ontherun.keys import Finding
from ontherun.registry.principal import Principal
from ontherun.registry.records import AnySession

if TYPE_CHECKING:
    from ontherun.registry.registry import Registry


@unique
class NeedKind(StrEnum):
    """What is wrong, the most pressing first."""

    PORT_CLOSED = "port-closed"
    """Too many bad logins closed the session's port: every login is refused."""
    NO_VALID_KEY = "no-valid-key"
    """The session has no key pair that a login may use."""
    KEY_EXPIRES = "key-expires"
    """The session's last valid key pair expires within four weeks, and it has no successor."""
    KEY_FAILING = "key-failing"
    """The last login with the key pair was refused, within a day."""
    OLD_KEY_IN_USE = "old-key-in-use"
    """The older of two key pairs still logs in, and will end."""
    KEY_NEVER_USED = "key-never-used"
    """Nobody logged in with the key pair for a week."""
    KEY_OLD = "key-old"
    """The key pair is older than half its life: common benchmarks ask for less than the exchange's twelve months."""


@dataclass(frozen=True, slots=True)
class Need:
    """One thing to act on. `at`: when it happens or happened, nanoseconds since 1970-01-01 UTC, or None: it just is.

    `subject` is a Session ID for all that concerns a session; `about` names the key pair or says more.
    """

    kind: NeedKind
    entity_id: int
    subject: str
    about: str
    at: int | None = None


def needs(registry: "Registry", by: Principal, closed_ports: Collection[str]) -> list[Need]:
    """Return what needs attention of what the principal sees, the most pressing first, within a kind the soonest."""
    now = registry.clock.now()
    found: list[Need] = []
    for session in registry.directory.sessions():
        if session.deleted_at is None and by.sees(session.entity_id):
            found += _of_session(registry, session, session.session_id in closed_ports, now)
    order = list(NeedKind)
    return sorted(found, key=lambda need: (order.index(need.kind), need.at or 0))


def _of_session(registry: "Registry", session: AnySession, port_closed: bool, now: int) -> Iterator[Need]:
    def need(kind: NeedKind, about: str, at: int | None = None) -> Need:
        return Need(kind, session.entity_id, session.session_id, about, at)

    if port_closed:
        yield need(NeedKind.PORT_CLOSED, session.label)
    if not registry.directory.valid_pairs_of(session.session_id, now):
        yield need(NeedKind.NO_VALID_KEY, session.label)
        return
    for concern in registry.pairs.health(session.session_id).concerns:
        kind = _OF_FINDING.get(concern.finding)
        if kind is not None and concern.access_key_id is not None:
            stored = registry.directory.pair(concern.access_key_id)
            ends = stored.pair.expires_at if stored is not None and kind in _ENDING else None
            yield need(kind, concern.access_key_id, ends)


_OF_FINDING = {
    Finding.NO_SUCCESSOR: NeedKind.KEY_EXPIRES,
    Finding.FAILING: NeedKind.KEY_FAILING,
    Finding.OLD_KEY_IN_USE: NeedKind.OLD_KEY_IN_USE,
    Finding.NEVER_USED: NeedKind.KEY_NEVER_USED,
    Finding.OLD: NeedKind.KEY_OLD,
}
_ENDING = frozenset({NeedKind.KEY_EXPIRES, NeedKind.OLD_KEY_IN_USE})
