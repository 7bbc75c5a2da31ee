"""Who is at the portal: the cookie of the browser, the token that each form carries, and the way to the sign-in page.

A form is believed when the browser says that it comes from this portal (Sec-Fetch-Site, where browsers send it) and
when it carries the token that belongs to the cookie: two checks, for either can be missing somewhere.
"""

import secrets
from functools import partial
from hmac import compare_digest
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request, Response
from starlette.exceptions import HTTPException

from ontherun.portal.dependencies import Serving, keep_reason
from ontherun.portal.headers import LATE_COOKIES
from ontherun.portal.pages.shell import redirect
from ontherun.portal.refusals import route_of
from ontherun.registry import AFTER_PROOF, Principal, Registry, SignedIn, Visitor, csrf_of
from ontherun.registry.refusals import ATTEMPT

SESSION_COOKIE = "otr_session"
"""The cookie of a browser that is signed in: SameSite=Strict, not readable by scripts."""

REASON_FIELD = "audit_reason"
"""The field of any form that says why, for the audit."""

VISITOR_COOKIE = "otr_visitor"
"""The cookie of a browser that is not signed in yet. It gives no right; it ties a form to the browser that was shown it
(no sign-in on behalf of somebody else). SameSite=Lax, for an identity provider sends people back from elsewhere."""

_VISITOR_LIFE = 3600  # seconds


class SignInNeededError(Exception):
    """Nobody is signed in; `way` is where to go."""

    def __init__(self, way: str) -> None:
        super().__init__("Nobody is signed in.")
        self.way = way


async def show_the_way_in(request: Request, error: Exception) -> Response:
    """Send somebody to the sign-in page who has to go there first."""
    assert isinstance(error, SignInNeededError)
    return redirect(request, error.way)


def is_secure(request: Request) -> bool:
    """Whether browsers reach this portal over https, so that cookies may be kept to it."""
    return urlsplit(public_url(request)).scheme == "https"


def public_url(request: Request) -> str:
    """Return where browsers reach this portal, without a trailing slash."""
    url: str = request.app.state.status.public_url
    return url


def cookie_name(request: Request, name: str) -> str:
    """Return a cookie's name; over https with the prefix that pins it to this host (RFC 6265bis, __Host-)."""
    return f"__Host-{name}" if is_secure(request) else name


def visitor_of(request: Request) -> Visitor:
    """Return what is known of whoever sends a request."""
    source = request.client.host if request.client else None
    return Visitor(source, request.headers.get("user-agent", ""))


async def signed_in(request: Request, registry: Serving) -> SignedIn | None:
    """Return who is signed in, or None; sets `request.state.viewer`, `.csrf`, `.zone` and `.cookie`."""
    cookie = request.cookies.get(cookie_name(request, SESSION_COOKIE))
    found = None if cookie is None else await registry.web_sessions.recognise(cookie, visitor_of(request).source)
    if found is not None:
        request.state.viewer = found.principal
        ATTEMPT.set(f"{request.method} {route_of(request)}")
        request.state.zone = found.user.zone
        request.state.csrf = found.csrf
        request.state.earlier_csrf = found.earlier_csrf
        request.state.cookie = cookie
        AFTER_PROOF.set(partial(_change_cookie, request, registry))
    return found


async def _change_cookie(request: Request, registry: Registry) -> None:
    """Give the browser a new cookie with the answer; the forms of that answer belong to the new one already."""
    secret = await registry.web_sessions.rotate(request.state.cookie)
    if secret is None:
        return
    request.state.cookie, request.state.csrf = secret.text, csrf_of(secret.text)
    carrier = Response()
    _set_session_cookie(request, carrier, secret.text)
    setattr(request.state, LATE_COOKIES, [carrier.headers["set-cookie"]])


