"""The way in and the way out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ontherun.portal.dependencies import Serving
from ontherun.portal.pages.guard import (
    CsrfChecked,
    Viewer,
    VisitorFormChecked,
    let_in,
    let_out,
    meet,
    remember,
    signed_in,
    visitor_of,
)
from ontherun.portal.pages.shell import local_path, redirect, render
from ontherun.registry import NotRecognisedError, RegistryError, SignedIn, TooManyAttemptsError

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=2000)]
MaybeSignedIn = Annotated[SignedIn | None, Depends(signed_in)]


@router.get("/sign-in", response_class=HTMLResponse)
async def ask(request: Request, found: MaybeSignedIn, next: str = "/") -> Response:  # noqa: A002 - as the URL has it
    """Ask who it is."""
    target = local_path(next)
    if found is not None:
        return redirect(request, target)
    return _page(request, "sign_in/sign_in.html", next=target)


@router.post("/sign-in", dependencies=[VisitorFormChecked], response_class=HTMLResponse)
async def sign_in(
    request: Request,
    registry: Serving,
    email: Text = "",
    password: Text = "",
    next: Text = "/",  # noqa: A002 - as the form has it
) -> Response:
    """Let somebody in with e-mail address and password."""
    target = local_path(next)
    try:
        cookie = await registry.sign_in.with_password(email, password, visitor_of(request))
    except (NotRecognisedError, TooManyAttemptsError) as error:
        return _page(request, "sign_in/sign_in.html", _status(error), next=target, email=email, error=str(error))
    return _welcome(request, cookie.text, target)


@router.get("/sign-in/link/{token}", response_class=HTMLResponse)
async def ask_before_link(request: Request, token: str) -> Response:
    """Show a button for the link: whatever looks at links ahead of people does not press it, and uses nothing up."""
    return _page(request, "sign_in/link.html", token=token)


@router.post("/sign-in/link", dependencies=[VisitorFormChecked], response_class=HTMLResponse)
async def sign_in_with_link(request: Request, registry: Serving, token: Text = "") -> Response:
    """Let somebody in with a one-time link."""
    try:
        cookie = await registry.sign_in.with_link(token, visitor_of(request))
    except NotRecognisedError as error:
        return _page(request, "sign_in/link.html", _status(error), token="", error=str(error))
    return _welcome(request, cookie.text, "/")


@router.post("/sign-out", dependencies=[CsrfChecked])
async def sign_out(request: Request, by: Viewer, registry: Serving) -> RedirectResponse:
    """Let somebody out."""
    await registry.web_sessions.sign_out(by, request.state.cookie)
    response = redirect(request, "/sign-in", "You are signed out.")
    let_out(request, response)
    return response


def _welcome(request: Request, cookie: str, target: str) -> RedirectResponse:
    response = redirect(request, target)
    let_in(request, response, cookie)
    return response


def _page(request: Request, template: str, status: int = 200, **context: object) -> HTMLResponse:
    """Return a page for somebody who is not signed in, with forms that are tied to this browser."""
    cookie = meet(request)
    response = render(request, template, status, **{"error": "", "email": "", **context})
    remember(request, response, cookie)
    return response


def _status(error: RegistryError) -> int:
    return 429 if isinstance(error, TooManyAttemptsError) else 401
