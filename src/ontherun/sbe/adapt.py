"""Frames of older and newer peers, brought to our version's layout.

A peer on an older schema version sends shorter blocks: the fields it does not know become null. A peer on a newer one
sends longer blocks: what we do not know is skipped. What fits neither is refused.
"""

from struct import Struct

from ontherun.sbe.errors import DecodeError
from ontherun.sbe.framing import ENCODING_TYPE, HEADER, HEADER_SIZE
from ontherun.sbe.layout import PRIMITIVES, Data, Group, base_length
from ontherun.sbe.message import Dimension, Entry, Message, Structure


def adapted(message: type[Message], buffer: bytes, offset: int) -> bytes:
    """Return the frame at `offset` as our version of `message` would be sent.

    Raises DecodeError when the frame is cut, is another message, or its blocks, groups or data do not fit its size.
    """
    name = message.__name__
    available = len(buffer) - offset
    if available < HEADER_SIZE:
        raise DecodeError(f"{name}: {max(available, 0)} bytes are less than a header")
    size, encoding, length, template_id, schema_id, version = HEADER.unpack_from(buffer, offset)
    if encoding != ENCODING_TYPE:
        raise DecodeError(f"{name}: encoding type 0x{encoding:04X}")
    if (template_id, schema_id) != (message.TEMPLATE_ID, message.SCHEMA_ID):
        raise DecodeError(f"{name}: the frame is template {template_id} of schema {schema_id}")
    if not HEADER_SIZE <= size <= available:
        raise DecodeError(f"{name}: frame size is {size}, {available} bytes are there")
    rest = buffer[offset + HEADER_SIZE : offset + size]
    parts = [_block(message, rest[:length], length)]
    rest = rest[length:]
    for group, entry in message.GROUPS:
        if rest or version >= group.since:
            part, rest = _group(message, group, entry, rest)
        else:
            part = Dimension(*group.dimension).pack(entry.BLOCK_LENGTH, [])
        parts.append(part)
    for data in message.DATA:
        part, rest = _data(message, data, rest)
        parts.append(part)
    if rest:
        raise DecodeError(f"{name}: {len(rest)} bytes after its end")
    body = b"".join(parts)
    header = HEADER.pack(
        HEADER_SIZE + len(body), ENCODING_TYPE, message.BLOCK_LENGTH, template_id, schema_id, message.VERSION
    )
    return header + body


def _block(structure: type[Structure], received: bytes, length: int) -> bytes:
    """Return the block in our length: cut when longer, filled up with nulls when shorter."""
    name, ours = structure.__name__, structure.BLOCK_LENGTH
    if len(received) < length:
        raise DecodeError(f"{name}: a block of {length} bytes runs past the frame")
    if length >= ours:
        return received[:ours]
    fields = structure.FIELDS
    if length < base_length(fields, structure.SINCE):
        raise DecodeError(f"{name}: a block of {length} bytes lacks fields of the first version")
    if any(field.offset < length < field.end for field in fields):
        raise DecodeError(f"{name}: a block of {length} bytes cuts a field")
    block = bytearray(ours)
    for field in fields:
        if field.offset >= length:
            block[field.offset : field.end] = field.null_bytes
    block[:length] = received
    return bytes(block)


def _group(message: type[Message], group: Group, entry: type[Entry], rest: bytes) -> tuple[bytes, bytes]:
    """Return the group in our layout, and the bytes after it."""
    where = f"{message.__name__}.{group.name}"
    dimension = Dimension(*group.dimension)
    if len(rest) < dimension.size:
        raise DecodeError(f"{where}: the frame ends before it")
    length, count = dimension.unpack(rest, 0)
    rest = rest[dimension.size :]
    if count > dimension.max_count or count * length > len(rest):
        raise DecodeError(f"{where}: {count} entries of {length} bytes in {len(rest)} bytes")
    blocks = [_block(entry, rest[length * i : length * (i + 1)], length) for i in range(count)]
    return dimension.pack(entry.BLOCK_LENGTH, blocks), rest[length * count :]


def _data(message: type[Message], data: Data, rest: bytes) -> tuple[bytes, bytes]:
    """Return the variable data with its length, and the bytes after it."""
    where = f"{message.__name__}.{data.name}"
    prefix = Struct(f"<{PRIMITIVES[data.length].code}")
    if len(rest) < prefix.size:
        raise DecodeError(f"{where}: the frame ends before it")
    (length,) = prefix.unpack_from(rest)
    end = prefix.size + length
    if len(rest) < end:
        raise DecodeError(f"{where}: {length} bytes run past the frame")
    return rest[:end], rest[end:]
