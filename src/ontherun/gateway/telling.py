"""What a gateway writes into the log: logins and refused messages, each with the id of its connection."""

import traceback
from enum import Enum
from typing import TYPE_CHECKING

from ontherun.gateway.counts import Counts
from ontherun.ilink.codes import BusinessRejectReason
from ontherun.ilink.messages import BusinessReject
from ontherun.ilink.trace import LoginTrace, Verdict

if TYPE_CHECKING:
    from ontherun.gateway.connection import Connection
    from ontherun.gateway.engine import Engine
    from ontherun.gateway.surroundings import Log

_THROTTLED = (BusinessReject.TEMPLATE_ID, BusinessRejectReason.THROTTLE_LIMIT_EXCEEDED)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def connection_id(segment: int, started: int, count: int) -> str:
    """What names a connection in traces and log lines: market segment, start of the gateway (ms since the epoch) in
    letters, and the count of its connections."""
    letters = ""
    while started:
        started, digit = divmod(started, len(_DIGITS))
        letters = _DIGITS[digit] + letters
    return f"{segment}-{letters}-{count}"


def log_login(log: "Log", connection: "Connection", trace: LoginTrace) -> None:
    """One line for an accepted login, everything for one that was not."""
    if trace.verdict is not Verdict.ACCEPTED:
        values = {name: getattr(trace, name) for name in trace.__slots__ if name != "at"}
        facts = {name: value.name if isinstance(value, Enum) else value for name, value in values.items()}
        log.warning("login", connection=connection.id, peer=connection.peer, **facts)
    elif trace.message == "Establish":
        log.info(
            "login",
            connection=connection.id,
            peer=connection.peer,
            segment=trace.segment,
            role=trace.role.name,
            session=trace.session,
            firm=trace.firm,
            access_key_id=trace.access_key_id,
            uuid=trace.uuid,
            clock_skew=trace.clock_skew,
            verdict=trace.verdict.name,
        )


def tell_refusals(engine: "Engine", log: "Log", counts: Counts, now: int) -> None:
    """The business messages that this turn refused, and our own mistakes in carrying them out."""
    for refusal in engine.refusals:
        counts.refused(refusal)
        lane = engine.lanes[refusal.session]
        peer = lane.connection
        log.info("refused", connection=None if peer is None else peer.id, **refusal._asdict())
        if peer is not None and (refusal.answer, refusal.reason) == _THROTTLED:
            peer.witness.throttled(lane.controls.start, refusal.text, now)
    for error in engine.errors:
        log.error("internal_error", trace="".join(traceback.format_exception(error)))
    engine.forget_refusals()
