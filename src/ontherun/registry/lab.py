"""Time travel: the lab clock is moved by the operator, durably and with an audit entry.

Nothing is carried out by a move itself: what is due by the new time is found due by whoever looks next, and listeners
are told to look. Moved backwards, what happened stays happened: records keep their times.
"""

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import delete, insert, select

from ontherun.keys import Clock, utc_text
from ontherun.registry.errors import ConflictError, InvalidError
from ontherun.registry.lab_clock import SECOND, LabClock, Position
from ontherun.registry.principal import Principal
from ontherun.registry.store import Store
from ontherun.registry.tables_lab import LabClockRow

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:\d{1,9}[wdhms])+")


class Lab:
    """The clock of a venue that was started with --lab; every other one refuses to move."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock if isinstance(clock, LabClock) else None

    @property
    def clock(self) -> LabClock | None:
        """The lab clock; None when the venue runs on the machine's time."""
        return self._clock

    def require_clock(self) -> LabClock:
        """Return the lab clock. ConflictError when the venue does not run as a lab."""
        if self._clock is None:
            raise ConflictError(
                "This venue runs on the machine's time. Only one started with `ontherun up --lab` can move."
            )
        return self._clock

    async def set(self, by: Principal, at: int, *, stand_still: bool = False, reason: str = "") -> None:
        """Move the clock to `at`, ns since 1970 UTC, from where it runs on or stands still. Operator only."""
        by.require_operator()
        clock = self.require_clock()
        await self._move(by, clock.at(at, stand_still=stand_still), reason)

    async def advance(self, by: Principal, span: int, *, stand_still: bool | None = None, reason: str = "") -> None:
        """Move the clock by `span` ns, back when negative; it runs or stands on as before unless told otherwise."""
        by.require_operator()
        clock = self.require_clock()
        if stand_still is None:
            stand_still = clock.position.stands_at is not None
        await self._move(by, clock.at(clock.now() + span, stand_still=stand_still), reason)

    async def reset(self, by: Principal, *, reason: str = "") -> None:
        """Go back to the machine's time."""
        by.require_operator()
        self.require_clock()
        await self._move(by, Position(), reason)

    async def _move(self, by: Principal, position: Position, reason: str) -> None:
        clock = self.require_clock()
        async with self._store.change(by) as change:
            change.write(
                delete(LabClockRow),
                insert(LabClockRow).values(row_id=1, offset=position.offset, stands_at=position.stands_at),
            )
            to = position.stands_at if position.stands_at is not None else clock.machine_now() + position.offset
            why = {"reason": reason} if reason else {}
            stands = {"stands_still": True} if position.stands_at is not None else {}
            change.record("clock.moved", None, "lab clock", to=utc_text(to), by_ns=to - change.now, **stands, **why)
            change.then(lambda: clock.take(position))


async def restore(clock: Clock, connection: "AsyncConnection") -> None:
    """Put a lab clock where it was when the venue stopped; other clocks are left alone."""
    if isinstance(clock, LabClock):
        row = (await connection.execute(select(LabClockRow.__table__))).first()
        if row is not None:
            clock.take(Position(row.offset, row.stands_at))


def parse_span(text: str) -> int:
    """Read a span such as 4w, 1d12h or 90s, with a minus sign for backwards, as ns. InvalidError for anything else."""
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    if not _DURATION.fullmatch(digits):
        raise InvalidError("advance", "is no span of time.", "numbers with w, d, h, m or s: 4w, 1d12h, -90s")
    parts = re.findall(r"(\d+)([wdhms])", digits)
    return sign * sum(int(number) * _UNITS[unit] for number, unit in parts) * SECOND


def parse_time(text: str, zone: str = "UTC") -> int:
    """Read 2027-01-04T17:30 in a time zone (or with an offset of its own: ...Z, ...-05:00) as ns since 1970 UTC.

    InvalidError for an unknown zone, a time that the zone skips (clocks go forward), or anything that is no time. Of a
    time that comes twice (clocks go back) the first is meant.
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidError(
            "at", "is no date and time.", "2027-01-04T17:30, or with an offset: ...Z, ...-05:00"
        ) from None
    if time.tzinfo is None:
        try:
            time = time.replace(tzinfo=ZoneInfo(zone))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise InvalidError("zone", "is no time zone.", "a name such as America/New_York or UTC") from None
        if time.astimezone(UTC).astimezone(time.tzinfo).replace(tzinfo=None) != time.replace(tzinfo=None):
            raise InvalidError(
                "at", f"does not exist in {zone}: clocks go forward there.", "a time before or after the gap"
            )
    try:
        since = time - datetime(1970, 1, 1, tzinfo=UTC)
    except OverflowError:
        raise InvalidError("at", "is out of range.", "a time from 2000-01-01 to 2199-12-31") from None
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds * 1_000
