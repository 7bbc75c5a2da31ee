"""Frames as JSON, and JSON as frames.

python -m ontherun.ilink [HEX ...]       print each frame as a line of JSON; without HEX, read hexadecimal from stdin
python -m ontherun.ilink --encode        read lines of JSON from stdin, print each message's frame in hexadecimal

Hexadecimal may hold several frames one after the other, and white space anywhere.
"""

import sys

from ontherun.ilink.messages import BY_TEMPLATE, decode
from ontherun.sbe.errors import SbeError
from ontherun.sbe.framing import Framer
from ontherun.sbe.readable import from_json, to_json


def main(arguments: list[str]) -> int:
    """Run the command; return the exit status."""
    if arguments and arguments[0].startswith("-") and arguments != ["--encode"]:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    try:
        if arguments == ["--encode"]:
            for line in filter(str.strip, sys.stdin):
                sys.stdout.write(f"{from_json(line, BY_TEMPLATE).encode().hex()}\n")
        else:
            _print_frames("".join(arguments) or sys.stdin.read())
    except (SbeError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _print_frames(hexadecimal: str) -> None:
    framer = Framer()
    for frame in framer.feed(bytes.fromhex("".join(hexadecimal.split()))):
        sys.stdout.write(f"{to_json(decode(frame))}\n")
    if framer.pending:
        raise ValueError(f"{framer.pending} bytes at the end are no whole frame")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
