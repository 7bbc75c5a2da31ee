"""The layout of messages: what a schema file says, as plain values.

A loaded schema (`ontherun.sbe.load_schema`) and the generated classes (`FIELDS`, `GROUPS`, `DATA`) hold the same ones.
"""

import re
from collections.abc import Mapping
from keyword import iskeyword
from typing import NamedTuple

UINT8_NULL = 255
UINT16_NULL = 65535
UINT32_NULL = 4294967295
UINT64_NULL = 18446744073709551615
INT8_NULL = 127
INT16_NULL = 32767
INT32_NULL = 2147483647
INT64_NULL = 9223372036854775807
CHAR_NULL = 0

UINT64_MAX = 9223372036854775807
"""The largest uInt64 that is in range: CME bounds uInt64 by the signed maximum (CME client wiki, "iLink 3 SBE")."""


class Primitive(NamedTuple):
    """A primitive type of SBE: its code in `struct`, its size in bytes and its null pattern."""

    code: str
    size: int
    null: int


PRIMITIVES: Mapping[str, Primitive] = {
    "char": Primitive("B", 1, CHAR_NULL),
    "uint8": Primitive("B", 1, UINT8_NULL),
    "uint16": Primitive("H", 2, UINT16_NULL),
    "uint32": Primitive("I", 4, UINT32_NULL),
    "uint64": Primitive("Q", 8, UINT64_NULL),
    "int8": Primitive("b", 1, INT8_NULL),
    "int16": Primitive("h", 2, INT16_NULL),
    "int32": Primitive("i", 4, INT32_NULL),
    "int64": Primitive("q", 8, INT64_NULL),
}
"""By name. Null patterns are CME's: the largest value, for signed numbers too (the SBE standard says the smallest)."""

RAW_FIELDS = frozenset({"HMACSignature"})
"""Fields whose schema type is text but whose value is any bytes, full length, never stripped of NUL."""

NULL_IS_A_VALUE = frozenset({"PartyDetailsListReqID"})
"""Required fields whose null pattern says something: there, "party details come with the order" (on-demand)."""


class Type(NamedTuple):
    """One number, one character or a fixed-length array of characters; or a constant, which takes no bytes.

    `null` is the pattern that means "no value"; it is set for required types too, where it means "missing".
    For text (`length` above 1) it is 0: all bytes NUL.
    """

    name: str
    primitive: str
    length: int = 1
    optional: bool = False
    null: int = 0
    constant: str | int | None = None

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return 0 if self.constant is not None else PRIMITIVES[self.primitive].size * self.length

    @property
    def is_text(self) -> bool:
        """Is it an array of characters, whose value is bytes?"""
        return self.length != 1 and self.constant is None

    @property
    def code(self) -> str:
        """The format in `struct`."""
        if self.constant is not None:
            return ""
        return f"{self.length}s" if self.is_text else PRIMITIVES[self.primitive].code


class Value(NamedTuple):
    """A named value of an enumeration (characters by their code), or a named bit of a set (0 is the lowest)."""

    name: str
    value: int
    since: int = 0


class Enum(NamedTuple):
    """An enumeration, encoded as one number or character."""

    name: str
    primitive: str
    optional: bool
    null: int
    values: tuple[Value, ...]

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return PRIMITIVES[self.primitive].size

    @property
    def code(self) -> str:
        """The format in `struct`."""
        return PRIMITIVES[self.primitive].code


class Set(NamedTuple):
    """A set of bits in one unsigned number. It has no null: an empty set is 0."""

    name: str
    primitive: str
    choices: tuple[Value, ...]

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return PRIMITIVES[self.primitive].size

    @property
    def code(self) -> str:
        """The format in `struct`."""
        return PRIMITIVES[self.primitive].code


class Composite(NamedTuple):
    """Several numbers in a row: a decimal of mantissa and exponent, a month and year.

    With one member on the wire (a price, whose exponent is constant) the value is that number; else a named tuple.
    """

    name: str
    members: tuple[Type, ...]

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return sum(member.size for member in self.members)

    @property
    def code(self) -> str:
        """The format in `struct`."""
        return "".join(member.code for member in self.members)

    @property
    def carried(self) -> tuple[Type, ...]:
        """The members that take bytes."""
        return tuple(member for member in self.members if member.constant is None)

    @property
    def optional(self) -> bool:
        """May it be null?"""
        return all(member.optional for member in self.carried)


