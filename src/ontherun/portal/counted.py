"""Counts the requests that the portal answers, for /metrics."""

from collections import Counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ontherun.portal.measures import Measure


class RequestCounts:
    """Answers by sort of path ("api", "page", "static", "other"), method and status."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def add(self, path: str, method: str, status: int) -> None:
        """Count an answer."""
        self._counts[_sort(path), method, str(status)] += 1

    def measure(self) -> Measure:
        """The counts as a measure."""
        values = [
            ({"sort": sort, "method": method, "status": status}, float(count))
            for (sort, method, status), count in sorted(self._counts.items())
        ]
        return Measure("http_requests", "counter", "Requests answered by the portal and the REST API", values)


class CountingMiddleware:
    """Counts each answer."""

    def __init__(self, app: ASGIApp, counts: RequestCounts) -> None:
        self.app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._counts.add(scope["path"], _METHODS.get(scope["method"], "other"), message["status"])
            await send(message)

        await self.app(scope, receive, send_counted)


_METHODS = {name: name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")}
"""Others are counted as one, so that nobody makes up series."""


def _sort(path: str) -> str:
    if path.startswith("/api/"):
        return "api"
    if path.startswith("/static/"):
        return "static"
    return "operation" if path.startswith(("/health/", "/metrics")) else "page"
