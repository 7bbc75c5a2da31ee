"""Simple Binary Encoding (SBE): standard schema XML in, typed Python message classes out, and frames in a byte stream.

`python -m ontherun.sbe SCHEMA.xml OUT_DIR` writes the package of a schema; `ontherun.ilink.messages` is made like that.
`ontherun.sbe.readable` turns messages into dicts and JSON, and back.
"""

from typing import TYPE_CHECKING

from ontherun.sbe.errors import DecodeError, EncodeError, FramingError, SbeError, SchemaError
from ontherun.sbe.framing import ENCODING_TYPE, HEADER, HEADER_SIZE, Framer
from ontherun.sbe.message import Entry, Fault, Message

if TYPE_CHECKING:
    from ontherun.sbe.generator import generate
    from ontherun.sbe.layout import Schema
    from ontherun.sbe.schema import load_schema

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
    "Schema",
    "SchemaError",
    "generate",
    "load_schema",
]


def __getattr__(name: str) -> object:
    """Import the generator when it is asked for: whoever only runs messages shall not wait for an XML parser."""
    if name in {"Schema", "generate", "load_schema"}:
        from ontherun.sbe import generator, layout, schema

        return {"Schema": layout.Schema, "generate": generator.generate, "load_schema": schema.load_schema}[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
