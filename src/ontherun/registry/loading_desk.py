"""Fill the desk from the database, once, at the start; and make requests of rows."""

from dataclasses import fields
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ontherun.registry.desk import Desk
from ontherun.registry.records import Market
from ontherun.registry.records_requests import DropCopyGroup, Request, TimetableName, VenuePolicies
from ontherun.registry.request_states import RequestStatus
from ontherun.registry.tables import RouteThroughRow
from ontherun.registry.tables_requests import DropCopyGroupRow, RequestRow, SessionAllowanceRow, VenuePolicyRow
from ontherun.registry.terms import CopiedMessages, RequestKind, terms_from_json

_OPEN = [status.value for status in RequestStatus if status.open]


async def fill_desk(desk: Desk, connection: AsyncConnection) -> None:
    """Read what is open, and what has no history, into an empty desk."""
    newest = select(func.max(RequestRow.request_id))
    desk.last_request_id = await connection.scalar(newest) or 0
    still_open = select(RequestRow.__table__).where(RequestRow.status.in_(_OPEN)).order_by(RequestRow.request_id)
    for row in await connection.execute(still_open):
        desk.put_request(request_of(row))
    for row in await connection.execute(select(DropCopyGroupRow.__table__).order_by(DropCopyGroupRow.group_id)):
        desk.put_group(_group_of(row))
    for row in await connection.execute(select(SessionAllowanceRow.__table__)):
        desk.allowances[row.entity_id] = row.allowance
    for row in await connection.execute(select(RouteThroughRow.__table__)):
        desk.route_through[row.gfid, row.primary_gfid] = row.authorised_at
    known = {field.name for field in fields(VenuePolicies)}
    chosen = {row.name: row.value for row in await connection.execute(select(VenuePolicyRow.__table__))}
    chosen = {name: value for name, value in chosen.items() if name in known}
    if "timetable" in chosen:
        chosen["timetable"] = TimetableName(chosen["timetable"])
    desk.policies = VenuePolicies(**chosen)


def request_of(row: Row[Any]) -> Request:
    """Return the request that a row of the table holds."""
    return Request(
        request_id=row.request_id,
        entity_id=row.entity_id,
        status=RequestStatus(row.status),
        terms=terms_from_json(RequestKind(row.kind), row.terms),
        summary=row.summary,
        submitted_by=row.submitted_by,
        submitter=row.submitter,
        submitted_at=row.submitted_at,
        revision=row.revision,
        effective_at=row.effective_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        reason=row.reason,
        finished_at=row.finished_at,
        session_ids=tuple(row.session_ids),
    )


def _group_of(row: Row[Any]) -> DropCopyGroup:
    return DropCopyGroup(
        group_id=row.group_id,
        entity_id=row.entity_id,
        name=row.name,
        market=Market(row.market),
        target=row.target,
        sources=tuple(row.sources),
        messages=tuple(CopiedMessages(message) for message in row.messages),
        created_at=row.created_at,
        deleted_at=row.deleted_at,
    )
