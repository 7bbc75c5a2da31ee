"""The audit: searched by page, exported as a stream, verified."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BeforeValidator

from ontherun.portal import models, views
from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.problems import answers
from ontherun.registry import LARGEST_ID, AuditDamagedError, AuditEntry, AuditQuery, Principal, Registry
from ontherun.registry.audit_files import EXPORTS

_CHUNK = 500  # entries that are written at once
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _iso(value: object) -> object:
    """Take no bare number for a time."""
    if isinstance(value, str) and not re.match(r"\d{4}-\d{2}-\d{2}T", value):
        raise ValueError("is no date and time such as 2026-11-23T00:00:00Z")
    return value


Time = Annotated[AwareDatetime, BeforeValidator(_iso)]

ExportFormat = Literal["jsonl", "csv"]

router = APIRouter(prefix="/audit", tags=["audit"], responses=answers(HTTPStatus.FORBIDDEN))


@dataclass(frozen=True, slots=True)
class Sought:
    """The parameters of a search."""

    actor: Annotated[str, Query(max_length=200, description="part of the name of who did it")] = ""
    action: Annotated[str, Query(max_length=50, description="beginning of the action", examples=["key_pair."])] = ""
    subject: Annotated[str, Query(max_length=200, description="the whole subject", examples=["session A00"])] = ""
    entity_id: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None
    since: Annotated[Time | None, Query(description="at this time or later")] = None
    until: Annotated[Time | None, Query(description="before this time")] = None
    text: Annotated[str, Query(max_length=200, description="in details, subject, action or source address")] = ""

    def query(self) -> AuditQuery:
        """The search as the registry takes it."""
        since, until = nanoseconds(self.since), nanoseconds(self.until)
        return AuditQuery(self.actor, self.action, self.subject, self.entity_id, since, until, self.text)


Search = Annotated[Sought, Depends()]


@router.get("", responses=answers(HTTPStatus.SERVICE_UNAVAILABLE), summary="Search audit entries, newest first")
async def list_audit(
    by: Asking,
    registry: Serving,
    sought: Search,
    before: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> models.Page[models.AuditEntryView]:
    """Search the audit. A page may hold fewer entries than `limit`, or none, and still have a `next`."""
    page = await registry.audit.search(by, sought.query(), before=before, limit=limit)
    following = None if page.next is None else str(page.next)
    return models.Page(items=[views.audit_entry(entry) for entry in page.entries], next=following)


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={
        **answers(HTTPStatus.SERVICE_UNAVAILABLE),
        200: {
            "description": "Every entry, oldest first, with its hashes",
            "content": {media_type: {"schema": {"type": "string"}} for media_type, _, _ in EXPORTS.values()},
        },
    },
    summary="Export the audit, or what a search finds, as JSON lines or CSV. That is an audit entry too",
)
async def export_audit(
    by: Asking,
    registry: Serving,
    sought: Search,
    file_format: Annotated[ExportFormat, Query(alias="format")] = "jsonl",
) -> StreamingResponse:
    """Export the audit."""
    return await export_response(registry, by, sought.query(), file_format)


async def export_response(
    registry: Registry, by: Principal, query: AuditQuery, file_format: ExportFormat
) -> StreamingResponse:
    """Return what a search finds as a file that is written while it is sent."""
    media_type, head, line = EXPORTS[file_format]
    entries = await registry.audit.export(by, query, file_format)
    name = f'attachment; filename="audit.{file_format}"'
    return StreamingResponse(_text(entries, head, line), media_type=media_type, headers={"Content-Disposition": name})


async def _text(entries: AsyncIterator[AuditEntry], head: str, line: Callable[[AuditEntry], str]) -> AsyncIterator[str]:
    lines = [head]
    async for entry in entries:
        lines.append(line(entry))
        if len(lines) >= _CHUNK:
            yield "".join(lines)
            lines.clear()
    yield "".join(lines)


KeptHash = Annotated[
    str, Query(pattern="^([0-9a-fA-F]{64})?$", description="a last hash from before, kept elsewhere: it must be there")
]


@router.get(
    "/verification",
    responses=answers(HTTPStatus.SERVICE_UNAVAILABLE),
    summary="Check the whole audit chain (operator of the venue only)",
)
async def verify_audit(by: Asking, registry: Serving, kept: KeptHash = "") -> models.AuditVerdict:
    """Check the audit chain."""
    by.require_operator()
    try:
        end = await registry.audit.verify(kept)
    except AuditDamagedError as damage:
        return models.AuditVerdict(intact=False, first_bad_entry=damage.sequence, message=str(damage))
    return models.AuditVerdict(intact=True, entries=end.sequence, last_hash=end.hash.hex())


def nanoseconds(time: datetime | None) -> int | None:
    """A time as ns since 1970 UTC, no further from it than the audit's own times can be."""
    if time is None:
        return None
    since = time - _EPOCH
    return min(max(0, (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1_000), LARGEST_ID)
