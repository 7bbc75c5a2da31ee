"""Moments as people read them: Central (the exchange's clock), New York (the market's) and the viewer's own zone.

Times come in as nanoseconds since 1970-01-01 UTC.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from markupsafe import Markup

SECOND = 1_000_000_000
_STEPS = ((365 * 86_400, "year"), (7 * 86_400, "week"), (86_400, "day"), (3_600, "hour"), (60, "minute"))


@dataclass(frozen=True, slots=True)
class ZonedText:
    """One moment in one zone: "2026-12-21", "16:30:05", "CT"; `day` is -1, 0 or 1 against the Central date."""

    date: str
    clock: str
    zone: str
    day: int

    @property
    def minute(self) -> str:
        """The time of day without its seconds."""
        return self.clock[:5]


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment in every zone that is shown. `others` holds New York and the viewer's zone."""

    iso: str
    central: ZonedText
    others: tuple[ZonedText, ...]


@cache
def zone_named(name: str) -> ZoneInfo | None:
    """Return the IANA time zone, or None where there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def moment(at: int, zone: str) -> Moment:
    """Return `at` in Central, New York and `zone`, an IANA name, which is left out where it is one of the two."""
    instant = datetime.fromtimestamp(at // SECOND, UTC)
    central = instant.astimezone(ZoneInfo("America/Chicago"))
    own = zone_named(zone) or UTC
    others = [_text(instant.astimezone(ZoneInfo("America/New_York")), central, "NY")]
    if zone not in ("America/New_York", "America/Chicago"):
        local = instant.astimezone(own)
        others.append(_text(local, central, local.tzname() or zone))
    return Moment(instant.strftime("%Y-%m-%dT%H:%M:%SZ"), _text(central, central, "CT"), tuple(others))


def element(at: int | None, zone: str, now: int | None, seconds: bool) -> "Markup":
    """Return a moment as HTML: Central first, then how far it is from `now`, then the other zones; a dash for None."""
    from markupsafe import Markup  # with the first page, as the templates

    if at is None:
        return Markup('<span class="quiet">&ndash;</span>')
    before, after = _around(at // SECOND, zone, seconds)
    far = "" if now is None else f' <span class="moment-distance">{distance(at, now)}</span>'
    return Markup(f"{before}{far}{after}")  # noqa: S704 - made of digits and escaped names


@lru_cache(maxsize=16_384)
def _around(second: int, zone: str, seconds: bool) -> tuple[str, str]:
    """Return what stands before and after the distance; kept, for pages show the same moments again and again."""
    from markupsafe import escape

    shown = moment(second * SECOND, zone)
    central = shown.central.clock if seconds else shown.central.minute
    others = " · ".join(f"{other.minute}{_MARKS[other.day]} {escape(other.zone)}" for other in shown.others)
    opening = f'<time class="moment" datetime="{shown.iso}">'
    return (
        f'{opening}<span class="moment-central">{shown.central.date} {central} CT</span>',
        f' <span class="moment-others">{others}</span></time>',
    )


_MARKS = {-1: "⁻¹", 0: "", 1: "⁺¹"}
"""How a date is marked that is the day before or after the Central one."""


def _text(local: datetime, central: datetime, zone: str) -> ZonedText:
    day = (local.date() - central.date()).days
    return ZonedText(local.strftime("%Y-%m-%d"), local.strftime("%H:%M:%S"), zone, day)


def distance(at: int, now: int) -> str:
    """Return how far `at` is from `now` in words: "in 4 weeks", "3 days ago", "now"."""
    seconds = abs(at - now) // SECOND
    for length, name in _STEPS:
        # Two of a unit are the least that is said of it, so that "in 10 days" does not become "in 1 week".
        if seconds >= (length if name in ("day", "hour", "minute") else 2 * length):
            count = seconds // length
            words = f"{count} {name}" if count == 1 else f"{count} {name}s"
            return f"in {words}" if at > now else f"{words} ago"
    return "now"
