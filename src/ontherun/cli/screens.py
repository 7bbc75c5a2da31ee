"""How a conversation is shown: in colours for people, or as lines of JSON for programs."""

import json
import re
import sys
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ontherun.cli.program import program
from ontherun.client import Venue
from ontherun.client.conversation import Mood, describe
from ontherun.ilink.messages import decode
from ontherun.sbe.readable import to_dict

WIDTH: Final = 110
_COLOURS: Final = {
    Mood.ASKS: "",
    Mood.AGREES: "green",
    Mood.TRADES: "bold yellow",
    Mood.REFUSES: "red",
    Mood.KEEPS_ALIVE: "dim",
}
_FIRMS: Final = ("cyan", "magenta")
_OUTSIDE: Final = re.compile(r"@font-face \{.*?\}\s*|<!--.*?-->\s*", re.DOTALL)
"""What would make a picture fetch its font from elsewhere, and who drew it."""

_NAME: Final = len("ExecutionReportTradeOutright")


class Sighting(NamedTuple):
    """A frame that went by: `sent` by the firm to the venue, or received from it."""

    firm: str
    sent: bool
    frame: bytes


class Screen(Protocol):
    """Where a conversation is shown."""

    def begin(self, venue: Venue) -> None:
        """The venue runs."""

    def scene(self, title: str, seen: list[Sighting]) -> None:
        """Something has happened, and these messages went by."""

    def end(self) -> None:
        """The venue has stopped."""


class RichScreen:
    """For people: who says what to whom, in 110 columns or what the terminal has; `svg` gets a picture of it."""

    def __init__(self, svg: Path | None = None) -> None:
        self._svg = svg
        console = Console(highlight=False)
        width = min(WIDTH, console.width) if console.is_terminal and svg is None else WIDTH
        self._console = Console(highlight=False, width=width, record=svg is not None)
        utf8 = console.encoding.lower().startswith("utf")
        self._to, self._from = ("─▶", "◀─") if utf8 else ("->", "<-")
        self._scenes = 0
        self._colours: dict[str, str] = {}

    def begin(self, venue: Venue) -> None:
        """Say where the venue runs and how to read what follows."""
        gateway = venue.gateway()
        self._console.print(
            f"[bold]ontherun demo[/bold]  a venue on this machine: portal {venue.portal_url}, "
            f"iLink 3 gateway {gateway.host}:{gateway.port}\n"
            f"[dim]Each line is a message on the wire: who, to ({self._to}) or from ({self._from}) the venue, "
            "its name, its number, what it says.[/dim]"
        )
        self._instruments = venue.instruments
        self._colours = {demo.firm: colour for demo, colour in zip(venue.demo, _FIRMS, strict=False)}

    def scene(self, title: str, seen: list[Sighting]) -> None:
        """Print a heading and a line for each message."""
        self._scenes += 1
        self._console.print(f"\n[bold]{self._scenes}  {title}[/bold]")
        self._console.print(self._lines(seen))

    def _lines(self, seen: list[Sighting]) -> Table:
        table = Table.grid(padding=(0, 1, 0, 0))
        table.add_column(width=2)
        table.add_column(width=5)
        table.add_column(width=2)
        table.add_column(width=_NAME, no_wrap=True)
        table.add_column(width=2, justify="right", style="dim")
        table.add_column(overflow="fold")
        for firm, sent, frame in seen:
            line = describe(decode(frame), self._instruments)
            colour = self._colours.get(firm, "red")
            style = _COLOURS[line.mood]
            table.add_row(
                "",
                Text(firm, colour),
                Text(self._to if sent else self._from, colour),
                Text(line.name, style),
                "" if line.number is None else str(line.number),
                Text(line.words, style),
            )
        return table

    def end(self) -> None:
        """Say what to do next."""
        self._console.print(
            f"\nThe venue has stopped and nothing is left behind. Start one that stays: [bold]{program()} up[/bold]"
        )
        if self._svg is not None:
            picture = self._console.export_svg(title="ontherun demo", unique_id="demo")
            self._svg.write_text(_OUTSIDE.sub("", picture), encoding="utf-8")


class JsonScreen:
    """For programs: one JSON object a line, "scene" or "message"."""

    def begin(self, venue: Venue) -> None:
        """Print where the venue runs."""
        gateway = venue.gateway()
        self._print({"portal_url": venue.portal_url, "gateway": f"{gateway.host}:{gateway.port}"})

    def scene(self, title: str, seen: list[Sighting]) -> None:
        """Print the scene and its messages."""
        self._print({"scene": title})
        for firm, sent, frame in seen:
            message = decode(frame)
            words = describe(message).words
            ends = {"from": firm if sent else "venue", "to": "venue" if sent else firm}
            self._print({**ends, **to_dict(message), "words": words, "frame": frame.hex()})

    def end(self) -> None:
        """Nothing to add."""

    @staticmethod
    def _print(values: dict[str, object]) -> None:
        sys.stdout.write(json.dumps(values) + "\n")
