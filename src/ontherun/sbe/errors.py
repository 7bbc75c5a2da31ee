"""The errors of the wire rooms: what a peer sent that does not fit, or what we were asked to send that cannot be."""

from typing import Literal


class SbeError(Exception):
    """Any error of this package."""


class SchemaError(SbeError):
    """A schema file says something that this package does not support, or contradicts itself."""


class EncodeError(SbeError):
    """A value does not fit its field. Our mistake, never the peer's."""


class DecodeError(SbeError):
    """A frame's content does not fit its layout. The peer's mistake."""


class FramingError(SbeError):
    """A byte stream cannot be cut into frames any further: `size` or `encoding` of the next one is wrong.

    `value` is what was received, `frames` are the whole frames before it that `Framer.feed` had not handed out yet.
    """

    def __init__(self, what: Literal["size", "encoding"], value: int, frames: list[bytes]) -> None:
        shown = str(value) if what == "size" else f"0x{value:04X}"
        super().__init__(f"frame {what} is {shown}")
        self.what = what
        self.value = value
        self.frames = frames
