"""Simple Binary Encoding (SBE): standard schema XML in, typed Python message classes out, and frames in a byte stream.

`python -m ontherun.sbe SCHEMA.xml OUT_DIR` writes the package of a schema; `ontherun.ilink.messages` is made like that.
"""

from .errors import DecodeError, EncodeError, FramingError, SbeError, SchemaError
from .framing import ENCODING_TYPE, HEADER, HEADER_SIZE, Framer
from .message import Entry, Fault, Message

__all__ = [
    "ENCODING_TYPE",
    "HEADER",
    "HEADER_SIZE",
    "DecodeError",
    "EncodeError",
    "Entry",
    "Fault",
    "Framer",
    "FramingError",
    "Message",
    "SbeError",
    "SchemaError",
]
