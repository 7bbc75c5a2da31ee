"""Requests: submitted, approved, amended, cancelled, and carried out when they are due.

Whatever is asked for is checked before it is submitted, and once more when it is carried out, in the transaction that
does it. A request that is due at once is submitted and completed in one transaction; the others wait for `run_due`,
which carries out each in a transaction of its own: after the death of the process at any point it has happened whole,
or not at all and is still due.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import insert, update

from ontherun.calendar import AT_ONCE, CENTRAL, EXCHANGE, Timetable, local_day
from ontherun.keys import KeyRuleError
from ontherun.registry.checks import checked_date, checked_notes
from ontherun.registry.drop_copy import DropCopyGroups
from ontherun.registry.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    RegistryError,
    UnavailableError,
)
from ontherun.registry.firms import Firms
from ontherun.registry.market_data import MarketDataSessions
from ontherun.registry.order_entry import OrderEntryPlans
from ontherun.registry.plans import Plan
from ontherun.registry.principal import SYSTEM, Principal, PrincipalKind, Right
from ontherun.registry.records_requests import Request, TimetableName
from ontherun.registry.request_history import RequestHistory
from ontherun.registry.request_parts import Preview, columns, identity, new_sessions, record, thing
from ontherun.registry.request_states import RequestEvent, RequestStatus, after
from ontherun.registry.store import Change, Store
from ontherun.registry.tables_requests import RequestRow
from ontherun.registry.terms import AnyTerms, DeleteSession, RequestKind

TIMETABLES: Mapping[TimetableName, Timetable] = {TimetableName.AT_ONCE: AT_ONCE, TimetableName.EXCHANGE: EXCHANGE}

FURTHEST_LIVE_DATE = timedelta(366 * 2)
"""How far ahead a live date may be."""


class Requests:
    """Submit requests and see them through.

    `changed` is called after each commit that may make another request the next due one; `end_session` (Session ID,
    reason) after the deletion of a session whose connection was to end. The venue sets both.
    """

    def __init__(
        self,
        store: Store,
        order_entry: OrderEntryPlans,
        drop_copy: DropCopyGroups,
        market_data: MarketDataSessions,
        firms: Firms,
    ) -> None:
        self._store = store
        self._desk = store.directory.desk
        self._order_entry = order_entry
        self.history = RequestHistory(store)
        self.changed: Callable[[], None] = lambda: None
        self.end_session: Callable[[str, str], object] = lambda _session_id, _reason: None
        self._planners: Mapping[RequestKind, Callable[[Principal, Any], Plan]] = {
            RequestKind.CREATE_SESSIONS: order_entry.create,
            RequestKind.IMPORT_SESSIONS: order_entry.import_,
            RequestKind.CHANGE_SESSION: order_entry.change,
            RequestKind.DELETE_SESSION: order_entry.delete,
            RequestKind.SET_PROTOCOL: order_entry.set_protocol,
            RequestKind.CREATE_DROP_COPY_GROUP: drop_copy.create,
            RequestKind.CHANGE_DROP_COPY_GROUP: drop_copy.change,
            RequestKind.DELETE_DROP_COPY_GROUP: drop_copy.delete,
            RequestKind.CREATE_MARKET_DATA_SESSIONS: market_data.create,
            RequestKind.CHANGE_MARKET_DATA_SESSION: market_data.change,
            RequestKind.DELETE_MARKET_DATA_SESSION: market_data.delete,
            RequestKind.REGISTER_FIRM: firms.register,
            RequestKind.RENAME_FIRM: firms.rename,
            RequestKind.WITHDRAW_FIRM: firms.withdraw,
        }

    @property
    def timetable(self) -> Timetable:
        """When requests are carried out, as the venue's policy is now."""
        return TIMETABLES[self._desk.policies.timetable]

    # What somebody asks for.

    def preview(self, by: Principal, terms: AnyTerms, amends: int | None = None) -> Preview:
        """Return what a request would do, or what an open one would that is amended by it; raises what they raise."""
        now = self._store.clock.now()
        was = None if amends is None else self._desk.open_request(amends)
        if amends is not None and (was is None or not by.sees(was.entity_id)):
            raise NotFoundError(f"open request {amends}")
        plan = self._checked(by, terms, now, was)
        return Preview(
            terms.kind,
            plan.entity_id,
            plan.summary,
            plan.effects,
            self._effective_at(plan, now),
            self._needs_approval(by, plan),
            self._desk.policies.fee_text if terms.kind.value.startswith("create") else "",
        )

    async def submit(self, by: Principal, terms: AnyTerms) -> Request:
        """Submit a request. What comes back is Completed already when nothing keeps it waiting.

        InvalidError, NotFoundError, ForbiddenError or ConflictError where it could not be carried out as things are;
        nothing is submitted then.
        """
        async with self._store.change(by) as change:
            plan = self._checked(by, terms, change.now)
            request = Request(
                request_id=self._desk.last_request_id + 1,
                entity_id=plan.entity_id,
                status=RequestStatus.SUBMITTED,
                terms=plan.terms,
                summary=plan.summary,
                submitted_by=by.name,
                submitter=identity(by),
                submitted_at=change.now,
            )
            record(change, "submitted", request)
            request = self._accept(by, change, plan, request)
            change.write(insert(RequestRow).values(request_id=request.request_id, **columns(request)))
            self._follow(change, request)
        return request

    async def amend(self, by: Principal, request_id: int, terms: AnyTerms, revision: int | None = None) -> Request:
        """Ask for something else in a request that is still open; it is then accepted anew, and approved anew.

        ConflictError when it is not open any more, is about another thing, or was amended since `revision`.
        """
        known = await self.get(by, request_id)
        async with self._store.change(by) as change:
            was = self._open(known, RequestEvent.AMEND, revision)
            by.require(Right.MANAGE_SESSIONS, was.entity_id)
            plan = self._checked(by, terms, change.now, was)
            request = replace(
                was,
                status=after(was.status, RequestEvent.AMEND, request_id),
                terms=plan.terms,
                summary=plan.summary,
                revision=was.revision + 1,
                effective_at=None,
                decided_by=None,
                decided_at=None,
            )
            record(change, "amended", request, revision=request.revision)
            request = self._accept(by, change, plan, request)
            self._save(change, request)
        return request

    async def cancel(self, by: Principal, request_id: int, reason: str = "") -> Request:
        """Take a request back while it is open. ConflictError when it is not any more."""
        reason = checked_notes(reason)
        known = await self.get(by, request_id)
        async with self._store.change(by) as change:
            was = self._open(known, RequestEvent.CANCEL)
            by.require(Right.MANAGE_SESSIONS, was.entity_id)
            request = replace(
                was,
                status=after(was.status, RequestEvent.CANCEL, request_id),
                effective_at=None,
                reason=reason,
                finished_at=change.now,
            )
            record(change, "cancelled", request, reason=reason)
            self._save(change, request)
        return request

    async def get(self, by: Principal, request_id: int) -> Request:
        """Return a request, open or not. NotFoundError when there is none for this principal."""
        return await self.history.get(by, request_id)

    # Four eyes.

    async def approve(self, by: Principal, request_id: int, revision: int | None = None) -> Request:
        """Approve another person's request. It then counts for the timetable as if it were submitted now.

        ForbiddenError for the submitter, ConflictError when it does not wait for approval (any more), could not be
        carried out as things are, or was amended since `revision`.
        """
        known = await self.get(by, request_id)
        async with self._store.change(by) as change:
            was = self._decided(by, known, RequestEvent.APPROVE, revision)
            plan = self._plan(SYSTEM, was.terms)
            request = replace(
                was,
                status=after(was.status, RequestEvent.APPROVE, request_id),
                effective_at=self._effective_at(plan, change.now),
                decided_by=by.name,
                decided_at=change.now,
            )
            record(change, "approved", request, revision=request.revision)
            request = self._carry_out_if_due(change, plan, request)
            self._save(change, request)
        return request

    async def reject(self, by: Principal, request_id: int, reason: str, revision: int | None = None) -> Request:
        """Reject another person's request, and say why: InvalidError without a reason."""
        reason = checked_notes(reason).strip()
        if not reason:
            raise InvalidError("reason", "is missing.", "why the request is rejected, for the person who submitted it")
        known = await self.get(by, request_id)
        async with self._store.change(by) as change:
            was = self._decided(by, known, RequestEvent.REJECT, revision)
            request = replace(
                was,
                status=after(was.status, RequestEvent.REJECT, request_id),
                decided_by=by.name,
                decided_at=change.now,
                finished_at=change.now,
                reason=reason,
            )
            record(change, "rejected", request, reason=reason)
            self._save(change, request)
        return request

    def may_decide(self, by: Principal, request: Request) -> bool:
        """Whether the principal may approve or reject the request now."""
        return (
            request.status is RequestStatus.PENDING_APPROVAL
            and by.may(Right.APPROVE_REQUESTS, request.entity_id)
            and identity(by) != request.submitter
        )

    def to_do(self, by: Principal) -> list[Request]:
        """Return the requests that wait for a decision of the principal, oldest first."""
        return [request for request in self._desk.open_requests() if self.may_decide(by, request)]

    # Carrying out.

    def next_due(self) -> int | None:
        """Return when the next request is due (ns since 1970 UTC); None when nothing waits for its time."""
        times = [request.effective_at for request in self._desk.open_requests() if request.effective_at is not None]
        return min(times, default=None)

    async def run_due(self) -> int:
        """Carry out what is due by now, in the order of its times, and return how many requests that were.

        UnavailableError when the database cannot be written: the rest is still due.
        """
        done = 0
        while (request := self._next(self._store.clock.now())) is not None:
            await self._run(request)
            done += 1
        return done

    def _next(self, now: int) -> Request | None:
        due = [
            (request.effective_at, request.request_id, request)
            for request in self._desk.open_requests()
            if request.effective_at is not None and request.effective_at <= now
        ]
        return min(due)[2] if due else None

    async def _run(self, request: Request) -> None:
        with suppress(_SupersededError):
            try:
                await self._finish(request, None)
            except (UnavailableError, _SupersededError):
                raise
            except (RegistryError, KeyRuleError) as error:
                await self._finish(request, str(error))

    async def _finish(self, request: Request, failure: str | None) -> None:
        async with self._store.change(SYSTEM) as change:
            if self._desk.open_request(request.request_id) is not request:
                raise _SupersededError
            if failure is None:
                done = self._carry_out(change, self._plan(SYSTEM, request.terms), request)
            else:
                done = replace(
                    request,
                    status=after(request.status, RequestEvent.FAIL, request.request_id),
                    finished_at=change.now,
                    effective_at=None,
                    reason=failure,
                )
                record(change, "failed", done, reason=failure)
            self._save(change, done)

    # Parts of the above.

    def _plan(self, by: Principal, terms: AnyTerms) -> Plan:
        return self._planners[terms.kind](by, terms)

    def _checked(self, by: Principal, terms: AnyTerms, now: int, was: Request | None = None) -> Plan:
        wanted: str | None = getattr(terms, "live_date", None)
        if wanted is not None and (was is None or wanted != was.live_date):
            today = local_day(now, CENTRAL)
            if not today <= checked_date("live_date", wanted) <= today + FURTHEST_LIVE_DATE:
                latest = today + FURTHEST_LIVE_DATE
                raise InvalidError("live_date", "is too early or too late.", f"a day from {today} to {latest}")
        plan = self._plan(by, terms)
        if was is not None and (plan.entity_id != was.entity_id or thing(terms) != thing(was.terms)):
            raise ConflictError(f"Request {was.request_id} is about another thing. Cancel it and submit a new one.")
        self._check_waiting(plan, was)
        return plan

    def _check_waiting(self, plan: Plan, was: Request | None) -> None:
        """Leave room in the allowance for what waits already, so that it does not fail when its time comes."""
        wanted = new_sessions(plan.terms)
        waiting = sum(
            new_sessions(request.terms)
            for request in self._desk.open_requests()
            if request.entity_id == plan.entity_id and (was is None or request.request_id != was.request_id)
        )
        allowance, used = self._desk.allowance(plan.entity_id), self._order_entry.count(plan.entity_id)
        if wanted and waiting and used + waiting + wanted > allowance:
            raise ConflictError(
                f"The entity may have {allowance} Order Entry sessions, has {used}, and requests for {waiting} more "
                f"wait: {wanted} do not fit beside them. Cancel one of those, or have the allowance raised."
            )

    def _needs_approval(self, by: Principal, plan: Plan) -> bool:
        return self._desk.policies.four_eyes and not plan.routine and by.kind is not PrincipalKind.PROCESS

    def _effective_at(self, plan: Plan, now: int) -> int:
        wanted: str | None = getattr(plan.terms, "live_date", None)
        if plan.run is None or (plan.routine and wanted is None):
            return now
        live_date = None if wanted is None else date.fromisoformat(wanted)
        return self.timetable.effective_at(plan.run, now, live_date)

    def _accept(self, by: Principal, change: Change, plan: Plan, request: Request) -> Request:
        if self._needs_approval(by, plan):
            return replace(request, status=after(request.status, RequestEvent.HOLD, request.request_id))
        request = replace(
            request,
            status=after(request.status, RequestEvent.BEGIN, request.request_id),
            effective_at=self._effective_at(plan, change.now),
        )
        return self._carry_out_if_due(change, plan, request)

    def _carry_out_if_due(self, change: Change, plan: Plan, request: Request) -> Request:
        due = request.effective_at is not None and request.effective_at <= change.now
        return self._carry_out(change, plan, request) if due else request

    def _carry_out(self, change: Change, plan: Plan, request: Request) -> Request:
        origin = {"request_id": request.request_id, "submitted_by": request.submitted_by}
        session_ids = plan.carry_out(change, origin)
        done = replace(
            request,
            status=after(request.status, RequestEvent.COMPLETE, request.request_id),
            finished_at=change.now,
            session_ids=session_ids,
        )
        record(change, "completed", done, session_ids=session_ids)
        if isinstance(request.terms, DeleteSession) and request.terms.end_session:
            (session_id,) = session_ids
            change.then(lambda: self._end(session_id))
        return done

    def _end(self, session_id: str) -> None:
        self.end_session(session_id, f"session {session_id} was deleted")

    def _open(self, known: Request, event: RequestEvent, revision: int | None = None) -> Request:
        """Return the request as it is now. ConflictError when the event cannot happen to it."""
        request = self._desk.open_request(known.request_id)
        if request is None:
            after(known.status, event, known.request_id)
            raise ConflictError(f"Request {known.request_id} was finished a moment ago. Look at it again.")
        after(request.status, event, request.request_id)
        if revision is not None and revision != request.revision:
            raise ConflictError(f"Request {request.request_id} was amended since you looked at it. Look at it again.")
        return request

    def _decided(self, by: Principal, known: Request, event: RequestEvent, revision: int | None) -> Request:
        by.require(Right.APPROVE_REQUESTS, known.entity_id)
        request = self._open(known, event, revision)
        if identity(by) == request.submitter:
            raise ForbiddenError(f"{by.name} submitted request {request.request_id}: another person has to {event} it.")
        return request

    def _save(self, change: Change, request: Request) -> None:
        change.write(update(RequestRow).where(RequestRow.request_id == request.request_id).values(**columns(request)))
        self._follow(change, request)

    def _follow(self, change: Change, request: Request) -> None:
        change.then(lambda: self._desk.put_request(request))
        change.then(lambda: self.changed())


class _SupersededError(RegistryError):
    """The request was cancelled, amended or carried out while another change was under way."""
