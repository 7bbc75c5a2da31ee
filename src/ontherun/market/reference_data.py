"""Reference data as text: the instruments of market segments as people edit them, in TOML.

A price is written as a person writes it ("99-16+", "99.515625"); a tick also as a part of a 32nd ("1/8"). Every error
names the instrument, the field, and what would be right.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from types import MappingProxyType
from typing import Any, Final

from ontherun.market.instruments import Instrument, thirty_seconds
from ontherun.market.prices import PriceError, format_price, parse_price

_PRICES: Final = ("low_limit", "high_limit", "reference_price", "band")
_TYPES: Final = {field.name: field.type for field in fields(Instrument)}
_REQUIRED: Final = [field.name for field in fields(Instrument) if field.default is MISSING]
_DEFAULTS: Final = {field.name: field.default for field in fields(Instrument) if field.default is not MISSING}


class ReferenceDataError(ValueError):
    """Reference data that cannot be used: which instrument, which field, what would be right."""


def read_instruments(text: str) -> Mapping[int, tuple[Instrument, ...]]:
    """The instruments of a file by market segment, in the file's order. Raises ReferenceDataError."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ReferenceDataError(f"not TOML: {error}") from error
    listed = document.pop("instrument", None)
    if document:
        raise ReferenceDataError(f"{next(iter(document))!r} is not known: a file holds [[instrument]] tables only")
    if not isinstance(listed, list) or not listed:
        raise ReferenceDataError("there is no [[instrument]] table")
    segments: dict[int, list[Instrument]] = {}
    seen: dict[int | str, str] = {}
    for number, table in enumerate(listed, start=1):
        instrument = _instrument(f"instrument {number} ({table.get('symbol', 'no symbol')})", table)
        for key in (instrument.security_id, instrument.symbol):
            if key in seen:
                raise ReferenceDataError(f"instrument {number} ({instrument.symbol}): {key} is {seen[key]}'s already")
            seen[key] = instrument.symbol
        segments.setdefault(instrument.segment, []).append(instrument)
    return MappingProxyType({segment: tuple(found) for segment, found in segments.items()})


def write_instruments(instruments: Iterable[Instrument]) -> str:
    """Instruments as the text that `read_instruments` reads; fields at their default are left out."""
    return "\n".join(_table(instrument) for instrument in instruments)


def _table(instrument: Instrument) -> str:
    lines = ["[[instrument]]"]
    for name in _TYPES:
        value = getattr(instrument, name)
        if name in _PRICES or name == "tick":
            value = format_price(value)
        elif name in _DEFAULTS and value == _DEFAULTS[name]:
            continue
        lines.append(f"{name} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def _toml(value: str | int) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if isinstance(value, str) else str(value)


def _instrument(what: str, table: dict[str, Any]) -> Instrument:
    for name in table:
        if name not in _TYPES:
            raise ReferenceDataError(f"{what}: {name} is not known; the fields are {', '.join(_TYPES)}")
    for name in _REQUIRED:
        if name not in table:
            raise ReferenceDataError(f"{what}: {name} is missing")
    values: dict[str, Any] = {name: _value(what, name, given) for name, given in table.items()}
    try:
        return Instrument(**values)
    except ValueError as error:
        raise ReferenceDataError(f"{what}: {error}") from error


def _value(what: str, name: str, given: object) -> str | int:
    if name in _PRICES or name == "tick":
        if not isinstance(given, str):
            raise ReferenceDataError(f'{what}: {name} is text, such as "99-16" or "0.015625", not {given!r}')
        return _price(what, name, given)
    wanted = _TYPES[name]
    if wanted is bool:
        if isinstance(given, bool):
            return given
        raise ReferenceDataError(f"{what}: {name} is true or false, not {given!r}")
    if wanted is str:
        if isinstance(given, str) and given.isascii():
            return given
        raise ReferenceDataError(f"{what}: {name} is ASCII text, not {given!r}")
    if isinstance(given, int) and not isinstance(given, bool):
        if name == "segment" and not 0 <= given < 255:
            raise ReferenceDataError(f"{what}: segment is a number from 0 to 254, not {given}")
        return given
    raise ReferenceDataError(f"{what}: {name} is a whole number, not {given!r}")


def _price(what: str, name: str, given: str) -> int:
    try:
        numerator, slash, denominator = given.partition("/")
        if name == "tick" and slash:
            return thirty_seconds(int(numerator), int(denominator))
        return parse_price(given)
    except (PriceError, ValueError, ZeroDivisionError) as error:
        raise ReferenceDataError(f"{what}: {name}: {error}") from error
