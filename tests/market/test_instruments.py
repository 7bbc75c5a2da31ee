from dataclasses import replace
from fractions import Fraction

import pytest

from ontherun.market import BENCHMARKS, MarketSegment
from ontherun.market.instruments import thirty_seconds

from .messages import UB10


def test_segment_40_lists_the_seven_benchmarks():
    assert [instrument.symbol for instrument in BENCHMARKS] == ["UB02", "UB03", "UB05", "UB07", "UB10", "UB20", "UB30"]
    assert {instrument.security_group for instrument in BENCHMARKS} == {"USBD"}
    assert {instrument.segment for instrument in BENCHMARKS} == {40}
    assert len({instrument.security_id for instrument in BENCHMARKS}) == 7


@pytest.mark.parametrize(
    ("symbol", "part"), [("UB02", 8), ("UB03", 4), ("UB05", 4), ("UB07", 2), ("UB10", 2), ("UB20", 2), ("UB30", 2)]
)
def test_ticks_are_parts_of_a_32nd(symbol, part):
    tick = next(instrument.tick for instrument in BENCHMARKS if instrument.symbol == symbol)
    assert Fraction(tick, 10**9) == Fraction(1, 32 * part)


def test_orders_above_1000_lots_are_taken():
    assert all(instrument.max_qty > 1000 for instrument in BENCHMARKS)


def test_a_fraction_that_nine_decimals_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="multiple of 1e-9"):
        thirty_seconds(1, 3)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"security_id": 0}, "SecurityID"),
        ({"security_id": 2**31 - 1}, "SecurityID"),
        ({"tick": 0}, "tick"),
        ({"low_limit": 10, "high_limit": 9}, "low limit"),
        ({"reference_price": 10**12, "band": 1}, "no price inside"),
        ({"band": -1}, "negative"),
        ({"qty_increment": 0}, "increment"),
        ({"min_qty": 0}, "minimum"),
        ({"min_qty": 9, "max_qty": 8}, "maximum"),
        ({"max_qty": 2**32 - 1}, "maximum"),
    ],
)
def test_reference_data_that_contradicts_itself_is_refused_by_name(fields, says):
    with pytest.raises(ValueError, match=f"UB10.*{says}"):
        replace(UB10, **fields)


def test_a_segment_takes_only_its_own_instruments_and_each_once():
    with pytest.raises(ValueError, match="segment 40, not to 42"):
        MarketSegment(42, [UB10])
    with pytest.raises(ValueError, match="used twice"):
        MarketSegment(40, [UB10, UB10])
