"""What the operator has the gateways do to every session: begin a trading week, and limit how much may be sent."""

from http import HTTPStatus

from fastapi import APIRouter, Request

from ontherun.ilink.controls import ControlPolicy
from ontherun.keys import utc_text
from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.models_market_control import ControlsView, NewControls, SegmentWeekView, WeeksView
from ontherun.portal.problems import answers
from ontherun.portal.routes_sessions import status_of
from ontherun.portal.status import Status
from ontherun.registry import InvalidError

_CHANGE = answers(HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE)

router = APIRouter(tags=["venue"])


@router.get("/week", summary="Show when the trading week of each market segment began, and when the next one begins")
async def show_week(_by: Asking, request: Request) -> WeeksView:
    """Show the week."""
    return _weeks(status_of(request))


@router.post("/week", responses=_CHANGE, summary="Begin a new trading week now, before its time (operator only)")
async def start_week(by: Asking, registry: Serving, request: Request) -> WeeksView:
    """Begin a week: live sessions are ended in order, numbers begin at 1 under a new UUID."""
    await registry.market_control.record_week(by)
    status = status_of(request)
    status.start_week()
    return _weeks(status)


@router.get("/messaging-controls", summary="Show how many messages a second a session may send")
async def show_controls(_by: Asking, request: Request) -> ControlsView:
    """Show the limits."""
    return _controls(status_of(request))


@router.put(
    "/messaging-controls",
    responses=_CHANGE,
    summary="Change how many messages a second a session may send, at once (operator only)",
)
async def change_controls(
    by: Asking,
    registry: Serving,
    request: Request,
    limits: NewControls,
) -> ControlsView:
    """Change the limits."""
    try:
        policy = ControlPolicy.from_json(limits.model_dump(exclude_none=True))
    except ValueError as error:
        raise InvalidError("body", f"{error}.", "limits such as common: reject 500, logout 750") from error
    await registry.market_control.record_messaging_controls(by, policy.to_json())
    status = status_of(request)
    status.set_messaging_controls(policy)
    return _controls(status)


def _weeks(status: Status) -> WeeksView:
    return WeeksView(
        segments=[
            SegmentWeekView(segment=segment, began_at=utc_text(began), next_at=utc_text(following))
            for segment, (began, following) in status.weeks().items()
        ]
    )


def _controls(status: Status) -> ControlsView:
    return ControlsView.model_validate(status.messaging_controls().to_json())
