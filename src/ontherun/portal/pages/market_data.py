"""Market Data sessions: listed, created, changed and deleted, each by way of a review."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from ontherun.portal.dependencies import Serving
from ontherun.portal.models import SessionId
from ontherun.portal.pages.asking import FormPage, Values, ask, common_context, lines, number, one
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
    InvalidError,
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
    "confirm",
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
async def new_sessions(request: Request, registry: Serving, viewer: Viewer) -> HTMLResponse:
    """Ask what new sessions are to be like."""
    return _form_page(request, registry, viewer, None)({"market": ["US"]}, None)


@router.post("/market-data/new", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def create(request: Request, registry: Serving, viewer: Viewer) -> Response:
    """Review or submit new sessions."""

    def read(values: Values) -> AnyTerms:
        return CreateMarketDataSessions(
            firm=one(values, "firm"),
            market=market_of(values),
            products=tuple(values.get("products", ())),
            number_of_sessions=number(values, "number_of_sessions", 1),
            label=one(values, "label"),
            notes=one(values, "notes"),
            front_end_system=one(values, "front_end_system"),
            allowed_sources=tuple(lines(values, "allowed_sources")),
            live_date=one(values, "live_date") or None,
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
async def edit_page(request: Request, registry: Serving, viewer: Viewer, session_id: SessionId) -> HTMLResponse:
    """Show the settings of a session in a form."""
    session = registry.market_data.found(viewer, session_id)
    return _form_page(request, registry, viewer, session)(_values(session), None)


@router.post("/market-data/{session_id}/edit", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def edit(request: Request, registry: Serving, viewer: Viewer, session_id: SessionId) -> Response:
    """Review or submit a change."""
    session = registry.market_data.found(viewer, session_id)

    def read(values: Values) -> AnyTerms:
        return ChangeMarketDataSession(
            session_id=session_id,
            products=tuple(sorted(values.get("products", ()))),
            label=one(values, "label"),
            notes=one(values, "notes"),
            front_end_system=one(values, "front_end_system"),
            allowed_sources=tuple(lines(values, "allowed_sources")),
            live_date=one(values, "live_date") or None,
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


@router.post("/market-data/{session_id}/delete", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def delete(request: Request, registry: Serving, viewer: Viewer, session_id: SessionId) -> Response:
    """Review or submit the end of a session."""
    session = registry.market_data.found(viewer, session_id)

    def read(values: Values) -> AnyTerms:
        if one(values, "confirm") != session_id:
            raise InvalidError("confirm", "is not the Session ID.", session_id)
        return DeleteMarketDataSession(session_id=session_id)

    def again(_values_typed: Values, problem: Problem | None) -> HTMLResponse:
        return _form_page(request, registry, viewer, session)(_values(session), problem)

    return await ask(
        request,
        registry,
        viewer,
        read,
        again,
        title=f"Delete {session_id}",
        crumbs=[*_CRUMBS, (session_id, f"/sessions/{session_id}")],
        where_to=lambda _done: "/market-data",
    )


def _values(session: MarketDataSession) -> Values:
    return {
        "products": list(session.products),
        "label": [session.label],
        "notes": [session.notes],
        "front_end_system": [session.front_end_system],
        "allowed_sources": ["\n".join(session.allowed_sources)],
    }


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
