"""The expiries of the key pairs that the viewer sees: a month as a calendar, with the market's closes, and a list."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from ontherun.calendar import CENTRAL, US_ACTIVES, MarketCalendar, local_day, months_later
from ontherun.portal.dependencies import Serving
from ontherun.portal.pages.guard import Viewer
from ontherun.portal.pages.key_rows import KeyRow, rows_of
from ontherun.portal.pages.shell import render
from ontherun.portal.routes_all_keys import expiries
from ontherun.registry import StoredKeyPair

router = APIRouter(include_in_schema=False)

_MONTH = re.compile(r"(19[7-9]\d|2[01]\d\d)-(0[1-9]|1[0-2])")
IN_A_CELL = 3


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the grid. `close`: the market's close where it is an early one, "closed", or nothing to say."""

    day: date
    inside: bool
    today: bool
    close: str
    rows: tuple[KeyRow, ...]


@router.get("/keys/calendar", response_class=HTMLResponse)
async def calendar_page(
    request: Request, registry: Serving, viewer: Viewer, month: Annotated[str, Query(max_length=7)] = ""
) -> HTMLResponse:
    """Show a month of expiries, the present one unless another was asked for. Days are Central."""
    today = local_day(registry.clock.now(), CENTRAL)
    first = date.fromisoformat(f"{month}-01") if _MONTH.fullmatch(month) else today.replace(day=1)
    found = expiries(registry, viewer)
    following = months_later(first, 1)
    inside = [stored for stored in found if first <= _day(stored) < following]
    rows = rows_of(registry, inside)
    calendar = registry.pairs.policy.calendars[US_ACTIVES.name]
    return render(
        request,
        "keys/calendar.html",
        first=first,
        weeks=_weeks(first, today, rows, calendar),
        rows=rows,
        in_a_cell=IN_A_CELL,
        months=_months(first, found),
        before=months_later(first, -1).strftime("%Y-%m"),
        after=following.strftime("%Y-%m"),
        this_month=today.strftime("%Y-%m"),
        ahead=len(found),
    )


def _day(stored: StoredKeyPair) -> date:
    return local_day(stored.pair.expires_at, CENTRAL)


def _weeks(first: date, today: date, rows: Sequence[KeyRow], calendar: MarketCalendar) -> list[list[Day]]:
    """Return the weeks of a month, from Monday to Sunday."""
    at: dict[date, list[KeyRow]] = {}
    for row in rows:
        at.setdefault(_day(row.stored), []).append(row)
    monday, weeks = first - timedelta(first.weekday()), []
    while monday < months_later(first, 1):
        days = [monday + timedelta(count) for count in range(7)]
        weeks.append(
            [
                Day(day, day.month == first.month, day == today, _close(calendar, day), tuple(at.get(day, ())))
                for day in days
            ]
        )
        monday += timedelta(7)
    return weeks


def _close(calendar: MarketCalendar, day: date) -> str:
    close = calendar.close_time(day)
    if close is None:
        return "closed" if day.weekday() < 5 else ""
    return "" if close == calendar.close else f"closes {close:%H:%M} NY"


def _months(first: date, found: Sequence[StoredKeyPair]) -> list[tuple[str, str, int]]:
    """Return twelve months from the shown one on: (2026-12, Dec 2026, number of expiries)."""
    counts: dict[tuple[int, int], int] = {}
    for stored in found:
        day = _day(stored)
        counts[day.year, day.month] = counts.get((day.year, day.month), 0) + 1
    months = [months_later(first, count) for count in range(12)]
    return [(at.strftime("%Y-%m"), at.strftime("%b %Y"), counts.get((at.year, at.month), 0)) for at in months]
