"""The venue for its operator: the master key, the policies, and where the audit is verified."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from ontherun.portal.dependencies import Serving
from ontherun.portal.pages.guard import CsrfChecked, Viewer
from ontherun.portal.pages.shell import redirect, render
from ontherun.registry import (
    ConflictError,
    InvalidError,
    MasterKeyError,
    Principal,
    Registry,
    TimetableName,
    UnavailableError,
)
from ontherun.registry.records_people import PeoplePolicy

MINUTE = 60 * 1_000_000_000
HOUR, DAY = 60 * MINUTE, 24 * 60 * MINUTE

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=4000)]


@router.get("/venue", response_class=HTMLResponse)
async def venue_page(request: Request, registry: Serving, viewer: Viewer) -> HTMLResponse:
    """Show the venue."""
    viewer.require_operator()
    return await _page(request, registry, viewer)


@router.post("/venue/master-key", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def rotate(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    confirm: Annotated[str, Form(max_length=20)] = "",
    reason: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Rotate the master key."""
    viewer.require_operator()
    if confirm.strip() != "rotate":
        return await _page(request, registry, viewer, 422, {"confirm": "Type the word as it stands there."})
    try:
        await registry.master_key.rotate(viewer, reason=reason)
    except (ConflictError, MasterKeyError, UnavailableError) as error:
        status = 409 if isinstance(error, ConflictError) else 503
        return await _page(request, registry, viewer, status, {"master_key": str(error)})
    return redirect(request, "/venue", "A new master key seals from now on; what is there is sealed anew.")


@router.post("/venue/policies", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def set_policies(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    timetable: Annotated[TimetableName, Form()],
    session_allowance: Annotated[int, Form(ge=0, le=2**31)],
    drop_copy_sources: Annotated[int, Form(ge=0, le=2**31)],
    four_eyes: Annotated[str, Form(max_length=3)] = "",
    fee_text: Text = "",
) -> Response:
    """Set the policies."""
    viewer.require_operator()
    try:
        await registry.policies.set(
            viewer,
            timetable=timetable,
            four_eyes=bool(four_eyes),
            session_allowance=session_allowance,
            drop_copy_sources=drop_copy_sources,
            fee_text=fee_text.replace("\r\n", "\n"),
        )
    except InvalidError as error:
        wrong = {error.where: f"{error.what} Expected: {error.expected}"}
        return await _page(request, registry, viewer, 422, wrong)
    except ConflictError as error:
        return await _page(request, registry, viewer, 409, {"policies": str(error)})
    return redirect(request, "/venue", "The policies hold for requests from now on.")


async def _page(
    request: Request, registry: Registry, viewer: Principal, status: int = 200, wrong: dict[str, str] | None = None
) -> HTMLResponse:
    venue = request.app.state.status
    return render(
        request,
        "venue/venue.html",
        status,
        key=await registry.master_key.status(viewer),
        policies=registry.policies.current,
        timetables=[(name.value, name.value.replace("-", " ")) for name in TimetableName],
        people=_people(registry.people_policy),
        gateways=venue.gateways(),
        data_dir=registry.data_dir,
        wrong=wrong or {},
    )


def _people(policy: PeoplePolicy) -> list[tuple[str, str]]:
    """The rules for people, in words."""
    return [
        ("Second factor", policy.second_factor.replace("-", " ")),
        ("Second factors a day", f"{policy.second_factors_a_day} a person"),
        ("Failed sign-ins", f"{policy.failures_to_lock} lock an account for {policy.locked_for // HOUR} h"),
        ("A browser stays signed in", f"{policy.session_life // HOUR} h, {policy.session_idle // MINUTE} min idle"),
        ("Passwords", f"{policy.shortest_password} characters or more"),
        ("API tokens", f"live {policy.token_life // DAY} days, {policy.longest_token_life // DAY} at most"),
    ]
