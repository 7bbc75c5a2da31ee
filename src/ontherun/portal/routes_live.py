"""How a session stands now, its last messages, and the end of its connections."""

from dataclasses import asdict
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request

from ontherun.gateway.live import LiveConnection, LiveStream
from ontherun.keys import utc_text
from ontherun.portal import models
from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.models_live import Ended, LiveConnectionView, LiveRateView, LiveStreamView, LiveView, MessageView
from ontherun.portal.problems import answers
from ontherun.portal.routes_sessions import status_of
from ontherun.registry import Right

if TYPE_CHECKING:
    from ontherun.portal.seen_messages import SeenMessage

ENDED_WHY = "an administrator ended the session"
"""What the client is told in Terminate; who and why is in the audit."""

_READ = answers(HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
_CHANGE = answers(HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE)

router = APIRouter(prefix="/sessions/{session_id}", tags=["sessions"])


@router.get("/live", responses=_READ, summary="Show how a session stands at the gateways now")
async def show_live(by: Asking, registry: Serving, request: Request, session_id: models.SessionId) -> LiveView:
    """Show numbers, connections, and what is missing."""
    session = registry.sessions.get(by, session_id)
    by.require(Right.VIEW, session.entity_id)
    segments = [_stream(each) for each in status_of(request).live(session_id)]
    return LiveView(session_id=session_id, now=utc_text(registry.clock.now()), segments=segments)


@router.get("/messages", responses=_READ, summary="List the last business messages of a session, newest first")
async def list_messages(
    by: Asking,
    registry: Serving,
    request: Request,
    session_id: models.SessionId,
    limit: Annotated[int, Query(ge=1, le=50, description="of each way and market segment")] = 50,
) -> models.Page[MessageView]:
    """List the last messages, decoded."""
    session = registry.sessions.get(by, session_id)
    by.require(Right.VIEW, session.entity_id)
    from ontherun.portal.seen_messages import last_messages  # the client's words are not needed at a start

    return models.Page(items=[_message(each) for each in last_messages(status_of(request), session_id, limit)])


@router.post("/end", responses=_CHANGE, summary="End what a session has open at the gateways, by Terminate")
async def end_session(by: Asking, registry: Serving, request: Request, session_id: models.SessionId) -> Ended:
    """End the session's connections; its numbers and orders stay."""
    status = status_of(request)
    there = any(stream.connections for stream in status.live(session_id))
    await registry.sessions.record_ending(by, session_id, connected=there)
    return Ended(session_id=session_id, ended=status.end_session(session_id, ENDED_WHY))


def _stream(stream: LiveStream) -> LiveStreamView:
    first, stop = stream.stored
    return LiveStreamView(
        segment=stream.segment,
        uuid=stream.uuid,
        negotiated_uuid=stream.negotiated_uuid,
        previous_uuid=stream.previous_uuid,
        previous_seq_no=stream.previous_seq_no,
        next_inbound=stream.next_inbound,
        next_outbound=stream.next_outbound,
        gap_from=stream.gap_from or None,
        stored_from=first if stop > first else None,
        stored=stop - first,
        missed_uuid=stream.missed_uuid if stream.missed else None,
        missed_from=stream.missed_from or None,
        missed=stream.missed,
        bad_logins=stream.bad_logins,
        closes_at=stream.closes_at,
        port_closed=stream.port_closed,
        orders=stream.orders,
        rates=[LiveRateView(**asdict(rate)) for rate in stream.rates],
        connections=[_connection(each) for each in stream.connections],
    )


def _connection(connection: LiveConnection) -> LiveConnectionView:
    return LiveConnectionView(
        connection=connection.connection,
        role="backup" if connection.role == "backup" else "primary",
        peer=connection.peer,
        state=connection.state,
        firm=connection.firm,
        access_key_id=connection.access_key_id,
        key_expires_at=utc_text(connection.key_expires_at) if connection.key_expires_at else None,
        uuid=connection.uuid,
        keep_alive_interval=connection.keep_alive_interval,
        since=utc_text(connection.since),
        last_received=utc_text(connection.last_received),
        last_sent=utc_text(connection.last_sent),
        unsent=connection.unsent,
    )


def _message(message: "SeenMessage") -> MessageView:
    return MessageView(
        segment=message.segment,
        direction="received" if message.received else "sent",
        at=None if message.at is None else utc_text(message.at),
        number=message.number,
        name=message.name,
        words=message.words,
        fields=dict(message.fields),
    )
