"""Between a wall clock in some zone and nanoseconds since 1970-01-01 UTC."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SECOND = 1_000_000_000
"""Nanoseconds of a second."""


def instant(day: date, at: time, zone: ZoneInfo) -> int:
    """Return the nanoseconds since 1970 UTC when clocks in `zone` show `at` on `day`.

    An hour that exists twice (the end of daylight saving) means its first occurrence; one that does not exist is read
    with the offset from before the change, as PEP 495 says.
    """
    return int(datetime.combine(day, at, zone).timestamp()) * SECOND


def local(nanoseconds: int, zone: ZoneInfo) -> datetime:
    """Return what a clock in `zone` shows at `nanoseconds`, to the second."""
    return datetime.fromtimestamp(nanoseconds // SECOND, UTC).astimezone(zone)


def local_day(nanoseconds: int, zone: ZoneInfo) -> date:
    """Return the day in `zone` at `nanoseconds`."""
    return local(nanoseconds, zone).date()


def months_later(day: date, months: int) -> date:
    """Return the same day of the month `months` later; the last day of that month where it is too short."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    first_of_next = date(year + month // 12, month % 12 + 1, 1)
    return date(year, month, min(day.day, (first_of_next - timedelta(1)).day))
