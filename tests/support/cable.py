"""A cable between a client and a gateway that a test can cut, and that can swallow messages."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Self

from ontherun.ilink import messages as m
from ontherun.sbe import Framer

Filter = Callable[[m.Message], bool]


async def until(test: Callable[[], bool]) -> None:
    """Let the loop run until `test` holds."""
    while not test():  # noqa: ASYNC110 - seen from outside, there is nothing to wait for
        await asyncio.sleep(0)


class Cable:
    """A TCP relay, frame by frame. `up` and `down` say which messages pass to and from the gateway."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.gateway = address
        self.up: Filter = lambda _: True
        self.down: Filter = lambda _: True
        self.passed: list[tuple[bool, m.Message]] = []
        self.plugged = True
        self._ends: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    @contextlib.asynccontextmanager
    async def to(cls, address: tuple[str, int]) -> AsyncIterator[Self]:
        cable = cls(address)
        server = await asyncio.start_server(cable._plug_in, "127.0.0.1", 0)
        cable.address: tuple[str, int] = server.sockets[0].getsockname()[:2]
        try:
            yield cable
        finally:
            server.close()
            cable.cut()
            await asyncio.gather(*cable._tasks)

    def cut(self) -> None:
        """End every connection now; new ones may come if it is plugged."""
        for end in self._ends:
            end.transport.abort()

    def sent(self, kind: type[m.Message]) -> list[m.Message]:
        """What the client sent of this kind, passed on or not."""
        return [message for up, message in self.passed if up and isinstance(message, kind)]

    async def _plug_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.plugged:
            writer.transport.abort()
            return
        gateway_reader, gateway_writer = await asyncio.open_connection(*self.gateway)
        self._ends |= {writer, gateway_writer}
        pumps = [self._pump(reader, gateway_writer, up=True), self._pump(gateway_reader, writer, up=False)]
        for pump in pumps:
            task = asyncio.create_task(pump)
            self._tasks.add(task)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, up: bool) -> None:
        framer = Framer()
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                for frame in framer.feed(data):
                    message = m.decode(frame)
                    self.passed.append((up, message))
                    if (self.up if up else self.down)(message):
                        target.write(frame)
                await target.drain()
        self._ends.discard(target)
        target.close()
