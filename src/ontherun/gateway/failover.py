"""From the primary to the backup (CME client wiki, Fault Tolerance Scenarios)."""

from ontherun.gateway.gateway import Gateway
from ontherun.ilink.records import Role


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


def exchange_roles(gateway: Gateway) -> None:
    """Let the backup's listener be the primary's from here on, and the other way round."""
    gateway.roles = {listener: Role(1 - role) for listener, role in gateway.roles.items()}
    for connection in gateway.connections:
        connection.session.role = connection.witness.role = gateway.roles[connection.listener]
