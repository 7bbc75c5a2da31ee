"""The live side of a session: how it stands now, its last messages, and what happened at its logins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, Response

from ontherun.gateway.live import LiveStream
from ontherun.ilink.diagnosis import ESTABLISH_VALUES, NEGOTIATE_VALUES
from ontherun.portal.dependencies import Serving
from ontherun.portal.models import SessionId
from ontherun.portal.pages.guard import CsrfChecked, Viewer
from ontherun.portal.pages.session import seen_session
from ontherun.portal.pages.shell import redirect, render
from ontherun.portal.pages.tones import Tone
from ontherun.portal.routes_live import ENDED_WHY
from ontherun.portal.routes_sessions import status_of
from ontherun.portal.routes_traces import entries, require_traces
from ontherun.registry import LARGEST_ID, NotFoundError, OrderEntrySession, Principal, Registry, Right
from ontherun.trace import Level, TraceEntry, TraceKind, TraceQuery

ENTRIES_ON_LIVE = 12
MESSAGES_ON_LIVE = 10
ENTRIES_SHOWN = 50
MESSAGES_SHOWN = 50

Shown = Literal["all", "logins", "refused", "warnings"]
SHOWN: Sequence[tuple[str, str]] = (
    ("all", "everything"),
    ("logins", "logins"),
    ("refused", "what was refused or went wrong"),
    ("warnings", "that, and warnings"),
)

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class TraceRow:
    """An entry as pages show it; `title` in a few words, `answer` what the wire said."""

    entry: TraceEntry
    title: str
    tone: Tone
    answer: str
    diagnosis: str


@router.get("/sessions/{session_id}/live", response_class=HTMLResponse)
async def live_page(request: Request, registry: Serving, viewer: Viewer, session_id: SessionId) -> HTMLResponse:
    """Show how a session stands now."""
    return await _live(request, registry, viewer, session_id)


@router.post("/sessions/{session_id}/end", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def end_session(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    session_id: SessionId,
    confirm: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """End the session's connections."""
    if confirm.strip() != session_id:
        return await _live(request, registry, viewer, session_id, {"end": f"Type {session_id} as it stands there."})
    status = status_of(request)
    there = any(stream.connections for stream in status.live(session_id))
    await registry.sessions.record_ending(viewer, session_id, connected=there)
    status.end_session(session_id, ENDED_WHY)
    return redirect(request, f"/sessions/{session_id}/live", f"The connections of session {session_id} were ended.")


