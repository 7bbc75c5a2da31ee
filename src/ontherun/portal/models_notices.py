"""What the API takes and gives about notices."""

from typing import Annotated, Any, Literal

from pydantic import Field

from ontherun.portal.models import _UNIQUE, WHOLE, Id, Label, Strict
from ontherun.registry import ADDRESS_LENGTH, ADDRESS_PATTERN, URL_LENGTH, URL_PATTERN, Channel, DeliveryState, Topic

TopicName = Literal["expiry", "keys", "sessions", "requests", "people", "venue"]
Topics = Annotated[
    list[TopicName],
    Field(default_factory=list, max_length=6, description="what about; none: everything", json_schema_extra=_UNIQUE),
]
Address = Annotated[
    str,
    Field(
        json_schema_extra={"pattern": ADDRESS_PATTERN}, max_length=ADDRESS_LENGTH, examples=["keys-team@bank.example"]
    ),
]
DeliveryId = Annotated[
    str, Field(pattern=r"^[0-9]{1,18}-[0-9]{1,9}$", description="Notice and number", examples=["17-1"])
]
_ENTITY = "whose notices; may be left out by who sees one entity only"


class NewAddress(Strict):
    """What it takes to have an entity's notices mailed to a team."""

    address: Address
    topics: Topics
    entity_id: Annotated[Id | None, Field(description=_ENTITY)] = None


class AddressView(Strict):
    """A team's address."""

    entity_id: int
    address: str
    topics: list[Topic]
    created_at: str


class NewWebhook(Strict):
    """What it takes to have a program told of an entity's events."""

    url: Annotated[
        str,
        Field(
            json_schema_extra={"pattern": URL_PATTERN},
            max_length=URL_LENGTH,
            examples=["https://hooks.bank.example/keys"],
        ),
    ]
    topics: Topics
    label: Label = ""
    entity_id: Annotated[Id | None, Field(description=_ENTITY)] = None


class WebhookView(Strict):
    """A webhook, without its signing secret. `url` in full for who manages notices, else its scheme and host."""

    webhook_id: int
    entity_id: int
    url: str
    label: str
    topics: list[Topic]
    created_at: str
    earlier_secret_until: str | None


class WebhookRotation(Strict):
    """For how many hours what is sent is signed with the earlier secret as well; 0: that one is erased at once."""

    overlap_hours: Annotated[int, Field(ge=0, le=168), WHOLE] = 24


class IssuedWebhook(Strict):
    """A webhook with a new secret. `secret`, which signs what is sent to it, is shown this once."""

    secret: str
    about: WebhookView


class Sent(Strict):
    """A notice that was asked for. Its deliveries say what becomes of it."""

    notice_id: int


class DeliveryView(Strict):
    """One sending of a notice to one address."""

    delivery_id: str
    notice_id: int
    entity_id: int | None
    at: str
    topic: Topic
    type: str
    subject: str
    channel: Channel
    address: str
    webhook_id: int | None
    state: DeliveryState
    attempts: int
    changed_at: str
    next_attempt_at: str | None
    answer: str
    message_id: str
    digest: str


class DeliveryContent(Strict):
    """A delivery with what was, or would be, sent: `text` and `html` of a mail, `body` of a webhook."""

    about: DeliveryView
    text: str | None = None
    html: str | None = None
    body: dict[str, Any] | None = None


class MessageView(Strict):
    """A notice in the message centre."""

    message_id: int
    entity_id: int | None
    at: str
    topic: Topic
    type: str
    actor: str
    subject: str
    text: str
    read: bool


class MessagePage(Strict):
    """Messages, newest first, and how many are unread (100 at most). `next` is the `before` of the next page."""

    items: list[MessageView]
    next: str | None
    unread: int
