"""The start page: what runs, where, and what to do next. No script, no secret, no sign-in."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ontherun.keys import utc_text
from ontherun.portal.dependencies import Serving
from ontherun.portal.pages.shell import render
from ontherun.portal.routes_sessions import status_of
from ontherun.registry import SYSTEM, OrderEntrySession, Registry

SESSIONS_SHOWN = 50

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One line of the sessions table."""

    session: OrderEntrySession
    valid_key_pairs: int
    next_expiry: str
    connected: bool
    port_closed: bool


@router.api_route("/", methods=["GET", "HEAD"], response_class=HTMLResponse)
async def start_page(request: Request, registry: Serving) -> HTMLResponse:
    """Show the start page."""
    status = status_of(request)
    sessions = registry.sessions.list(SYSTEM)
    now = status.connected(), status.closed_ports()
    rows = [_row(registry, session, *now) for session in islice(sessions, SESSIONS_SHOWN)]
    return render(
        request,
        "start/start.html",
        gateways=status.gateways(),
        instruments=status.instruments(),
        rows=rows,
        more_sessions=len(sessions) - len(rows),
        session_id=rows[0].session.session_id if rows else "A00",
    )


def _row(
    registry: Registry, session: OrderEntrySession, connected: Collection[str], closed_ports: Collection[str]
) -> SessionRow:
    valid = registry.directory.valid_pairs_of(session.session_id, registry.clock.now())
    next_expiry = min((stored.pair.expires_at for stored in valid), default=None)
    return SessionRow(
        session,
        len(valid),
        "" if next_expiry is None else utc_text(next_expiry)[:10],
        session.session_id in connected,
        session.session_id in closed_ports,
    )
