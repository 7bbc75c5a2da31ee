"""When a market closes: hours as data, special days by rule, and any single day overridden.

The close of US Treasuries, 17:30 New York, is published (CME client wiki, BrokerTec Markets); that the venue itself
follows SIFMA's early closes, that US repo keeps the same hours, and the close of the EU markets are inferred: no public
page says. Whoever knows better gives another `MarketCalendar`, or overrides a day.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from ontherun.calendar.days import DayRules, target_days, treasury_days
from ontherun.calendar.instants import instant, local_day

NEW_YORK = ZoneInfo("America/New_York")
CENTRAL = ZoneInfo("America/Chicago")
LONDON = ZoneInfo("Europe/London")

_SATURDAY = 5
_WEEK = timedelta(7)


@dataclass(frozen=True, slots=True)
class MarketCalendar:
    """The trading days of one market and its closes, which are wall-clock times in `zone`.

    `week_begins` is when sessions begin a new trading week, on Sunday: before Pre-Open, which is at 17:30 New York in
    winter and at 18:30 in summer (CME client wiki, New BrokerTec GTC and GTD orders). The hour is inferred: from 15:00
    Central on, the messaging controls count a closed market.

    `overrides` holds single days that differ from the rules: another close, or None for closed. A close given for a
    holiday or a weekend opens that day.
    """

    name: str
    zone: ZoneInfo
    close: time
    rules: DayRules
    overrides: Mapping[date, time | None] = field(default_factory=lambda: MappingProxyType({}))
    week_begins: time = time(16)

    def with_overrides(self, overrides: Mapping[date, time | None]) -> "MarketCalendar":
        """Return this calendar with more days overridden."""
        return replace(self, overrides=MappingProxyType({**self.overrides, **overrides}))

    def close_time(self, day: date) -> time | None:
        """Return the wall-clock close of `day` in `zone`; None when the market does not trade on it."""
        if day in self.overrides:
            return self.overrides[day]
        if day.weekday() >= _SATURDAY:
            return None
        special = self.rules(day.year)
        return None if day in special.closed else special.early.get(day, self.close)

    def is_trading_day(self, day: date) -> bool:
        """Whether the market trades on `day`."""
        return self.close_time(day) is not None

    def close_on(self, day: date) -> int | None:
        """Return the close of `day`, nanoseconds since 1970 UTC; None when the market does not trade on it."""
        at = self.close_time(day)
        return None if at is None else instant(day, at, self.zone)

    def trading_day_from(self, day: date) -> date:
        """Return `day`, or the next day on which the market trades."""
        while not self.is_trading_day(day):
            day += timedelta(1)
        return day

    def close_from(self, day: date) -> int:
        """Return the close of `day`, or of the next day on which the market trades: nanoseconds since 1970 UTC."""
        close = self.close_on(self.trading_day_from(day))
        assert close is not None  # it trades on that day
        return close

    def next_close(self, at_or_after: int) -> int:
        """Return the first close that is not before `at_or_after`, both in nanoseconds since 1970 UTC."""
        day = self.day_of(at_or_after)
        close = self.close_from(day)
        return close if close >= at_or_after else self.close_from(day + timedelta(1))

    def week_of(self, now: int) -> int:
        """Return when the trading week of `now` began, both in nanoseconds since 1970 UTC."""
        day = self.day_of(now)
        sunday = day - timedelta((day.weekday() + 1) % 7)
        begins = instant(sunday, self.week_begins, self.zone)
        return begins if begins <= now else instant(sunday - _WEEK, self.week_begins, self.zone)

    def week_after(self, now: int) -> int:
        """Return when the first trading week after `now` begins, both in nanoseconds since 1970 UTC."""
        sunday = self.day_of(self.week_of(now)) + _WEEK
        return instant(sunday, self.week_begins, self.zone)

    def day_of(self, nanoseconds: int) -> date:
        """Return the day in the market's zone at `nanoseconds` since 1970 UTC."""
        return local_day(nanoseconds, self.zone)


US_ACTIVES = MarketCalendar("US actives", NEW_YORK, time(17, 30), treasury_days)
"""US Treasury actives and the segments that keep their hours."""

US_REPO = MarketCalendar("US repo", NEW_YORK, time(17, 30), treasury_days)
"""US repo. Its close is inferred."""

EU = MarketCalendar("EU", LONDON, time(17, 30), target_days, week_begins=time(21))
"""EU repo and European government bonds. The close is inferred."""

MARKETS: Mapping[str, MarketCalendar] = MappingProxyType(
    {calendar.name: calendar for calendar in (US_ACTIVES, US_REPO, EU)}
)
"""Every market by its name."""

_OF_SEGMENT: Mapping[int, MarketCalendar] = MappingProxyType(
    {40: US_ACTIVES, 42: US_REPO, 44: EU, 46: EU, 48: US_ACTIVES}
)


def calendar_of_segment(market_segment: int) -> MarketCalendar:
    """Return the calendar of a market segment (CME client wiki, BrokerTec Markets); of an unknown one, US actives."""
    return _OF_SEGMENT.get(market_segment, US_ACTIVES)
