"""What a batch of the journal holds: every input that can change what the gateway will say, and nothing else.

An entry is a 16-byte head and a body, little-endian:

| bytes | field  | meaning                                                     |
|-------|--------|-------------------------------------------------------------|
| 0     | kind   | one of `Kind`                                               |
| 1     | -      | zero                                                        |
| 2-3   | lane   | number of the (session, market segment) lane, 0 where none  |
| 4-7   | length | bytes in the body                                           |
| 8-15  | now    | the gateway's clock when it acted, ns since epoch UTC       |

One entry carries a whole read's worth of consecutive frames, so that a pipelined order costs the journal its own
bytes and no more.
"""

import json
from collections.abc import Iterator
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

HEAD = Struct("<BxHIQ")


class Kind(IntEnum):
    """What an entry says."""

    MARKET = 1  # JSON: reference data and policy of the segment, before anything else and whenever they change
    LANE = 2  # JSON: this lane number stands for this session from here on
    PARTY = 3  # JSON: a party details record that orders may name
    RECORD = 4  # a session record (`ontherun.ilink.stream`): negotiated, established, gap filled...
    FRAMES = 5  # business frames as received, one after the other
    ADDENDUM = 17  # JSON: a trade that is cancelled or corrected, with the reports of both sides (`gateway.addenda`)
    COMMAND = 16  # JSON: what the venue itself does to the market (`ontherun.gateway.venue_commands`)
    CANCEL = 6  # JSON: the session's resting Day orders are cancelled unasked, and why
    CONTROLS = 7  # JSON: the limits of Messaging Controls from here on
    SPLIT = 9  # as FRAMES, but the first of them came in pieces, and the others waited for it
    WEEK = 8  # JSON: a trading week begins, the first entry of its batch; what was said before cannot be asked for


class Entry(NamedTuple):
    """One decoded entry."""

    kind: Kind
    lane: int
    now: int
    body: bytes


def encode(kind: Kind, lane: int, now: int, body: bytes) -> bytes:
    """One entry as bytes."""
    return HEAD.pack(kind, lane, len(body), now) + body


def json_body(value: dict[str, object]) -> bytes:
    """A JSON body, with sorted keys so that equal values are equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def decode(batch: bytes) -> Iterator[Entry]:
    """The entries of one batch, in order; ValueError when the batch does not end where its last entry ends."""
    position, end = 0, len(batch)
    while position < end:
        if end - position < HEAD.size:
            raise ValueError(f"an entry head of {HEAD.size} bytes at {position} runs past the batch's end at {end}")
        kind, lane, length, now = HEAD.unpack_from(batch, position)
        position += HEAD.size
        if position + length > end:
            raise ValueError(f"an entry body of {length} bytes at {position} runs past the batch's end at {end}")
        yield Entry(Kind(kind), lane, now, batch[position : position + length])
        position += length
