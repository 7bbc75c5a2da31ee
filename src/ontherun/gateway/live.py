"""How a session stands at one gateway now, and the last messages that went by: read when somebody looks, never kept."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ontherun.gateway.connection import Connection
from ontherun.ilink.records import Role
from ontherun.ilink.stream import FAILURE_WINDOW, FAILURES_TO_CLOSE

if TYPE_CHECKING:
    from ontherun.gateway.gateway import Gateway


@dataclass(frozen=True, slots=True)
class LiveConnection:
    """One connection of a session. `state` is the name of its GatewayState; times are ns since the epoch, the
    keep-alive interval is ms; `unsent`: bytes that the peer has not taken yet; `key_expires_at` is 0 if never."""

    connection: str
    role: str
    peer: str
    state: str
    firm: str
    access_key_id: str
    key_expires_at: int
    uuid: int
    keep_alive_interval: int
    since: int
    last_received: int
    last_sent: int
    unsent: int


@dataclass(frozen=True, slots=True)
class LiveRate:
    """Messages a second in the present window of Messaging Controls, and the limits: above `reject` messages are
    refused, above `logout` the session is ended. `module` is the name of a `Module`."""

    module: str
    per_second: float
    reject: int
    logout: int


@dataclass(frozen=True, slots=True)
class LiveStream:
    """A session on one market segment.

    - `uuid`: under which messages are numbered, 0 before the week's first login; `negotiated_uuid`: the last one
      negotiated; `previous_uuid`, `previous_seq_no`: the one before, and our last number under it;
    - `next_inbound`, `next_outbound`: the client's next number and ours;
    - `gap_from`: the first number of an open gap in the client's messages, 0 without one;
    - `stored`: the first and the next number of what can be asked for again under `uuid`;
    - `missed_uuid`, `missed_from`, `missed`: how many messages no connection got, and from which number on; 0 without;
    - `bad_logins`: of the last 60 s; `closes_at`: so many close the ports;
    - `orders`: working ones, of all firms of the session.
    """

    segment: int
    uuid: int
    negotiated_uuid: int
    previous_uuid: int
    previous_seq_no: int
    next_inbound: int
    next_outbound: int
    gap_from: int
    stored: tuple[int, int]
    missed_uuid: int
    missed_from: int
    missed: int
    bad_logins: int
    closes_at: int
    port_closed: bool
    orders: int
    rates: tuple[LiveRate, ...]
    connections: tuple[LiveConnection, ...]


@dataclass(frozen=True, slots=True)
class LastFrames:
    """Whole frames of business messages, the newest last: `received` from the client, `sent` to it."""

    segment: int
    received: tuple[bytes, ...]
    sent: tuple[bytes, ...]


def live_stream(gateway: "Gateway", session: str) -> LiveStream | None:
    """How a session stands at this gateway; None where it never was."""
    engine = gateway.engine
    lane = engine.lanes.get(session)
    if lane is None:
        return None
    stream, now = lane.stream, gateway.now()
    stored = gateway.stored(stream, stream.uuid)
    missed = lane.missed(gateway.stored(stream, lane.missed_uuid).stop)
    here = [each for each in gateway.connections if each.session.stream is stream]
    here.sort(key=lambda each: (each.session.role is not Role.PRIMARY, each.id))
    return LiveStream(
        segment=engine.segment_id,
        uuid=stream.uuid,
        negotiated_uuid=stream.negotiated_uuid,
        previous_uuid=stream.previous_uuid,
        previous_seq_no=stream.previous_seq_no,
        next_inbound=stream.next_inbound,
        next_outbound=stream.next_outbound,
        gap_from=max((each.session.gap_from for each in here), default=0),
        stored=(stored.start, stored.stop),
        missed_uuid=lane.missed_uuid if missed else 0,
        missed_from=missed.start if missed else 0,
        missed=len(missed),
        bad_logins=sum(now - FAILURE_WINDOW < at <= now for at in stream.failures),
        closes_at=FAILURES_TO_CLOSE,
        port_closed=stream.port_closed,
        orders=sum(len(engine.market.orders_of(owner)) for owner in lane.owners.values()),
        rates=tuple(
            LiveRate(rate.module.name, rate.per_second, rate.limits.reject, rate.limits.logout)
            for rate in engine.rates(lane, now)
        ),
        connections=tuple(map(_connection, here)),
    )


def last_frames(gateway: "Gateway", session: str, count: int) -> LastFrames | None:
    """Up to `count` of the last business messages each way; None where the session never was.

    Those sent come from the outbox. Of those received the last reads are kept as they came, 50 at most.
    """
    lane = gateway.engine.lanes.get(session)
    if lane is None:
        return None
    stop = gateway.stored(lane.stream, lane.stream.uuid).stop
    sent = gateway.outbox.read(lane.key, stop - count, count)
    received: list[bytes] = []
    for read in reversed(lane.heard):
        received[:0] = _frames(read)
        if len(received) >= count:
            break
    return LastFrames(gateway.engine.segment_id, tuple(received[-count:]), tuple(sent))


def _frames(data: bytes) -> list[bytes]:
    """The whole frames of a read, each of which begins with its size."""
    frames, position = [], 0
    while position < len(data):
        end = position + int.from_bytes(data[position : position + 2], "little")
        frames.append(data[position:end])
        position = end
    return frames


def _connection(connection: Connection) -> LiveConnection:
    session = connection.session
    return LiveConnection(
        connection=connection.id,
        role=session.role.name.lower(),
        peer=connection.peer,
        state=session.state.name,
        firm=session.firm,
        access_key_id=session.access_key_id,
        key_expires_at=session.key_expires_at,
        uuid=session.uuid,
        keep_alive_interval=session.keep_alive_interval,
        since=connection.witness.since,
        last_received=session.last_received,
        last_sent=session.last_sent,
        unsent=connection.transport.get_write_buffer_size(),
    )
