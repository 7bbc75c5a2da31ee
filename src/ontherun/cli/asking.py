"""How commands ask for something: shown beforehand, confirmed where it cannot be undone, and submitted."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ontherun.cli.api import Api, day, fail, print_json

Preview = Annotated[bool, typer.Option("--preview", help="Show what it would do and when; ask for nothing.")]
LiveDate = Annotated[
    str | None, typer.Option("--live-date", metavar="YYYY-MM-DD", help="The earliest day, Central time.")
]
Source = Annotated[
    list[str] | None,
    typer.Option("--source", metavar="CIDR", help="A network from which it may log in. Repeatable. [anywhere]"),
]
AnySource = Annotated[bool, typer.Option("--any-source", help="It may log in from anywhere.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


class FileFormat(StrEnum):
    """The forms of an export."""

    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"


def ask(api: Api, kind: str, *, preview: bool, as_json: bool, sure: bool = True, **terms: Any) -> dict[str, Any] | None:
    """Submit a request of any kind, or show what it would do; what is None is left out of `terms`.

    Not `sure`: its effects are shown, and somebody has to agree. Return the request, unless it was printed.
    """
    asked = {"kind": kind, **{name: value for name, value in terms.items() if value is not None}}
    if preview:
        found = api.post("request-preview", body=asked)
        print_json(found) if as_json else print_preview(found)
        return None
    if not sure:
        found = api.post("request-preview", body=asked)
        for effect in found["effects"]:
            typer.echo(effect, err=True)
        typer.confirm(f"{found['summary']}?", abort=True, err=True)
    request: dict[str, Any] = api.post("requests", body=asked)
    if not as_json:
        return request
    print_json(request)
    return None


def tell(request: dict[str, Any] | None) -> None:
    """Print what became of a request, unless it was printed."""
    if request is not None:
        print_request(request)


def print_request(request: dict[str, Any]) -> None:
    """Print what became of a request."""
    typer.echo(f"Request {request['request_id']} is {request['status']}: {request['summary']}.")
    if request["reason"]:
        typer.echo(f"Reason: {request['reason']}")
    if request["status"] == "Pending Approval":
        typer.echo(f"Another person approves it: ontherun request approve {request['request_id']}")
    elif request["status"] == "In-Progress":
        typer.echo(f"It is carried out on {day(request['effective_at'])} UTC. {_in(request['seconds_left'])}")
    elif request["session_ids"]:
        typer.echo(f"Sessions: {' '.join(request['session_ids'])}")


def print_preview(preview: dict[str, Any]) -> None:
    """Print what a request would do."""
    typer.echo(f"{preview['summary']}.")
    for effect in preview["effects"]:
        typer.echo(f"  {effect}")
    if preview["fee_text"]:
        typer.echo(f"  {preview['fee_text']}")
    if preview["needs_approval"]:
        typer.echo("  Another person has to approve it first.")
    when = "at once" if not preview["seconds_left"] else f"on {day(preview['effective_at'])} UTC"
    typer.echo(f"Submitted now, it is carried out {when}. Nothing was asked for yet.")


def export(api: Api, what: str, file: Path, file_format: FileFormat, *, force: bool) -> None:
    """Write an export of the API into a file, which is there already only with `force`."""
    if file.exists() and not force:
        fail(f"{file} is there already. Choose another file, or replace it with --force.")
    content = api.file(what, format=file_format.value)
    try:
        file.write_bytes(content)
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror}.")


def _in(seconds: int) -> str:
    hours, minutes = divmod(seconds // 60, 60)
    return f"That is in {hours} h {minutes} min."
