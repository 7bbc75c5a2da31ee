"""How often somebody may do something that costs or reveals: a sliding window in memory."""

import asyncio
from collections import deque

from ontherun.registry.errors import TooManyError


class RateLimit:
    """At most `count` times within `window` seconds for each name; measured in real seconds, also in a lab."""

    __slots__ = ("_count", "_times", "_window")

    _NAMES = 10_000  # remembered at once: a name that did nothing for a window is forgotten

    def __init__(self, count: int, window: float) -> None:
        self._count = count
        self._window = window
        self._times: dict[str, deque[float]] = {}

    def take(self, name: str) -> None:
        """Count one. TooManyError, with the seconds to wait, when `name` has used all of them."""
        now = asyncio.get_running_loop().time()
        if len(self._times) >= self._NAMES:
            self._times = {name: times for name, times in self._times.items() if times[-1] > now - self._window}
        times = self._times.setdefault(name, deque(maxlen=self._count))
        if len(times) == self._count and times[0] > now - self._window:
            raise TooManyError(self._count, self._window, times[0] + self._window - now)
        times.append(now)
