"""My requests and the to-do list: seen, filtered, sorted, exported, approved, rejected and cancelled."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, Response

from ontherun.portal.dependencies import Serving
from ontherun.portal.exports import MEDIA_TYPES, MOST_ROWS, ExportFormat
from ontherun.portal.models import Id
from ontherun.portal.pages.guard import CsrfChecked, Viewer
from ontherun.portal.pages.key_forms import FormError, Problem, problem_of
from ontherun.portal.pages.shell import redirect, render
from ontherun.portal.routes_requests import requests_file
from ontherun.portal.views_requests import plain
from ontherun.registry import (
    AnyTerms,
    ChangeDropCopyGroup,
    ChangeMarketDataSession,
    ChangeSession,
    CreateDropCopyGroup,
    CreateMarketDataSessions,
    CreateSessions,
    DeleteDropCopyGroup,
    DeleteMarketDataSession,
    DeleteSession,
    ImportSessions,
    Principal,
    RegisterFirm,
    Registry,
    RenameFirm,
    RequestKind,
    RequestOrder,
    RequestQuery,
    RequestStatus,
    Right,
    SetProtocol,
    WithdrawFirm,
    identity,
    terms_to_json,
)
from ontherun.registry import Request as SubmittedRequest

PAGE = 50
"""Requests on one page."""

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Query(max_length=100)]
Reason = Annotated[str, Form(max_length=2000)]
Revision = Annotated[int, Form(ge=0, le=2**31)]

_HEADS = (
    (RequestOrder.NUMBER, "Request"),
    (RequestOrder.KIND, "What"),
    (RequestOrder.STATUS, "Status"),
    (RequestOrder.SUBMITTED_BY, "Submitted by"),
    (None, "Submitted"),
    (RequestOrder.EFFECTIVE, "Effective"),
)


def _query(viewer: Principal, q: str, status: str, kind: str, who: str) -> RequestQuery:
    return RequestQuery(
        statuses=[RequestStatus(status)] if status in list(RequestStatus) else (),
        kinds=[RequestKind(kind)] if kind in list(RequestKind) else (),
        submitter=identity(viewer) if who == "mine" else "",
        text=q.strip(),
    )


@router.get("/requests", response_class=HTMLResponse)
async def list_requests(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    q: Text = "",
    status: Text = "",
    kind: Text = "",
    who: Text = "",
    sort: Text = "number",
    down: bool = True,
    page: Annotated[int, Query(ge=1, le=10**6)] = 1,
) -> HTMLResponse:
    """List requests."""
    order = RequestOrder(sort) if sort in list(RequestOrder) else RequestOrder.NUMBER
    asked = _query(viewer, q, status, kind, who)
    history = registry.requests.history
    count = await history.count(viewer, asked)
    found = await history.page(viewer, asked.sorted(order, down, (page - 1) * PAGE, PAGE))
    chosen: dict[str, Any] = {"q": q, "status": status, "kind": kind, "who": who}

    def link(**changes: object) -> str:
        return "/requests?" + urlencode({**chosen, "sort": order.value, "down": down, "page": page} | changes)

    return render(
        request,
        "requests/list.html",
        requests=found,
        count=count,
        first=(page - 1) * PAGE + 1,
        heads=[
            (head, name and link(sort=name.value, down=not down if name is order else True, page=1), name is order)
            for name, head in _HEADS
        ],
        down=down,
        wanted=chosen,
        filtered=any(chosen.values()),
        statuses=[("", "any"), *((each.value, each.value) for each in RequestStatus)],
        kinds=[("", "anything"), *((each.value, each.value.replace("-", " ")) for each in RequestKind)],
        newer=link(page=page - 1) if page > 1 else None,
        older=link(page=page + 1) if count > page * PAGE else None,
        exports=[(name, f"/requests/export?{urlencode({**chosen, 'format': name})}") for name in MEDIA_TYPES],
        waiting=len(registry.requests.to_do(viewer)),
        policies=registry.policies.current,
        runs=list(registry.requests.timetable.next_runs(registry.clock.now()).items()),
    )


@router.get("/requests/export")
async def export(
    registry: Serving,
    viewer: Viewer,
    q: Text = "",
    status: Text = "",
    kind: Text = "",
    who: Text = "",
    file_format: Annotated[ExportFormat, Query(alias="format")] = "csv",
) -> Response:
    """Download requests."""
    asked = _query(viewer, q, status, kind, who).sorted(RequestOrder.NUMBER, True, 0, MOST_ROWS)
    return await requests_file(file_format, await registry.requests.history.page(viewer, asked))


@router.get("/to-do", response_class=HTMLResponse)
async def to_do(request: Request, registry: Serving, viewer: Viewer) -> HTMLResponse:
    """List what waits for a decision of the viewer."""
    return render(
        request,
        "requests/to_do.html",
        requests=registry.requests.to_do(viewer),
        four_eyes=registry.policies.current.four_eyes,
    )


@router.get("/requests/{request_id}", response_class=HTMLResponse)
async def show_request(request: Request, registry: Serving, viewer: Viewer, request_id: Id) -> HTMLResponse:
    """Show a request."""
    return _page(request, registry, viewer, await registry.requests.get(viewer, request_id))


@router.post("/requests/{request_id}/approve", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def approve(request: Request, registry: Serving, viewer: Viewer, request_id: Id, revision: Revision) -> Response:
    """Approve a request, as it was when the viewer looked at it."""
    try:
        done = await registry.requests.approve(viewer, request_id, revision)
    except FormError as error:
        return await _again(request, registry, viewer, request_id, problem_of(error, {"notes": "why"}))
    return redirect(request, f"/requests/{request_id}", f"Request {request_id} was approved. It is {done.status}.")


@router.post("/requests/{request_id}/reject", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def reject(
    request: Request, registry: Serving, viewer: Viewer, request_id: Id, revision: Revision, reason: Reason = ""
) -> Response:
    """Reject a request."""
    try:
        await registry.requests.reject(viewer, request_id, reason, revision)
    except FormError as error:
        return await _again(request, registry, viewer, request_id, problem_of(error, {"notes": "reason"}), reason)
    return redirect(request, f"/requests/{request_id}", f"Request {request_id} was rejected.")


@router.post("/requests/{request_id}/cancel", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def cancel(request: Request, registry: Serving, viewer: Viewer, request_id: Id, why: Reason = "") -> Response:
    """Take a request back."""
    try:
        await registry.requests.cancel(viewer, request_id, why)
    except FormError as error:
        return await _again(request, registry, viewer, request_id, problem_of(error, {"notes": "why"}))
    return redirect(request, f"/requests/{request_id}", f"Request {request_id} was cancelled.")


def _form_of(terms: AnyTerms) -> str:
    """Return the page with the form that asks for such terms."""
    match terms:
        case CreateSessions():
            return "/sessions/new"
        case ImportSessions():
            return "/sessions/import"
        case ChangeSession():
            return f"/sessions/{terms.session_id}/edit"
        case SetProtocol():
            return f"/sessions/{terms.session_id}/protocol"
        case DeleteSession():
            return f"/sessions/{terms.session_id}/delete"
        case CreateDropCopyGroup():
            return "/drop-copy/new"
        case ChangeDropCopyGroup():
            return f"/drop-copy/{terms.group_id}"
        case DeleteDropCopyGroup():
            return f"/drop-copy/{terms.group_id}/delete"
        case CreateMarketDataSessions():
            return "/market-data/new"
        case ChangeMarketDataSession():
            return f"/market-data/{terms.session_id}/edit"
        case DeleteMarketDataSession():
            return f"/market-data/{terms.session_id}/delete"
        case RegisterFirm():
            return "/firms/new"
        case RenameFirm() | WithdrawFirm():
            return f"/firms/{terms.gfid}"


async def _again(
    request: Request, registry: Registry, viewer: Principal, request_id: int, problem: Problem, reason: str = ""
) -> HTMLResponse:
    found = await registry.requests.get(viewer, request_id)
    return _page(request, registry, viewer, found, problem, reason)


def _page(
    request: Request,
    registry: Registry,
    viewer: Principal,
    found: SubmittedRequest,
    problem: Problem | None = None,
    reason: str = "",
) -> HTMLResponse:
    may_manage = viewer.may(Right.MANAGE_SESSIONS, found.entity_id)
    entity = registry.directory.entity(found.entity_id)
    assert entity is not None  # a foreign key
    return render(
        request,
        "requests/one.html",
        200 if problem is None else problem.status,
        asked=found,
        entity=entity,
        terms=list(plain(terms_to_json(found.terms)).items()),
        may_decide=registry.requests.may_decide(viewer, found),
        may_cancel=found.status.open and may_manage,
        amend_at=f"{_form_of(found.terms)}?amend={found.request_id}" if found.status.open and may_manage else None,
        sessions=[
            (session_id, (session := registry.directory.session(session_id)) is not None and not session.deleted_at)
            for session_id in found.session_ids
        ],
        problem=problem,
        reason=reason,
    )
