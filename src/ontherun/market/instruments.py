"""Instruments: the reference data that the checks read."""

from dataclasses import dataclass
from typing import Final

from ontherun.market.terms import PRICE_UNIT

_INT32_MAX: Final = 2**31 - 1
_UINT32_NULL: Final = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One security of a market segment.

    Prices are in wire units (1e-9 of a point), quantities in lots. Raises ValueError when the numbers contradict each
    other, so that bad reference data is found at the start and not by an order.
    """

    security_id: int
    """SecurityID (48), a positive int32."""
    symbol: str
    security_group: str
    """SecurityGroup (1151)."""
    segment: int
    """MarketSegmentID (1300)."""
    description: str
    tick: int
    min_qty: int
    """The minimum trade volume, which also bounds DisplayQty and MinQty from below."""
    max_qty: int
    qty_increment: int
    low_limit: int
    """LowLimitPrice (1148): the price limits of the day, both inclusive."""
    high_limit: int
    """HighLimitPrice (1149)."""
    reference_price: int
    """The settlement price that the bands are laid around."""
    band: int
    """Half the width of the price bands; both ends inclusive."""
    display_allowed: bool = True
    """Whether orders may show less than they hold (DisplayQty)."""
    good_till_allowed: bool = True
    """Whether orders may stay over the day's end, GTC and GTD: on the US Actives."""
    only_best_allowed: bool = True
    """Whether orders may ask to work at the best price only (ExecInst 1)."""
    passive_allowed: bool = True
    """Whether orders may ask not to trade on entry (ExecutionMode P)."""
    not_held_allowed: bool = False
    """Whether a FAK may be not held (ExecInst 2), which has a meaning in the work-up of US Repo only."""
    all_or_none: bool = False
    """Whether this is an all-or-none book: every order is AON and trades with its like, equal in price and quantity."""
    positive_price: bool = True
    """Whether a price must be above 0: true of prices, not of rates, yields and spreads."""

    def __post_init__(self) -> None:
        faults = [
            (not 0 < self.security_id < _INT32_MAX, "SecurityID must be a positive int32"),
            (self.tick <= 0, "the tick must be positive"),
            (self.band < 0, "the band must not be negative"),
            (self.low_limit > self.high_limit, "the low limit is above the high limit"),
            (
                self.low_band > self.high_limit or self.high_band < self.low_limit,
                "the bands leave no price inside the limits",
            ),
            (self.qty_increment <= 0, "the quantity increment must be positive"),
            (self.all_or_none and self.display_allowed, "an all-or-none book takes no display quantity"),
            (
                not 0 < self.min_qty <= self.max_qty < _UINT32_NULL,
                "quantities must hold 0 < minimum <= maximum < 2**32 - 1",
            ),
        ]
        for wrong, rule in faults:
            if wrong:
                raise ValueError(f"{self.symbol}: {rule}")

    @property
    def low_band(self) -> int:
        """The lowest price inside the band."""
        return self.reference_price - self.band

    @property
    def high_band(self) -> int:
        """The highest price inside the band."""
        return self.reference_price + self.band


def thirty_seconds(numerator: int, denominator: int) -> int:
    """A fraction of a 32nd in wire units: ``thirty_seconds(1, 8)`` is 3,906,250. Raises ValueError when not exact."""
    units, rest = divmod(PRICE_UNIT * numerator, 32 * denominator)
    if rest:
        raise ValueError(f"{numerator}/{denominator} of 1/32 is no multiple of 1e-9")
    return units
