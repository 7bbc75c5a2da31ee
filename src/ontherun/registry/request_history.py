"""All requests that ever were, read from the database by page; the open ones are in memory as well."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum, unique

from sqlalchemy import ColumnElement, func, or_, select

from ontherun.registry.errors import NotFoundError
from ontherun.registry.loading_desk import request_of
from ontherun.registry.principal import Principal, Right
from ontherun.registry.records_requests import Request
from ontherun.registry.request_states import RequestStatus
from ontherun.registry.store import Store
from ontherun.registry.tables_requests import RequestRow
from ontherun.registry.terms import RequestKind


@unique
class RequestOrder(StrEnum):
    """What a list of requests may be sorted by."""

    NUMBER = "number"
    KIND = "kind"
    STATUS = "status"
    SUBMITTED_BY = "submitted-by"
    EFFECTIVE = "effective"


_COLUMN = {
    RequestOrder.NUMBER: RequestRow.request_id,
    RequestOrder.KIND: RequestRow.kind,
    RequestOrder.STATUS: RequestRow.status,
    RequestOrder.SUBMITTED_BY: RequestRow.submitted_by,
    RequestOrder.EFFECTIVE: func.coalesce(RequestRow.effective_at, RequestRow.finished_at, RequestRow.submitted_at),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestQuery:
    """Which requests, in which order. Empty means: any. `text` is looked for in the summary and the submitter's name.

    `before` leaves out requests from that number on, `offset` the first ones of the order.
    """

    statuses: Collection[RequestStatus] = ()
    kinds: Collection[RequestKind] = ()
    submitter: str = ""
    text: str = ""
    before: int | None = None
    order: RequestOrder = RequestOrder.NUMBER
    descending: bool = True
    offset: int = 0
    limit: int = 100

    def sorted(self, order: RequestOrder, descending: bool, offset: int, limit: int) -> "RequestQuery":
        """Return the same question for another order and another page."""
        return replace(self, order=order, descending=descending, offset=offset, limit=limit)


class RequestHistory:
    """Requests in the database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, by: Principal, request_id: int) -> Request:
        """Return a request. NotFoundError when there is none for this principal."""
        request = self._store.directory.desk.open_request(request_id)
        if request is None:
            statement = select(RequestRow.__table__).where(RequestRow.request_id == request_id)
            rows = await self._store.rows(statement)
            request = request_of(rows[0]) if rows else None
        if request is None or not by.sees(request.entity_id):
            raise NotFoundError(f"request {request_id}")
        return request

    async def page(self, by: Principal, query: RequestQuery) -> list[Request]:
        """Return up to `query.limit` requests of the entities that the principal sees."""
        column = _COLUMN[query.order]
        number = RequestRow.request_id
        order = (column.desc(), number.desc()) if query.descending else (column.asc(), number.asc())
        statement = (
            select(RequestRow.__table__)
            .where(*_conditions(by, query))
            .order_by(*order)
            .offset(query.offset)
            .limit(query.limit)
        )
        return [request_of(row) for row in await self._store.rows(statement)]

    async def count(self, by: Principal, query: RequestQuery) -> int:
        """Return how many requests there are, on all pages."""
        statement = select(func.count()).select_from(RequestRow).where(*_conditions(by, query))
        (row,) = await self._store.rows(statement)
        return int(row[0])


def _conditions(by: Principal, query: RequestQuery) -> Sequence[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    entities = by.entities(Right.VIEW)
    if entities is not None:
        found.append(RequestRow.entity_id.in_(sorted(entities)))
    if query.statuses:
        found.append(RequestRow.status.in_([status.value for status in query.statuses]))
    if query.kinds:
        found.append(RequestRow.kind.in_([kind.value for kind in query.kinds]))
    if query.submitter:
        found.append(RequestRow.submitter == query.submitter)
    if query.before is not None:
        found.append(RequestRow.request_id < query.before)
    if query.text:
        found.append(
            or_(
                RequestRow.summary.contains(query.text, autoescape=True),
                RequestRow.submitted_by.contains(query.text, autoescape=True),
            )
        )
    return found
