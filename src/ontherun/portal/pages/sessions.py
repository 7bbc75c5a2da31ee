"""Order Entry sessions: the list with its filters, new ones, and CSV files in and out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response

from ontherun.portal.dependencies import Serving
from ontherun.portal.exports import ExportFormat
from ontherun.portal.headers import LARGEST_FILE
from ontherun.portal.pages.asking import (
    Amend,
    FormPage,
    Values,
    amended_by,
    amending,
    ask,
    common_context,
    number,
    one,
    settings_of,
    submit_or_amend,
    typed,
    values_of,
)
from ontherun.portal.pages.guard import CsrfChecked, Viewer
from ontherun.portal.pages.key_forms import FormError, Problem, problem_of
from ontherun.portal.pages.shell import redirect, render
from ontherun.portal.routes_session_requests import checked_import, like, sessions_file
from ontherun.portal.routes_sessions import status_of
from ontherun.portal.session_csv import COLUMNS
from ontherun.portal.status import Status
from ontherun.registry import (
    CreateSessions,
    Directory,
    InvalidError,
    OrderEntrySession,
    Principal,
    Registry,
    Right,
    StoredKeyPair,
)
from ontherun.registry import Request as SubmittedRequest

PAGES = (50, 100, 500)
"""How many sessions a page may have."""

STATES = ("any", "logged in", "not logged in", "no valid key pair", "port closed")
_CRUMBS = [("Order Entry sessions", "/sessions")]

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Query(max_length=100)]


@dataclass(frozen=True)
class Row:
    """One session as the list shows it at `now`. Its key pairs are looked at only where they are shown or asked for: a
    list may have ten thousand sessions and show fifty."""

    session: OrderEntrySession
    state: str
    directory: Directory
    now: int

    @cached_property
    def _valid(self) -> list[StoredKeyPair]:
        return self.directory.valid_pairs_of(self.session.session_id, self.now)

    @property
    def valid_pairs(self) -> int:
        """How many key pairs can log in."""
        return len(self._valid)

    @property
    def next_expiry(self) -> int | None:
        """When the first of them ends, ns since 1970 UTC; None without any."""
        return min((stored.pair.expires_at for stored in self._valid), default=None)


_SORTS: dict[str, Callable[[Row], Any]] = {
    "created": lambda row: row.session.created_at,
    "id": lambda row: row.session.session_id,
    "label": lambda row: row.session.label.lower(),
    "firm": lambda row: row.session.firms[0],
    "keys": lambda row: row.valid_pairs,
    "expiry": lambda row: row.next_expiry or 0,
    "state": lambda row: row.state,
}


@router.get("/sessions", response_class=HTMLResponse)
async def list_sessions(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    q: Text = "",
    state: Text = "any",
    sort: Text = "created",
    down: bool = False,
    page: Annotated[int, Query(ge=1, le=10**6)] = 1,
    size: Annotated[int, Query(ge=1, le=500)] = 50,
) -> HTMLResponse:
    """List the sessions that the viewer sees."""
    rows = _rows(registry, status_of(request), viewer)
    total = len(rows)
    found = [row for row in rows if _matches(row, q.strip().lower(), state)]
    sort = sort if sort in _SORTS else "created"
    if sort != "created" or down:
        found.sort(key=_SORTS[sort], reverse=down)
    shown = found[(page - 1) * size : page * size]

    def link(**changes: object) -> str:
        return "/sessions?" + urlencode(
            {"q": q, "state": state, "sort": sort, "down": down, "size": size, "page": page} | changes
        )

    return render(
        request,
        "sessions/list.html",
        rows=shown,
        total=total,
        count=len(found),
        first=(page - 1) * size + 1,
        q=q,
        state=state,
        states=STATES,
        heads=[(name, head, link(sort=name, down=sort == name and not down, page=1)) for name, head in _HEADS],
        sort=sort,
        down=down,
        size=size,
        sizes=[(each, link(size=each, page=1)) for each in PAGES],
        newer=link(page=page - 1) if page > 1 else None,
        older=link(page=page + 1) if len(found) > page * size else None,
        allowances=_allowances(registry, viewer),
        may_create=bool(_firms(registry, viewer)),
    )


_HEADS = (
    ("id", "Session"),
    ("label", "Label"),
    ("firm", "Firms"),
    ("state", "Login"),
    ("keys", "Valid key pairs"),
    ("expiry", "Next expiry"),
)


def _rows(registry: Registry, status: Status, viewer: Principal) -> list[Row]:
    now, connected, closed = registry.clock.now(), status.connected(), status.closed_ports()
    rows = []
    for session in registry.sessions.list(viewer):
        state = "logged in" if session.session_id in connected else "not logged in"
        if session.session_id in closed:
            state = "port closed"
        rows.append(Row(session, state, registry.directory, now))
    return rows


def _matches(row: Row, text: str, state: str) -> bool:
    session = row.session
    if state == "no valid key pair":
        if row.valid_pairs:
            return False
    elif state not in ("any", row.state) and state in STATES:
        return False
    parts = (session.session_id, session.label, session.front_end_system, *session.firms)
    return not text or any(text in part.lower() for part in parts)


def _allowances(registry: Registry, viewer: Principal) -> list[tuple[str, int, int]]:
    found = []
    for entity in registry.entities.list(viewer)[:5]:
        allowance, used = registry.sessions.allowance(viewer, entity.entity_id)
        found.append((entity.name, used, allowance))
    return found


def _firms(registry: Registry, viewer: Principal) -> list[tuple[str, str]]:
    return [
        (firm.gfid, f"{firm.gfid} {firm.name}")
        for firm in registry.firms.list(viewer)
        if viewer.may(Right.MANAGE_SESSIONS, firm.entity_id)
    ]


def authorised_firms(registry: Registry, viewer: Principal) -> list[tuple[str, str]]:
    """Return the firms of other entities that have authorised one of the viewer's to carry them."""
    own = {gfid for gfid, _ in _firms(registry, viewer)}
    found = {firm.gfid: firm for gfid in own for firm in registry.firms.carried_by(viewer, gfid)}
    return [(gfid, f"{gfid} {firm.name} (another entity)") for gfid, firm in sorted(found.items()) if gfid not in own]


