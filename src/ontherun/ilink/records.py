"""What changes a Stream: small records that a gateway journals and that recovery applies again.

Byte form: one kind byte, then the fields of that kind, little-endian, without padding. A kind byte names one layout for
ever; a changed layout takes a new kind, so a journal written by an older release stays readable. Every record begins
with kind, session (3 bytes), market segment (uint8) and the time (uint64, ns since the epoch).
"""

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from struct import error as struct_error
from typing import ClassVar


class Role(IntEnum):
    """FaultToleranceIndicator (39010): what a listener of a market segment is."""

    BACKUP = 0
    PRIMARY = 1


class RecordError(ValueError):
    """The bytes are no record: unknown kind, wrong length, or a role that does not exist."""


@dataclass(slots=True)
class Negotiated:
    """A Negotiate was accepted: `uuid` may now be established."""

    LAYOUT: ClassVar = Struct("<B3sBQ5sQQ")
    KIND: ClassVar = 1
    session: str
    segment: int
    at: int
    firm: str
    uuid: int
    request_timestamp: int

    def to_bytes(self) -> bytes:
        """The journal form, 34 bytes."""
        return self.LAYOUT.pack(
            1,
            self.session.encode(),
            self.segment,
            self.at,
            self.firm.encode(),
            self.uuid,
            self.request_timestamp,
        )


@dataclass(slots=True)
class Established:
    """An Establish was accepted on a listener with this role; under a new UUID both numbers begin at 1."""

    LAYOUT: ClassVar = Struct("<B3sBQ5sQQB")
    KIND: ClassVar = 2
    session: str
    segment: int
    at: int
    firm: str
    uuid: int
    request_timestamp: int
    role: Role

    def to_bytes(self) -> bytes:
        """The journal form, 35 bytes."""
        return self.LAYOUT.pack(
            2,
            self.session.encode(),
            self.segment,
            self.at,
            self.firm.encode(),
            self.uuid,
            self.request_timestamp,
            self.role,
        )


@dataclass(slots=True)
class GapFilled:
    """The client gave up numbers by a Sequence: its next business number is `next_inbound`."""

    LAYOUT: ClassVar = Struct("<B3sBQI")
    KIND: ClassVar = 3
    session: str
    segment: int
    at: int
    next_inbound: int

    def to_bytes(self) -> bytes:
        """The journal form, 17 bytes."""
        return self.LAYOUT.pack(3, self.session.encode(), self.segment, self.at, self.next_inbound)


@dataclass(slots=True)
class LoginFailed:
    """A bad login that counts for port closure; `code` is that of the reject (template 502, 505) or Terminate (507)."""

    LAYOUT: ClassVar = Struct("<B3sBQHH")
    KIND: ClassVar = 4
    session: str
    segment: int
    at: int
    template_id: int
    code: int

    def to_bytes(self) -> bytes:
        """The journal form, 17 bytes."""
        return self.LAYOUT.pack(4, self.session.encode(), self.segment, self.at, self.template_id, self.code)


class _Plain:
    """Byte form of the records that say nothing beyond when and where."""

    __slots__ = ()
    LAYOUT: ClassVar = Struct("<B3sBQ")
    KIND: ClassVar[int]
    session: str
    segment: int
    at: int

    def to_bytes(self) -> bytes:
        """The journal form, 13 bytes."""
        return self.LAYOUT.pack(self.KIND, self.session.encode(), self.segment, self.at)


@dataclass(slots=True)
class PortClosed(_Plain):
    """Too many bad logins, or an administrator's decision: primary and backup refuse every login."""

    KIND: ClassVar = 5
    session: str
    segment: int
    at: int


@dataclass(slots=True)
class PortOpened(_Plain):
    """An administrator opened the ports again; earlier failures are forgotten."""

    KIND: ClassVar = 6
    session: str
    segment: int
    at: int


@dataclass(slots=True)
class Unbound:
    """The binding on the listener with this role ended; not `graceful` calls for cancel on disconnect."""

    LAYOUT: ClassVar = Struct("<B3sBQBB")
    KIND: ClassVar = 7
    session: str
    segment: int
    at: int
    role: Role
    graceful: bool

    def to_bytes(self) -> bytes:
        """The journal form, 15 bytes."""
        return self.LAYOUT.pack(7, self.session.encode(), self.segment, self.at, self.role, self.graceful)


@dataclass(slots=True)
class Promoted(_Plain):
    """The binding on the backup became the primary one."""

    KIND: ClassVar = 8
    session: str
    segment: int
    at: int


@dataclass(slots=True)
class WeekStarted(_Plain):
    """A new trading week: no UUID, numbers from 1, nothing of the last week can be fetched. Ports stay as they are."""

    KIND: ClassVar = 9
    session: str
    segment: int
    at: int


StreamRecord = (
    Negotiated | Established | GapFilled | LoginFailed | PortClosed | PortOpened | Unbound | Promoted | WeekStarted
)


def from_bytes(data: bytes) -> StreamRecord:
    """The record that these bytes are; the inverse of its `to_bytes`. Raises RecordError."""
    try:
        return _read(data)
    except (struct_error, UnicodeDecodeError, ValueError) as fault:
        raise RecordError(f"no stream record: {data[:48].hex()} ({len(data)} bytes)") from fault


def _read(data: bytes) -> StreamRecord:
    match data[0] if data else 0:
        case 1:
            _, session, segment, at, firm, uuid, timestamp = Negotiated.LAYOUT.unpack(data)
            return Negotiated(session.decode(), segment, at, _text(firm), uuid, timestamp)
        case 2:
            _, session, segment, at, firm, uuid, timestamp, role = Established.LAYOUT.unpack(data)
            return Established(session.decode(), segment, at, _text(firm), uuid, timestamp, Role(role))
        case 3:
            _, session, segment, at, next_inbound = GapFilled.LAYOUT.unpack(data)
            return GapFilled(session.decode(), segment, at, next_inbound)
        case 4:
            _, session, segment, at, template_id, code = LoginFailed.LAYOUT.unpack(data)
            return LoginFailed(session.decode(), segment, at, template_id, code)
        case 7:
            _, session, segment, at, role, graceful = Unbound.LAYOUT.unpack(data)
            return Unbound(session.decode(), segment, at, Role(role), bool(graceful))
        case 5 | 6 | 8 | 9 as kind:
            _, session, segment, at = _Plain.LAYOUT.unpack(data)
            return _PLAIN[kind](session.decode(), segment, at)
        case kind:
            raise RecordError(f"kind {kind}")


def _text(padded: bytes) -> str:
    return padded.rstrip(b"\0").decode()


_PLAIN: dict[int, type[PortClosed | PortOpened | Promoted | WeekStarted]] = {
    5: PortClosed,
    6: PortOpened,
    8: Promoted,
    9: WeekStarted,
}
