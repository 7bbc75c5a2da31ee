"""The expiries of key pairs as a calendar (RFC 5545), for Outlook, Thunderbird, Apple Calendar and the like."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from ontherun.notices.times import moment
from ontherun.registry import Directory, StoredKeyPair

_SECOND = 1_000_000_000
_OCTETS = 75
ALARMS = (14, 3, 1)
"""Days before an expiry at which a calendar reminds its owner."""


def calendar(
    pairs: Iterable[StoredKeyPair], directory: Directory, environment: str, public_url: str, now: int
) -> bytes:
    """Write a calendar with an event for each pair that is not deleted. `now` in nanoseconds since 1970-01-01 UTC.

    An event keeps its UID when the expiry is moved, so that a calendar moves it instead of showing two.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//ontherun//key expiries//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(f'Key expiries, {environment}')}",
        f"NAME:{_text(f'Key expiries, {environment}')}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ]
    for stored in pairs:
        if stored.pair.deleted_at is None:
            lines.extend(_event(stored, directory, environment, public_url, now))
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _event(stored: StoredKeyPair, directory: Directory, environment: str, public_url: str, now: int) -> Iterator[str]:
    pair = stored.pair
    session, entity = directory.session(pair.session_id), directory.entity(stored.entity_id)
    label = f" ({session.label})" if session and session.label else ""
    yield "BEGIN:VEVENT"
    yield f"UID:{pair.access_key_id}.{environment}@ontherun"
    yield f"DTSTAMP:{_utc(now)}"
    yield f"DTSTART:{_utc(pair.expires_at)}"
    yield f"SUMMARY:{_text(f'Key pair of session {pair.session_id}{label} expires')}"
    about = (
        f"Key pair {pair.access_key_id} of session {pair.session_id}, {entity.name if entity else ''}, expires "
        f"{moment(pair.expires_at)}. Generate its successor before, and let your client log in with it."
    )
    yield f"DESCRIPTION:{_text(about)}"
    if public_url:
        yield f"URL:{public_url.rstrip('/')}/sessions/{pair.session_id}"
    yield "CATEGORIES:Key expiry"
    yield "TRANSP:TRANSPARENT"
    for days in ALARMS:
        yield "BEGIN:VALARM"
        yield "ACTION:DISPLAY"
        yield f"DESCRIPTION:{_text(f'Key pair of session {pair.session_id} expires in {days} days')}"
        yield f"TRIGGER:-P{days}D"
        yield "END:VALARM"
    yield "END:VEVENT"


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at // _SECOND, UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(text: str) -> str:
    """Escape a value of type TEXT (RFC 5545, section 3.3.11)."""
    for char, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        text = text.replace(char, escaped)
    return text


def _folded(line: str) -> bytes:
    """End a line, folded after 75 octets at most and never inside a character (RFC 5545, section 3.1)."""
    folded, length = bytearray(), 0
    for char in line:
        encoded = char.encode("utf-8")
        if length + len(encoded) > _OCTETS:
            folded += b"\r\n "
            length = 1
        folded += encoded
        length += len(encoded)
    return bytes(folded + b"\r\n")
