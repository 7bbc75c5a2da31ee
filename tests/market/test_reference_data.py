"""Reference data as files: what is read, what is written, and what is said of a bad line."""

from dataclasses import replace

import pytest

from ontherun.market import BENCHMARKS, parse_price
from ontherun.market.instruments import Instrument, thirty_seconds
from ontherun.market.reference_data import ReferenceDataError, read_instruments, write_instruments

from .messages import UB10

FILE = """
[[instrument]]
security_id = 400910
symbol = "UB10"
security_group = "USBD"
segment = 40
description = "10-year note"
tick = "1/2"
min_qty = 1
max_qty = 5000
qty_increment = 1
low_limit = "50"
high_limit = "150-00"
reference_price = "100"
band = "25"
"""


def test_a_file_gives_instruments_by_segment():
    ((segment, (instrument,)),) = read_instruments(FILE).items()
    assert segment == 40
    assert instrument == replace(UB10, security_id=400_910, description="10-year note")
    assert instrument.tick == thirty_seconds(1, 2)


def test_what_is_written_reads_the_same():
    odd = replace(UB10, security_id=1, symbol='A "B" \\', all_or_none=True, display_allowed=False, segment=42)
    odd = replace(odd, low_limit=parse_price("-1.5"), positive_price=False)
    assert read_instruments(write_instruments((*BENCHMARKS, odd))) == {40: BENCHMARKS, 42: (odd,)}


def test_every_field_of_an_instrument_can_be_written():
    every = {name: getattr(UB10, name) for name in Instrument.__slots__}
    assert all(f"{name} = " in write_instruments([UB10]) for name in list(every)[:13])


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('tick = "1/2"', 'tick = "1/0"', r"instrument 1 \(UB10\): tick"),
        ('tick = "1/2"', 'tick = "nought"', r"instrument 1 \(UB10\): tick: 'nought' is no price"),
        ('tick = "1/2"', "tick = 0.5", r"instrument 1 \(UB10\): tick is text"),
        ('tick = "1/2"', 'tick = "0"', r"UB10: the tick must be positive"),
        ("min_qty = 1", "min_qty = 1.5", "min_qty is a whole number, not 1.5"),
        ("min_qty = 1", "min_qty = true", "min_qty is a whole number, not True"),
        ("min_qty = 1", "", "min_qty is missing"),
        ("min_qty = 1", "minqty = 1", "minqty is not known; the fields are security_id"),
        ("segment = 40", "segment = 300", "segment is a number from 0 to 254, not 300"),
        ('symbol = "UB10"', "symbol = 10", "symbol is ASCII text, not 10"),
        ('symbol = "UB10"', 'symbol = "UB10"\nall_or_none = 1', "all_or_none is true or false, not 1"),
        ('high_limit = "150-00"', 'high_limit = "40"', "the low limit is above the high limit"),
        ("[[instrument]]", "[[instruments]]", "'instruments' is not known"),
        ("[[instrument]]", "[[instrument", "not TOML"),
        (FILE, "", "there is no"),
    ],
)
def test_a_bad_line_is_named(old, new, says):
    with pytest.raises(ReferenceDataError, match=says):
        read_instruments(FILE.replace(old, new))


@pytest.mark.parametrize(("field", "value"), [("security_id = 400910", "400910"), ('symbol = "UB10"', "UB10")])
def test_nothing_is_named_twice(field, value):
    other = FILE.replace("400910", "400911").replace('symbol = "UB10"', 'symbol = "UB11"')
    name = field.split(" = ", maxsplit=1)[0]
    line = next(line for line in other.splitlines() if line.startswith(name))
    with pytest.raises(ReferenceDataError, match=rf"instrument 2 .*: {value} is UB10's already"):
        read_instruments(FILE + other.replace(line, field))
