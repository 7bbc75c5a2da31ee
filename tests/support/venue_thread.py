"""A venue in this process, in a thread of its own, with settings that no option of the command has."""

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from ontherun.service.settings import Settings
from ontherun.service.venue import Venue

T = TypeVar("T")


class VenueThread:
    """A venue on free ports; leaving the `with` block stops it in order."""

    def __init__(self, data: Path, **settings: Any) -> None:
        self.settings = Settings(data, portal_port=0, gateway_port_base=0, fsync=False, **settings)
        self.venue: Venue
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def call(self, function: Callable[[], T]) -> T:
        """Call something of the venue in its own loop."""

        async def called() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result(30)

    def address(self, segment: int, role: str = "primary") -> tuple[str, int]:
        """Where a segment's gateway listens that is in this role now."""
        gateways = self.call(self.venue.gateways)
        return next((at.host, at.port) for at in gateways if (at.segment, at.role) == (segment, role))

    def key(self, number: int = 0) -> dict[str, Any]:
        """The key file of a demo session, with what else the ready file says of it."""
        demo = self.venue.ready["demo"][number]
        return json.loads(Path(demo["key_file"]).read_text()) | demo

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self.venue = asyncio.run_coroutine_threadsafe(Venue.start(self.settings), self._loop).result(30)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            asyncio.run_coroutine_threadsafe(self.venue.stop(), self._loop).result(30)
        finally:
            self._end()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
