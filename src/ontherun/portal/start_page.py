"""The start page: what runs, where, and what to do next. No script, no secret, no sign-in."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

import ontherun
from ontherun.keys import utc_text
from ontherun.portal.dependencies import Serving
from ontherun.portal.routes_sessions import status_of
from ontherun.registry import SYSTEM, OrderEntrySession, Registry

if TYPE_CHECKING:
    from jinja2 import Template

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
async def start_page(request: Request, registry: Serving) -> str:
    """Show the start page."""
    status = status_of(request)
    sessions = registry.sessions.list(SYSTEM)
    now = status.connected(), status.closed_ports()
    rows = [_row(registry, session, *now) for session in islice(sessions, SESSIONS_SHOWN)]
    return _template().render(
        version=ontherun.__version__,
        environment=registry.environment,
        now=utc_text(registry.clock.now()),
        api_url=status.api_url,
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


@cache
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # at the first page: a start must not wait for it

    loader = FileSystemLoader(Path(__file__).parent / "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("start.html")
