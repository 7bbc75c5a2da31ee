"""Values of audit details as words for people."""

from collections.abc import Sequence

from ontherun.portal.pages.moments import moment

_A_TIME = 10**17
"""No other number in details is so large: 1973 in nanoseconds since 1970-01-01 UTC."""


def said(name: str, value: object) -> str:
    """Return a value of the audit's details as text; times, whose names end in _at or _from, in Central."""
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and value > _A_TIME and name.endswith(("at", "from", "until")):
        central = moment(value, "America/Chicago").central
        return f"{central.date} {central.minute} CT"
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')} {said(key, part)}" for key, part in value.items()) or "none"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(said(name, part) for part in value) or "none"
    return str(value)
