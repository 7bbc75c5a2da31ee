"""Traces, as the API shows them."""

from typing import Literal

from ontherun.portal.models import Strict


class TraceView(Strict):
    """One thing that happened on a connection. `session_id` is null for what belongs to the operator only: a connection
    that named no session of the venue. `facts` hold what else is known; for a login: the message, the verdict, what was
    sent, the canonical text, the key pair's state and the recognised mistake, never a secret or a signature."""

    number: int
    session_id: str | None
    at: str
    connection: str
    peer: str
    segment: int
    role: Literal["primary", "backup"]
    kind: str
    level: Literal["info", "warning", "error"]
    reason: str
    code: int | None
    facts: dict[str, str | int | bool | None]
