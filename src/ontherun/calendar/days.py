"""Which days a market trades, and on which of them it closes early: rules, so that no year has to be entered.

US Treasuries: the recommendations of SIFMA, which the market follows: the federal holidays, moved from Sunday to
Monday; from Saturday to Friday only Juneteenth, Independence Day and Christmas. Euro area: the closing days of TARGET
(European Central Bank, long-term calendar since 2002).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import lru_cache
from types import MappingProxyType

_DAY = timedelta(1)
_MONDAY, _THURSDAY, _SATURDAY, _SUNDAY = 0, 3, 5, 6

EARLY = time(14)
"""SIFMA's early close, New York time."""

JOBS_REPORT = time(12)
"""SIFMA's close on a Good Friday on which the employment report comes out, New York time."""


@dataclass(frozen=True, slots=True)
class YearOfDays:
    """The weekdays of one year on which a market is closed, and those on which it closes early, with the time."""

    closed: frozenset[date]
    early: Mapping[date, time]


DayRules = Callable[[int], YearOfDays]
"""From a year to its special days."""


@lru_cache(maxsize=256)
def treasury_days(year: int) -> YearOfDays:
    """Return the special days of US Treasuries: closes at 14:00 and 12:00 are New York time.

    Rules that reproduce the published days of 2022 to 2035.
    """
    good_friday = easter(year) - 2 * _DAY
    jobs_report = good_friday.day <= 7
    closed = _federal_holidays(year)
    if not jobs_report:
        closed.add(good_friday)
    independence = _observed(date(year, 7, 4), saturday=True)
    christmas = _observed(date(year, 12, 25), saturday=True)
    new_year = date(year + 1, 1, 1)
    early = {
        _business_day_before(holiday, closed): EARLY
        for holiday in (_last_monday(year, 5), independence, christmas, new_year)
    }
    early[_nth(year, 11, _THURSDAY, 4) + _DAY] = EARLY
    if jobs_report:
        early[good_friday] = JOBS_REPORT
    else:
        early[good_friday - _DAY] = EARLY
    return YearOfDays(frozenset(closed), MappingProxyType(early))


@lru_cache(maxsize=256)
def target_days(year: int) -> YearOfDays:
    """Return the closing days of TARGET, the euro's payment system. No early closes."""
    good_friday = easter(year) - 2 * _DAY
    closed = {date(year, 1, 1), good_friday, good_friday + 3 * _DAY, date(year, 5, 1)}
    closed |= {date(year, 12, 25), date(year, 12, 26)}
    return YearOfDays(frozenset(closed), MappingProxyType({}))


def easter(year: int) -> date:
    """Return Easter Sunday (the Gregorian computus in the form of Meeus, Jones and Butcher)."""
    golden = year % 19
    century, in_century = divmod(year, 100)
    moon = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (in_century // 4) - moon - in_century % 4) % 7
    correction = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * correction + 114, 31)
    return date(year, month, day + 1)


def _federal_holidays(year: int) -> set[date]:
    holidays = {
        _observed(date(year, 1, 1)),
        _nth(year, 1, _MONDAY, 3),  # Martin Luther King
        _nth(year, 2, _MONDAY, 3),  # Presidents
        _last_monday(year, 5),  # Memorial Day
        _observed(date(year, 7, 4), saturday=True),
        _nth(year, 9, _MONDAY, 1),  # Labor Day
        _nth(year, 10, _MONDAY, 2),  # Columbus
        _observed(date(year, 11, 11)),  # Veterans
        _nth(year, 11, _THURSDAY, 4),  # Thanksgiving
        _observed(date(year, 12, 25), saturday=True),
    }
    if year >= 2022:
        holidays.add(_observed(date(year, 6, 19), saturday=True))  # Juneteenth
    return holidays


def _observed(holiday: date, *, saturday: bool = False) -> date:
    if holiday.weekday() == _SUNDAY:
        return holiday + _DAY
    return holiday - _DAY if saturday and holiday.weekday() == _SATURDAY else holiday


def _nth(year: int, month: int, weekday: int, count: int) -> date:
    first = date(year, month, 1)
    return first + timedelta((weekday - first.weekday()) % 7 + 7 * (count - 1))


def _last_monday(year: int, month: int) -> date:
    following = date(year, month + 1, 1)
    return following - timedelta((following.weekday() - _MONDAY - 1) % 7 + 1)


def _business_day_before(holiday: date, closed: set[date]) -> date:
    day = holiday - _DAY
    while day.weekday() >= _SATURDAY or day in closed:
        day -= _DAY
    return day
