"""Response headers that hold for everything, and the bound on request bodies."""

from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 64 * 1024
"""The largest request body, in bytes."""

LARGEST_FILE = 1024 * 1024
"""The largest body of a request that brings a file."""

_FILES = frozenset({"/api/v1/session-import", "/api/v1/session-import/preview", "/sessions/import"})

_EVERYWHERE = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # with "no-referrer" browsers say "Origin: null" of our own forms
    "X-Content-Type-Options": "nosniff",
}


LATE_COOKIES = "late_cookies"
"""The name in a request's state of cookies (Set-Cookie values) that go out with whatever is answered."""


class GuardMiddleware:
    """Refuse bodies that are too large; add the headers; keep answers out of caches."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        received = 0
        largest = LARGEST_FILE if scope["path"] in _FILES else LARGEST_BODY

        async def receive_guarded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > largest:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A body has at most {largest} bytes here.")
            return message

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _EVERYWHERE.items():
                    headers.setdefault(name, value)
                if scope["app"].state.status.public_url.startswith("https://"):
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
                for cookie in scope.get("state", {}).get(LATE_COOKIES, ()):
                    headers.append("Set-Cookie", cookie)
                if not scope["path"].startswith("/static/"):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self.app(scope, receive_guarded, send_guarded)
