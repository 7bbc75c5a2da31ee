"""The clock of a lab: the machine's time, moved, or standing still."""

from collections.abc import Callable
from dataclasses import dataclass

from ontherun.keys import Clock
from ontherun.registry.errors import InvalidError

SECOND = 1_000_000_000
EARLIEST = 946_684_800 * SECOND
"""2000-01-01 UTC: no key pair, certificate or trading day here is older."""

LATEST = 7_258_118_400 * SECOND
"""2200-01-01 UTC: a key pair made before it still expires within 64 bits of nanoseconds."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a lab clock is: `offset` ns ahead of the machine's clock, or standing at `stands_at` (ns since 1970)."""

    offset: int = 0
    stands_at: int | None = None


class LabClock:
    """A clock that can be moved, forwards and backwards, and stopped.

    Whoever measures intervals with it, or waits for a time, asks to be told of moves by `listen`; `offset` says how far
    it is ahead of the machine's clock now.
    """

    __slots__ = ("_listeners", "_machine", "_position")

    def __init__(self, machine: Clock) -> None:
        self._machine = machine
        self._position = Position()
        self._listeners: list[Callable[[], None]] = []

    def now(self) -> int:
        """Return nanoseconds since 1970-01-01 UTC."""
        position = self._position
        return self._machine.now() + position.offset if position.stands_at is None else position.stands_at

    def machine_now(self) -> int:
        """Return the machine's own time, nanoseconds since 1970-01-01 UTC."""
        return self._machine.now()

    def offset(self) -> int:
        """Return how far this clock is ahead of the machine's, ns; it falls while this one stands still."""
        position = self._position
        return position.offset if position.stands_at is None else position.stands_at - self._machine.now()

    @property
    def position(self) -> Position:
        """Where the clock is."""
        return self._position

    def at(self, now: int, *, stand_still: bool) -> Position:
        """Return the position in which the clock shows `now`. InvalidError outside 2000..2199."""
        if not EARLIEST <= now < LATEST:
            raise InvalidError("at", "is out of the lab clock's range.", "a time from 2000-01-01 to 2199-12-31")
        return Position(0, now) if stand_still else Position(now - self._machine.now())

    def take(self, position: Position) -> None:
        """Be at `position`, and tell everyone who listens."""
        self._position = position
        for listener in self._listeners:
            listener()

    def listen(self, listener: Callable[[], None]) -> None:
        """Have `listener` called after each move."""
        self._listeners.append(listener)


def machine_time(clock: Clock) -> Callable[[], int]:
    """Return the machine's own time even where `clock` is a lab's.

    It is for what keeps the door: browsers stay signed in when a lab moves its clock by a year, and the codes of an
    authenticator app, which knows nothing of the lab, stay good.
    """
    return clock.machine_now if isinstance(clock, LabClock) else clock.now
