"""An instant as its readers know it: Central time, New York and UTC."""

from datetime import UTC, datetime

from ontherun.calendar import CENTRAL, NEW_YORK

_SECOND = 1_000_000_000


def day(at: int) -> str:
    """Write the day of an instant (nanoseconds since 1970-01-01 UTC) in Central time: Mon 21 Dec 2026."""
    return datetime.fromtimestamp(at // _SECOND, CENTRAL).strftime("%a %d %b %Y")


def moment(at: int) -> str:
    """Write an instant (nanoseconds since 1970-01-01 UTC) in the three zones.

    Mon 21 Dec 2026 16:30 Central (CST), 17:30 New York (EST), 22:30 UTC; a day that is another one is named again.
    """
    utc = datetime.fromtimestamp(at // _SECOND, UTC)
    central, new_york = utc.astimezone(CENTRAL), utc.astimezone(NEW_YORK)
    return (
        f"{central:%a %d %b %Y %H:%M} Central ({central:%Z}), "
        f"{_again(new_york, central)}{new_york:%H:%M} New York ({new_york:%Z}), {_again(utc, central)}{utc:%H:%M} UTC"
    )


def _again(time: datetime, first: datetime) -> str:
    return "" if time.date() == first.date() else f"{time:%a %d %b} "
