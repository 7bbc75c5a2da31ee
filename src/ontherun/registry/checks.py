"""Checks of values that come from outside, shared by everything that creates records."""

import re
from collections.abc import Sequence
from typing import TypeVar

from ontherun.registry.errors import InvalidError
from ontherun.registry.records import GFID_PATTERN

NAME_LENGTH = 100

T = TypeVar("T")


def checked_name(where: str, name: str, *, may_be_empty: bool = False) -> str:
    """Return a name without the white space around it. InvalidError unless it is short, printable and not empty."""
    name = name.strip()
    if not name and not may_be_empty:
        raise InvalidError(where, "is empty.", "a name")
    if len(name) > NAME_LENGTH or not name.isprintable():
        raise InvalidError(
            where, "is too long or holds control characters.", f"up to {NAME_LENGTH} printable characters"
        )
    return name


def checked_gfid(where: str, gfid: str) -> str:
    """Return a Globex Firm ID. InvalidError unless it is five capital letters or digits."""
    if not re.fullmatch(GFID_PATTERN, gfid):
        raise InvalidError(where, "is no BrokerTec Globex Firm ID.", "five characters from A-Z and 0-9")
    return gfid


def checked_distinct(where: str, values: Sequence[T]) -> tuple[T, ...]:
    """Return the values as a tuple. InvalidError when there is none or one of them comes twice."""
    if not values or len(set(values)) != len(values):
        raise InvalidError(where, "is empty or names something twice.", "at least one, each once")
    return tuple(values)
