"""The one place where the process reads the time."""

import time


class SystemClock:
    """The machine's clock, never running backwards while the process lives."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = 0

    def now(self) -> int:
        """Nanoseconds since 1970-01-01 UTC; a step back of the machine's clock is read as standing still."""
        now = time.time_ns()
        if now < self._last:
            return self._last
        self._last = now
        return now
