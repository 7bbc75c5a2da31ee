"""The frame of every page: rendering with what all pages show, and redirects that leave a message for the next page."""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse

import ontherun
from ontherun.portal.pages import moments, navigation, tones, words
from ontherun.registry import Principal, Registry

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

Theme = Literal["auto", "light", "dark"]
THEMES: tuple[Theme, ...] = ("auto", "light", "dark")

THEME_COOKIE = "theme"
ZONE_COOKIE = "zone"
DONE_COOKIE = "done"

LONGEST_MESSAGE = 400
"""The most characters of a message that a redirect leaves; the rest is cut."""

_ROOM = Path(__file__).parent.parent
_MARK = secrets.token_bytes(32)
"""Signs the messages left for the next page, so that only this process writes on its pages."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the macros know of the page that is being rendered."""

    now: int
    zone: str
    csrf: str
    api_url: str
    ids: Iterator[int]


_seen: ContextVar[_Seen] = ContextVar("seen")


def render(request: Request, template: str, status: int = HTTPStatus.OK, **context: object) -> HTMLResponse:
    """Return a page: `template` of portal/templates with `context` and what every page shows.

    Every template may use `viewer` (the Principal or None), `csrf`, `groups` (the navigation), `now` (nanoseconds since
    1970-01-01 UTC), `environment`, `clock_moved`, `zone` (IANA name), `theme`, `api_url`, `version`, `done`,
    `path` and `back`.
    """
    registry = request.app.state.registry
    assert isinstance(registry, Registry)
    viewer: Principal | None = getattr(request.state, "viewer", None)
    seen = _Seen(
        registry.clock.now(),
        zone_of(request),
        getattr(request.state, "csrf", ""),
        request.app.state.status.api_url,
        count(1),
    )
    left = request.cookies.get(DONE_COOKIE)
    served = request.app.state.page_paths
    path = request.url.path
    frame: Mapping[str, object] = {
        "viewer": viewer,
        "csrf": seen.csrf,
        "groups": [] if viewer is None else navigation.links(registry, viewer, path, served),
        "served": served,
        "now": seen.now,
        "environment": registry.environment,
        "clock_moved": _clock_moved(registry),
        "zone": seen.zone,
        "theme": theme_of(request),
        "api_url": seen.api_url,
        "version": ontherun.__version__,
        "done": None if left is None else _opened(left),
        "path": path,
        "back": f"{path}?{request.url.query}" if request.url.query else path,
    }
    before = _seen.set(seen)
    try:
        text = templates().get_template(template).render({**frame, **context})
    finally:
        _seen.reset(before)
    response = HTMLResponse(text, status)
    if left is not None:
        response.delete_cookie(DONE_COOKIE, httponly=True, samesite="strict")
    return response


def _clock_moved(registry: Registry) -> str | None:
    """Return how far a lab's clock is from the machine's, in words; None where it is not."""
    clock = registry.lab.clock
    if clock is None or (offset := clock.offset()) == 0:
        return None
    words = moments.distance(abs(offset) + 30 * moments.SECOND, 0).removeprefix("in ")
    return f"{'less than a minute' if words == 'now' else words} {'ahead' if offset > 0 else 'behind'}"


def redirect(request: Request, url: str, done: str | None = None) -> RedirectResponse:
    """Send the browser on to `url`, a path of this portal (303); `done` is shown once, on the next page."""
    assert local_path(url) == url
    response = RedirectResponse(url, HTTPStatus.SEE_OTHER)
    if done is not None:
        secure = request.url.scheme == "https"
        response.set_cookie(DONE_COOKIE, _sealed(done), max_age=60, httponly=True, samesite="strict", secure=secure)
    return response


def problem_page(request: Request, problem: Mapping[str, Any]) -> HTMLResponse:
    """Return a problem document (RFC 9457) as a page."""
    return render(request, "error.html", problem["status"], problem=problem)


def local_path(text: str, otherwise: str = "/") -> str:
    """Return `text` where it is a path of this portal, else `otherwise`: nobody is sent on to another site."""
    here = text.startswith("/") and not text.startswith("//") and text.isprintable() and "\\" not in text
    return text if here else otherwise


def zone_of(request: Request) -> str:
    """Return the viewer's time zone, an IANA name: the profile's, else the browser's, else UTC."""
    chosen = getattr(request.state, "zone", None) or request.cookies.get(ZONE_COOKIE, "")
    return chosen if moments.zone_named(chosen) else "UTC"


def theme_of(request: Request) -> Theme:
    """Return the colours that the viewer chose; "auto" follows the system."""
    chosen = request.cookies.get(THEME_COOKIE)
    return next((theme for theme in THEMES if theme == chosen), "auto")


def static(name: str) -> str:
    """Return the URL of a static file; it changes with the file's content, so that no cache keeps an old one."""
    return f"/static/{name}?v={_fingerprint(name)}"


@cache
def _fingerprint(name: str) -> str:
    return sha256((_ROOM / "static" / name).read_bytes()).hexdigest()[:10]


def _sealed(message: str) -> str:
    text = message[:LONGEST_MESSAGE].encode()
    return urlsafe_b64encode(hmac.digest(_MARK, text, "sha256")[:16] + text).decode().rstrip("=")


def _opened(cookie: str) -> str | None:
    try:
        raw = urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))
        mark, text = raw[:16], raw[16:]
        if hmac.compare_digest(mark, hmac.digest(_MARK, text, "sha256")[:16]):
            return text.decode()
    except ValueError:
        pass
    return None


def _moment_element(at: int | None, relative: bool, seconds: bool) -> "Markup":
    seen = _seen.get()
    return moments.element(at, seen.zone, seen.now if relative and at is not None else None, seconds)


@cache
def templates() -> "Environment":
    """Return the template environment of all pages: everything escaped, an unknown name is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # at the first page: a start must not wait for it

    environment = Environment(
        loader=FileSystemLoader(_ROOM / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(
        static=static,
        csrf_token=lambda: _seen.get().csrf,
        moment=lambda at: moments.moment(at, _seen.get().zone),
        moment_element=_moment_element,
        distance=lambda at: moments.distance(at, _seen.get().now),
        venue_url=lambda: _seen.get().api_url,
        unique_id=lambda kind: f"{kind}-{next(_seen.get().ids)}",
        said=words.said,
        tone_of=tones.tone_of,
        themes=THEMES,
    )
    environment.filters["path"] = lambda part: quote(str(part), safe="")
    return environment