Encoding = Type | Enum | Set | Composite


class Field(NamedTuple):
    """A field of a block: its name, its tag, the attribute of the message class that holds it, its place and type.

    `offset` counts bytes from the start of the block; `since` is the schema version that added the field.
    """

    name: str
    attribute: str
    tag: int
    type: Encoding
    offset: int
    since: int = 0

    @property
    def constant(self) -> str | int | None:
        """The value, when it is constant and takes no bytes."""
        return self.type.constant if isinstance(self.type, Type) else None

    @property
    def end(self) -> int:
        """The offset of the first byte after it."""
        return self.offset + self.type.size

    @property
    def is_raw(self) -> bool:
        """Is its value any bytes of full length, rather than text?"""
        return self.name in RAW_FIELDS

    @property
    def is_text(self) -> bool:
        """Is its value text: bytes 32..126, without its padding?"""
        return isinstance(self.type, Type) and self.type.is_text and not self.is_raw

    @property
    def null_bytes(self) -> bytes:
        """What stands on the wire when there is no value."""
        kind = self.type
        if isinstance(kind, Set):
            return bytes(kind.size)
        if isinstance(kind, Composite):
            return b"".join(_null_bytes(member.primitive, member.length, member.null) for member in kind.carried)
        return _null_bytes(kind.primitive, kind.length if isinstance(kind, Type) else 1, kind.null)


class Group(NamedTuple):
    """A repeating group: `dimension` are the primitives of the block length and of the count in front of its entries.

    A generated message's `GROUPS` leave `fields` out: they are the entry class's `FIELDS`.
    """

    name: str
    attribute: str
    tag: int
    since: int
    block_length: int
    dimension: tuple[str, str]
    fields: tuple[Field, ...] = ()


class Data(NamedTuple):
    """Variable-length data: a number of bytes, of primitive `length`, then the bytes."""

    name: str
    attribute: str
    tag: int
    since: int
    length: str


class MessageLayout(NamedTuple):
    """A message of a schema. `name` has no template number at its end; `msg_type` is the schema's semanticType."""

    name: str
    template_id: int
    block_length: int
    msg_type: str
    since: int
    description: str
    fields: tuple[Field, ...]
    groups: tuple[Group, ...]
    data: tuple[Data, ...]


class Schema(NamedTuple):
    """A loaded schema: its types by name and its messages by template id."""

    package: str
    id: int
    version: int
    types: Mapping[str, Encoding]
    messages: Mapping[int, MessageLayout]


_TAKEN = frozenset(
    {"bad_text", "buffer", "cls", "decode", "encode", "end", "entry", "error", "fault", "frame"}
    | {"offset", "pack", "self", "size", "start", "tail", "texts", "values"}
)


def snake_case(name: str) -> str:
    """Return a schema name as a Python attribute: `ClOrdID` -> `cl_ord_id`, `MDTradeEntryID` -> `md_trade_entry_id`.

    A word of the language or of the generated methods gets an underscore: `From` -> `from_`, `Size` -> `size_`.
    """
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    return f"{snake}_" if iskeyword(snake) or snake in _TAKEN else snake


def base_length(fields: tuple[Field, ...], since: int) -> int:
    """Return the length in bytes of the shortest block a peer may send: what the structure's first version had."""
    return max((field.end for field in fields if field.since <= since), default=0)


def _null_bytes(primitive: str, length: int, null: int) -> bytes:
    size = PRIMITIVES[primitive].size
    return (null & (1 << 8 * size) - 1).to_bytes(size, "little") * length


def null_name(kind: Type | Enum) -> str:
    """Return the null of a number as Python text: the name of one of the constants above if it is theirs."""
    name = f"{kind.primitive.upper()}_NULL"
    return name if kind.null == PRIMITIVES[kind.primitive].null else str(kind.null)
