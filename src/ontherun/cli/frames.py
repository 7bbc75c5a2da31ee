"""ontherun frame: iLink 3 frames to readable JSON, and back."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ontherun.cli.api import fail

app = typer.Typer(name="frame", help="Read and write iLink 3 frames.", no_args_is_help=True)

_SEPARATORS = re.compile(rb"(?:0x|[\s:,])+", re.IGNORECASE)
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2})+")

Source = Annotated[str, typer.Argument(metavar="[INPUT]", help="The thing itself, or a file, or - for standard input.")]


@app.command("decode")
def decode(
    source: Source = "-",
    words: Annotated[bool, typer.Option("--words", help="One line for each message, in plain words.")] = False,
    compact: Annotated[bool, typer.Option("--compact", help="One line of JSON for each message.")] = False,
) -> None:
    """Decode frames, given as hexadecimal text or as a file of bytes or hexadecimal text, to JSON.

    ontherun frame decode 1a00feca0e00fa0108000900004020464847060001000000ff00
    """
    from ontherun.client.conversation import describe
    from ontherun.ilink.messages import decode as decode_message
    from ontherun.sbe import DecodeError, Framer, FramingError
    from ontherun.sbe.readable import to_json

    framer = Framer()
    fault = ""
    try:
        frames = framer.feed(_bytes(source))
    except FramingError as error:
        frames, fault = error.frames, f"{error}"
    for frame in frames:
        try:
            message = decode_message(frame)
        except DecodeError as error:
            fail(f"{error}: {frame[:32].hex()}{'...' if len(frame) > 32 else ''}")
        if words:
            line = describe(message)
            typer.echo(f"{line.name} {'' if line.number is None else f'{line.number} '}{line.words}".rstrip())
        else:
            typer.echo(to_json(message, indent=None if compact else 2))
    if fault:
        fail(fault)
    if framer.pending:
        fail(f"the last {framer.pending} bytes are no whole frame")
    if not frames:
        fail("there is no frame in it")


@app.command("encode")
def encode(
    source: Source = "-",
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write bytes to a file.")] = None,
) -> None:
    """Encode messages, given as JSON like that of `decode`, to frames: a line of hexadecimal text for each.

    Only "message" and "fields" are needed; a field may be its value alone.
    """
    from ontherun.ilink.messages import BY_TEMPLATE
    from ontherun.sbe import EncodeError
    from ontherun.sbe.readable import from_dict

    try:
        frames = [from_dict(document, BY_TEMPLATE).encode() for document in _documents(_text(source))]
    except EncodeError as error:
        fail(f"{error}")
    if out is None:
        for frame in frames:
            typer.echo(frame.hex())
        return
    try:
        out.write_bytes(b"".join(frames))
    except OSError as error:
        fail(f"{out} cannot be written: {error.strerror}")


def _bytes(source: str) -> bytes:
    content = source.encode() if _hexadecimal(source.encode()) else _read(source)
    digits = _hexadecimal(content)
    return bytes.fromhex(digits.decode("ascii")) if digits else content


def _hexadecimal(content: bytes) -> bytes:
    """The digits, when the content is hexadecimal text; else nothing."""
    digits = _SEPARATORS.sub(b"", content)
    return digits if _HEX.fullmatch(digits) else b""


def _text(source: str) -> str:
    if source.lstrip().startswith(("{", "[")):
        return source
    try:
        return _read(source).decode("utf-8")
    except UnicodeDecodeError:
        fail(f"{source} is no JSON text")


def _read(source: str) -> bytes:
    try:
        return typer.get_binary_stream("stdin").read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        fail(f"{source!r} is neither hexadecimal text nor a file that can be read: {error.strerror}")


def _documents(text: str) -> Iterator[dict[str, object]]:
    """The JSON objects of a text that holds one, several in a row, or a list."""
    decoder = json.JSONDecoder()
    position, end = 0, len(text.rstrip())
    while position < end:
        position += len(text[position:]) - len(text[position:].lstrip())
        try:
            value, position = decoder.raw_decode(text, position)
        except ValueError as error:
            fail(f"not JSON: {error}")
        for document in value if isinstance(value, list) else [value]:
            if not isinstance(document, dict):
                fail("a message is a JSON object")
            yield document
