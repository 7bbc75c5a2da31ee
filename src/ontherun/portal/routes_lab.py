"""Time travel: the clock of a venue that was started with --lab."""

from http import HTTPStatus

from fastapi import APIRouter

from ontherun.keys import utc_text
from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.models_lab import LabClockView, MoveClock
from ontherun.portal.problems import answers
from ontherun.registry import Lab, Principal, parse_span, parse_time

router = APIRouter(prefix="/lab", tags=["lab"])


@router.get("/clock", responses=answers(HTTPStatus.CONFLICT), summary="Show the lab clock")
async def show_clock(_by: Asking, registry: Serving) -> LabClockView:
    """Show the clock."""
    return view(registry.lab)


@router.put(
    "/clock",
    responses=answers(HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE),
    summary="Move the lab clock (operator of the venue only)",
)
async def move_clock(by: Asking, registry: Serving, move: MoveClock) -> LabClockView:
    """Move the clock."""
    await carry_out(registry.lab, by, move)
    return view(registry.lab)


async def carry_out(lab: Lab, by: Principal, move: MoveClock) -> None:
    """Move the clock as asked. InvalidError, ConflictError, ForbiddenError."""
    by.require_operator()
    if move.at is not None:
        at = parse_time(move.at, move.zone)
        await lab.set(by, at, stand_still=bool(move.stands_still), reason=move.reason)
    elif move.advance is not None:
        await lab.advance(by, parse_span(move.advance), stand_still=move.stands_still, reason=move.reason)
    else:
        await lab.reset(by, reason=move.reason)


def view(lab: Lab) -> LabClockView:
    """Show the clock. ConflictError when there is none."""
    clock = lab.require_clock()
    return LabClockView(
        now=utc_text(clock.now()),
        machine_now=utc_text(clock.machine_now()),
        offset_ns=clock.offset(),
        stands_still=clock.position.stands_at is not None,
    )
