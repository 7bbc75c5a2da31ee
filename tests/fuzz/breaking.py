"""Frames, and how they are broken."""

import random
from struct import pack

from ontherun.ilink.messages import BY_TEMPLATE
from ontherun.sbe.framing import ENCODING_TYPE, HEADER, HEADER_SIZE

TEMPLATES = sorted(BY_TEMPLATE)
_EDGES = (0, 1, 2, 4, 127, 128, 254, 255, 999_999_999, 65_535, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)
_TEXT = b"\0 ~\x07\x7f\xe9A0"


def random_frame(rng: random.Random, templates: list[int] = TEMPLATES) -> bytes:
    """A frame whose header is right and whose body is noise, of about the size that its template has."""
    template = rng.choice(templates)
    block = BY_TEMPLATE[template].BLOCK_LENGTH + rng.choice((0, 0, 0, 0, 1, -1, rng.randrange(-20, 40)))
    block = max(0, block)
    rest = rng.choice((0, 0, 2, 3, rng.randrange(0, 200)))
    noise = rng.choice((rng.randbytes, bytes, lambda size: b"\xff" * size))
    body = noise(block + rest)
    return HEADER.pack(HEADER_SIZE + len(body), ENCODING_TYPE, block, template, 8, rng.choice((8, 9, 9))) + body


def broken(rng: random.Random, frame: bytes) -> bytes:
    """The frame with one thing changed; its framing survives mostly."""
    kind = rng.randrange(8)
    at = rng.randrange(min(HEADER_SIZE, len(frame)), len(frame) + 1)
    if kind == 0:
        return frame[:at] + bytes((rng.randrange(256),)) + frame[at + 1 :]
    if kind == 1:
        size = rng.choice((1, 2, 4, 8))
        value = rng.choice(_EDGES) & (1 << 8 * size) - 1
        return (frame[:at] + value.to_bytes(size, "little") + frame[at + size :])[: max(at, len(frame))]
    if kind == 2:
        return resized(frame[:at])
    if kind == 3:
        return resized(frame + rng.randbytes(rng.randrange(1, 60)))
    if kind == 4:
        field = rng.choice((4, 6, 8, 10))
        return frame[:field] + pack("<H", rng.choice(_EDGES) & 0xFFFF) + frame[field + 2 :]
    if kind == 5:
        return frame[:6] + pack("<H", rng.choice(TEMPLATES)) + frame[8:]
    if kind == 6:
        return frame[:at] + bytes((rng.choice(_TEXT),)) + frame[at + 1 :]
    field = rng.choice((0, 2))
    return frame[:field] + pack("<H", rng.choice(_EDGES) & 0xFFFF) + frame[field + 2 :]


def resized(frame: bytes) -> bytes:
    """The frame with the size that it has now in its first field."""
    return pack("<H", len(frame)) + frame[2:]


def pieces(rng: random.Random, data: bytes) -> list[bytes]:
    """The data cut as a network may cut it."""
    if rng.random() < 0.5 or len(data) < 2:
        return [data]
    cuts = sorted(rng.randrange(1, len(data)) for _ in range(rng.randrange(1, 6)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True) if end > start]
