"""Market Data sessions. Their key pairs are at /sessions/{session_id}/keys."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response

from ontherun.portal import models, views_requests
from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.models_requests import RequestView, terms_of
from ontherun.portal.models_sessions import (
    LiveDate,
    MarketDataSessionChange,
    MarketDataSessionView,
    NewMarketDataSessions,
)
from ontherun.portal.paging import page_after
from ontherun.portal.problems import answers
from ontherun.portal.routes_requests import SUBMIT
from ontherun.portal.routes_session_requests import changed
from ontherun.registry import DeleteMarketDataSession, RequestKind

_READ = answers(HTTPStatus.NOT_FOUND)

router = APIRouter(prefix="/market-data-sessions", tags=["Market Data"])


@router.get("", summary="List the Market Data sessions you see, in the order of their creation")
async def list_market_data_sessions(
    by: Asking,
    registry: Serving,
    after: Annotated[models.SessionId | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> models.Page[MarketDataSessionView]:
    """List sessions."""
    found, following = page_after(registry.market_data.list(by), lambda session: session.session_id, after, limit)
    return models.Page(
        items=[views_requests.market_data_session(session, registry) for session in found], next=following
    )


@router.post("", status_code=HTTPStatus.CREATED, responses=SUBMIT, summary="Ask for Market Data sessions")
async def create_market_data_sessions(
    by: Asking, registry: Serving, new: NewMarketDataSessions, response: Response
) -> RequestView:
    """Ask for sessions."""
    request = await registry.requests.submit(by, terms_of(new, RequestKind.CREATE_MARKET_DATA_SESSIONS))
    return views_requests.submitted(request, by, registry, response)


@router.get("/{session_id}", responses=_READ, summary="Show a Market Data session")
async def show_market_data_session(
    by: Asking, registry: Serving, session_id: models.SessionId
) -> MarketDataSessionView:
    """Show a session."""
    return views_requests.market_data_session(registry.market_data.get(by, session_id), registry)


@router.patch("/{session_id}", responses=SUBMIT, summary="Ask for another setting of a Market Data session")
async def change_market_data_session(
    by: Asking, registry: Serving, session_id: models.SessionId, change: MarketDataSessionChange, response: Response
) -> RequestView:
    """Ask for a change."""
    terms = terms_of(change, RequestKind.CHANGE_MARKET_DATA_SESSION, session_id=session_id)
    return changed(await registry.requests.submit(by, terms), by, registry, response)


@router.delete("/{session_id}", responses=SUBMIT, summary="Ask for the end of a Market Data session and its key pairs")
async def delete_market_data_session(
    by: Asking,
    registry: Serving,
    session_id: models.SessionId,
    response: Response,
    live_date: Annotated[LiveDate | None, Query()] = None,
) -> RequestView:
    """Ask for the end of a session."""
    terms = DeleteMarketDataSession(session_id=session_id, live_date=live_date)
    return changed(await registry.requests.submit(by, terms), by, registry, response)
