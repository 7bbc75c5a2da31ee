"""The numbers and switches behind the rules of key pairs: what the exchange publishes, and what was chosen where it is
silent or contradicts itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from ontherun.calendar import MARKETS, MarketCalendar, instant, local, months_later
from ontherun.keys.pair import NOTICE, KeyPair


@dataclass(frozen=True, slots=True)
class KeyPolicy:
    """How long pairs live, how many there are, and which of several published rules holds.

    - `lifetime_months`: credentials are changed every twelve months (CME client wiki, Logon).
    - `ends_at_close`: a life ends at the market close of its last day. The time of day is not published; the close is
      chosen because a client is not cut off in the middle of trading by it. False: at the time of day it was made.
    - `sunset_weeks`: the older of two pairs expires four weeks after the newer one was made, at market close (same
      page). The weeks count from the day of generation in the market's zone. A close that falls on a day without
      trading moves to the next trading day's close: nobody says so, and later is kinder to the customer.
    - `near_expiry_only`: a second pair only within four weeks of the first one's expiry, as the help page for
      BrokerTec Order Entry Sessions says; other pages do not, so it is off.
    - `oldest_only`: for a third pair the oldest one is deleted, as the help page Securing Order Entry Sessions says;
      the client wiki lets the customer choose, so it is off.
    - `calendars`: the markets by name, with their closes; give others to change hours or single days.
    """

    lifetime_months: int = 12
    valid_pairs: int = 2
    ends_at_close: bool = True
    sunset_weeks: int = 4
    near_expiry_only: bool = False
    oldest_only: bool = False
    calendars: Mapping[str, MarketCalendar] = field(default_factory=lambda: MARKETS)

    def expiry(self, created_at: int, calendar: MarketCalendar) -> int:
        """Return when a pair made at `created_at` expires; both in nanoseconds since 1970 UTC.

        Twelve months later on the same day of the month; where that month is too short, on its last day.
        """
        made = local(created_at, calendar.zone)
        last_day = months_later(made.date(), self.lifetime_months)
        if self.ends_at_close:
            return calendar.close_from(last_day)
        return instant(last_day, made.time(), calendar.zone)

    def sunset(self, now: int, calendar: MarketCalendar) -> int:
        """Return when a pair ends whose successor is made at `now`: the market close four weeks later."""
        return calendar.close_from(calendar.day_of(now) + timedelta(weeks=self.sunset_weeks))

    def successor_from(self, pair: KeyPair) -> int:
        """Return the earliest time at which a second pair may be made beside `pair`; 0 when any time is right."""
        return pair.expires_at - NOTICE if self.near_expiry_only else 0
