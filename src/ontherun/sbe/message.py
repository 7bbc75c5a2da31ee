"""What every generated message class stands on."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from struct import Struct
from struct import error as StructError  # noqa: N812 - it is a class, spelled as one
from typing import ClassVar, Literal, NamedTuple, Self, TypeVar

from ontherun.sbe.errors import DecodeError, EncodeError
from ontherun.sbe.framing import HEADER, HEADER_SIZE
from ontherun.sbe.layout import PRIMITIVES, Data, Field, Group

PRINTABLE = bytes(code if 32 <= code <= 126 else ord("?") for code in range(256))
"""A table for `bytes.translate` that changes text exactly when it has a character outside 32..126.

Those are the characters of text fields (CME client wiki, "iLink 3 SBE"). `translate` is fastest with such a table: it
hands back the same object when nothing changes.
"""

new = object.__new__


class Fault(NamedTuple):
    """The first field of a message, in wire order, whose value the protocol does not allow.

    `missing`: required, but its null pattern stands there; `value`: not in its enumeration; `range`: a uInt64 above
    the signed maximum; `text`: a character outside 32..126, or a NUL before the end.
    """

    tag: int
    kind: Literal["missing", "value", "range", "text"]


class Structure:
    """A block of fields: a message's root, or one entry of a repeating group. Equal when type and all values are.

    `pack` is the shortest way from values in wire order to bytes: a message's whole frame, an entry's block. A
    composite of several numbers is one argument each, a group is a list of its entries' packed blocks. It looks at
    nothing: text that is too long is cut, and a number that does not fit raises struct.error.
    """

    __slots__: tuple[str, ...] = ()
    pack: ClassVar[Callable[..., bytes]]
    BLOCK_LENGTH: ClassVar[int]
    SINCE: ClassVar[int]
    FIELDS: ClassVar[tuple[Field, ...]]

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"{type(self).__name__}({values})"


class Entry(Structure):
    """One entry of a repeating group."""

    __slots__ = ()

    @abstractmethod
    def encode(self) -> bytes:
        """Return the entry's block. Raises EncodeError when a value does not fit its field."""

    @classmethod
    @abstractmethod
    def decode(cls, buffer: bytes, offset: int) -> Self:
        """Return the entry whose block begins at `offset`."""

    @abstractmethod
    def fault(self) -> Fault | None:
        """Return the first value, in wire order, that the protocol does not allow."""


class Message(Structure):
    """A whole message."""

    __slots__ = ()
    TEMPLATE_ID: ClassVar[int]
    SCHEMA_ID: ClassVar[int]
    VERSION: ClassVar[int]
    MSG_TYPE: ClassVar[str]
    GROUPS: ClassVar[tuple[tuple[Group, type[Entry]], ...]] = ()
    DATA: ClassVar[tuple[Data, ...]] = ()

    @abstractmethod
    def encode(self) -> bytes:
        """Return the whole frame. Raises EncodeError when a value does not fit its field."""

    @classmethod
    @abstractmethod
    def decode(cls, buffer: bytes, offset: int = 0) -> Self:
        """Return the message whose frame begins at `offset`. Raises DecodeError when it does not fit the layout."""

    @abstractmethod
    def fault(self) -> Fault | None:
        """Return the first value, in wire order, that the protocol does not allow."""


EntryT = TypeVar("EntryT", bound=Entry)


class Dimension:
    """How the block length and the count in front of a group's entries are written; `head` packs them unchecked."""

    __slots__ = ("_struct", "head", "max_count", "size")

    def __init__(self, block_length: str, count: str) -> None:
        self._struct = Struct(f"<{PRIMITIVES[block_length].code}{PRIMITIVES[count].code}")
        self.head = self._struct.pack
        self.size = self._struct.size
        self.max_count = PRIMITIVES[count].null - 1

    def pack(self, block_length: int, blocks: Sequence[bytes]) -> bytes:
        """Return the group: its dimension, then the entries' blocks. Raises EncodeError when they are too many."""
        if len(blocks) > self.max_count:
            raise EncodeError(f"{len(blocks)} entries in a group of at most {self.max_count}")
        return self.head(block_length, len(blocks)) + b"".join(blocks)

    def unpack(self, buffer: bytes, offset: int) -> tuple[int, int]:
        """Return block length and count. Raises struct.error beyond the buffer's end."""
        block_length, count = self._struct.unpack_from(buffer, offset)
        return block_length, count


class Length:
    """How the length in front of variable data is written."""

    __slots__ = ("_struct", "max_length", "size")

    def __init__(self, primitive: str) -> None:
        self._struct = Struct(f"<{PRIMITIVES[primitive].code}")
        self.size = self._struct.size
        self.max_length = PRIMITIVES[primitive].null - 1

    def pack(self, data: bytes) -> bytes:
        """Return the length, then the data. Raises EncodeError when it is too long."""
        if len(data) > self.max_length:
            raise EncodeError(f"{len(data)} bytes of data where at most {self.max_length} are allowed")
        return self._struct.pack(len(data)) + data

    def unpack(self, buffer: bytes, offset: int) -> tuple[bytes, int]:
        """Return the data and the offset after it. Raises struct.error beyond the buffer's end."""
        (length,) = self._struct.unpack_from(buffer, offset)
        end = offset + self.size + length
        if end > len(buffer):
            raise StructError("data runs past the buffer")
        return buffer[end - length : end], end


def read_group(entry: type[EntryT], dimension: Dimension, buffer: bytes, offset: int) -> tuple[list[EntryT], int]:
    """Return a group's entries and the offset after them.

    Raises struct.error when the entries are not exactly of our version's length, or run past the buffer.
    """
    block_length, count = dimension.unpack(buffer, offset)
    if block_length != entry.BLOCK_LENGTH or count > dimension.max_count:
        raise StructError("a group of another version")
    start = offset + dimension.size
    end = start + count * block_length
    decode = entry.decode
    return [decode(buffer, position) for position in range(start, end, block_length)], end


def unfit(value: Structure | type[Structure], error: Exception | None = None) -> EncodeError:
    """Return the error for a structure with a value that does not fit its field: too long a text, or `error`."""
    if isinstance(value, Structure):
        for field in value.FIELDS:
            content = getattr(value, field.attribute, b"")
            if not isinstance(content, bytes):
                continue
            if len(content) > field.type.size or (field.is_raw and len(content) != field.type.size):
                return EncodeError(f"{field.name}: {len(content)} bytes in a field of {field.type.size}")
        return EncodeError(f"{type(value).__name__}: {error}")
    return EncodeError(f"{value.__name__}: {error}")


template_at = Struct("<6xH").unpack_from
"""Read the template id of the frame at an offset, as a tuple of one. Raises struct.error beyond the buffer's end."""


def unknown(buffer: bytes, offset: int) -> DecodeError:
    """Return the error for a frame whose template is not known, or which ends before saying it."""
    available = max(len(buffer) - offset, 0)
    if available < HEADER_SIZE:
        return DecodeError(f"{available} bytes are less than a header")
    _, _, _, template_id, schema_id, _ = HEADER.unpack_from(buffer, offset)
    return DecodeError(f"unknown template {template_id} of schema {schema_id}")
