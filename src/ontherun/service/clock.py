"""The one place where the process reads the time."""

import time


class SystemClock:
    """The machine's clock."""

    __slots__ = ()
    now = staticmethod(time.time_ns)
    """Nanoseconds since 1970-01-01 UTC."""
