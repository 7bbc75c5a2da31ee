"""ontherun demo: two firms log in to a venue of their own, trade, and the conversation is shown."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    as_json: Annotated[bool, typer.Option("--json", help="Print each message as a line of JSON.")] = False,
    svg: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Save a picture of it, too.")] = None,
) -> None:
    """Start a venue in a temporary place, log two firms in, trade, and show the conversation message by message."""
    from ontherun.cli import story
    from ontherun.cli.screens import JsonScreen, RichScreen

    raise typer.Exit(story.run(JsonScreen() if as_json else RichScreen(svg)))
