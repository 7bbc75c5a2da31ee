"""One's own account: name, password, second factors, browsers, API tokens."""

import io
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from ontherun.portal.dependencies import Serving
from ontherun.portal.models import Id
from ontherun.portal.pages.guard import CsrfChecked, Viewer, let_in, visitor_of
from ontherun.portal.pages.shell import redirect, render
from ontherun.portal.pages.sign_in import Answer, Text, checked_twice, status_of
from ontherun.registry import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotRecognisedError,
    Principal,
    Registry,
    RegistryError,
    Right,
    SecondFactor,
    SecondFactorRequiredError,
    TooManyAttemptsError,
    User,
    token_text,
)
from ontherun.registry.records_people import DAY
from ontherun.registry.users import zones

router = APIRouter(include_in_schema=False)

SCOPES = tuple(right for right in Right if right is not Right.OPERATE)
_REFUSALS = (
    NotRecognisedError,
    TooManyAttemptsError,
    SecondFactorRequiredError,
    ForbiddenError,
    InvalidError,
    ConflictError,
)


@router.get("/profile", response_class=HTMLResponse)
async def profile(request: Request, by: Viewer, registry: Serving) -> HTMLResponse:
    """Show one's own account."""
    return _profile(request, by, registry)


@router.post("/profile", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def change_profile(
    request: Request, by: Viewer, registry: Serving, name: Text = "", zone: Text = "UTC"
) -> Response:
    """Change one's name and time zone."""
    try:
        await registry.users.change_profile(by, name.strip(), zone)
    except InvalidError as error:
        return _profile(request, by, registry, error, at="about")
    return redirect(request, "/profile", "Your profile is changed.")


@router.post("/profile/password", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def change_password(
    request: Request,
    by: Viewer,
    registry: Serving,
    current: Text = "",
    password: Text = "",
    again: Text = "",
    second_factor: Answer = "",
) -> Response:
    """Change one's password; every other browser is signed out."""
    try:
        checked_twice(password, again)
        proof = None if _me(registry, by).password_hash else await _proof_to_enrol(by, registry, second_factor)
        cookie = await registry.sign_in.change_password(by, current, password, visitor_of(request), proof)
    except _REFUSALS as error:
        return _profile(request, by, registry, error, at="password")
    response = redirect(request, "/profile", "Your password is changed, and every other browser is signed out.")
    let_in(request, response, cookie.text)
    return response


@router.get("/profile/authenticator", response_class=HTMLResponse)
async def offer_authenticator(request: Request, by: Viewer, registry: Serving) -> HTMLResponse:
    """Show the secret for an authenticator app."""
    return _authenticator(request, by, registry)


@router.get("/profile/authenticator/code.svg")
async def authenticator_picture(by: Viewer, registry: Serving) -> Response:
    """Return the QR code of the secret: a picture of its own, for the page may hold no inline style."""
    import segno  # at the first picture: a start must not wait for it

    picture = io.BytesIO()
    segno.make(registry.second_factors.offer_totp(by).uri, error="m").save(
        picture, kind="svg", scale=5, border=4, light="#fff", dark="#000"
    )
    return Response(picture.getvalue(), media_type="image/svg+xml")


@router.post("/profile/authenticator", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def enrol_authenticator(
    request: Request, by: Viewer, registry: Serving, code: Text = "", second_factor: Answer = ""
) -> Response:
    """Take an authenticator app over, given a code of it."""
    try:
        proof = await _proof_to_enrol(by, registry, second_factor)
        codes = await registry.second_factors.enrol_totp(by, code, proof)
    except _REFUSALS as error:
        return _authenticator(request, by, registry, error)
    return _enrolled(request, codes, "Your authenticator app is enrolled.")


@router.post("/profile/authenticator/remove", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def remove_authenticator(request: Request, by: Viewer, registry: Serving, second_factor: Answer = "") -> Response:
    """Remove one's authenticator app."""
    try:
        proof = await registry.people.prove(by, second_factor)
        await registry.second_factors.remove_totp(by, proof)
    except _REFUSALS as error:
        return _profile(request, by, registry, error, at="factors")
    return redirect(request, "/profile", "Your authenticator app is removed.")


@router.post("/profile/passkeys/options", dependencies=[CsrfChecked])
async def passkey_enrol_options(by: Viewer, registry: Serving) -> Response:
    """Return what a browser needs to make a passkey."""
    return Response(registry.passkeys.enrol_options(_me(registry, by)), media_type="application/json")


@router.post("/profile/passkeys/prove-options", dependencies=[CsrfChecked])
async def passkey_prove_options(by: Viewer, registry: Serving) -> Response:
    """Return what a browser needs to prove a passkey for an action."""
    return Response(registry.passkeys.prove_options(by.user_id), media_type="application/json")


@router.post("/profile/passkeys", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def enrol_passkey(
    request: Request,
    by: Viewer,
    registry: Serving,
    answer: Answer = "",
    name: Text = "",
    second_factor: Answer = "",
) -> Response:
    """Take a passkey over."""
    try:
        proof = await _proof_to_enrol(by, registry, second_factor)
        codes = await registry.second_factors.enrol_passkey(by, answer, name, proof)
    except _REFUSALS as error:
        return _profile(request, by, registry, error, at="factors")
    return _enrolled(request, codes, "Your passkey is enrolled.")


@router.post("/profile/passkeys/{passkey_id}/remove", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def remove_passkey(
    request: Request, by: Viewer, registry: Serving, passkey_id: Id, second_factor: Answer = ""
) -> Response:
    """Remove one of one's passkeys."""
    try:
        proof = await registry.people.prove(by, second_factor)
        await registry.second_factors.remove_passkey(by, passkey_id, proof)
    except _REFUSALS as error:
        return _profile(request, by, registry, error, at="factors")
    return redirect(request, "/profile", "The passkey is removed.")


@router.post("/profile/recovery-codes", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def new_recovery_codes(request: Request, by: Viewer, registry: Serving, second_factor: Answer = "") -> Response:
    """Make new recovery codes."""
    try:
        proof = await registry.people.prove(by, second_factor)
        codes = await registry.second_factors.new_recovery_codes(by, proof)
    except _REFUSALS as error:
        return _profile(request, by, registry, error, at="factors")
    return _enrolled(request, codes, "The codes from before are good no more.")


@router.post("/profile/sessions/{web_session_id}/end", dependencies=[CsrfChecked])
async def end_session(request: Request, by: Viewer, registry: Serving, web_session_id: Id) -> Response:
    """Sign one of one's browsers out."""
    await registry.web_sessions.end(by, web_session_id)
    return redirect(request, "/profile", "That browser is signed out.")


@router.post("/profile/sessions/end-others", dependencies=[CsrfChecked])
async def end_other_sessions(request: Request, by: Viewer, registry: Serving) -> Response:
    """Sign every other browser of one's own out."""
    await registry.web_sessions.end_others(by, request.state.cookie)
    return redirect(request, "/profile", "Every other browser is signed out.")


@router.post("/profile/tokens", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def create_token(
    request: Request,
    by: Viewer,
    registry: Serving,
    name: Text = "",
    scopes: Annotated[list[str], Form(max_length=10)] = [],  # noqa: B006 - never changed
    days: Annotated[int, Form(ge=1, le=365)] = 90,
    second_factor: Answer = "",
) -> Response:
    """Create an API token of one's own."""
    try:
        rights = frozenset(right for right in Right if right in scopes)
        if by.operator and set(scopes) >= set(SCOPES):
            rights |= {Right.OPERATE}
        proof = await registry.people.prove(by, second_factor)
        token, secret = await registry.tokens.create(
            by, name.strip(), rights, None, service=False, life=days * DAY, second_factor=proof
        )
    except _REFUSALS as error:
        return _profile(request, by, registry, error, at="tokens")
    return render(request, "profile/token.html", token=token, text=token_text(secret))


@router.post("/profile/tokens/{token_id}/revoke", dependencies=[CsrfChecked])
async def revoke_token(request: Request, by: Viewer, registry: Serving, token_id: Id) -> Response:
    """Revoke an API token."""
    await registry.tokens.revoke(by, token_id)
    return redirect(request, "/profile", f"API token {token_id} is revoked.")


async def _proof_to_enrol(by: Principal, registry: Registry, answer: str) -> SecondFactor | None:
    """Return a proof of the second factor that there is; None where the first one is being enrolled."""
    if not registry.directory.people.has_second_factor(by.user_id or 0):
        return None
    return await registry.people.prove(by, answer)


def _me(registry: Registry, by: Principal) -> User:
    user = registry.directory.user(by.user_id or 0)
    assert user is not None
    return user


def _profile(
    request: Request, by: Principal, registry: Registry, error: RegistryError | None = None, at: str = ""
) -> HTMLResponse:
    book, now, user = registry.directory.people, registry.clock.now(), _me(registry, by)
    here = registry.web_sessions.here(request.state.cookie)
    return render(
        request,
        "profile/profile.html",
        200 if error is None else error_status(error),
        user=user,
        roles=[
            (entity, sorted(roles))
            for entity_id, roles in sorted(book.grants.get(user.user_id, {}).items())
            if (entity := registry.directory.entity(entity_id))
        ],
        zones=zones(),
        budget=registry.people.budget(by, now),
        enrolled=book.has_second_factor(user.user_id),
        totp=book.totps.get(user.user_id),
        passkeys=book.passkeys_of(user.user_id),
        recovery_codes=len(book.recovery_codes_of(user.user_id)),
        sessions=[(session, browser_of(session.agent)) for session in registry.web_sessions.list(by)],
        here=here,
        tokens=[token for token in book.tokens_of(user.user_id) if token.valid(now)],
        scopes=SCOPES,
        by_number=(request.url.hostname or "").replace(".", "").isdigit(),
        shortest=registry.people_policy.shortest_password,
        error=str(error or ""),
        at=at,
    )


def browser_of(agent: str) -> str:
    """Return in a few words what a browser says that it is (its User-Agent header)."""
    names = ("Edg", "OPR", "Firefox", "Chrome", "Safari", "curl", "python")
    systems = ("Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux")
    name = next((name for name in names if name in agent), "")
    system = next((system for system in systems if system in agent), "")
    shown = {"Edg": "Edge", "OPR": "Opera"}.get(name, name)
    return " on ".join(filter(None, (shown, system))) or agent[:30] or "unknown"


def _authenticator(
    request: Request, by: Principal, registry: Registry, error: RegistryError | None = None
) -> HTMLResponse:
    offer = registry.second_factors.offer_totp(by)
    secret = " ".join(offer.text[place : place + 4] for place in range(0, 32, 4))
    return render(
        request,
        "profile/authenticator.html",
        200 if error is None else error_status(error),
        secret=secret,
        made_at=offer.made_at,
        enrolled=registry.directory.people.has_second_factor(by.user_id or 0),
        has_passkey=bool(registry.directory.people.passkeys_of(by.user_id or 0)),
        error=str(error or ""),
    )


def _enrolled(request: Request, codes: list[str], words: str) -> Response:
    """Show recovery codes where there are new ones: this once."""
    if not codes:
        return redirect(request, "/profile", words)
    return render(request, "profile/recovery_codes.html", codes=codes, words=words)


def error_status(error: RegistryError) -> int:
    """Return the status of a page that shows an error at its form to somebody who is signed in."""
    refused = isinstance(error, (ForbiddenError, SecondFactorRequiredError, NotRecognisedError))
    return 403 if refused else status_of(error)
