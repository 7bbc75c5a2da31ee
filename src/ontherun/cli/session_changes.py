"""ontherun session create, edit, delete, protocol, clone, import and export: each of them submits a request."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, fail, print_json
from ontherun.cli.changing import changing
from ontherun.cli.requests import Preview, print_preview, print_request
from ontherun.cli.sessions import SessionId, print_session

LiveDate = Annotated[
    str | None, typer.Option("--live-date", metavar="YYYY-MM-DD", help="The earliest day, Central time.")
]
Source = Annotated[
    list[str] | None,
    typer.Option("--source", metavar="CIDR", help="A network from which it may log in. Repeatable. [anywhere]"),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


class FileFormat(StrEnum):
    """The forms of an export."""

    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"


class ProtocolName(StrEnum):
    """The protocols of a session."""

    FIXP = "FIXP"
    FIX = "FIX"


def create_session(
    firm: Annotated[list[str], typer.Option(metavar="GFID", help="A Globex firm, the primary one first. Repeatable.")],
    segment: Annotated[list[int] | None, typer.Option(metavar="ID", help="A market segment. Repeatable. [40]")] = None,
    number: Annotated[int, typer.Option("--number", "-n", min=1, max=1000, help="How many sessions.")] = 1,
    cancel_on_disconnect: Annotated[
        bool,
        typer.Option(
            help="Whether resting day orders go when the connection is lost. Kept; the gateways do not act on it yet."
        ),
    ] = True,
    label: Annotated[str, typer.Option(help="A name for people.")] = "",
    notes: Annotated[str, typer.Option(help="What your colleagues should know.")] = "",
    front_end_system: Annotated[str, typer.Option(help="The application that uses it.")] = "",
    source: Source = None,
    live_date: LiveDate = None,
    preview: Preview = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Ask for new sessions. Their Session IDs are assigned."""
    terms = {
        "firms": firm,
        "market_segments": segment or [40],
        "number_of_sessions": number,
        "cancel_on_disconnect": cancel_on_disconnect,
        "label": label,
        "notes": notes,
        "front_end_system": front_end_system,
        "allowed_sources": source or [],
        "live_date": live_date,
    }
    api = Api.connect(data, api_url, token_file)
    if preview:
        show_preview(api, {"kind": "create-sessions", **terms}, as_json=as_json)
    else:
        _show_new(api, api.post("sessions", body=terms), as_json=as_json)


