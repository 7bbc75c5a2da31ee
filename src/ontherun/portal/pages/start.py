"""The start page: what needs attention, how things stand, and for a newcomer the first four steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ontherun.portal.dependencies import Serving
from ontherun.portal.pages.guard import Viewer
from ontherun.portal.pages.shell import render
from ontherun.portal.pages.tones import Tone
from ontherun.portal.routes_attention import refused_logins
from ontherun.portal.routes_sessions import status_of
from ontherun.portal.status import Status
from ontherun.registry import AnySession, Need, NeedKind, Registry, look_over

SESSIONS_SHOWN = 10
NEEDS_SHOWN = 5

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Wording:
    """How a kind of need is put: `one` or `many` of it, what to do about it, and the page where that is done."""

    tone: Tone
    one: str
    many: str
    remedy: str
    place: str = "/sessions/{subject}"
    about: Literal["text", "key", "name"] = "text"
    """What a need's `about` is: words, an Access Key ID, or the name to show in place of a number."""


WORDINGS = {
    NeedKind.PORT_CLOSED: Wording(
        "bad",
        "port is closed",
        "ports are closed",
        "Five bad logins within a minute close a port, and every login is refused from then on. Find the client that "
        "signs with a wrong key, then have the operator open the port: ontherun session open-port SESSION",
    ),
    NeedKind.NO_VALID_KEY: Wording(
        "bad",
        "session has no valid key pair",
        "sessions have no valid key pair",
        "It cannot log in. Generate one; it works at once.",
    ),
    NeedKind.LOGIN_REFUSED: Wording(
        "warn",
        "session's last login was refused",
        "sessions' last logins were refused",
        "The reason stands beside it; the page of its logins says more. Five bad ones within a minute close the port.",
        "/sessions/{subject}/traces?show=refused",
    ),
    NeedKind.REQUEST_WAITS: Wording(
        "warn",
        "request waits for your decision",
        "requests wait for your decision",
        "Approve it or reject it; nothing happens before that.",
        "/requests/{subject}",
        "name",
    ),
    NeedKind.DELIVERY_FAILED: Wording(
        "warn",
        "notice did not arrive",
        "notices did not arrive",
        "It was given up, or its sending was cut off. See why, and send it again.",
        "/notices",
        "name",
    ),
    NeedKind.KEY_EXPIRES: Wording(
        "warn",
        "key pair expires and has no successor",
        "key pairs expire and have no successor",
        "Generate the next one now: both are valid side by side until the old one ends.",
        about="key",
    ),
    NeedKind.KEY_FAILING: Wording(
        "warn",
        "key pair is refused at login",
        "key pairs are refused at login",
        "The last login was refused. Test the key before five refusals within a minute close the port.",
        about="key",
    ),
    NeedKind.OLD_KEY_IN_USE: Wording(
        "warn",
        "old key pair still logs in",
        "old key pairs still log in",
        "The successor is there, and the old pair will end. Move the client before that.",
        about="key",
    ),
    NeedKind.KEY_NEVER_USED: Wording(
        "idle",
        "key pair was never used",
        "key pairs were never used",
        "Nobody has logged in with it for a week. Delete it if nobody needs it.",
        about="key",
    ),
    NeedKind.KEY_OLD: Wording(
        "idle",
        "key pair is older than half a year",
        "key pairs are older than half a year",
        "It is valid, but common benchmarks ask for less than twelve months. Replace it when it suits you.",
        about="key",
    ),
    NeedKind.TOO_FEW_ADMINS: Wording(
        "warn",
        "entity has too few Admin Managers",
        "entities have too few Admin Managers",
        "When the only one is away, nobody can act. Give the role to a second person.",
        "/people",
        "name",
    ),
    NeedKind.NO_SECOND_FACTOR: Wording(
        "warn",
        "person has no second factor",
        "people have no second factor",
        "They sign in with a password alone. Ask them to enrol a passkey or an authenticator app.",
        "/people",
        "name",
    ),
}


@dataclass(frozen=True, slots=True)
class NeedGroup:
    """The needs of one kind, the soonest first; `shown` of them are listed."""

    wording: Wording
    needs: Sequence[Need]

    @property
    def shown(self) -> Sequence[Need]:
        """Those that the page lists."""
        return self.needs[:NEEDS_SHOWN]

    @property
    def title(self) -> str:
        """How many of what."""
        count = len(self.needs)
        return f"{count} {self.wording.one if count == 1 else self.wording.many}"


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One line of the sessions table. `next_expiry`: nanoseconds since 1970-01-01 UTC."""

    session: AnySession
    valid_key_pairs: int
    next_expiry: int | None
    connected: bool
    port_closed: bool


@router.api_route("/", methods=["GET", "HEAD"], response_class=HTMLResponse)
async def start_page(request: Request, registry: Serving, viewer: Viewer) -> HTMLResponse:
    """Show the start page."""
    status = status_of(request)
    seen = await look_over(registry, viewer, status.closed_ports(), refused_logins(status))
    groups = [NeedGroup(WORDINGS[kind], list(of_kind)) for kind, of_kind in groupby(seen.needs, lambda need: need.kind)]
    connected = sum(session.session_id in status.connected() for session in seen.sessions)
    return render(
        request,
        "start/start.html",
        needs=groups,
        overview=seen,
        connected=connected,
        rows=[_row(registry, status, session) for session in seen.sessions[:SESSIONS_SHOWN]],
        gateways=status.gateways(),
        instruments=status.instruments(),
        firm=next((firm.gfid for firm in registry.directory.firms() if viewer.sees(firm.entity_id)), None),
        step=4 if connected or seen.used else 2 if seen.valid_pairs else 1 if seen.sessions else 0,
    )


def _row(registry: Registry, status: Status, session: AnySession) -> SessionRow:
    valid = registry.directory.valid_pairs_of(session.session_id, registry.clock.now())
    return SessionRow(
        session,
        len(valid),
        min((stored.pair.expires_at for stored in valid), default=None),
        session.session_id in status.connected(),
        session.session_id in status.closed_ports(),
    )
