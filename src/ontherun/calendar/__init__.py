"""Treasury trading days, market closes and holidays, and the exchange's timetable of requests.

Pure: the time comes in as an argument, in nanoseconds since 1970-01-01 UTC.
"""

from ontherun.calendar.days import DayRules, YearOfDays, easter, target_days, treasury_days
from ontherun.calendar.instants import SECOND, instant, local, local_day, months_later
from ontherun.calendar.markets import (
    CENTRAL,
    EU,
    LONDON,
    MARKETS,
    NEW_YORK,
    US_ACTIVES,
    US_REPO,
    MarketCalendar,
    calendar_of_segment,
)
from ontherun.calendar.timetable import AT_ONCE, EXCHANGE, RequestKind, Timetable

__all__ = [
    # markets
    "MarketCalendar",
    "MARKETS",
    "US_ACTIVES",
    "US_REPO",
    "EU",
    "calendar_of_segment",
    # the rules of days
    "DayRules",
    "YearOfDays",
    "treasury_days",
    "target_days",
    "easter",
    # the exchange's timetable
    "Timetable",
    "RequestKind",
    "EXCHANGE",
    "AT_ONCE",
    # instants and zones
    "SECOND",
    "NEW_YORK",
    "CENTRAL",
    "LONDON",
    "instant",
    "local",
    "local_day",
    "months_later",
]
