"""Notices, where they are sent, and what became of each sending. Times are nanoseconds since 1970-01-01 UTC."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Any

from ontherun.registry.records import SealedSecret

ADDRESS_LENGTH = 254
"""The longest mail address (RFC 5321, section 4.5.3.1.3, less the angle brackets)."""

URL_LENGTH = 500
"""The longest webhook URL."""

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ATOM = "[A-Za-z0-9!#$%&'*+=?^_`{|}~-]+"
ADDRESS_PATTERN = rf"^{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*$"
"""A mail address (RFC 5321, section 4.1.2), without quoted names, address literals and slashes, which nobody has."""

_PORT = "(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
URL_PATTERN = rf'^https?://{_LABEL}(?:\.{_LABEL})*(?::{_PORT})?(?:[/?][!-"$-~]*)?$'
"""A webhook's URL: http or https, a name or an IPv4 address, a port, a path and a query. No user, password or fragment;
an IPv6 address has to have a name."""


@unique
class Topic(StrEnum):
    """What a notice is about: addresses and webhooks choose among these."""

    EXPIRY = "expiry"
    KEYS = "keys"
    SESSIONS = "sessions"
    REQUESTS = "requests"
    PEOPLE = "people"
    VENUE = "venue"
    TEST = "test"


CHOSEN_TOPICS = tuple(topic for topic in Topic if topic is not Topic.TEST)
"""What may be chosen; a test goes to the one address or webhook that is tested."""


@unique
class Channel(StrEnum):
    """How a notice leaves the venue."""

    MAIL = "mail"
    WEBHOOK = "webhook"


@unique
class DeliveryState(StrEnum):
    """Where one sending of a notice to one address is."""

    DUE = "due"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    """Refused or not reached; it is tried again by itself."""
    GIVEN_UP = "given up"
    UNCONFIRMED = "unconfirmed"
    """Cut off while it was sent: it may have arrived. Only a person sends it again."""
    NOT_CONFIGURED = "not configured"
    """There was no mail server when the notice was written."""
    NO_RECIPIENT = "no recipient"
    """Nobody is registered to get it."""

    @property
    def may_be_resent(self) -> bool:
        """Whether a person may have such a delivery sent again."""
        return (self, DeliveryEvent.RESEND) in DELIVERY_LIFE


@unique
class DeliveryEvent(StrEnum):
    """What happens to a delivery."""

    CLAIM = "claim"
    CONFIRM = "confirm"
    FAIL = "fail"
    GIVE_UP = "give up"
    LOSE = "lose"
    """The connection or this process ended before the answer."""
    RESEND = "resend"


_S, _E = DeliveryState, DeliveryEvent

DELIVERY_LIFE: Mapping[tuple[DeliveryState, DeliveryEvent], DeliveryState] = MappingProxyType(
    {
        (_S.DUE, _E.CLAIM): _S.SENDING,
        (_S.FAILED, _E.CLAIM): _S.SENDING,
        (_S.SENDING, _E.CONFIRM): _S.SENT,
        (_S.SENDING, _E.FAIL): _S.FAILED,
        (_S.SENDING, _E.GIVE_UP): _S.GIVEN_UP,
        (_S.SENDING, _E.LOSE): _S.UNCONFIRMED,
        (_S.FAILED, _E.RESEND): _S.DUE,
        (_S.GIVEN_UP, _E.RESEND): _S.DUE,
        (_S.UNCONFIRMED, _E.RESEND): _S.DUE,
        (_S.NOT_CONFIGURED, _E.RESEND): _S.DUE,
    }
)
"""(state, event) -> next state; what is missing here does not happen."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One audit entry that a notice tells of: what was done, to what, and what it says of it."""

    action: str
    subject: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told to people and programs about one change: what happened in it, of one topic and one entity.

    `notice_id` is the sequence of the first audit entry that it tells of, `action` that entry's. `user_id`: for that
    user alone.
    """

    notice_id: int
    at: int
    topic: Topic
    action: str
    entity_id: int | None
    user_id: int | None
    actor: str
    happenings: tuple[Happening, ...]

    def happenings_text(self) -> str:
        """Write what happened as it is stored: JSON."""
        return json.dumps(
            [
                {"action": each.action, "subject": each.subject, "details": dict(each.details)}
                for each in self.happenings
            ],
            sort_keys=True,
            separators=(",", ":"),
        )


def happenings_from(text: str) -> tuple[Happening, ...]:
    """Read what `Notice.happenings_text` wrote."""
    return tuple(Happening(each["action"], each["subject"], each["details"]) for each in json.loads(text))


@dataclass(frozen=True, slots=True)
class Delivery:
    """One sending of a notice to one address; `number` counts those of the notice, from 1.

    `address` is a mail address, or the scheme and host of a webhook. `answer` is what the other side said last, and
    with `message_id` and `digest` (SHA-256 of the bytes that were sent, hexadecimal) the proof of a sending.
    """

    notice_id: int
    number: int
    entity_id: int | None
    channel: Channel
    address: str
    webhook_id: int | None
    state: DeliveryState
    attempts: int = 0
    changed_at: int = 0
    next_attempt_at: int | None = None
    answer: str = ""
    message_id: str = ""
    digest: str = ""

    @property
    def delivery_id(self) -> str:
        """The notice and the number: 17-2."""
        return f"{self.notice_id}-{self.number}"


@dataclass(frozen=True, slots=True)
class SendResult:
    """How an attempt to send ended. `event` is CONFIRM, FAIL, GIVE_UP or LOSE; `answer` is for people, no secret."""

    event: DeliveryEvent
    answer: str
    message_id: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class NoticeAddress:
    """A mail address of a team that gets an entity's notices, besides its registered administrators."""

    entity_id: int
    address: str
    topics: tuple[Topic, ...]
    created_at: int


@dataclass(frozen=True, slots=True)
class EarlierSecret:
    """The secret that a webhook had before; what is sent until `valid_until` is signed with it as well."""

    secret: SealedSecret = field(repr=False)
    valid_until: int


@dataclass(frozen=True, slots=True)
class Webhook:
    """A program that is told of an entity's events. `secret` signs what is sent to it."""

    webhook_id: int
    entity_id: int
    url: str
    label: str
    topics: tuple[Topic, ...]
    created_at: int
    secret: SealedSecret = field(repr=False)

    @property
    def origin(self) -> str:
        """Scheme and host: what an outbox shows, for the rest of a URL may be as good as a password."""
        return "/".join(self.url.split("/", 3)[:3])
