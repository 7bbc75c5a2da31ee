"""What needs attention now: of each session, key pair and whatever else is watched, what somebody should act on.

Worked out from the directory at each asking; nothing is stored, so nothing can be out of date.
"""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from types import MappingProxyType
from typing import TYPE_CHECKING

from ontherun.keys import Finding, KeyPairState
from ontherun.registry.principal import Principal, Right
from ontherun.registry.records import AnySession
from ontherun.registry.records_notices import DeliveryState
from ontherun.registry.users import LOCAL_OPERATOR

if TYPE_CHECKING:
    from ontherun.registry.registry import Registry


@unique
class NeedKind(StrEnum):
    """What is wrong, the most pressing first."""

    PORT_CLOSED = "port-closed"
    """Too many bad logins closed the session's port: every login is refused."""
    NO_VALID_KEY = "no-valid-key"
    """The session has no key pair that a login may use."""
    LOGIN_REFUSED = "login-refused"
    """The session's last login was refused, within a day, though not for its key pair."""
    REQUEST_WAITS = "request-waits"
    """A request waits for the decision of whoever asks."""
    DELIVERY_FAILED = "delivery-failed"
    """A notice could not be delivered and was given up, or perhaps did not arrive."""
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
    TOO_FEW_ADMINS = "too-few-admins"
    """The entity has people, but fewer Admin Managers than the exchange asks for: two."""
    NO_SECOND_FACTOR = "no-second-factor"
    """The person has enrolled no second factor. The person at this machine needs none: the link is on it."""


@dataclass(frozen=True, slots=True)
class Need:
    """One thing to act on. `at`: when it happens or happened, nanoseconds since 1970-01-01 UTC, or None: it just is.

    `subject` is a Session ID for all that concerns a session, else the number of a request, delivery, entity or user;
    `about` names the key pair or says more. `entity_id` None: the venue's own.
    """

    kind: NeedKind
    entity_id: int | None
    subject: str
    about: str
    at: int | None = None


@dataclass(slots=True)
class Overview:
    """How everything stands that a principal sees. `next_expiry`: of a valid pair, nanoseconds since 1970-01-01 UTC."""

    needs: list[Need] = field(default_factory=list)
    """The most pressing first, within a kind the soonest."""
    sessions: list[AnySession] = field(default_factory=list)
    valid_pairs: int = 0
    expiring_pairs: int = 0
    next_expiry: int | None = None
    used: bool = False
    """Whether anybody ever logged in with a valid pair."""


async def look_over(
    registry: "Registry",
    by: Principal,
    closed_ports: Collection[str],
    refused: Mapping[str, tuple[int, str]] = MappingProxyType({}),
) -> Overview:
    """Return how everything stands that the principal sees.

    `refused`: of each session whose last login was refused when that was (ns since 1970 UTC), and why.

    It lets others have their turn every `_SLICE` sessions, for gateways may share the event loop.
    """
    now, seen = registry.clock.now(), Overview()
    for place, session in enumerate(list(registry.directory.sessions())):
        if place % _SLICE == _SLICE - 1:
            await asyncio.sleep(0)
        if session.deleted_at is None and by.sees(session.entity_id):
            seen.sessions.append(session)
            closed = session.session_id in closed_ports
            failing = _add_session(registry, session, closed, now, seen)
            at, why = refused.get(session.session_id, (0, ""))
            if now - at < _DAY and not closed and not failing:
                seen.needs.append(Need(NeedKind.LOGIN_REFUSED, session.entity_id, session.session_id, why, at))
    seen.needs += _of_people(registry, by)
    seen.needs += (
        Need(NeedKind.REQUEST_WAITS, request.entity_id, str(request.request_id), request.summary, request.submitted_at)
        for request in registry.requests.to_do(by)
    )
    seen.needs += await _of_deliveries(registry, by)
    order = list(NeedKind)
    seen.needs.sort(key=lambda need: (order.index(need.kind), need.at or 0))
    return seen


def _add_session(registry: "Registry", session: AnySession, port_closed: bool, now: int, seen: Overview) -> bool:
    """Add what a session needs; whether one of its key pairs is refused at login."""
    failing = False

    def need(kind: NeedKind, about: str, at: int | None = None) -> None:
        seen.needs.append(Need(kind, session.entity_id, session.session_id, about, at))

    if port_closed:
        need(NeedKind.PORT_CLOSED, session.label)
    valid = registry.directory.valid_pairs_of(session.session_id, now)
    if not valid:
        need(NeedKind.NO_VALID_KEY, session.label)
        return failing
    seen.valid_pairs += len(valid)
    seen.used = seen.used or any(registry.pairs.use_of(stored.pair.access_key_id).successes for stored in valid)
    seen.expiring_pairs += sum(stored.state(now) is KeyPairState.EXPIRING for stored in valid)
    next_expiry = min(stored.pair.expires_at for stored in valid)
    seen.next_expiry = next_expiry if seen.next_expiry is None else min(next_expiry, seen.next_expiry)
    for concern in registry.pairs.health(session.session_id).concerns:
        kind = _OF_FINDING.get(concern.finding)
        if kind is not None and concern.access_key_id is not None:
            stored = registry.directory.pair(concern.access_key_id)
            need(kind, concern.access_key_id, stored.pair.expires_at if stored and kind in _ENDING else None)
            failing = failing or kind is NeedKind.KEY_FAILING
    return failing


async def _of_deliveries(registry: "Registry", by: Principal) -> list[Need]:
    """Return the newest deliveries that somebody has to see to."""
    return [
        Need(
            NeedKind.DELIVERY_FAILED,
            notice.entity_id,
            delivery.delivery_id,
            f"{delivery.channel}: {delivery.address}",
        )
        for state in (DeliveryState.GIVEN_UP, DeliveryState.UNCONFIRMED)
        for notice, delivery in await registry.notices.deliveries.page(by, state=state, limit=_DELIVERIES)
    ]


def _of_people(registry: "Registry", by: Principal) -> Iterator[Need]:
    book = registry.directory.people
    for entity in registry.directory.entities():
        if not by.may(Right.MANAGE_PEOPLE, entity.entity_id):
            continue
        here = [user for user in book.users_at(entity.entity_id) if user.left_at is None]
        admins = len(book.admin_managers(entity.entity_id))
        if here and admins < registry.people_policy.minimum_admin_managers:
            yield Need(NeedKind.TOO_FEW_ADMINS, entity.entity_id, str(entity.entity_id), f"{entity.name} has {admins}")
        for user in here:
            if not book.has_second_factor(user.user_id) and user.email != LOCAL_OPERATOR:
                yield Need(NeedKind.NO_SECOND_FACTOR, entity.entity_id, str(user.user_id), user.email)


_DELIVERIES = 20
_DAY = 86_400 * 1_000_000_000

_SLICE = 200
"""Some five milliseconds of work."""

_OF_FINDING = {
    Finding.NO_SUCCESSOR: NeedKind.KEY_EXPIRES,
    Finding.FAILING: NeedKind.KEY_FAILING,
    Finding.OLD_KEY_IN_USE: NeedKind.OLD_KEY_IN_USE,
    Finding.NEVER_USED: NeedKind.KEY_NEVER_USED,
    Finding.OLD: NeedKind.KEY_OLD,
}
_ENDING = frozenset({NeedKind.KEY_EXPIRES, NeedKind.OLD_KEY_IN_USE})
