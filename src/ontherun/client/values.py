"""Wire values to Python's: prices to Decimal, padded bytes to str, nulls to None, numbers to enum members, and back."""

from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from enum import IntEnum
from typing import Final, TypeVar

from ontherun.ilink.messages import INT64_NULL, UINT16_NULL
from ontherun.market.prices import PriceError, format_32nds, format_price, parse_price

Price = str | Decimal | int
"""A price as a caller may write it: "99-16+", "99.515625", Decimal("99.515625"), or whole points. Never a float."""

_UNIT: Final = Decimal("1e-9")
_EPOCH: Final = date(1970, 1, 1)

EnumT = TypeVar("EnumT", bound=IntEnum)


def to_wire(price: Price) -> int:
    """The price in wire units of 1e-9. Raises PriceError (a ValueError), or TypeError for a float."""
    if isinstance(price, str):
        return parse_price(price)
    if isinstance(price, bool | float):
        raise TypeError(f"a price is text or a Decimal, not {price!r}: binary fractions are not exact")
    try:
        return parse_price(format(Decimal(price), "f"))
    except InvalidOperation:
        raise PriceError(f"{price!r} is no price") from None


def to_decimal(price: int) -> Decimal:
    """Wire units as an exact Decimal without trailing zeros."""
    return Decimal(format_price(price))


def to_optional_decimal(price: int) -> Decimal | None:
    """The same; None for the null price."""
    return None if price == INT64_NULL else to_decimal(price)


def to_wire_date(day: date | None) -> int:
    """The day as days since the epoch; the null for None."""
    return UINT16_NULL if day is None else (day - _EPOCH).days


def to_date(days: int) -> date | None:
    """Days since the epoch as a day; None for the null."""
    return None if days == UINT16_NULL else _EPOCH + timedelta(days)


def optional(value: int, null: int) -> int | None:
    """The value; None for the null."""
    return None if value == null else value


def text(value: bytes) -> str:
    """Padded text as str; a byte outside ASCII is shown, not lost."""
    return value.decode("ascii", "backslashreplace")


def member(enum: type[EnumT], value: int) -> EnumT | int:
    """The enum's member, or the bare number where a newer peer sends what the enum does not list."""
    try:
        return enum(value)
    except ValueError:
        return value


def name(value: IntEnum | int) -> str:
    """A member's name in small letters with spaces: "fill and kill"; the number itself where it has no name."""
    return value.name.replace("_", " ").lower() if isinstance(value, IntEnum) else str(int(value))


def duration(time_in_force: IntEnum | int) -> str:
    """TimeInForce (59) as traders write it: "day", "FAK"."""
    words = name(time_in_force)
    return words if words == "day" else words.upper()


def price_text(price: int | Decimal) -> str:
    """A price as BrokerTec shows it, in 32nds; as a decimal where 32nds cannot write it."""
    wire = price if isinstance(price, int) else to_wire(price)
    try:
        return format_32nds(wire)
    except PriceError:
        return format_price(wire)
