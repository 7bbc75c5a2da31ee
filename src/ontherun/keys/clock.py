"""Time as everybody here sees it: one injected clock, in nanoseconds since 1970-01-01 UTC."""

from datetime import UTC, datetime
from typing import Protocol

from ontherun.calendar import SECOND as SECOND

DAY = 86_400 * SECOND

# A nanosecond count must fit a signed 64-bit integer (until 2262), and a pair made now must still expire in that range.
_LATEST = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp()) * SECOND


class Clock(Protocol):
    """The only source of the present time."""

    def now(self) -> int:
        """Return nanoseconds since 1970-01-01 UTC."""
        ...


class ManualClock:
    """A clock that stands still until it is moved; it may be moved backwards."""

    __slots__ = ("_now",)

    def __init__(self, now: int) -> None:
        self._now = _checked(now)

    def now(self) -> int:
        """Return nanoseconds since 1970-01-01 UTC."""
        return self._now

    def set(self, now: int) -> None:
        """Stand at `now`, nanoseconds since 1970-01-01 UTC. ValueError outside 1970..2199."""
        self._now = _checked(now)

    def advance(self, nanoseconds: int) -> None:
        """Move by `nanoseconds`, which may be negative. ValueError when that leaves 1970..2199."""
        self._now = _checked(self._now + nanoseconds)


def _checked(now: int) -> int:
    if not 0 <= now < _LATEST:
        raise ValueError(f"{now} is not a time in nanoseconds between 1970 and 2199")
    return now


def utc_text(nanoseconds: int) -> str:
    """Write a time as ISO 8601 in UTC; the fraction (nine digits) only where there is one."""
    seconds, fraction = divmod(nanoseconds, SECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{fraction:09d}Z" if fraction else f"{text}Z"


def span_text(nanoseconds: int) -> str:
    """Write how far a clock is from another, for people: "28 days 1 h ahead", "none"."""
    days, rest = divmod(round(abs(nanoseconds) / SECOND), 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, seconds = divmod(rest, 60)
    counted = ((days, "days"), (hours, "h"), (minutes, "min"), (seconds, "s"))
    text = " ".join(f"{count} {unit}" for count, unit in counted if count)
    return f"{text} {'ahead' if nanoseconds > 0 else 'behind'}" if text else "none"
