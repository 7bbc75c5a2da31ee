"""Frames in a byte stream: a Simple Open Framing Header (SOFH), the SBE message header, then the body.

All numbers are little-endian uint16 (CME's form of the SOFH; the generic one is big-endian with a 4-byte size):

| bytes | field         | value                                            |
| ----- | ------------- | ------------------------------------------------ |
| 0-1   | size          | of the whole frame, these 4 bytes included       |
| 2-3   | encoding type | 0xCAFE, SBE little-endian                        |
| 4-5   | block length  | of the root block: no groups, no variable data   |
| 6-7   | template id   | which message                                    |
| 8-9   | schema id     | 8 for iLink 3                                    |
| 10-11 | version       | of the sender's schema                           |

Source: CME client wiki, "iLink 3 Message Header".
"""

from struct import Struct

from ontherun.sbe.errors import FramingError

ENCODING_TYPE = 0xCAFE
HEADER = Struct("<HHHHHH")
HEADER_SIZE = 12
"""Bytes of SOFH and message header together: no frame is smaller."""
MAX_SIZE = 65535
"""The largest size that the uint16 of the SOFH can say."""

_SOFH = Struct("<HH")


class Framer:
    """Cuts a byte stream, fed in any pieces, into whole frames."""

    __slots__ = ("_error", "_max_size", "_rest")

    def __init__(self, max_size: int = MAX_SIZE) -> None:
        self._max_size = max_size
        self._rest = b""
        self._error: FramingError | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes of the stream and return the frames that are whole now, oldest first.

        Raises FramingError when the next frame's size is outside 12..max_size or its encoding type is not 0xCAFE; the
        error's `frames` are the whole frames before it. The stream cannot be read any further after that: every later
        call raises again, with no frames.
        """
        if self._error is not None:
            raise FramingError(self._error.what, self._error.value, [])
        buffer = self._rest + data if self._rest else data
        frames: list[bytes] = []
        start = 0
        while len(buffer) - start >= _SOFH.size:
            size, encoding = _SOFH.unpack_from(buffer, start)
            if encoding != ENCODING_TYPE:
                self._error = FramingError("encoding", encoding, frames)
            elif not HEADER_SIZE <= size <= self._max_size:
                self._error = FramingError("size", size, frames)
            if self._error is not None:
                self._rest = b""
                raise self._error
            if len(buffer) - start < size:
                break
            frames.append(buffer[start : start + size])
            start += size
        self._rest = buffer[start:]
        return frames

    @property
    def pending(self) -> int:
        """How many bytes of an unfinished frame are held."""
        return len(self._rest)
