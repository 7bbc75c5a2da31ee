"""Which audit entries become notices: one literal table, so that no caller ever calls a notifier.

The exchange mails registered administrators before an expiry, and the submitting user when a request is submitted and
completed (CME Customer Center help, BrokerTec Order Entry Sessions). That every key event is mailed, and the rest, are
choices of this project.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, unique
from types import MappingProxyType

from ontherun.registry.records_notices import Topic


@unique
class To(Enum):
    """Whom a notice is for."""

    ENTITY = "the entity's registered administrators, team addresses and webhooks"
    SUBMITTER = "the user who submitted the request, and the entity's team addresses and webhooks"
    USER = "the user whom it concerns, alone"
    VENUE = "the operator of the venue"
    TESTED = "the address or webhook that is tested"


@dataclass(frozen=True, slots=True)
class NoticeRule:
    """How an audit action is told. `mail` False: in the portal and by webhook only."""

    topic: Topic
    to: To = To.ENTITY
    mail: bool = True


_KEYS = NoticeRule(Topic.KEYS)
_EXPIRY = NoticeRule(Topic.EXPIRY)
_SESSIONS = NoticeRule(Topic.SESSIONS, mail=False)
_REQUESTS = NoticeRule(Topic.REQUESTS, To.SUBMITTER)
_PEOPLE = NoticeRule(Topic.PEOPLE)
_ADMINISTRATION = NoticeRule(Topic.PEOPLE, mail=False)
_OWN = NoticeRule(Topic.PEOPLE, To.USER)
_VENUE = NoticeRule(Topic.VENUE, To.VENUE, mail=False)
_TEST = NoticeRule(Topic.TEST, To.TESTED)

NOTICE_RULES: Mapping[str, NoticeRule] = MappingProxyType(
    {
        "key_pair.generated": _KEYS,
        "key_pair.downloaded": _KEYS,
        "key_pair.deleted": _KEYS,
        "key_pair.deactivated": _KEYS,
        "key_pair.activated": _KEYS,
        "key_pair.sunset_set": _KEYS,
        "key_pair.cut_over_scheduled": _KEYS,
        "key_pair.revoked": _KEYS,
        "key_pair.expiring": _EXPIRY,
        "key_pair.expired": _EXPIRY,
        "session.created": _SESSIONS,
        "session.changed": _SESSIONS,
        "session.deleted": _SESSIONS,
        "session.port_opened": _SESSIONS,
        "session_allowance.changed": _SESSIONS,
        "firm.created": _SESSIONS,
        "firm.renamed": _SESSIONS,
        "firm.withdrawn": _SESSIONS,
        "firm.route_through_authorised": _SESSIONS,
        "firm.route_through_withdrawn": _SESSIONS,
        "drop_copy_group.created": _SESSIONS,
        "drop_copy_group.changed": _SESSIONS,
        "drop_copy_group.deleted": _SESSIONS,
        "request.submitted": _REQUESTS,
        "request.amended": _REQUESTS,
        "request.approved": _REQUESTS,
        "request.rejected": _REQUESTS,
        "request.cancelled": _REQUESTS,
        "request.completed": _REQUESTS,
        "request.failed": _REQUESTS,
        "role.granted": _PEOPLE,
        "role.revoked": _PEOPLE,
        "user.left": _PEOPLE,
        "api_token.created": _PEOPLE,
        "api_token.revoked": _PEOPLE,
        "user.invited": _ADMINISTRATION,
        "user.invitation_accepted": _ADMINISTRATION,
        "user.administrator_marked": _ADMINISTRATION,
        "user.administrator_unmarked": _ADMINISTRATION,
        "user.password_changed": _OWN,
        "user.reset": _OWN,
        "user.unlocked": _OWN,
        "sign_in.locked": _OWN,
        "second_factor.enrolled": _OWN,
        "second_factor.removed": _OWN,
        "second_factor.recovery_codes_made": _OWN,
        "notice.tested": _TEST,
        "clock.moved": _VENUE,
        "week.started": _VENUE,
        "messaging_controls.changed": _VENUE,
        "gateway.promoted": _VENUE,
        "market.command": _VENUE,
        "policy.changed": _VENUE,
        "master_key.rotation_started": _VENUE,
        "master_key.rotated": _VENUE,
    }
)
"""Audit action -> how it is told. An action that is not here is told to nobody."""