# New sessions.

FIELDS = (
    "primary",
    "secondary",
    "market_segments",
    "number_of_sessions",
    "front_end_system",
    "live_date",
    "allowed_sources",
    "label",
    "notes",
)
_WORDING = {"firms": "primary"}


@router.get("/sessions/new", response_class=HTMLResponse)
async def new_sessions(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    like_session: Annotated[str, Query(alias="like", max_length=5)] = "",
    amend: Amend = 0,
) -> HTMLResponse:
    """Ask what new sessions are to be like; `like` and `amend` begin with those of a session or of a request."""
    values: Values = {"cancel_on_disconnect": ["yes"], "market_segments": [str(registry.market_segments[0])]}
    if like_session:
        values = typed(like(registry.sessions.get(viewer, like_session)))
    return _form_page(request, registry, viewer)(values | await amending(registry, viewer, amend), None)


@router.post("/sessions/new", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def ask_for_sessions(request: Request, registry: Serving, viewer: Viewer) -> Response:
    """Review or submit new sessions."""
    return await ask(
        request,
        registry,
        viewer,
        read_new,
        _form_page(request, registry, viewer),
        title="New Order Entry sessions",
        crumbs=_CRUMBS,
        where_to=_where_to,
        wording=_WORDING,
    )


def read_new(values: Values) -> CreateSessions:
    """Return what the form of new sessions asks for."""
    return CreateSessions(
        firms=firms_of(values),
        market_segments=segments_of(values),
        number_of_sessions=number(values, "number_of_sessions", 1),
        cancel_on_disconnect="cancel_on_disconnect" in values,
        **settings_of(values, "label", "notes"),
    )


def firms_of(values: Values) -> tuple[str, ...]:
    """Return the firms that were chosen, the primary one first."""
    primary = one(values, "primary")
    return (primary, *(gfid for gfid in values.get("secondary", ()) if gfid != primary))


def segments_of(values: Values) -> tuple[int, ...]:
    """Return the market segments that were ticked. InvalidError for what is no number."""
    ticked = values.get("market_segments", [])
    if not all(text.isascii() and text.isdecimal() and len(text) <= 3 for text in ticked):
        raise InvalidError("market_segments", "has something else than numbers.", "the numbers of market segments")
    return tuple(int(text) for text in ticked)


def _form_page(request: Request, registry: Registry, viewer: Principal) -> FormPage:
    def page(values: Values, problem: Problem | None) -> HTMLResponse:
        return render(
            request,
            "sessions/new.html",
            200 if problem is None else problem.status,
            values=values,
            firms=_firms(registry, viewer),
            others=authorised_firms(registry, viewer),
            segments=[(str(segment), f"Market segment {segment}") for segment in registry.market_segments],
            allowances=_allowances(registry, viewer),
            **common_context(problem, FIELDS),
        )

    return page


def _where_to(done: SubmittedRequest) -> str:
    if len(done.session_ids) == 1:
        return f"/sessions/{done.session_ids[0]}"
    return "/sessions?sort=created&down=true"


# Files.


@router.get("/sessions/export")
async def export(
    registry: Serving, viewer: Viewer, file_format: Annotated[ExportFormat, Query(alias="format")] = "csv"
) -> Response:
    """Download the sessions that the viewer sees."""
    return await sessions_file(registry, file_format, registry.sessions.list(viewer))


@router.get("/sessions/import", response_class=HTMLResponse)
async def ask_for_file(request: Request, registry: Serving, viewer: Viewer, amend: Amend = 0) -> HTMLResponse:
    """Ask for a CSV file."""
    return _import_page(request, await amending(registry, viewer, amend))


@router.post("/sessions/import", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def import_file(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    file: Annotated[UploadFile | None, File()] = None,
    text: Annotated[str, Form(max_length=LARGEST_FILE)] = "",
    agreed: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Check a CSV file and show what its import would do; submit it when that was agreed to."""
    values = await values_of(request)
    if file is not None and file.size:
        content = await file.read()
    else:
        content = text.encode("utf-8", "replace")
    try:
        terms = checked_import(viewer, registry, content)
        preview = registry.requests.preview(viewer, terms, amended_by(values))
        if agreed == "yes":
            done = await submit_or_amend(registry, viewer, terms, values)
            to = f"/requests/{done.request_id}"
            return redirect(request, to, f"Request {done.request_id} is {done.status}.")
    except RequestValidationError as error:
        faults = [(".".join(map(str, fault["loc"][1:])), fault["msg"]) for fault in error.errors()]
        return _import_page(request, values, faults=faults)
    except FormError as error:
        return _import_page(request, values, problem=problem_of(error))
    return _import_page(request, values, preview=preview, text=content.decode("utf-8-sig"))


def _import_page(
    request: Request,
    values: Values,
    *,
    faults: Sequence[tuple[str, str]] = (),
    problem: Problem | None = None,
    preview: object = None,
    text: str = "",
) -> HTMLResponse:
    status = 422 if faults else 200 if problem is None else problem.status
    return render(
        request,
        "sessions/import.html",
        status,
        values=values,
        faults=faults,
        problem=problem,
        preview=preview,
        text=text,
        columns=COLUMNS,
    )
