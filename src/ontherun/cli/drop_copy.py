"""ontherun drop-copy: create, see, change and delete Drop Copy groups."""

from enum import StrEnum
from typing import Annotated

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, print_list, print_record
from ontherun.cli.asking import AnySource, LiveDate, Preview, Source, Yes, ask, tell
from ontherun.cli.changing import changing

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
    print_list(
        Api.connect(data, api_url, token_file).every("drop-copy-groups"),
        ("GROUP", "NAME", "MARKET", "TARGET", "SOURCES", "KEY PAIRS", "MESSAGES"),
        lambda group: (
            group["group_id"],
            group["name"],
            group["market"],
            group["target"],
            len(group["sources"]),
            group["valid_key_pairs"],
            " ".join(group["messages"]),
        ),
        "There is no Drop Copy group yet. Create one with: ontherun drop-copy create",
        as_json=as_json,
    )


@app.command("show")
def show_group(
    group_id: GroupId,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Show one group."""
    print_record(Api.connect(data, api_url, token_file).get("drop-copy-groups", str(group_id)), as_json=as_json)


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
    request = ask(
        Api.connect(data, api_url, token_file),
        "create-drop-copy-group",
        preview=preview,
        as_json=as_json,
        name=name,
        firm=firm,
        market=market.value,
        sources=copy or None,
        messages=[one.value for one in message or _EVERY],
        front_end_system=front_end_system,
        allowed_sources=source or None,
        live_date=live_date,
    )
    tell(request)


@app.command("edit")
@changing
def edit_group(
    group_id: GroupId,
    name: Annotated[str | None, typer.Option(help="Its name.")] = None,
    copy: Annotated[list[str] | None, typer.Option("--copy", metavar="SESSION", help="All its sources.")] = None,
    message: Annotated[list[Message] | None, typer.Option(help="All that it passes on.")] = None,
    front_end_system: Annotated[str | None, typer.Option(help="The application that reads it.")] = None,
    source: Source = None,
    any_source: AnySource = False,
    live_date: LiveDate = None,
    preview: Preview = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Ask for another setting of a group; what is not named stays."""
    request = ask(
        Api.connect(data, api_url, token_file),
        "change-drop-copy-group",
        preview=preview,
        as_json=as_json,
        group_id=group_id,
        name=name,
        sources=copy or None,
        messages=[one.value for one in message] if message else None,
        front_end_system=front_end_system,
        allowed_sources=[] if any_source else source or None,
        live_date=live_date,
    )
    tell(request)


@app.command("delete")
@changing
def delete_group(
    group_id: GroupId,
    live_date: LiveDate = None,
    yes: Yes = False,
    preview: Preview = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Ask for the end of a group, its target session and the key pairs of that."""
    request = ask(
        Api.connect(data, api_url, token_file),
        "delete-drop-copy-group",
        preview=preview,
        as_json=as_json,
        sure=yes,
        group_id=group_id,
        live_date=live_date,
    )
    tell(request)
