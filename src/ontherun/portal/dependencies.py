"""What every route of the API depends on: who is asking (RFC 6750), what is served, and no stray parameters."""

from collections import Counter
from http import HTTPStatus
from typing import Annotated, get_args, get_origin

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException

from ontherun.portal.refusals import route_of
from ontherun.registry import InvalidError, Principal, Registry
from ontherun.registry.checks import checked_name
from ontherun.registry.refusals import ATTEMPT
from ontherun.registry.why import WHY

bearer = HTTPBearer(
    auto_error=False, scheme_name="token", description="An API token: the content of the running venue's admin.token."
)


async def registry_of(request: Request) -> Registry:
    """Return the registry that the application serves."""
    registry = request.app.state.registry
    assert isinstance(registry, Registry)
    return registry


Serving = Annotated[Registry, Depends(registry_of)]


async def principal_of(
    request: Request, registry: Serving, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Principal:
    """Return whom the request's token stands for; 401 without a valid one."""
    source = request.client.host if request.client else None
    if credentials is None:
        raise _unauthorized("An API token is needed: Authorization: Bearer otr_...", "Bearer")
    found = registry.tokens.recognise(credentials.credentials, source)
    if found is None:
        raise _unauthorized("The API token is unknown, expired or revoked.", 'Bearer error="invalid_token"')
    request.state.asking = found
    await registry.tokens.used(credentials.credentials)
    ATTEMPT.set(f"{request.method} {route_of(request)}")
    return found


def _unauthorized(detail: str, challenge: str) -> HTTPException:
    return HTTPException(HTTPStatus.UNAUTHORIZED, detail, {"WWW-Authenticate": challenge})


Asking = Annotated[Principal, Depends(principal_of)]


async def said_why(request: Request, _by: Asking) -> None:
    """Keep the reason that a request gives in the header Audit-Reason for the audit entries that it makes."""
    text = request.headers.get("Audit-Reason", "").encode("latin-1").decode("utf-8", "replace")
    keep_reason(text, ("header", "Audit-Reason"))


def keep_reason(text: str, where: tuple[str, str]) -> None:
    """Keep a reason for the audit entries of the request that is being served; `where` it was given, for the error."""
    text = text.strip()
    if text:
        try:
            checked_name(where[-1], text)
        except InvalidError as error:
            message = f"{error.what} Expected: {error.expected}"
            raise RequestValidationError([{"loc": where, "msg": message}]) from None
    WHY.set(text)


async def known_parameters(request: Request, _by: Asking) -> None:
    """Refuse query parameters that the route does not have, once it is known who asks."""
    refuse_unknown_parameters(request)


def refuse_unknown_parameters(request: Request) -> None:
    """RequestValidationError for a query parameter that the route does not have, or that comes twice where it may not:
    it, or one of the two, would be ignored in silence."""
    known = _parameters(request.scope["route"].dependant)
    if unknown := [name for name in request.query_params if name not in known]:
        message = f"There is no such parameter. Known: {', '.join(known) or 'none'}"
        raise RequestValidationError([{"loc": ("query", name), "msg": message} for name in unknown])
    sent = Counter(name for name, _ in request.query_params.multi_items())
    if twice := [name for name, count in sent.items() if count > 1 and not known[name]]:
        raise RequestValidationError([{"loc": ("query", name), "msg": "comes once at most"} for name in twice])


def _parameters(dependant: Dependant) -> dict[str, bool]:
    """The query parameters of a route and of what it depends on, and whether each may come more than once."""
    found = {field.alias: _repeatable(field.field_info.annotation) for field in dependant.query_params}
    for part in dependant.dependencies:
        found |= _parameters(part)
    return found


def _repeatable(annotation: object) -> bool:
    return get_origin(annotation) is list or any(_repeatable(part) for part in get_args(annotation))
