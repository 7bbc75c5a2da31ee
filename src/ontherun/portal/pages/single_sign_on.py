"""The way in by an identity provider."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from ontherun.portal.dependencies import Serving
from ontherun.portal.pages.guard import (
    VISITOR_COOKIE,
    VisitorFormChecked,
    cookie_name,
    let_in,
    public_url,
    visitor_of,
)
from ontherun.portal.pages.shell import local_path, render
from ontherun.portal.pages.sign_in import Text, ask_again
from ontherun.portal.single_sign_on import FAILED, SingleSignOn
from ontherun.registry import NotRecognisedError

router = APIRouter(include_in_schema=False)


@router.post("/sign-in/sso", dependencies=[VisitorFormChecked], response_class=HTMLResponse)
async def begin(request: Request, next: Text = "/") -> Response:  # noqa: A002 - as the form has it
    """Send the browser to the identity provider: by a page, for a form may lead nowhere else (form-action 'self')."""
    target = local_path(next)
    try:
        way = await _sso(request).begin(request, request.state.visitor, _redirect_uri(request), target)
    except NotRecognisedError as error:
        return ask_again(request, target, error)
    return render(request, "sign_in/onward.html", target=way)


@router.get("/sign-in/sso/callback", response_class=HTMLResponse)
async def finish(request: Request, registry: Serving) -> Response:
    """Let in whom the identity provider sends back.

    The browser comes from elsewhere, so the new cookie (SameSite=Strict) would not come along if it were redirected;
    it is sent on from a page of ours.
    """
    visitor = request.cookies.get(cookie_name(request, VISITOR_COOKIE))
    target = "/"
    try:
        if visitor is None:
            raise NotRecognisedError(FAILED)
        identity, target = await _sso(request).finish(request, visitor)
        cookie = await registry.identities.sign_in(identity, visitor_of(request))
    except NotRecognisedError as error:
        return ask_again(request, target, error)
    response = render(request, "sign_in/onward.html", target=target)
    let_in(request, response, cookie.text)
    return response


def _sso(request: Request) -> SingleSignOn:
    found = request.app.state.single_sign_on
    if not isinstance(found, SingleSignOn):
        raise HTTPException(HTTPStatus.NOT_FOUND, "This venue has no identity provider.")
    return found


def _redirect_uri(request: Request) -> str:
    return f"{public_url(request)}/sign-in/sso/callback"
