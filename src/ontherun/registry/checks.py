"""Checks of values that come from outside, shared by everything that creates records."""

import re
from collections.abc import Sequence
from datetime import date
from ipaddress import ip_network
from typing import TypeVar

from ontherun.registry.errors import InvalidError
from ontherun.registry.records import GFID_PATTERN, NAME_LENGTH, NAME_PATTERN, NOTES_LENGTH, NOTES_PATTERN

MOST_SOURCES = 50
"""The most networks of an allow-list."""

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


def checked_notes(notes: str) -> str:
    """Return notes with plain line ends. InvalidError unless they fit NOTES_PATTERN and NOTES_LENGTH."""
    notes = notes.replace("\r\n", "\n")
    if len(notes) > NOTES_LENGTH or not re.fullmatch(NOTES_PATTERN, notes) or _SURROGATES.search(notes):
        raise InvalidError("notes", "cannot be kept.", f"up to {NOTES_LENGTH} characters of text, in lines")
    return notes


def checked_sources(sources: Sequence[str]) -> tuple[str, ...]:
    """Return networks in their shortest CIDR form. InvalidError for what is none, or one that comes twice."""
    if len(sources) > MOST_SOURCES:
        raise InvalidError("allowed_sources", f"has {len(sources)} networks.", f"at most {MOST_SOURCES}")
    networks = []
    for place, source in enumerate(sources):
        where = f"allowed_sources[{place}]"
        try:
            network = ip_network(source)
        except ValueError:
            raise InvalidError(where, "is no network.", _right_network(source)) from None
        if "%" in source:
            raise InvalidError(where, "names an interface.", "an address or a network without one")
        networks.append(str(network))
    if len(set(networks)) != len(networks):
        raise InvalidError("allowed_sources", "names a network twice.", "each once")
    return tuple(networks)


def _right_network(source: str) -> str:
    try:
        return f"{ip_network(source, strict=False)}, the network that this address is in, or the address alone"
    except ValueError:
        return "an IPv4 or IPv6 address or network, such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32"


def checked_date(where: str, text: str) -> date:
    """Return a day. InvalidError unless it is written YYYY-MM-DD and exists."""
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise InvalidError(where, "is no date.", "a day as YYYY-MM-DD, such as 2027-03-31")