async def viewer_of(request: Request, found: Annotated[SignedIn | None, Depends(signed_in)]) -> Principal:
    """Return who is signed in; else the browser is sent to the sign-in page and comes back afterwards."""
    if found is not None:
        return found.principal
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method not in ("GET", "HEAD"):
        target = "/"
    raise SignInNeededError("/sign-in" if target == "/" else f"/sign-in?next={quote(target, safe='/')}")


Viewer = Annotated[Principal, Depends(viewer_of)]


async def csrf_checked(request: Request, _viewer: Viewer) -> None:
    """Refuse a form that this portal did not give to this browser (403), and keep the reason that it gives."""
    await _check_form(request, request.state.csrf, *request.state.earlier_csrf)
    reason = (await request.form()).get(REASON_FIELD)
    keep_reason(reason if isinstance(reason, str) else "", ("body", REASON_FIELD))


async def visitor_form_checked(request: Request) -> None:
    """The same for the forms of people who are not signed in."""
    cookie = request.cookies.get(cookie_name(request, VISITOR_COOKIE))
    if cookie is None:
        raise _foreign()
    request.state.visitor = cookie
    await _check_form(request, csrf_of(cookie))
    request.state.csrf = csrf_of(cookie)


CsrfChecked = Depends(csrf_checked)
"""Put it into `dependencies=[CsrfChecked]` of each route that takes a form from somebody who is signed in."""

VisitorFormChecked = Depends(visitor_form_checked)


async def _check_form(request: Request, *tokens: str) -> None:
    if request.method in ("GET", "HEAD"):
        return
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise _foreign()
    origin = request.headers.get("origin")
    if origin is not None and origin not in (public_url(request), f"{request.url.scheme}://{request.url.netloc}"):
        raise _foreign()
    sent = request.headers.get("x-csrf-token")
    if sent is None:
        value = (await request.form()).get("csrf")
        sent = value if isinstance(value, str) else ""
        if request.scope["route"].body_field is None:  # nobody else reads the form, and closes its files
            await request.close()
    given = sent.encode("utf-8", "surrogatepass")
    if not any(compare_digest(given, token.encode("ascii")) for token in tokens):
        raise _foreign()


def _foreign() -> HTTPException:
    return HTTPException(
        HTTPStatus.FORBIDDEN,
        "This form was not sent from this portal's own page, or the page is from before you signed in. "
        "Open the page again and send it once more.",
    )


def let_in(request: Request, response: Response, cookie: str) -> None:
    """Give a browser its new cookie, and take the one away that it had before, or was just given for a proof."""
    setattr(request.state, LATE_COOKIES, [])
    _set_session_cookie(request, response, cookie)
    response.delete_cookie(
        cookie_name(request, VISITOR_COOKIE), httponly=True, samesite="lax", secure=is_secure(request)
    )


def _set_session_cookie(request: Request, response: Response, cookie: str) -> None:
    response.set_cookie(
        cookie_name(request, SESSION_COOKIE), cookie, httponly=True, samesite="strict", secure=is_secure(request)
    )


def let_out(request: Request, response: Response) -> None:
    """Take a browser's cookie away."""
    response.delete_cookie(
        cookie_name(request, SESSION_COOKIE), httponly=True, samesite="strict", secure=is_secure(request)
    )


def meet(request: Request) -> str | None:
    """See to it that a visitor's forms can be recognised; return a new cookie to set, or None when there is one."""
    cookie = request.cookies.get(cookie_name(request, VISITOR_COOKIE))
    request.state.csrf = csrf_of(cookie or (new := secrets.token_urlsafe(32)))
    request.state.visitor = cookie or new
    return None if cookie else request.state.visitor


def remember(request: Request, response: Response, cookie: str | None) -> None:
    """Set what `meet` returned."""
    if cookie is not None:
        response.set_cookie(
            cookie_name(request, VISITOR_COOKIE),
            cookie,
            max_age=_VISITOR_LIFE,
            httponly=True,
            samesite="lax",
            secure=is_secure(request),
        )
