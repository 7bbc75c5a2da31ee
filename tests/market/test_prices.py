from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontherun.market import PriceError, format_32nds, format_price, parse_price
from ontherun.market.prices import EIGHTH_OF_32ND


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("99-16", 99_500_000_000),
        ("99-16+", 99_515_625_000),
        ("99-164", 99_515_625_000),
        ("99-162", 99_507_812_500),
        ("99-166", 99_523_437_500),
        ("99-032", 99_101_562_500),  # 99 and 3.25/32, the documents' example
        ("99'16+", 99_515_625_000),
        ("99-001", 99_003_906_250),
        ("100-31+", 100_984_375_000),
        ("0-00", 0),
        ("99.515625", 99_515_625_000),
        ("99", 99_000_000_000),
        (" 99.5 ", 99_500_000_000),
        ("100.210", 100_210_000_000),  # a decimal, not 100-21
        ("-0.001", -1_000_000),
        ("+0.5", 500_000_000),
        ("99.0000000000", 99_000_000_000),
    ],
)
def test_a_price_is_read_in_32nds_or_decimals(text, price):
    assert parse_price(text) == price


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no price"),
        ("99-", "no price"),
        ("99-1", "no price"),
        ("99-32", "00 to 31"),
        ("99-168", "no price"),
        ("99-16++", "no price"),
        ("-99-16", "no price"),
        ("99,5", "no price"),
        ("9.9.9", "no price"),
        (".5", "no price"),
        ("1e3", "no price"),
        ("nan", "no price"),
        ("\uff19\uff19-16", "no price"),
        ("99.0000000001", "nine decimals"),
        ("9223372036.9", "does not fit"),
        ("9" * 5000, "no price"),
    ],
)
def test_what_is_no_price_is_refused_with_its_reason(text, says):
    with pytest.raises(PriceError, match=says):
        parse_price(text)


@pytest.mark.parametrize(
    ("price", "decimal", "thirty_seconds"),
    [
        (99_500_000_000, "99.5", "99-16"),
        (99_515_625_000, "99.515625", "99-16+"),
        (99_507_812_500, "99.5078125", "99-162"),
        (99_003_906_250, "99.00390625", "99-001"),
        (100_000_000_000, "100", "100-00"),
        (0, "0", "0-00"),
    ],
)
def test_a_price_is_written_in_both_notations(price, decimal, thirty_seconds):
    assert (format_price(price), format_32nds(price)) == (decimal, thirty_seconds)


@pytest.mark.parametrize("price", [99_515_625_001, EIGHTH_OF_32ND // 2, -EIGHTH_OF_32ND])
def test_32nds_refuse_what_they_cannot_write(price):
    with pytest.raises(PriceError, match="eighth of a 32nd"):
        format_32nds(price)


@given(st.integers(-(2**63) + 2, 2**63 - 2))
def test_decimals_round_trip_every_wire_price(price):
    assert parse_price(format_price(price)) == price


@given(st.integers(0, 2**63 // EIGHTH_OF_32ND - 1))
def test_32nds_round_trip_every_eighth(steps):
    price = steps * EIGHTH_OF_32ND
    assert parse_price(format_32nds(price)) == price


@given(st.text(max_size=12))
def test_no_text_does_worse_than_a_price_error(text):
    with suppress(PriceError):
        assert isinstance(parse_price(text), int)
