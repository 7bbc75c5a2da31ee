"""The way in and the way out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ontherun.keys import Secret
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
from ontherun.portal.single_sign_on import SingleSignOn
from ontherun.registry import (
    ConflictError,
    InvalidError,
    NotRecognisedError,
    RegistryError,
    SecondFactorOwed,
    SecondFactorsSpentError,
    SignedIn,
    TooManyAttemptsError,
)

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=2000)]
Answer = Annotated[str, Form(max_length=20_000)]
MaybeSignedIn = Annotated[SignedIn | None, Depends(signed_in)]

REFUSALS = (NotRecognisedError, TooManyAttemptsError, SecondFactorsSpentError, InvalidError, ConflictError)


@router.get("/sign-in", response_class=HTMLResponse)
async def ask(request: Request, found: MaybeSignedIn, next: str = "/") -> Response:  # noqa: A002 - as the URL has it
    """Ask who it is.

    A link from elsewhere, a mail say, comes without the cookie of this site (SameSite=Strict). So whoever comes from
    elsewhere is sent on once from here, and that time the cookie comes along.
    """
    target = local_path(next)
    if found is not None:
        return redirect(request, target)
    if request.headers.get("sec-fetch-site") == "cross-site":
        return render(request, "sign_in/onward.html", target=target)
    return ask_again(request, target)


@router.post("/sign-in", dependencies=[VisitorFormChecked], response_class=HTMLResponse)
async def sign_in(
    request: Request,
    registry: Serving,
    email: Text = "",
    password: Text = "",
    next: Text = "/",  # noqa: A002 - as the form has it
) -> Response:
    """Let somebody in with e-mail address and password, or ask for the second factor."""
    target = local_path(next)
    try:
        result = await registry.sign_in.with_password(email, password, visitor_of(request))
    except REFUSALS as error:
        return ask_again(request, target, error, email)
    if isinstance(result, SecondFactorOwed):
        return _page(request, "sign_in/second.html", next=target, ticket=result.ticket, passkeys=result.passkeys)
    return welcome(request, result, target)


@router.post("/sign-in/second", dependencies=[VisitorFormChecked], response_class=HTMLResponse)
async def prove_second_factor(
    request: Request,
    registry: Serving,
    ticket: Text = "",
    answer: Answer = "",
    passkeys: Text = "",
    next: Text = "/",  # noqa: A002 - as the form has it
) -> Response:
    """Let somebody in who has given the password, with a second factor."""
    target = local_path(next)
    try:
        cookie = await registry.sign_in.with_second_factor(ticket, answer, visitor_of(request))
    except REFUSALS as error:
        status = status_of(error)
        return _page(
            request, "sign_in/second.html", status, next=target, ticket=ticket, passkeys=passkeys, error=str(error)
        )
    return welcome(request, cookie, target)


@router.post("/sign-in/passkey", dependencies=[VisitorFormChecked], response_class=HTMLResponse)
async def sign_in_with_passkey(
    request: Request,
    registry: Serving,
    answer: Answer = "",
    next: Text = "/",  # noqa: A002 - as the form has it
) -> Response:
    """Let somebody in with a passkey."""
    target = local_path(next)
    try:
        cookie = await registry.sign_in.with_passkey(answer, visitor_of(request))
    except REFUSALS as error:
        return ask_again(request, target, error)
    return welcome(request, cookie, target)


@router.post("/sign-in/passkey/options", dependencies=[VisitorFormChecked])
async def passkey_options(registry: Serving) -> Response:
    """Return what a browser needs to answer with a passkey."""
    return Response(registry.passkeys.prove_options(None), media_type="application/json")


@router.get("/sign-in/link/{token}", response_class=HTMLResponse)
async def ask_before_link(request: Request, token: str) -> Response:
    """Show a button for the link: whatever looks at links ahead of people does not press it, and uses nothing up."""
    return _without_referrer(_page(request, "sign_in/link.html", token=token))


@router.post("/sign-in/link", dependencies=[VisitorFormChecked], response_class=HTMLResponse)
async def sign_in_with_link(request: Request, registry: Serving, token: Text = "") -> Response:
    """Let somebody in with a one-time link."""
    try:
        cookie = await registry.sign_in.with_link(token, visitor_of(request))
    except REFUSALS as error:
        return _page(request, "sign_in/link.html", status_of(error), token="", error=str(error))
    return welcome(request, cookie, "/")


@router.get("/new-password/{token}", response_class=HTMLResponse)
async def ask_for_new_password(request: Request, registry: Serving, token: str) -> Response:
    """Ask for a new password, for which somebody who manages people has given a one-time link."""
    shortest = registry.people_policy.shortest_password
    return _without_referrer(_page(request, "sign_in/new_password.html", token=token, shortest=shortest))


@router.post("/new-password", dependencies=[VisitorFormChecked], response_class=HTMLResponse)
async def set_new_password(
    request: Request, registry: Serving, token: Text = "", password: Text = "", again: Text = ""
) -> Response:
    """Set a new password with a one-time link."""
    try:
        checked_twice(password, again)
        cookie = await registry.sign_in.with_new_password(token, password, visitor_of(request))
    except REFUSALS as error:
        shortest = registry.people_policy.shortest_password
        return _page(
            request,
            "sign_in/new_password.html",
            status_of(error),
            token=token,
            shortest=shortest,
            error=str(error),
        )
    return welcome(request, cookie, "/profile")


@router.get("/invitation", response_class=HTMLResponse)
async def ask_for_invitation(request: Request, registry: Serving, found: MaybeSignedIn) -> Response:
    """Ask for the code of an invitation."""
    if found is not None:
        return render(request, "sign_in/invitation_signed_in.html", error="", email=found.user.email)
    return _page(request, "sign_in/invitation.html", shortest=registry.people_policy.shortest_password, name="")


@router.post("/invitation", dependencies=[VisitorFormChecked], response_class=HTMLResponse)
async def accept_invitation(
    request: Request,
    registry: Serving,
    email: Text = "",
    code: Text = "",
    name: Text = "",
    password: Text = "",
    again: Text = "",
) -> Response:
    """Make a user of somebody who is invited."""
    try:
        checked_twice(password, again)
        cookie = await registry.invitations.accept(email.strip(), code, name.strip(), password, visitor_of(request))
    except REFUSALS as error:
        return _page(
            request,
            "sign_in/invitation.html",
            status_of(error),
            shortest=registry.people_policy.shortest_password,
            email=email,
            name=name,
            error=str(error),
        )
    return welcome(request, cookie, "/profile")


@router.post("/invitation/accept", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def accept_invitation_signed_in(request: Request, by: Viewer, registry: Serving, code: Text = "") -> Response:
    """Give the rights of an invitation to somebody who has an account."""
    try:
        await registry.invitations.accept_as(by, code)
    except REFUSALS as error:
        template = "sign_in/invitation_signed_in.html"
        return render(request, template, status_of(error), error=str(error), email=by.name)
    return redirect(request, "/", "The invitation is accepted.")


@router.post("/sign-out", dependencies=[CsrfChecked])
async def sign_out(request: Request, by: Viewer, registry: Serving) -> RedirectResponse:
    """Let somebody out."""
    await registry.web_sessions.sign_out(by, request.state.cookie)
    response = redirect(request, "/sign-in", "You are signed out.")
    let_out(request, response)
    return response


def _without_referrer(response: HTMLResponse) -> HTMLResponse:
    """Keep the address of a page, which holds a token, out of the requests that follow it."""
    response.headers["Referrer-Policy"] = "strict-origin"
    return response


def checked_twice(password: str, again: str) -> None:
    """InvalidError unless a new password was typed twice alike."""
    if password != again:
        raise InvalidError("again", "is not the same password.", "the new password once more")


def welcome(request: Request, cookie: Secret, target: str) -> RedirectResponse:
    """Send somebody on who was just let in, with the new cookie."""
    response = redirect(request, target)
    let_in(request, response, cookie.text)
    return response


def status_of(error: RegistryError) -> int:
    """Return the status of a page that shows an error at its form."""
    match error:
        case TooManyAttemptsError():
            return 429
        case NotRecognisedError():
            return 401
        case InvalidError():
            return 422
    return 409


def ask_again(request: Request, target: str, error: RegistryError | None = None, email: str = "") -> HTMLResponse:
    """Show the sign-in page, with what went wrong."""
    status = 200 if error is None else status_of(error)
    return _page(request, "sign_in/sign_in.html", status, next=target, email=email, error=str(error or ""))


def _page(request: Request, template: str, status: int = 200, **context: object) -> HTMLResponse:
    """Return a page for somebody who is not signed in, with forms that are tied to this browser."""
    cookie = meet(request)
    sso: SingleSignOn | None = request.app.state.single_sign_on
    single_sign_on = None if sso is None else sso.provider.name
    response = render(
        request, template, status, **{"error": "", "email": "", "single_sign_on": single_sign_on, **context}
    )
    remember(request, response, cookie)
    return response
