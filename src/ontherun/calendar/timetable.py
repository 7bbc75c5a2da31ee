"""When the exchange carries out what its customers ask for.

Order Entry sessions that are asked for before 12:00 Central take effect the same business day, later ones the next
one; protocol changes, Market Data sessions and Drop Copy groups are done in a run at 16:00 Central (CME Customer Center
help, BrokerTec Order Entry Sessions, BrokerTec Market Data Sessions). Not published, and chosen here: what is asked for
exactly at the time of a run waits for the next one; business days are the days on which US Treasuries trade; deletions
and changes follow the run of what they change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum, unique
from types import MappingProxyType
from zoneinfo import ZoneInfo

from ontherun.calendar.instants import instant, local_day
from ontherun.calendar.markets import CENTRAL, US_ACTIVES, MarketCalendar

_DAY = timedelta(1)


@unique
class RequestKind(StrEnum):
    """What a request is about, as far as the timetable cares."""

    ORDER_ENTRY_SESSION = "order-entry-session"
    SESSION_PROTOCOL = "session-protocol"
    DROP_COPY_GROUP = "drop-copy-group"
    MARKET_DATA_SESSION = "market-data-session"


@dataclass(frozen=True, slots=True)
class Timetable:
    """The time of day of each kind's run, wall clock in `zone`, on business days.

    An empty `runs` carries everything out at once, or as soon as its live date begins.
    """

    runs: Mapping[RequestKind, time]
    zone: ZoneInfo = CENTRAL
    days: MarketCalendar = US_ACTIVES

    @property
    def at_once(self) -> bool:
        """Whether nothing waits for a run."""
        return not self.runs

    def is_business_day(self, day: date) -> bool:
        """Whether runs take place on `day`."""
        return self.days.is_trading_day(day)

    def effective_at(self, kind: RequestKind, submitted_at: int, live_date: date | None = None) -> int:
        """Return when a request takes effect, nanoseconds since 1970 UTC.

        `submitted_at` is in the same unit; `live_date`, a day in `zone`, is the earliest day that was asked for, and
        moves to the next business day when it is none.
        """
        if self.at_once:
            begins = 0 if live_date is None else instant(live_date, time(), self.zone)
            return max(submitted_at, begins)
        day = local_day(submitted_at, self.zone)
        first = day if live_date is None else max(day, live_date)
        effective = self._run_from(kind, first)
        return effective if effective > submitted_at else self._run_from(kind, first + _DAY)

    def next_runs(self, now: int) -> dict[RequestKind, int]:
        """Return when what is asked for at `now` takes effect, for every kind that has a run."""
        return {kind: self.effective_at(kind, now) for kind in self.runs}

    def _run_from(self, kind: RequestKind, day: date) -> int:
        return instant(self.days.trading_day_from(day), self.runs[kind], self.zone)


EXCHANGE = Timetable(
    MappingProxyType(
        {
            RequestKind.ORDER_ENTRY_SESSION: time(12),
            RequestKind.SESSION_PROTOCOL: time(16),
            RequestKind.DROP_COPY_GROUP: time(16),
            RequestKind.MARKET_DATA_SESSION: time(16),
        }
    )
)
"""The exchange's timetable."""

AT_ONCE = Timetable(MappingProxyType({}))
"""The local default: nobody waits."""
