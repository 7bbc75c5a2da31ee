"""Market Data sessions: listed, created, changed and deleted, each by way of a review."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from ontherun.portal.dependencies import Serving
from ontherun.portal.models import SessionId
from ontherun.portal.pages.asking import (
    Amend,
    FormPage,
    Values,
    amending,
    ask,
    common_context,
    number,
    one,
    settings_of,
    typed,
)
from ontherun.portal.pages.deleting import Ending, ask_to_end, show
from ontherun.portal.pages.drop_copy import managed_firms, market_of
from ontherun.portal.pages.guard import CsrfChecked, Viewer
from ontherun.portal.pages.key_forms import Problem
from ontherun.portal.pages.shell import render
from ontherun.registry import (
    PRODUCTS,
    AnyTerms,
    ChangeMarketDataSession,
    CreateMarketDataSessions,
    DeleteMarketDataSession,
    Market,
    MarketDataSession,
    Principal,
    Registry,
)

FIELDS = (
    "firm",
    "market",
    "products",
    "number_of_sessions",
    "front_end_system",
    "live_date",
    "allowed_sources",
    "label",
    "notes",
)
_CRUMBS = [("Market Data sessions", "/market-data")]

router = APIRouter(include_in_schema=False)


@router.get("/market-data", response_class=HTMLResponse)
async def list_sessions(request: Request, registry: Serving, viewer: Viewer) -> HTMLResponse:
    """List the sessions that the viewer sees."""
    now = registry.clock.now()
    return render(
        request,
        "market_data/list.html",
        rows=[
            (session, len(registry.directory.valid_pairs_of(session.session_id, now)))
            for session in registry.market_data.list(viewer)
        ],
        products={name: words for products in PRODUCTS.values() for name, words in products.items()},
        may_create=bool(managed_firms(registry, viewer)),
    )


@router.get("/market-data/new", response_class=HTMLResponse)
async def new_sessions(request: Request, registry: Serving, viewer: Viewer, amend: Amend = 0) -> HTMLResponse:
    """Ask what new sessions are to be like."""
    return _form_page(request, registry, viewer, None)(await amending(registry, viewer, amend), None)


@router.post("/market-data/new", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def create(request: Request, registry: Serving, viewer: Viewer) -> Response:
    """Review or submit new sessions."""

    def read(values: Values) -> AnyTerms:
        return CreateMarketDataSessions(
            firm=one(values, "firm"),
            market=market_of(values),
            products=tuple(values.get("products", ())),
            number_of_sessions=number(values, "number_of_sessions", 1),
            **settings_of(values, "label", "notes"),
        )

    return await ask(
        request,
        registry,
        viewer,
        read,
        _form_page(request, registry, viewer, None),
        title="New Market Data sessions",
        crumbs=_CRUMBS,
        where_to=lambda _done: "/market-data",
    )


@router.get("/market-data/{session_id}/edit", response_class=HTMLResponse)
async def edit_page(
    request: Request, registry: Serving, viewer: Viewer, session_id: SessionId, amend: Amend = 0
) -> HTMLResponse:
    """Show the settings of a session in a form."""
    session = registry.market_data.found(viewer, session_id)
    values = typed(_as_it_is(session)) | await amending(registry, viewer, amend)
    return _form_page(request, registry, viewer, session)(values, None)


@router.post("/market-data/{session_id}/edit", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def edit(request: Request, registry: Serving, viewer: Viewer, session_id: SessionId) -> Response:
    """Review or submit a change."""
    session = registry.market_data.found(viewer, session_id)

    def read(values: Values) -> AnyTerms:
        return ChangeMarketDataSession(
            session_id=session_id,
            products=tuple(sorted(values.get("products", ()))),
            **settings_of(values, "label", "notes"),
        )

    return await ask(
        request,
        registry,
        viewer,
        read,
        _form_page(request, registry, viewer, session),
        title=f"Change {session_id}",
        crumbs=[*_CRUMBS, (session_id, f"/sessions/{session_id}")],
        where_to=lambda _done: f"/sessions/{session_id}",
    )


@router.get("/market-data/{session_id}/delete", response_class=HTMLResponse)
async def delete_page(
    request: Request, registry: Serving, viewer: Viewer, session_id: SessionId, amend: Amend = 0
) -> HTMLResponse:
    """Show what the end of a session means."""
    return await show(request, registry, viewer, _ending(registry, viewer, session_id), amend)


@router.post("/market-data/{session_id}/delete", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def delete(request: Request, registry: Serving, viewer: Viewer, session_id: SessionId) -> Response:
    """Review or submit the end of a session."""
    return await ask_to_end(request, registry, viewer, _ending(registry, viewer, session_id))


def _ending(registry: Registry, viewer: Principal, session_id: str) -> Ending:
    registry.market_data.found(viewer, session_id)
    return Ending(
        DeleteMarketDataSession(session_id=session_id),
        session_id,
        f"/market-data/{session_id}",
        _CRUMBS[0],
        f"/api/v1/market-data-sessions/{session_id}",
        f"ontherun market-data delete {session_id}",
    )


def _as_it_is(session: MarketDataSession) -> ChangeMarketDataSession:
    """Return what asks for the settings that a session has."""
    return ChangeMarketDataSession(
        session_id=session.session_id,
        products=session.products,
        label=session.label,
        notes=session.notes,
        front_end_system=session.front_end_system,
        allowed_sources=session.allowed_sources,
    )


def _form_page(request: Request, registry: Registry, viewer: Principal, session: MarketDataSession | None) -> FormPage:
    markets = list(Market) if session is None else [session.market]
    products = [
        (name, f"{words} (BrokerTec {market.value})") for market in markets for name, words in PRODUCTS[market].items()
    ]

    def page(values: Values, problem: Problem | None) -> HTMLResponse:
        return render(
            request,
            "market_data/form.html",
            200 if problem is None else problem.status,
            session=session,
            values=values,
            firms=managed_firms(registry, viewer),
            markets=[(market.value, f"BrokerTec {market.value}") for market in Market],
            products=products,
            **common_context(problem, FIELDS),
        )

    return page
