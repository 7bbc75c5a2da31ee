"""Segment 40, US Treasury Actives: the seven on-the-run benchmarks.

Symbols and group are the exchange's own (UB02 to UB30 in USBD). SecurityIDs are ours: the exchange publishes one per
security in its security definitions and no stable list. Ticks: an eighth of a 32nd for the 2-year note, a quarter for
3 and 5 years, a half beyond. One lot is USD 1,000,000 face value. Quantity maximum, limits and bands are ours, wide
enough for every price that an on-the-run security, issued near par, is likely to see. ``docs/market.md`` marks each
number with its source.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ontherun.market.instruments import Instrument, thirty_seconds
from ontherun.market.terms import PRICE_UNIT

US_TREASURY_ACTIVES: Final = 40
"""MarketSegmentID of the US Treasury Actives."""

_EIGHTH, _QUARTER, _HALF = (thirty_seconds(1, part) for part in (8, 4, 2))


def _benchmark(years: int, security: str, tick: int) -> Instrument:
    return Instrument(
        security_id=US_TREASURY_ACTIVES * 10_000 + years,
        symbol=f"UB{years:02d}",
        security_group="USBD",
        segment=US_TREASURY_ACTIVES,
        description=f"US Treasury {years}-year {security}, on the run",
        tick=tick,
        min_qty=1,
        max_qty=5_000,
        qty_increment=1,
        low_limit=50 * PRICE_UNIT,
        high_limit=150 * PRICE_UNIT,
        reference_price=100 * PRICE_UNIT,
        band=25 * PRICE_UNIT,
    )


BENCHMARKS: Final = (
    _benchmark(2, "note", _EIGHTH),
    _benchmark(3, "note", _QUARTER),
    _benchmark(5, "note", _QUARTER),
    _benchmark(7, "note", _HALF),
    _benchmark(10, "note", _HALF),
    _benchmark(20, "bond", _HALF),
    _benchmark(30, "bond", _HALF),
)

SEGMENTS: Final[Mapping[int, tuple[Instrument, ...]]] = MappingProxyType({US_TREASURY_ACTIVES: BENCHMARKS})
"""The reference data that a new venue begins with: instruments by market segment."""
