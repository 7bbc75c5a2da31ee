"""Idempotency-Key: a POST, PUT, PATCH or DELETE of the API that is sent again has one effect and the same answer."""

import json
import re
from collections.abc import Iterable
from hashlib import sha256
from http import HTTPStatus
from typing import cast

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ontherun.portal import problems
from ontherun.registry import Registry, UnavailableError
from ontherun.registry.idempotency import Answer, DoneBeforeError, KeyReusedError

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
"""Stands in an answer that was kept, with the value "true"."""

_CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
_KEY = re.compile(r"[!-~]{1,255}")
_SHOWS_SECRET = re.compile(r"secret|token|password|link|code|uri|url|qr", re.IGNORECASE)


class OnceMiddleware:
    """Answers a repeated request of the API from what was kept of the first."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] not in _CHANGING or not scope["path"].startswith("/api/"):
            await self.app(scope, receive, send)
            return
        key = Headers(scope=scope).get(HEADER)
        if key is None:
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        answer = await self._once(request, key) if _KEY.fullmatch(key) else _no_key()
        await answer(scope, receive, send)

    async def _once(self, request: Request, key: str) -> Response:
        registry = cast("Registry", request.app.state.registry)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        by = registry.tokens.recognise(token.strip()) if scheme.lower() == "bearer" else None
        try:
            body = await request.body()
        except HTTPException as error:  # too large
            return problems.problem(HTTPStatus(error.status_code), "request-entity-too-large", error.detail)
        if by is None:
            return await _carry_out(self.app, request.scope, body)  # which says that there is no valid token
        try:
            async with registry.idempotency.once(by.name, key, _hash(request, body)) as found:
                if isinstance(found, Answer):
                    return _replayed(found)
                answer = await _carry_out(self.app, request.scope, body)
                if found.sequence is not None and answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                    kept = Answer(answer.status_code, answer.headers.get("Content-Type"), bytes(answer.body))
                    if _may_be_kept(kept):
                        await registry.idempotency.keep(found, kept)
                return answer
        except KeyReusedError as error:
            return problems.problem(HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency-key-reused", str(error))
        except DoneBeforeError as error:
            return problems.problem(HTTPStatus.CONFLICT, "done-before", str(error))
        except UnavailableError as error:
            return problems.problem(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", str(error))


async def _carry_out(app: ASGIApp, scope: Scope, body: bytes) -> Response:
    """Have the request served, and hold its answer until what is to be kept of it is kept."""
    start: Message = {}
    parts: list[bytes] = []
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    answer = Response(b"".join(parts), start["status"])
    answer.raw_headers = list(start["headers"])
    return answer


def _no_key() -> Response:
    fault = problems.Fault(where=f"header.{HEADER}", message="1 to 255 printable ASCII characters without spaces")
    return problems.problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", f"{fault.where}: {fault.message}", [fault])


def _hash(request: Request, body: bytes) -> bytes:
    """What makes two requests the same."""
    about = (request.method, request.url.path, request.url.query, request.headers.get("Content-Type", ""))
    return sha256(json.dumps(about).encode() + b"\0" + body).digest()


def _may_be_kept(answer: Answer) -> bool:
    """Whether an answer shows no secret: it is empty, or JSON in which no field has a secret's name."""
    if not answer.body:
        return True
    if answer.media_type is None or "json" not in answer.media_type:
        return False
    return not any(_SHOWS_SECRET.search(name) for name in _names(json.loads(answer.body)))


def _names(part: object) -> Iterable[str]:
    match part:
        case dict():
            for name, value in part.items():
                yield name
                yield from _names(value)
        case list():
            for value in part:
                yield from _names(value)


def _replayed(answer: Answer) -> Response:
    headers = {REPLAYED: "true"}
    if answer.media_type is not None:
        headers["Content-Type"] = answer.media_type
    return Response(answer.body, answer.status, headers)
