"""Errors as the API answers them: application/problem+json (RFC 9457), saying what was wrong, where, and what is right.
A browser that asked for a page gets the same as a page.

No answer repeats a value that was sent in a body or a header: it could be a secret.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from ontherun.keys import KeyRuleError, PairLimitError
from ontherun.portal.refusals import Refusals, route_of
from ontherun.registry import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    MasterKeyError,
    NotFoundError,
    NotRecognisedError,
    Principal,
    RegistryError,
    SecondFactorRequiredError,
    TooManyAttemptsError,
    TooManyError,
    UnavailableError,
)

MEDIA_TYPE = "application/problem+json"

_Handler = Callable[[Request, Exception], Awaitable[Response]]

ProblemPage = Callable[[Request, Mapping[str, Any]], Response]
"""Makes a page of a problem document."""

_KEPT = ("allow", "retry-after")
"""Headers of a problem document that its page has too."""

_log = logging.getLogger(__name__)


class Fault(BaseModel):
    """One thing that was wrong: where, and what would be right."""

    where: str
    message: str


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault] = []


class ProblemResponse(JSONResponse):
    """A response that carries a problem document."""

    media_type = MEDIA_TYPE


def problem(
    status: HTTPStatus,
    kind: str,
    detail: str,
    errors: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> ProblemResponse:
    """Make a problem response. `kind` names the sort of problem for programs; docs/rest-api.md lists them."""
    body = Problem(
        type=f"urn:ontherun:problem:{kind}", title=status.phrase, status=status, detail=detail, errors=list(errors)
    )
    return ProblemResponse(body.model_dump(), status, headers)


def answers(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Describe the problem responses of a route for OpenAPI."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status.value: {"description": status.phrase, "content": content} for status in statuses}


_KINDS: tuple[tuple[type[Exception], HTTPStatus, str], ...] = (
    (NotFoundError, HTTPStatus.NOT_FOUND, "not-found"),
    (SecondFactorRequiredError, HTTPStatus.FORBIDDEN, "second-factor-required"),
    (ForbiddenError, HTTPStatus.FORBIDDEN, "forbidden"),
    (ConflictError, HTTPStatus.CONFLICT, "conflict"),
    (UnavailableError, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"),
    (MasterKeyError, HTTPStatus.SERVICE_UNAVAILABLE, "master-key"),
    (TooManyAttemptsError, HTTPStatus.TOO_MANY_REQUESTS, "too-many-attempts"),
    (NotRecognisedError, HTTPStatus.UNAUTHORIZED, "not-recognised"),
    (PairLimitError, HTTPStatus.CONFLICT, "key-pair-limit"),
    (KeyRuleError, HTTPStatus.CONFLICT, "key-rule"),
)


def status_for(error: Exception) -> HTTPStatus:
    """Return the status with which a page or the API answers an error of the registry or of the key rules."""
    if isinstance(error, InvalidError):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return next((status for sort, status, _ in _KINDS if isinstance(error, sort)), HTTPStatus.INTERNAL_SERVER_ERROR)


async def _refused(request: Request, error: Exception) -> Response:
    by: Principal | None = getattr(request.state, "asking", None) or getattr(request.state, "viewer", None)
    if by is not None and isinstance(error, RegistryError):
        await request.app.state.registry.refusals.note(by, error)
    if isinstance(error, InvalidError):
        return _faults([Fault(where=f"body.{error.where}", message=f"{error.what} Expected: {error.expected}")])
    if isinstance(error, TooManyError):
        wait = {"Retry-After": str(error.wait)}
        return problem(HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests", str(error), headers=wait)
    for sort, status, kind in _KINDS:
        if isinstance(error, sort):
            return problem(status, kind, str(error))
    return await _failed(request, error)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if not request.url.path.startswith("/api/") and all(fault["loc"][0] == "path" for fault in error.errors()):
        return problem(HTTPStatus.NOT_FOUND, "not-found", f"There is nothing at {request.url.path}.")
    return _faults([Fault(where=_where(fault["loc"]), message=fault["msg"]) for fault in error.errors()])


def _faults(faults: list[Fault]) -> ProblemResponse:
    detail = "; ".join(f"{fault.where}: {fault.message}" for fault in faults)
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", detail, faults)


def _where(location: Sequence[str | int]) -> str:
    first, *rest = location
    return str(first) + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    headers = dict(error.headers or {})
    detail = str(error.detail)
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(sorted(_methods(request))) or headers.get("Allow", "")
        detail = f"{request.method} is not possible here, only {headers['Allow']}."
    elif detail == HTTPStatus.NOT_FOUND.phrase:
        detail = f"There is nothing at {request.url.path}."
    return problem(status, status.phrase.lower().replace(" ", "-"), detail, headers=headers)


def _methods(request: Request) -> set[str]:
    """Return every method that the API has for a path; the framework names those of one route only."""
    found: set[str] = set()
    for path, operations in request.app.openapi()["paths"].items():
        pattern, _, _ = compile_path(path)
        if pattern.match(request.url.path):
            found.update(method.upper() for method in operations)
    return found


async def _failed(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed", request.method, route_of(request), exc_info=error)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal",
        "This is a fault of ontherun. Its log says more. Please report it.",
    )


def _is_for_a_person(request: Request) -> bool:
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def _shown(handler: _Handler, page: ProblemPage, refusals: Refusals) -> _Handler:
    async def answer(request: Request, error: Exception) -> Response:
        response = await handler(request, error)
        if response.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            refusals.note(request, response.status_code)
        if response.status_code < HTTPStatus.BAD_REQUEST or not _is_for_a_person(request):
            return response
        shown = page(request, json.loads(bytes(response.body)))
        shown.headers.update({name: response.headers[name] for name in _KEPT if name in response.headers})
        return shown

    return answer


def install(app: FastAPI, page: ProblemPage) -> None:
    """Have every error of `app` answered as a problem document, or as a page where a person looks."""
    refusals = Refusals()
    for sort, handler in (
        (RequestValidationError, _invalid),
        (HTTPException, _http),
        (RegistryError, _refused),
        (KeyRuleError, _refused),
        (Exception, _failed),
    ):
        app.add_exception_handler(sort, _shown(handler, page, refusals))
