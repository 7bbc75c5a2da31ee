"""ontherun session create, edit, delete, protocol, clone, import and export: each of them submits a request."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, fail, print_json
from ontherun.cli.asking import (
    AnySource,
    FileFormat,
    LiveDate,
    Preview,
    Source,
    Yes,
    ask,
    export,
    print_preview,
    print_request,
    tell,
)
from ontherun.cli.changing import changing
from ontherun.cli.sessions import SessionId, print_session


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
    api = Api.connect(data, api_url, token_file)
    request = ask(
        api,
        "create-sessions",
        preview=preview,
        as_json=as_json,
        firms=firm,
        market_segments=segment or [40],
        number_of_sessions=number,
        cancel_on_disconnect=cancel_on_disconnect,
        label=label,
        notes=notes,
        front_end_system=front_end_system,
        allowed_sources=source or None,
        live_date=live_date,
    )
    _tell_new(api, request)


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
    any_source: AnySource = False,
    live_date: LiveDate = None,
    preview: Preview = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Ask for another setting of a session; what is not named stays."""
    request = ask(
        Api.connect(data, api_url, token_file),
        "change-session",
        preview=preview,
        as_json=as_json,
        session_id=session_id,
        firms=firm or None,
        market_segments=segment or None,
        cancel_on_disconnect=cancel_on_disconnect,
        label=label,
        notes=notes,
        front_end_system=front_end_system,
        allowed_sources=[] if any_source else source or None,
        live_date=live_date,
    )
    tell(request)


def delete_session(
    session_id: SessionId,
    end_session: Annotated[bool, typer.Option("--end-session", help="End its open connection as well.")] = False,
    live_date: LiveDate = None,
    yes: Yes = False,
    preview: Preview = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Ask for the end of a session and its key pairs. Its Session ID is never given again."""
    request = ask(
        Api.connect(data, api_url, token_file),
        "delete-session",
        preview=preview,
        as_json=as_json,
        sure=yes,
        session_id=session_id,
        end_session=end_session,
        live_date=live_date,
    )
    tell(request)


def set_protocol(
    session_id: SessionId,
    protocol: Annotated[ProtocolName, typer.Argument(help="FIXP is binary. FIX is kept; BrokerTec does not speak it.")],
    live_date: LiveDate = None,
    preview: Preview = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Ask for another protocol of a session."""
    request = ask(
        Api.connect(data, api_url, token_file),
        "set-protocol",
        preview=preview,
        as_json=as_json,
        session_id=session_id,
        protocol=protocol.value,
        live_date=live_date,
    )
    tell(request)


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
    request = api.post("sessions", session_id, "clone", body=body)
    print_json(request) if as_json else _tell_new(api, request)


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
        request = api.send_csv("session-import", content=content)
        print_json(request) if as_json else _tell_new(api, request)


def export_sessions(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write.")],
    file_format: Annotated[FileFormat, typer.Option("--format", help="How it is written.")] = FileFormat.CSV,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE when it is there.")] = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Write your sessions to a file. The CSV can be imported again."""
    export(Api.connect(data, api_url, token_file), "session-export", file, file_format, force=force)
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


def _tell_new(api: Api, request: dict[str, Any] | None) -> None:
    if request is None:
        return
    if request["status"] == "Completed" and len(request["session_ids"]) == 1:
        (session_id,) = request["session_ids"]
        print_session(api.get("sessions", session_id))
        typer.echo(f"It logs in once it has a key pair: ontherun key generate {session_id}")
    else:
        print_request(request)
