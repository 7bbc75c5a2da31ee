"""Checks of values that come from outside, shared by everything that creates records."""

import re
from collections.abc import Sequence
from typing import TypeVar

from ontherun.registry.errors import InvalidError
from ontherun.registry.records import GFID_PATTERN, NAME_LENGTH, NAME_PATTERN

T = TypeVar("T")

_SURROGATES = re.compile("[\ud800-\udfff]")  # halves of characters, which JSON can smuggle in


def checked_name(where: str, name: str, pattern: str = NAME_PATTERN) -> str:
    """Return a name. InvalidError unless it fits NAME_PATTERN (or LABEL_PATTERN) and NAME_LENGTH."""
    if len(name) > NAME_LENGTH or not re.fullmatch(pattern, name) or _SURROGATES.search(name):
        raise InvalidError(
            where, "is no name.", f"up to {NAME_LENGTH} visible characters, with single spaces between words"
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
