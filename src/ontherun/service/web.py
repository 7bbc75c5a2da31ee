"""The web server of the portal: uvicorn as a task of our loop, with the limits that it leaves to a proxy in front."""

import asyncio
import contextlib
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 64 * 1024
"""Bytes of a request line and its headers."""

HEAD_IN = 30.0
"""Seconds in which a new connection must send its first request line and headers."""

BODY_IN = 60.0
"""Seconds from the end of the headers to the end of the body; and for taking the rest of a written answer."""

ANSWER_IN = 600.0
"""Seconds from the end of a request until its answer is written: a peer that reads nothing holds it up."""

MOST_CONNECTIONS = 500
"""Connections at once. The gateways share the process's file descriptors, and must never want for one."""

REQUESTS_END_IN = 2.0
"""Seconds that a stop waits for requests under way; one that never ends must not keep the venue up."""


class MadeWhenAsked:
    """An application that the first request makes, in a thread beside the gateways: a venue that only trades does
    without it."""

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make
        self._made: asyncio.Task[ASGIApp] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or begin one that goes on."""
        if self._made is None:
            self._made = asyncio.create_task(asyncio.to_thread(self._make))
        app = await asyncio.shield(self._made)
        await app(scope, receive, send)


class LimitedHttp(HttpToolsProtocol):
    """HTTP whose heads are bounded in size, and whose every step is bounded in time.

    So nobody without a token can fill our memory, or hold connections that others need. Where there are too many, the
    one that has owed us the rest of a request for the longest gives way.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """A peer is there, and owes a head."""
        super().connection_made(transport)
        self._in_head, self._head_size = True, 0
        self._await(HEAD_IN, owed=True)
        if len(self.connections) > MOST_CONNECTIONS:
            others = (each for each in self.connections if isinstance(each, LimitedHttp) and each.owed)
            min(others, key=lambda each: each.since, default=self).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer is gone."""
        self._late.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head, all of which the parser keeps, has grown too large."""
        super().data_received(data)
        if self._in_head:
            self._head_size += len(data)
            if self._head_size > LARGEST_HEAD and not self.transport.is_closing():
                self.send_400_response("The request line and headers are too long.")

    def on_message_begin(self) -> None:
        """Another head begins."""
        super().on_message_begin()
        self._in_head, self._head_size = True, 0
        self._next(HEAD_IN, owed=True)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        self._next(BODY_IN, owed=True)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole: now we owe the answer."""
        self._next(ANSWER_IN, owed=False)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is written, and the peer has to take it; uvicorn ends a connection that then stays idle."""
        if self.pipeline:
            self._next(ANSWER_IN, owed=False)
        else:
            self._next(BODY_IN, owed=True)
        super().on_response_complete()

    def _next(self, seconds: float, *, owed: bool) -> None:
        self._late.cancel()
        self._await(seconds, owed=owed)

    def _await(self, seconds: float, *, owed: bool) -> None:
        self.owed, self.since = owed, self.loop.time()
        self._late = self.loop.call_later(seconds, self.transport.abort)


class WebServer(uvicorn.Server):
    """Serves an application on a socket of our own, so that the port is known before anything is said."""

    def __init__(self, app: ASGIApp, listening: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=LimitedHttp,
                ws="none",
                proxy_headers=False,  # they say where a request comes from, and anybody can send them
                log_config=None,
                log_level="error",  # anybody can send what it warns of
                access_log=False,
                lifespan="off",
                server_header=False,
            )
        )
        self._serving = asyncio.create_task(self.serve(sockets=[listening]))

    def capture_signals(self) -> contextlib.AbstractContextManager[None]:  # type: ignore[override] # uvicorn's own is a generator
        """Leave the signals alone: they are the venue's."""
        return contextlib.nullcontext()

    async def ready(self) -> None:
        """Return once it serves; raise what keeps it from serving."""
        while not self.started and not self._serving.done():  # noqa: ASYNC110 -- uvicorn has no event for it
            await asyncio.sleep(0.001)
        if self._serving.done():
            self._serving.result()

    async def stop(self) -> None:
        """Let requests under way end, cut off those that do not, and return."""
        self.should_exit = True
        await asyncio.wait({self._serving}, timeout=REQUESTS_END_IN)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await self._serving
