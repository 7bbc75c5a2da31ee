"""How a session stands now, as the API shows it. Times are ISO 8601 in UTC."""

from typing import Any, Literal

from ontherun.portal.models import Strict

RoleName = Literal["primary", "backup"]


class LiveConnectionView(Strict):
    """One connection. `keep_alive_interval` is in ms; `unsent` are bytes that the peer has not taken yet."""

    connection: str
    role: RoleName
    peer: str
    state: str
    firm: str
    access_key_id: str
    key_expires_at: str | None
    uuid: int
    keep_alive_interval: int
    since: str
    last_received: str
    last_sent: str
    unsent: int


class LiveRateView(Strict):
    """Messages a second over the present 3 s: above `reject` they are refused, above `logout` the session is ended."""

    module: str
    per_second: float
    reject: int
    logout: int


class LiveStreamView(Strict):
    """The session on one market segment: see docs/trace.md for each number."""

    segment: int
    uuid: int
    negotiated_uuid: int
    previous_uuid: int
    previous_seq_no: int
    next_inbound: int
    next_outbound: int
    gap_from: int | None
    stored_from: int | None
    stored: int
    missed_uuid: int | None
    missed_from: int | None
    missed: int
    bad_logins: int
    closes_at: int
    port_closed: bool
    orders: int
    rates: list[LiveRateView]
    connections: list[LiveConnectionView]


class LiveView(Strict):
    """How a session stands on each market segment that it ever logged in to."""

    session_id: str
    now: str
    segments: list[LiveStreamView]


class MessageView(Strict):
    """A business message that went by. `at` is its SendingTimeEpoch, by the sender's clock; `fields` are by the
    standard's names, each with its tag and value."""

    segment: int
    direction: Literal["received", "sent"]
    at: str | None
    number: int | None
    name: str
    words: str
    fields: dict[str, Any]


class Ended(Strict):
    """Whether there was a connection to end."""

    session_id: str
    ended: bool
