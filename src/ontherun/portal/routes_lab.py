"""Time travel: the clock of a venue that was started with --lab."""

from http import HTTPStatus

from fastapi import APIRouter

from ontherun.keys import utc_text
from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.models_lab import LabClockView, MoveBack, MoveBy, MoveTo
from ontherun.portal.problems import answers
from ontherun.registry import Lab, Principal, Registry, parse_span, parse_time

router = APIRouter(prefix="/lab", tags=["lab"])


@router.get("/clock", summary="Show the venue's clock, and whether it can be moved")
async def show_clock(_by: Asking, registry: Serving) -> LabClockView:
    """Show the clock."""
    return view(registry)


@router.put(
    "/clock",
    responses=answers(HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE),
    summary="Move the lab clock (operator of the venue only)",
)
async def move_clock(by: Asking, registry: Serving, move: MoveTo | MoveBy | MoveBack) -> LabClockView:
    """Move the clock."""
    await carry_out(registry.lab, by, move)
    return view(registry)


async def carry_out(lab: Lab, by: Principal, move: MoveTo | MoveBy | MoveBack) -> None:
    """Move the clock as asked. ForbiddenError, ConflictError, InvalidError."""
    by.require_operator()
    lab.require_clock()
    match move:
        case MoveTo():
            at = parse_time(move.at, move.zone)
            await lab.set(by, at, stand_still=move.stands_still, reason=move.reason)
        case MoveBy():
            await lab.advance(by, parse_span(move.advance), stand_still=move.stands_still, reason=move.reason)
        case MoveBack():
            await lab.reset(by, reason=move.reason)


def view(registry: Registry) -> LabClockView:
    """Show the clock."""
    clock = registry.lab.clock
    if clock is None:
        now = utc_text(registry.clock.now())
        return LabClockView(lab=False, now=now, machine_now=now, offset_ns=0, stands_still=False)
    return LabClockView(
        lab=True,
        now=utc_text(clock.now()),
        machine_now=utc_text(clock.machine_now()),
        offset_ns=clock.offset(),
        stands_still=clock.position.stands_at is not None,
    )
