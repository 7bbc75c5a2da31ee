"""The audit to look through: who did what, when and from where; its export; whether its chain holds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, Response

from ontherun.portal.dependencies import Serving
from ontherun.portal.pages.guard import CsrfChecked, Viewer
from ontherun.portal.pages.shell import render
from ontherun.portal.routes_audit import ExportFormat, KeptHash, export_response
from ontherun.registry import LARGEST_ID, AuditDamagedError, AuditEntry, AuditQuery, Right

ENTRIES_SHOWN = 50

ACTIONS = (
    ("", "every action"),
    ("session.", "sessions"),
    ("key_pair.", "key pairs"),
    ("key_pair.downloaded", "secrets read"),
    ("request.", "requests"),
    ("drop_copy_group.", "Drop Copy groups"),
    ("market_data_session.", "Market Data sessions"),
    ("user.", "users"),
    ("role.", "roles"),
    ("sign_in.", "sign-ins"),
    ("second_factor.", "second factors"),
    ("api_token.", "API tokens"),
    ("notice.", "notices"),
    ("entity.", "entities"),
    ("firm.", "firms"),
    ("master_key.", "master key"),
    ("clock.", "clock"),
    ("audit.", "the audit itself"),
)
"""The beginnings of actions that the page offers, in words."""

_CENTRAL = ZoneInfo("America/Chicago")

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Query(max_length=200)]
FormText = Annotated[str, Form(max_length=200)]


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as the page shows it."""

    entry: AuditEntry
    entity: str
    subject_url: str | None
    details: Mapping[str, object]
    why: str


@router.get("/audit", response_class=HTMLResponse)
async def audit_page(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    actor: Text = "",
    action: Text = "",
    subject: Text = "",
    entity: Text = "",
    since: Text = "",
    until: Text = "",
    text: Text = "",
    before: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
) -> HTMLResponse:
    """Show a page of what was searched for, the newest first."""
    sought = _sought(actor, action, subject, entity, since, until, text)
    query, errors = _query(sought)
    page = await registry.audit.search(viewer, query, before=before, limit=ENTRIES_SHOWN)
    readable = viewer.entities(Right.READ_AUDIT)
    entities = [found for found in registry.directory.entities() if readable is None or found.entity_id in readable]
    names = {found.entity_id: found.name for found in entities}
    return render(
        request,
        "audit/audit.html",
        rows=[_row(entry, names) for entry in page.entries],
        sought=sought,
        errors=errors,
        actions=ACTIONS,
        entities=entities,
        older=None if page.next is None else _url(sought, before=page.next),
        newest=None if before is None else _url(sought),
        api_query=urlencode({name: value for name, value in query.said().items() if name not in ("since", "until")}),
    )


@router.get("/audit/verification", response_class=HTMLResponse)
async def verification_page(request: Request, registry: Serving, viewer: Viewer, kept: KeptHash = "") -> HTMLResponse:
    """Walk the whole chain, and say whether it holds."""
    viewer.require_operator()
    damage = end = None
    try:
        end = await registry.audit.verify(kept)
    except AuditDamagedError as found:
        damage = found
    return render(request, "audit/verification.html", end=end, damage=damage, kept=kept)


@router.post("/audit/export", dependencies=[CsrfChecked])
async def export(
    registry: Serving,
    viewer: Viewer,
    file_format: Annotated[ExportFormat, Form()],
    actor: FormText = "",
    action: FormText = "",
    subject: FormText = "",
    entity: FormText = "",
    since: FormText = "",
    until: FormText = "",
    text: FormText = "",
) -> Response:
    """Hand out what was searched for as a file. That is an audit entry too, hence a form and no link."""
    query, _ = _query(_sought(actor, action, subject, entity, since, until, text))
    return await export_response(registry, viewer, query, file_format)


def _sought(*values: str) -> dict[str, str]:
    names = ("actor", "action", "subject", "entity", "since", "until", "text")
    return {name: value.strip() for name, value in zip(names, values, strict=True)}


def _query(sought: Mapping[str, str]) -> tuple[AuditQuery, dict[str, str]]:
    """Return the search, and what is wrong with which field; a wrong field is left open."""
    errors: dict[str, str] = {}
    days: dict[str, int | None] = {}
    for name, more in (("since", 0), ("until", 1)):
        days[name] = None
        try:
            if sought[name]:
                days[name] = _midnight(date.fromisoformat(sought[name]) + timedelta(days=more))
        except (ValueError, OverflowError):
            errors[name] = "That is no day. Expected: year-month-day, such as 2026-11-23."
    entity_id = int(sought["entity"]) if sought["entity"].isascii() and sought["entity"].isdigit() else None
    if entity_id is not None and entity_id > LARGEST_ID:
        entity_id = LARGEST_ID
    actor, action, subject, text = (sought[name] for name in ("actor", "action", "subject", "text"))
    return AuditQuery(actor, action, subject, entity_id, days["since"], days["until"], text), errors


def _midnight(day: date) -> int:
    """Return the beginning of a day in Central, in nanoseconds since 1970-01-01 UTC."""
    return min(max(0, int(datetime.combine(day, time(), _CENTRAL).timestamp())) * 10**9, LARGEST_ID)


def _url(sought: Mapping[str, str], **more: object) -> str:
    fields = urlencode({name: value for name, value in {**sought, **more}.items() if value != ""})
    return f"/audit?{fields}" if fields else "/audit"


def _row(entry: AuditEntry, names: Mapping[int, str]) -> Row:
    kind, _, name = entry.subject.partition(" ")
    url = f"/sessions/{name}" if kind == "session" and name.isalnum() and name.isascii() else None
    entity = "venue" if entry.entity_id is None else names.get(entry.entity_id, str(entry.entity_id))
    details: dict[str, object] = json.loads(entry.details)
    why = details.pop("reason", "")
    said_first = sorted(details.items(), key=lambda detail: detail[1] in (None, "", []))
    return Row(entry, entity, url, dict(said_first), str(why))
