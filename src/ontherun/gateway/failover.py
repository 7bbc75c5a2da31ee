"""From the primary to the backup (CME client wiki, Fault Tolerance Scenarios)."""

from ontherun.gateway.entries import Kind
from ontherun.gateway.gateway import Gateway
from ontherun.ilink.records import Established, PortClosed, Role, StreamRecord
from ontherun.journal import Journal


def promote(gateway: Gateway) -> int:
    """Fail over to the backup, as when the primary's gateway is lost: the number of sessions that go on there.

    Every connection to the primary breaks. A session that waits on the backup goes on there, told by a Sequence
    with FaultToleranceIndicator 1; the binding of any other ends ungracefully. Durable on return.
    """
    gateway.flush()
    now = gateway.now()
    promoted = 0
    for connection in [one for one in gateway.connections if one.session.role is Role.PRIMARY]:
        lane = gateway.engine.lanes.get(connection.session.stream.session)
        if lane is not None and lane.connection is connection and lane.backup is not None:
            connection.session.replaced()
            lane.backup.promote(now)
            promoted += 1
        connection.fail(now)
    if gateway.policy.backup_stays_primary:
        exchange_roles(gateway)
    gateway.log.warning("promoted", segment=gateway.engine.segment_id, sessions=promoted)
    gateway.flush()
    return promoted


def take_over(gateway: Gateway, journal: Journal) -> int:
    """Go on as the primary in place of a process that has died: the number of sessions that go on here.

    The gateway has followed `journal` to its end, and is its only writer from here on. A session that waits here and
    whose primary was bound to the end is promoted; the bindings of all others end ungracefully. Durable on return.
    """
    following = gateway.following
    assert following is not None
    waiting = following.backups
    closed = following.closed_ports()
    gateway.write_to(journal)
    now, segment = gateway.now(), gateway.engine.segment_id
    for session in closed:
        _journal(gateway, PortClosed(session, segment, now))
    gateway.unbind_all(but=waiting)
    for session, connection in waiting.items():
        login, stream = connection.session, gateway.engine.lanes[session].stream
        used = login.stream.request_timestamp
        _journal(gateway, Established(session, segment, now, login.firm, login.uuid, used, Role.BACKUP))
        login.stream = stream
        connection.promote(now)
    exchange_roles(gateway)
    gateway.log.warning("taken_over", segment=segment, sessions=len(waiting))
    gateway.flush()
    return len(waiting)


def _journal(gateway: Gateway, record: StreamRecord) -> None:
    lane = gateway.engine.lanes[record.session]
    lane.stream.apply(record)
    gateway.journal(Kind.RECORD, lane.number, record.at, record.to_bytes())
    lane.bind()


def exchange_roles(gateway: Gateway) -> None:
    """Let the backup's listener be the primary's from here on, and the other way round."""
    gateway.roles = {listener: Role(1 - role) for listener, role in gateway.roles.items()}
    for connection in gateway.connections:
        connection.session.role = connection.witness.role = gateway.roles[connection.listener]
