"""When a market collects orders, trades and closes: the phases of its trading days, from its calendar and its hours.

US Actives open at 19:30 New York time in summer and 18:30 in winter on the evening before the trading day, which is
23:30 UTC all year; they take orders a quarter of an hour before, after a weekend an hour before (CME client wiki, New
BrokerTec GTC and GTD orders). The close is the calendar's. That a session after a holiday begins like any other
evening, how long Post-Close lasts, and the hours of the other markets are ours: no public page says.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from ontherun.calendar import LONDON, SECOND, MarketCalendar, calendar_of_segment, instant
from ontherun.calendar.markets import EU
from ontherun.market.states import SecurityTradingStatus

_DAY: Final = timedelta(1)
_SUNDAY: Final = 6
_EPOCH: Final = date(1970, 1, 1)
_LONGEST_REST: Final = 14
"""Days within which every market has a trading day."""

POST_CLOSE: Final = 15 * 60 * SECOND
"""How long orders can still be cancelled after the close."""


class Phase(NamedTuple):
    """From ``at`` (ns since the epoch, UTC) on the market has this status, on this trading day (days since the epoch).

    ``ends_day``: the day's orders end with it.
    """

    at: int
    status: SecurityTradingStatus
    trade_date: int
    ends_day: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingHours:
    """The hours of one market; wall-clock times in ``zone``."""

    calendar: MarketCalendar
    zone: ZoneInfo
    pre_open: time
    pre_open_on_sunday: time
    open: time
    evening_before: bool
    """Whether a trading day opens on the evening before."""

    def phases_of(self, day: date) -> list[Phase]:
        """The phases of one day, none where the market does not trade on it."""
        close = self.calendar.close_on(day)
        if close is None:
            return []
        evening = day - _DAY if self.evening_before else day
        collecting = self.pre_open_on_sunday if evening.weekday() == _SUNDAY else self.pre_open
        number = (day - _EPOCH).days
        return [
            Phase(instant(evening, collecting, self.zone), SecurityTradingStatus.PRE_OPEN, number),
            Phase(instant(evening, self.open, self.zone), SecurityTradingStatus.OPEN, number),
            Phase(close, SecurityTradingStatus.POST_CLOSE, number, ends_day=True),
            Phase(close + POST_CLOSE, SecurityTradingStatus.CLOSED, number),
        ]

    def after(self, now: int) -> Iterator[Phase]:
        """Every phase that begins after ``now``, in order, without end."""
        day = _day_of(now) - _DAY
        while True:
            yield from (phase for phase in self.phases_of(day) if phase.at > now)
            day += _DAY

    def phase_at(self, now: int) -> Phase:
        """The phase that holds at ``now``."""
        day = _day_of(now) + 2 * _DAY
        for _ in range(_LONGEST_REST):
            begun = [phase for phase in self.phases_of(day) if phase.at <= now]
            if begun:
                return begun[-1]
            day -= _DAY
        raise ValueError(f"{self.calendar.name} has no trading day in the {_LONGEST_REST} days before {day}")


def hours_of_segment(segment_id: int) -> TradingHours:
    """The exchange's hours of a market segment."""
    calendar = calendar_of_segment(segment_id)
    if calendar is EU:
        return TradingHours(
            calendar=calendar,
            zone=LONDON,
            pre_open=time(6, 45),
            pre_open_on_sunday=time(6, 45),
            open=time(7),
            evening_before=False,
        )
    return TradingHours(
        calendar=calendar,
        zone=ZoneInfo("UTC"),
        pre_open=time(23, 15),
        pre_open_on_sunday=time(22, 30),
        open=time(23, 30),
        evening_before=True,
    )


def _day_of(now: int) -> date:
    return datetime.fromtimestamp(now // SECOND, UTC).date()