def edit_session(
    session_id: SessionId,
    firm: Annotated[
        list[str] | None, typer.Option(metavar="GFID", help="All its firms, the primary one first.")
    ] = None,
    segment: Annotated[list[int] | None, typer.Option(metavar="ID", help="All its market segments.")] = None,
    cancel_on_disconnect: Annotated[bool | None, typer.Option(help="Whether orders go with the connection.")] = None,
    label: Annotated[str | None, typer.Option(help="A name for people.")] = None,
    notes: Annotated[str | None, typer.Option(help="What your colleagues should know.")] = None,
    front_end_system: Annotated[str | None, typer.Option(help="The application that uses it.")] = None,
    source: Source = None,
    any_source: Annotated[bool, typer.Option("--any-source", help="It may log in from anywhere.")] = False,
    live_date: LiveDate = None,
    preview: Preview = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Ask for another setting of a session; what is not named stays."""
    change: dict[str, Any] = {
        "firms": firm or None,
        "market_segments": segment or None,
        "cancel_on_disconnect": cancel_on_disconnect,
        "label": label,
        "notes": notes,
        "front_end_system": front_end_system,
        "allowed_sources": [] if any_source else source or None,
        "live_date": live_date,
    }
    change = {name: value for name, value in change.items() if value is not None}
    api = Api.connect(data, api_url, token_file)
    if preview:
        show_preview(api, {"kind": "change-session", "session_id": session_id, **change}, as_json=as_json)
    else:
        show_request(api.patch("sessions", session_id, body=change), as_json=as_json)


def delete_session(
    session_id: SessionId,
    end_session: Annotated[bool, typer.Option("--end-session", help="End its open connection as well.")] = False,
    yes: Yes = False,
    preview: Preview = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Ask for the end of a session and its key pairs. Its Session ID is never given again."""
    api = Api.connect(data, api_url, token_file)
    terms = {"kind": "delete-session", "session_id": session_id, "end_session": end_session}
    if preview:
        show_preview(api, terms, as_json=as_json)
        return
    confirm(api, terms, yes=yes)
    show_request(api.delete("sessions", session_id, end_session=end_session), as_json=as_json)


def set_protocol(
    session_id: SessionId,
    protocol: Annotated[ProtocolName, typer.Argument(help="FIXP is binary. FIX is kept; BrokerTec does not speak it.")],
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Ask for another protocol of a session."""
    api = Api.connect(data, api_url, token_file)
    show_request(api.put("sessions", session_id, "protocol", body={"protocol": protocol.value}), as_json=as_json)


def clone_session(
    session_id: SessionId,
    number: Annotated[int, typer.Option("--number", "-n", min=1, max=1000, help="How many sessions.")] = 1,
    label: Annotated[str | None, typer.Option(help="Another name. [that of the first]")] = None,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Ask for more sessions like one, with ids of their own and without its key pairs."""
    api = Api.connect(data, api_url, token_file)
    body = {"number_of_sessions": number, "label": label}
    _show_new(api, api.post("sessions", session_id, "clone", body=body), as_json=as_json)


def import_sessions(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV in UTF-8; docs/sessions.md names the columns.")],
    preview: Preview = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Ask for the sessions of a CSV file: all of them or none."""
    try:
        content = file.read_bytes()
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}.")
    api = Api.connect(data, api_url, token_file)
    if preview:
        found = api.send_csv("session-import", "preview", content=content)
        print_json(found) if as_json else print_preview(found)
    else:
        _show_new(api, api.send_csv("session-import", content=content), as_json=as_json)


def export_sessions(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write.")],
    file_format: Annotated[FileFormat, typer.Option("--format", help="How it is written.")] = FileFormat.CSV,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE when it is there.")] = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Write your sessions to a file. The CSV can be imported again."""
    if file.exists() and not force:
        fail(f"{file} is there already. Choose another file, or replace it with --force.")
    content = Api.connect(data, api_url, token_file).file("session-export", format=file_format.value)
    try:
        file.write_bytes(content)
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror}.")
    typer.echo(f"{file} holds your sessions.")


_CHANGES: dict[str, Callable[..., None]] = {
    "create": create_session,
    "edit": edit_session,
    "delete": delete_session,
    "protocol": set_protocol,
    "clone": clone_session,
    "import": import_sessions,
}


def add_to(app: typer.Typer) -> None:
    """Add these commands to `ontherun session`."""
    for name, command in _CHANGES.items():
        app.command(name)(changing(command))
    app.command("export")(export_sessions)


def show_preview(api: Api, terms: dict[str, Any], *, as_json: bool) -> None:
    """Show what a request would do."""
    found = api.post("request-preview", body=terms)
    if as_json:
        print_json(found)
    else:
        print_preview(found)


def show_request(request: dict[str, Any], *, as_json: bool) -> None:
    """Show what became of a request."""
    if as_json:
        print_json(request)
    else:
        print_request(request)


def confirm(api: Api, terms: dict[str, Any], *, yes: bool) -> None:
    """Ask whether what cannot be undone shall happen."""
    if yes:
        return
    found = api.post("request-preview", body=terms)
    for effect in found["effects"]:
        typer.echo(effect, err=True)
    typer.confirm(f"{found['summary']}?", abort=True, err=True)


def _show_new(api: Api, request: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(request)
    elif request["status"] == "Completed" and len(request["session_ids"]) == 1:
        (session_id,) = request["session_ids"]
        print_session(api.get("sessions", session_id))
        typer.echo(f"It logs in once it has a key pair: ontherun key generate {session_id}")
    else:
        print_request(request)
