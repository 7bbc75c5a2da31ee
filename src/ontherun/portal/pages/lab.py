"""The lab clock: where it is, and the ways to move it."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from ontherun.keys import span_text, utc_text
from ontherun.portal.dependencies import Serving
from ontherun.portal.pages.guard import CsrfChecked, Viewer
from ontherun.portal.pages.shell import redirect, render, zone_of
from ontherun.registry import ConflictError, ForbiddenError, InvalidError, Registry, parse_span, parse_time

SPANS = (
    ("1d", "1 day"),
    ("1w", "1 week"),
    ("4w", "4 weeks"),
    ("13w", "13 weeks"),
    ("52w", "52 weeks"),
    ("-1d", "back 1 day"),
    ("-4w", "back 4 weeks"),
)
"""The spans that the page offers, in words."""

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=100)]


@router.get("/lab", response_class=HTMLResponse)
async def lab_page(request: Request, registry: Serving, viewer: Viewer) -> HTMLResponse:
    """Show the clock."""
    viewer.require_operator()
    return _page(request, registry)


@router.post("/lab", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def move(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    how: Annotated[str, Form(max_length=10)] = "advance",
    span: Text = "",
    at: Text = "",
    zone: Text = "UTC",
    stand_still: Annotated[str, Form(max_length=3)] = "",
    reason: Text = "",
) -> Response:
    """Move the clock."""
    kept = {"span": span, "at": at, "zone": zone, "stand_still": stand_still, "reason": reason}
    try:
        if how == "reset":
            await registry.lab.reset(viewer, reason=reason)
        elif how == "set":
            await registry.lab.set(viewer, parse_time(at, zone), stand_still=bool(stand_still), reason=reason)
        else:
            await registry.lab.advance(viewer, parse_span(span), reason=reason)
    except InvalidError as error:
        return _page(request, registry, 422, {error.where: f"{error.what} Expected: {error.expected}"}, kept)
    except (ConflictError, ForbiddenError) as error:
        return _page(request, registry, 409 if isinstance(error, ConflictError) else 403, {"": str(error)}, kept)
    return redirect(request, "/lab", f"The clock shows {utc_text(registry.clock.now())}.")


def _page(
    request: Request,
    registry: Registry,
    status: int = 200,
    wrong: dict[str, str] | None = None,
    kept: dict[str, str] | None = None,
) -> HTMLResponse:
    clock = registry.lab.clock
    return render(
        request,
        "lab/lab.html",
        status,
        moves=clock is not None,
        machine_now=registry.clock.now() if clock is None else clock.machine_now(),
        difference="none" if clock is None else span_text(clock.offset()),
        stands_still=clock is not None and clock.position.stands_at is not None,
        spans=SPANS,
        zones=dict.fromkeys(("America/Chicago", "America/New_York", "UTC", zone_of(request))),
        wrong=wrong or {},
        kept={"span": "", "at": "", "zone": "America/New_York", "stand_still": "", "reason": ""} | (kept or {}),
    )
