"""ontherun demo: two firms log in to a venue of their own, trade, and the conversation is shown."""

from typing import Annotated

import typer


def demo(
    as_json: Annotated[bool, typer.Option("--json", help="Print each message as a line of JSON.")] = False,
) -> None:
    """Start a venue in a temporary place, log two firms in, trade, and show the conversation message by message."""
    from ontherun.cli import story

    raise typer.Exit(story.run(as_json))
