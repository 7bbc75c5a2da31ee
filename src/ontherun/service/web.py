"""The web server of the portal: uvicorn as a task of our loop, with the limits that it leaves to a proxy in front."""

import asyncio
import contextlib
import socket

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 64 * 1024
"""Bytes of a request line and its headers."""

HEAD_IN = 30.0
"""Seconds in which a new connection must send its first request line and headers."""

REQUESTS_END_IN = 2.0
"""Seconds that a stop waits for requests under way; one that never ends must not keep the venue up."""


class LimitedHttp(HttpToolsProtocol):
    """HTTP whose heads are bounded in size and time, so that nobody without a token can fill our memory."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """A peer is there, and owes a head."""
        super().connection_made(transport)
        self._await_head()

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
        self._late.cancel()
        self._await_head()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        self._late.cancel()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._in_head = True
        self._head_size = 0
        self._late = self.loop.call_later(HEAD_IN, self.transport.abort)


class WebServer(uvicorn.Server):
    """Serves an application on a socket of our own, so that the port is known before anything is said."""

    def __init__(self, app: ASGIApp, listening: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                app, http=LimitedHttp, log_config=None, access_log=False, lifespan="off", server_header=False
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
