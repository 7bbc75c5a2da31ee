"""What the venue itself does to the market: states, the end of the day, orders that it takes out.

A command is journaled as what was asked, under its name, and carried out again from that by recovery.
"""

from collections.abc import Callable, Mapping
from typing import Final

from ontherun.market.events import Event
from ontherun.market.segment import MarketSegment

Arguments = Mapping[str, int]

_COMMANDS: Final[dict[str, Callable[[MarketSegment, Arguments, int], list[Event]]]] = {
    "set_state": lambda market, given, now: market.set_state(given["status"], now, given.get("trade_date")),
    "end_of_day": lambda market, _, now: market.end_of_day(now),
    "new_on_the_run": lambda market, given, now: market.new_on_the_run(given["security_id"], now),
    "cancel_order": lambda market, given, now: market.cancel_order(given["order_id"], given["reason"], now),
}


def carry_out(market: MarketSegment, name: str, given: Arguments, now: int) -> list[Event]:
    """Carry out one command; what happened.

    Raises LookupError (an unknown command, security or order) or ValueError (no such status); nothing has changed then.
    """
    return _COMMANDS[name](market, given, now)
