"""Refused requests in the log: who was refused what, and from where (OWASP ASVS 5, 16.3.2).

Anybody can be refused as often as they like, so that only some lines a second are written; the next one says how many
were left out.
"""

import asyncio
import logging

from starlette.requests import Request

MOST_A_SECOND = 10

_log = logging.getLogger(__name__)


class Refusals:
    """Writes refusals to the log, within bounds."""

    def __init__(self) -> None:
        self._second = 0
        self._written = 0
        self._left_out = 0

    def note(self, request: Request, status: int) -> None:
        """Note a request that was answered with `status`, 401 or 403."""
        second = int(asyncio.get_running_loop().time())
        if second != self._second:
            self._second, self._written = second, 0
        if self._written >= MOST_A_SECOND:
            self._left_out += 1
            return
        self._written += 1
        left_out, self._left_out = self._left_out, 0
        _log.warning(
            "refused: %s %s, %d, to %s from %s%s",
            request.method,
            route_of(request),
            status,
            who_asked(request),
            request.client.host if request.client else "here",
            f"; {left_out} more were left out before" if left_out else "",
        )


def route_of(request: Request) -> str:
    """Return the path of a request's route: the request's own may hold a one-time link."""
    prefix = "/api/v1" if request.url.path.startswith("/api/v1/") else ""
    path = getattr(request.scope.get("route"), "path", "/?")
    return path if path.startswith(prefix) else prefix + path


def who_asked(request: Request) -> str:
    """Return the name of who was recognised behind a request, or that nobody was."""
    found = getattr(request.state, "asking", None) or getattr(request.state, "viewer", None)
    return "nobody" if found is None else str(found.name)
