"""Prices: text in 32nds or decimals to wire units and back. A wire unit is 1e-9 of a price point.

US Treasuries are quoted in points and 32nds, with a third digit for eighths of a 32nd: ``99-032`` is 99 and 3.25/32,
``+`` stands for half a 32nd (the digit 4), ``6`` for three quarters. A text with a point is always a decimal:
BrokerTec screens also write ``100.210`` for 100-21, which is not read here because ``100.21`` is a price too.

Source: CME client wiki, BrokerTec price display.
"""

import re
from typing import Final

from ontherun.market.terms import INT64_NULL, PRICE_UNIT

EIGHTH_OF_32ND: Final = PRICE_UNIT // 256
"""The finest step that the 32nds notation can write: 3,906,250 wire units."""

_THIRTY_SECONDS = re.compile(r"([0-9]{1,10})[-']([0-9]{2})([0-7+])?")
_DECIMAL = re.compile(r"([+-]?)([0-9]{1,10})(?:\.([0-9]+))?")


class PriceError(ValueError):
    """A text that is no price, or a price that the notation asked for cannot write."""


def parse_price(text: str) -> int:
    """Read ``"99-16+"``, ``"99-162"``, ``"99'16"`` or ``"99.515625"`` as wire units.

    Raises PriceError for anything else, for more than nine decimals and for what an int64 price field cannot hold.
    """
    stripped = text.strip()
    if match := _THIRTY_SECONDS.fullmatch(stripped):
        points, whole, eighths = match.groups()
        if int(whole) > 31:
            raise PriceError(f"{text!r}: 32nds go from 00 to 31")
        steps = 8 * int(whole) + int((eighths or "0").replace("+", "4"))
        price = int(points) * PRICE_UNIT + steps * EIGHTH_OF_32ND
    elif match := _DECIMAL.fullmatch(stripped):
        sign, points, decimals = match.groups()
        decimals = (decimals or "").rstrip("0")
        if len(decimals) > 9:
            raise PriceError(f"{text!r}: a price has at most nine decimals")
        price = int(points) * PRICE_UNIT + int(decimals.ljust(9, "0"))
        price = -price if sign == "-" else price
    else:
        raise PriceError(f"{text!r} is no price: write 32nds as 99-16+ or 99-162, decimals as 99.515625")
    if not -INT64_NULL < price < INT64_NULL:
        raise PriceError(f"{text!r} does not fit a price field")
    return price


def format_price(price: int) -> str:
    """Write wire units as the shortest exact decimal: ``"99.515625"``, ``"99"``."""
    points, rest = divmod(abs(price), PRICE_UNIT)
    text = f"{points}.{rest:09d}".rstrip("0").rstrip(".")
    return f"-{text}" if price < 0 else text


def format_32nds(price: int) -> str:
    """Write wire units in 32nds: ``"99-16"``, ``"99-162"``, ``"99-16+"``.

    Raises PriceError below 0 and between eighths of a 32nd.
    """
    steps, between = divmod(price, EIGHTH_OF_32ND)
    if price < 0 or between:
        raise PriceError(f"{format_price(price)} is no multiple of an eighth of a 32nd at or above 0")
    points, steps = divmod(steps, 256)
    whole, eighths = divmod(steps, 8)
    return f"{points}-{whole:02d}{('', '1', '2', '3', '+', '5', '6', '7')[eighths]}"
