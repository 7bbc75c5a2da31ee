"""ontherun drop-copy: create, see, change and delete Drop Copy groups."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, print_json, print_table
from ontherun.cli.changing import changing
from ontherun.cli.requests import Preview
from ontherun.cli.session_changes import LiveDate, Source, Yes, confirm, show_preview, show_request

app = typer.Typer(name="drop-copy", help="Create, see, change and delete Drop Copy groups.", no_args_is_help=True)

GroupId = Annotated[int, typer.Argument(metavar="GROUP", min=1, help="The number of the group.")]


class MarketName(StrEnum):
    """The BrokerTec markets."""

    US = "US"
    EU = "EU"


class Message(StrEnum):
    """What a group may pass on."""

    ACKS = "acks"
    EXECUTION_REPORTS = "execution-reports"
    HEARTBEATS = "heartbeats"
    MASS_ACTION_RESULTS = "mass-action-results"
    REJECTS = "rejects"
    TRADE_BUSTS = "trade-busts"


_EVERY = [Message.ACKS, Message.EXECUTION_REPORTS, Message.REJECTS, Message.TRADE_BUSTS]


@app.command("list")
def list_groups(
    as_json: AsJson = False, data: Data = DEFAULT_DATA, api_url: ApiUrl = None, token_file: TokenFile = None
) -> None:
    """List your Drop Copy groups."""
    found = Api.connect(data, api_url, token_file).every("drop-copy-groups")
    if as_json:
        print_json(found)
    elif found:
        print_table(
            ("GROUP", "NAME", "MARKET", "TARGET", "SOURCES", "KEY PAIRS", "MESSAGES"),
            (
                (
                    group["group_id"],
                    group["name"],
                    group["market"],
                    group["target"],
                    len(group["sources"]),
                    group["valid_key_pairs"],
                    " ".join(group["messages"]),
                )
                for group in found
            ),
        )
    else:
        typer.echo("There is no Drop Copy group yet. Create one with: ontherun drop-copy create")


@app.command("show")
def show_group(
    group_id: GroupId,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Show one group."""
    group = Api.connect(data, api_url, token_file).get("drop-copy-groups", str(group_id))
    if as_json:
        print_json(group)
    else:
        for name, value in group.items():
            shown = " ".join(value) if isinstance(value, list) else value
            typer.echo(f"{name.replace('_', ' ').capitalize() + ':':<20}{shown}")


@app.command("create")
@changing
def create_group(
    name: Annotated[str, typer.Option(help="Its name, unique in the entity.")],
    firm: Annotated[str, typer.Option(metavar="GFID", help="The firm that the target session logs in for.")],
    copy: Annotated[list[str], typer.Option("--copy", metavar="SESSION", help="A session to copy. Repeatable.")],
    market: Annotated[MarketName, typer.Option(help="The BrokerTec market.")] = MarketName.US,
    message: Annotated[
        list[Message] | None, typer.Option(help="What to pass on. Repeatable. [all but heartbeats and mass actions]")
    ] = None,
    front_end_system: Annotated[str, typer.Option(help="The application that reads it.")] = "",
    source: Source = None,
    live_date: LiveDate = None,
    preview: Preview = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Ask for a group. Its target session is assigned."""
    terms = {
        "name": name,
        "firm": firm,
        "market": market.value,
        "sources": copy,
        "messages": [one.value for one in message or _EVERY],
        "front_end_system": front_end_system,
        "allowed_sources": source or [],
        "live_date": live_date,
    }
    api = Api.connect(data, api_url, token_file)
    if preview:
        show_preview(api, {"kind": "create-drop-copy-group", **terms}, as_json=as_json)
    else:
        show_request(api.post("drop-copy-groups", body=terms), as_json=as_json)


@app.command("edit")
@changing
def edit_group(
    group_id: GroupId,
    name: Annotated[str | None, typer.Option(help="Its name.")] = None,
    copy: Annotated[list[str] | None, typer.Option("--copy", metavar="SESSION", help="All its sources.")] = None,
    message: Annotated[list[Message] | None, typer.Option(help="All that it passes on.")] = None,
    front_end_system: Annotated[str | None, typer.Option(help="The application that reads it.")] = None,
    live_date: LiveDate = None,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Ask for another setting of a group; what is not named stays."""
    change: dict[str, Any] = {
        "name": name,
        "sources": copy or None,
        "messages": [one.value for one in message] if message else None,
        "front_end_system": front_end_system,
        "live_date": live_date,
    }
    change = {field: value for field, value in change.items() if value is not None}
    api = Api.connect(data, api_url, token_file)
    show_request(api.patch("drop-copy-groups", str(group_id), body=change), as_json=as_json)


@app.command("delete")
@changing
def delete_group(
    group_id: GroupId,
    yes: Yes = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Ask for the end of a group, its target session and the key pairs of that."""
    api = Api.connect(data, api_url, token_file)
    confirm(api, {"kind": "delete-drop-copy-group", "group_id": group_id}, yes=yes)
    show_request(api.delete("drop-copy-groups", str(group_id)), as_json=as_json)
