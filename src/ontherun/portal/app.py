"""The web application: REST API, start page, static files. One ASGI application over one registry."""

from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.staticfiles import StaticFiles

import ontherun
from ontherun.portal import (
    pages,
    problems,
    routes_all_keys,
    routes_attention,
    routes_audit,
    routes_drop_copy,
    routes_firms,
    routes_key_test,
    routes_keys,
    routes_lab,
    routes_live,
    routes_market_control,
    routes_market_data,
    routes_markets,
    routes_master_key,
    routes_notices,
    routes_operation,
    routes_people,
    routes_policies,
    routes_requests,
    routes_session_requests,
    routes_sessions,
    routes_traces,
    routes_venue,
)
from ontherun.portal.counted import CountingMiddleware, RequestCounts
from ontherun.portal.dependencies import known_parameters, said_why
from ontherun.portal.headers import GuardMiddleware
from ontherun.portal.once import OnceMiddleware
from ontherun.portal.pages import shell
from ontherun.portal.pages.guard import SignInNeededError, show_the_way_in
from ontherun.portal.single_sign_on import SingleSignOn
from ontherun.portal.status import Status
from ontherun.registry import LARGEST_ID, Registry

_ROOM = Path(__file__).parent
_ROUTES = (
    routes_session_requests,
    routes_sessions,
    routes_drop_copy,
    routes_market_data,
    routes_requests,
    routes_keys,
    routes_all_keys,
    routes_policies,
    routes_people,
    routes_firms,
    routes_venue,
    routes_lab,
    routes_market_control,
    routes_markets,
    routes_master_key,
    routes_key_test,
    routes_attention,
    routes_audit,
    routes_notices,
    routes_traces,
    routes_live,
)
_EVERYWHERE = problems.answers(
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


def create_app(registry: Registry, status: Status, single_sign_on: SingleSignOn | None = None) -> FastAPI:
    """Make the application for an open registry and a running venue.

    The API is under /api/v1, its description at /api/v1/openapi.json. /health/live and /health/ready need no token.
    """
    app = FastAPI(
        title="ontherun",
        version=ontherun.__version__,
        summary="Order Entry sessions and the secure key pairs that protect them",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # the built-in pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.registry = registry
    app.state.status = status
    app.state.single_sign_on = single_sign_on
    problems.install(app, shell.problem_page)
    app.add_exception_handler(SignInNeededError, show_the_way_in)
    app.add_middleware(OnceMiddleware)
    app.add_middleware(GuardMiddleware)
    app.state.request_counts = RequestCounts()
    app.add_middleware(CountingMiddleware, counts=app.state.request_counts)
    for routes in _ROUTES:
        app.include_router(
            routes.router,
            prefix="/api/v1",
            responses=_EVERYWHERE,
            dependencies=[Depends(known_parameters), Depends(said_why)],
        )
    app.include_router(routes_notices.calendar_router, prefix="/api/v1", responses=_EVERYWHERE)
    for router in pages.ROUTERS:
        app.include_router(router)
    app.state.page_paths = pages.paths()
    app.include_router(routes_operation.router, responses=_EVERYWHERE)
    app.mount("/static", StaticFiles(directory=_ROOM / "static"), name="static")
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """Describe the API, with problem documents in place of FastAPI's own error models."""
    if app.openapi_schema is None:
        description = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
        schemas = description["components"]["schemas"]
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        problem = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(problem.pop("$defs"))
        schemas["Problem"] = problem
        app.openapi_schema = _exact(description)
    return app.openapi_schema


def _exact(part: Any) -> Any:
    """Return a description with the largest id as it is: the framework's models make a float of it, one too large."""
    match part:
        case dict():
            return {name: _exact(value) for name, value in part.items()}
        case list():
            return [_exact(value) for value in part]
        case float() if part == float(LARGEST_ID):
            return LARGEST_ID
    return part
