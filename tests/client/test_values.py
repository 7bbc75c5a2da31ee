from decimal import Decimal

import pytest

from ontherun.client.values import duration, name, price_text, text, to_decimal, to_wire
from ontherun.ilink.messages.enums import ExecReason, TimeInForce
from ontherun.market.prices import PriceError


@pytest.mark.parametrize("price", ["99-16+", "99.515625", Decimal("99.515625"), Decimal("9.9515625E+1")])
def test_a_price_may_be_written_in_32nds_or_decimals(price: str | Decimal) -> None:
    assert to_wire(price) == 99_515_625_000


def test_a_whole_number_is_whole_points() -> None:
    assert to_wire(99) == 99_000_000_000


@pytest.mark.parametrize("price", [99.5, True])
def test_a_binary_fraction_is_no_price(price: object) -> None:
    with pytest.raises(TypeError, match="text or a Decimal"):
        to_wire(price)  # type: ignore[arg-type]


@pytest.mark.parametrize("price", ["ninety", "99-32", Decimal("NaN"), Decimal("Infinity"), Decimal("1e-10")])
def test_what_is_no_price_is_refused(price: str | Decimal) -> None:
    with pytest.raises(PriceError):
        to_wire(price)


def test_prices_come_back_exact_and_plain() -> None:
    assert str(to_decimal(99_515_625_000)) == "99.515625"
    assert str(to_decimal(100_000_000_000)) == "100"


def test_a_price_is_shown_in_32nds_where_they_can_write_it() -> None:
    assert price_text(Decimal("99.515625")) == "99-16+"
    assert price_text(1_000_000) == "0.001"


def test_strange_bytes_are_shown() -> None:
    assert text(b"caf\xe9") == "caf\\xe9"


def test_members_have_readable_names() -> None:
    assert name(TimeInForce.FAK) == "fak"
    assert name(ExecReason.CANCEL_ON_DISCONNECT) == "cancel on disconnect"
    assert (duration(TimeInForce.DAY), duration(TimeInForce.FAK)) == ("day", "FAK")
    assert name(77) == "77"