@router.post("/sessions/{session_id}/promote", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def promote(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    session_id: SessionId,
    segment: Annotated[int, Form(ge=0, le=254)],
    confirm: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Have a market segment's backup take over, for every session that is on it."""
    viewer.require_operator()
    if confirm.strip() != "promote":
        wrong = {f"promote-{segment}": "Type the word as it stands there."}
        return await _live(request, registry, viewer, session_id, wrong)
    await registry.gateways.record_promotion(viewer, segment, status_of(request).promotable())
    count = status_of(request).promote(segment)
    sessions = f"{count} session{'' if count == 1 else 's'} go{'es' if count == 1 else ''} on there"
    done = f"The backup of market segment {segment} is the primary now; {sessions}."
    return redirect(request, f"/sessions/{session_id}/live", done)


@router.get("/sessions/{session_id}/last-messages", response_class=HTMLResponse)
async def messages_page(request: Request, registry: Serving, viewer: Viewer, session_id: SessionId) -> HTMLResponse:
    """Show the last business messages, decoded."""
    from ontherun.portal.seen_messages import last_messages  # the client's words are not needed at a start

    session = seen_session(registry, viewer, session_id)
    viewer.require(Right.VIEW, session.entity_id)
    found = last_messages(status_of(request), session_id, MESSAGES_SHOWN)
    return render(request, "session/messages.html", session=session, messages=found)


@router.get("/sessions/{session_id}/traces", response_class=HTMLResponse)
async def traces_page(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    session_id: SessionId,
    show: Shown = "all",
    connection: Annotated[str, Query(max_length=50)] = "",
    before: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
) -> HTMLResponse:
    """Show what happened, the newest first."""
    require_traces(registry, viewer, session_id)
    query = _query(session_id, show, connection.strip(), before)
    found = await entries(status_of(request).traces, query, ENTRIES_SHOWN + 1)
    rows = [trace_row(entry) for entry in found[:ENTRIES_SHOWN]]
    own = {"show": show if show != "all" else "", "connection": connection.strip()}
    return render(
        request,
        "session/traces.html",
        session=seen_session(registry, viewer, session_id),
        rows=rows,
        show=show,
        selections=SHOWN,
        connection=connection.strip(),
        older=_url(session_id, own | {"before": rows[-1].entry.number}) if len(found) > ENTRIES_SHOWN else None,
        newest=_url(session_id, own) if before is not None else None,
    )


@router.get("/sessions/{session_id}/traces/{number}", response_class=HTMLResponse)
async def trace_page(
    request: Request, registry: Serving, viewer: Viewer, session_id: SessionId, number: int
) -> HTMLResponse:
    """Show one entry whole: for a login with the text that was signed."""
    require_traces(registry, viewer, session_id)
    query = TraceQuery(sessions=[session_id], after=number - 1, before=number + 1)
    found = await entries(status_of(request).traces, query, 1) if 0 < number < LARGEST_ID else []
    if not found:
        raise NotFoundError(f"trace entry {number} of session {session_id}; the oldest ones are not kept")
    (entry,) = found
    return render(
        request,
        "session/trace.html",
        session=seen_session(registry, viewer, session_id),
        row=trace_row(entry),
        signed=signed_values(entry),
        facts_known={name: value for name, value in entry.facts.items() if name not in _SHOWN_APART},
    )


def trace_row(entry: TraceEntry) -> TraceRow:
    """An entry in the words of a page."""
    facts = entry.facts
    accepted = facts.get("verdict") == "accepted"
    title = entry.kind.replace("-", " ")
    if entry.kind is TraceKind.LOGIN:
        title = f"{facts['message']} {facts['verdict']}"
    tone: Tone = {Level.INFO: "good" if accepted else "idle", Level.WARNING: "warn", Level.ERROR: "bad"}[entry.level]
    name = str(facts.get("code_name", ""))
    answer = "" if entry.code is None else f"{entry.code} {name}".strip()
    return TraceRow(entry, title, tone, name if accepted else answer, str(facts.get("diagnosis", "")))


def signed_values(entry: TraceEntry) -> list[tuple[str, str]]:
    """The values of the canonical text, by name and in their order; none where no text was signed."""
    text = str(entry.facts.get("canonical_text", ""))
    names = NEGOTIATE_VALUES if entry.facts.get("message") == "Negotiate" else ESTABLISH_VALUES
    values = text.split("\n")
    return list(zip(names, values, strict=True)) if len(values) == len(names) else []


_SHOWN_APART = frozenset({"canonical_text", "diagnosis", "message", "verdict", "code_name"})


async def _live(
    request: Request, registry: Registry, viewer: Principal, session_id: str, wrong: dict[str, str] | None = None
) -> HTMLResponse:
    from ontherun.portal.seen_messages import last_messages

    session = seen_session(registry, viewer, session_id)
    require_traces(registry, viewer, session_id)
    status = status_of(request)
    streams = status.live(session_id)
    found = await entries(status.traces, TraceQuery(sessions=[session_id]), ENTRIES_ON_LIVE)
    segments = session.market_segments if isinstance(session, OrderEntrySession) else ()
    return render(
        request,
        "session/live.html",
        422 if wrong else 200,
        session=session,
        state=_state(streams),
        streams=streams,
        gateways=[gateway for gateway in status.gateways() if gateway.segment in segments],
        backups=[segment for segment in status.promotable() if segment in segments],
        messages=last_messages(status, session_id, MESSAGES_ON_LIVE)[:MESSAGES_ON_LIVE],
        rows=[trace_row(entry) for entry in found],
        may_end=viewer.may(Right.MANAGE_SESSIONS, session.entity_id),
        wrong=wrong or {},
    )


def _state(streams: Sequence[LiveStream]) -> str:
    """How the session stands, in one word or two."""
    if any(stream.port_closed for stream in streams):
        return "port closed"
    states = {connection.state for stream in streams for connection in stream.connections}
    if "ESTABLISHED" in states:
        return "established"
    return "logging in" if states else "not logged in"


def _query(session_id: str, show: Shown, connection: str, before: int | None) -> TraceQuery:
    levels = {"refused": [Level.ERROR], "warnings": [Level.ERROR, Level.WARNING]}.get(show, [])
    kinds = [TraceKind.LOGIN] if show == "logins" else []
    return TraceQuery([session_id], kinds, levels, connection or None, before=before)


def _url(session_id: str, fields: Mapping[str, object]) -> str:
    chosen = urlencode({name: value for name, value in fields.items() if value != ""})
    return f"/sessions/{session_id}/traces" + (f"?{chosen}" if chosen else "")
