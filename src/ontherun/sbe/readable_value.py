"""Single values as people read them, and back: see `readable`."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from ontherun.sbe.errors import EncodeError
from ontherun.sbe.layout import Composite, Enum, Field, Set, Type

TIMESTAMPS = frozenset({"RequestTime", "RequestTimestamp", "SendingTimeEpoch", "TransBkdTime", "TransactTime"})
"""uInt64 fields that count nanoseconds since 1970-01-01 UTC (schema id 8 version 9)."""

DATE_TYPE = "LocalMktDate"
"""The type that counts days since 1970-01-01 (schema id 8 version 9)."""

_DAY_ZERO = date(1970, 1, 1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000_000
_MAX_DIGITS = 40


def plain(field: Field, value: Any) -> Any:
    """Return a message's value of this field as JSON's types; None for null."""
    kind = field.type
    if isinstance(kind, Set):
        named = {choice.value: choice.name for choice in kind.choices}
        return [named.get(bit, bit) for bit in range(8 * kind.size) if value >> bit & 1]
    if isinstance(kind, Composite):
        return _plain_composite(kind, value if len(kind.carried) > 1 else (value,))
    if isinstance(kind, Type) and kind.is_text:
        return value.hex() if field.is_raw else value.decode("latin-1") or None
    if value == kind.null:
        return None
    if isinstance(kind, Enum):
        return next((named.name for named in kind.values if named.value == value), value)
    if kind.primitive == "char":
        return chr(value)
    if field.name in TIMESTAMPS:
        seconds, nanoseconds = divmod(value, _SECOND)
        return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09}Z"
    return (_DAY_ZERO + timedelta(days=value)).isoformat() if kind.name == DATE_TYPE else value


def _plain_composite(kind: Composite, values: tuple[int, ...]) -> Any:
    """Return a price or decimal as text, anything else by its members' names."""
    members: dict[str, int | None] = {}
    for member, value in zip(kind.carried, values, strict=True):
        members[member.name] = None if value == member.null else value
    if all(value is None for value in members.values()):
        return None
    mantissa, exponent = members.get("mantissa"), members.get("exponent", _exponent(kind))
    if len(kind.members) != 2 or mantissa is None or exponent is None:
        return members
    decimal = Decimal((int(mantissa < 0), tuple(map(int, str(abs(mantissa)))), exponent))
    return str(decimal) if "exponent" in members else f"{decimal.normalize():f}"


def _exponent(kind: Composite) -> int | None:
    """Return the constant exponent of a composite decimal."""
    constants = [m.constant for m in kind.members if m.name == "exponent" and isinstance(m.constant, int)]
    return constants[0] if constants else None


def scalars(field: Field, value: Any) -> list[int | bytes]:
    """Return the values for `struct` of what `plain` gave, or of the wire's own number.

    Raises EncodeError when it says nothing that the field can hold.
    """
    try:
        return _scalars(field, value)
    except (ValueError, TypeError, AttributeError, InvalidOperation, OverflowError) as error:
        raise EncodeError(f"{field.name}: {value!r} is not a {field.type.name}: {error}") from error


def _scalars(field: Field, value: Any) -> list[int | bytes]:
    kind = field.type
    if isinstance(kind, Composite):
        return [*_composite(kind, value)]
    if isinstance(kind, Set):
        return [_whole(value) if isinstance(value, int) else sum(1 << _bit(kind, item) for item in set(value))]
    if not isinstance(kind, Type) or not kind.is_text:
        return [kind.null if value is None else _number(field, kind, value)]
    content = bytes.fromhex(value) if field.is_raw else (value or "").encode("latin-1")
    if len(content) > kind.size or (field.is_raw and len(content) != kind.size):
        raise ValueError(f"{len(content)} bytes in a field of {kind.size}")
    return [content]


def _number(field: Field, kind: Type | Enum, value: Any) -> int:
    if not isinstance(value, str):
        return _whole(value)
    if isinstance(kind, Enum):
        codes = {named.name: named.value for named in kind.values}
        if value in codes:
            return codes[value]
        if kind.primitive != "char":
            raise ValueError(f"one of {', '.join(codes)} is expected")
    if kind.primitive == "char":
        return ord(value)
    if field.name in TIMESTAMPS:
        return _nanoseconds(value)
    if kind.name == DATE_TYPE:
        return (date.fromisoformat(value) - _DAY_ZERO).days
    raise ValueError("a whole number is expected")


def _whole(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError("a whole number is expected")
    return int(value)


def _bit(kind: Set, item: str | int) -> int:
    bits = {choice.name: choice.value for choice in kind.choices}
    bit = item if isinstance(item, int) else bits.get(item, -1)
    if not 0 <= bit < 8 * kind.size:
        raise ValueError(f"{item!r} is none of {', '.join(bits)}")
    return bit


def _nanoseconds(text: str) -> int:
    whole, _, fraction = text.removesuffix("Z").partition(".")
    if len(fraction) > 9:
        raise ValueError("a timestamp has at most nine decimals")
    seconds = (datetime.fromisoformat(whole).replace(tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)
    return seconds * _SECOND + int(fraction.ljust(9, "0"))


def _composite(kind: Composite, value: Any) -> list[int]:
    if value is None:
        return [member.null for member in kind.carried]
    if isinstance(value, dict):
        if value.keys() != {member.name for member in kind.carried}:
            raise ValueError(f"its members are {', '.join(member.name for member in kind.carried)}")
        numbers = [value[member.name] for member in kind.carried]
        return [m.null if n is None else _whole(n) for m, n in zip(kind.carried, numbers, strict=True)]
    sign, digits, exponent = Decimal(str(value)).as_tuple()
    if not isinstance(exponent, int):
        raise ValueError("a decimal number is expected")
    mantissa = int("".join(map(str, digits))) * (-1 if sign else 1)
    fixed = _exponent(kind)
    if fixed is None:
        return [mantissa, exponent]
    if abs(exponent - fixed) > _MAX_DIGITS:
        raise ValueError("too large or too small")
    scaled = mantissa * 10 ** max(exponent - fixed, 0)
    whole, rest = divmod(scaled, 10 ** max(fixed - exponent, 0))
    if rest:
        raise ValueError(f"more than {-fixed} decimals")
    return [whole]
