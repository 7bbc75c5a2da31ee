"""What whoever runs the venue asks it: is it alive, is it ready, and its measures. Outside of the API's own paths."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from ontherun.portal import models
from ontherun.portal.dependencies import Asking
from ontherun.portal.measures import exposition
from ontherun.portal.problems import answers
from ontherun.portal.routes_sessions import status_of
from ontherun.registry import ForbiddenError, Right

router = APIRouter(tags=["operation"])


@router.get("/health/live", summary="Say that the process answers. Without a token")
async def live() -> models.Health:
    """Answer."""
    return models.Health()


@router.get(
    "/health/ready",
    responses={503: {"model": models.NotReady, "description": "Not ready; the answer says why"}},
    summary="Say whether clients can log in and trade, and if not, why. Without a token",
)
async def ready(request: Request, response: Response) -> models.Health | models.NotReady:
    """Look at the journals, the registry and the listeners."""
    reasons = await status_of(request).unready()
    if not reasons:
        return models.Health()
    response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return models.NotReady(reasons=list(reasons))


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        **answers(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN),
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "In Prometheus' text format"},
    },
    summary="Measure the venue, for Prometheus. Takes a token of the venue with the scope view",
)
async def metrics(by: Asking, request: Request, accept: Annotated[str, Header()] = "") -> Response:
    """Collect every measure now."""
    if Right.VIEW not in by.everywhere:
        raise ForbiddenError(
            "The measures are the venue's. They take a token of the venue itself: ontherun token create prometheus "
            "--scope view"
        )
    measures = [*await status_of(request).measures(), request.app.state.request_counts.measure()]
    content, media_type = exposition(measures, accept)
    return Response(content, media_type=media_type)
