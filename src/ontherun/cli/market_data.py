"""ontherun market-data: create, see, change and delete Market Data sessions."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, print_json, print_table
from ontherun.cli.changing import changing
from ontherun.cli.drop_copy import MarketName
from ontherun.cli.requests import Preview
from ontherun.cli.session_changes import LiveDate, Source, Yes, confirm, show_preview, show_request
from ontherun.cli.sessions import SessionId

app = typer.Typer(name="market-data", help="Create, see, change and delete Market Data sessions.", no_args_is_help=True)


class Product(StrEnum):
    """What a session may be entitled to: the first two in the US, the others in the EU."""

    US_TREASURY_ACTIVES = "us-treasury-actives"
    US_REPO = "us-repo"
    EU_REPO = "eu-repo"
    EU_GOVERNMENT_BONDS = "eu-government-bonds"


@app.command("list")
def list_sessions(
    as_json: AsJson = False, data: Data = DEFAULT_DATA, api_url: ApiUrl = None, token_file: TokenFile = None
) -> None:
    """List your Market Data sessions."""
    found = Api.connect(data, api_url, token_file).every("market-data-sessions")
    if as_json:
        print_json(found)
    elif found:
        print_table(
            ("SESSION", "FIRM", "MARKET", "KEY PAIRS", "PRODUCTS", "LABEL"),
            (
                (
                    session["session_id"],
                    session["firm"],
                    session["market"],
                    session["valid_key_pairs"],
                    " ".join(session["products"]),
                    session["label"],
                )
                for session in found
            ),
        )
    else:
        typer.echo("There is no Market Data session yet. Create one with: ontherun market-data create")


@app.command("show")
def show_session(
    session_id: SessionId,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Show one session."""
    session = Api.connect(data, api_url, token_file).get("market-data-sessions", session_id)
    if as_json:
        print_json(session)
    else:
        for name, value in session.items():
            shown = " ".join(value) if isinstance(value, list) else value
            typer.echo(f"{name.replace('_', ' ').capitalize() + ':':<20}{shown}")


@app.command("create")
@changing
def create_sessions(
    firm: Annotated[str, typer.Option(metavar="GFID", help="The Globex firm.")],
    product: Annotated[list[Product], typer.Option(help="What it is entitled to. Repeatable.")],
    market: Annotated[MarketName, typer.Option(help="The BrokerTec market.")] = MarketName.US,
    number: Annotated[int, typer.Option("--number", "-n", min=1, max=15, help="How many sessions.")] = 1,
    label: Annotated[str, typer.Option(help="A name for people.")] = "",
    front_end_system: Annotated[str, typer.Option(help="The application that reads it.")] = "",
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
        "firm": firm,
        "market": market.value,
        "products": [one.value for one in product],
        "number_of_sessions": number,
        "label": label,
        "front_end_system": front_end_system,
        "allowed_sources": source or [],
        "live_date": live_date,
    }
    api = Api.connect(data, api_url, token_file)
    if preview:
        show_preview(api, {"kind": "create-market-data-sessions", **terms}, as_json=as_json)
    else:
        show_request(api.post("market-data-sessions", body=terms), as_json=as_json)


@app.command("edit")
@changing
def edit_session(
    session_id: SessionId,
    product: Annotated[list[Product] | None, typer.Option(help="All that it is entitled to.")] = None,
    label: Annotated[str | None, typer.Option(help="A name for people.")] = None,
    notes: Annotated[str | None, typer.Option(help="What your colleagues should know.")] = None,
    front_end_system: Annotated[str | None, typer.Option(help="The application that reads it.")] = None,
    live_date: LiveDate = None,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Ask for another setting of a session; what is not named stays."""
    change: dict[str, Any] = {
        "products": [one.value for one in product] if product else None,
        "label": label,
        "notes": notes,
        "front_end_system": front_end_system,
        "live_date": live_date,
    }
    change = {field: value for field, value in change.items() if value is not None}
    api = Api.connect(data, api_url, token_file)
    show_request(api.patch("market-data-sessions", session_id, body=change), as_json=as_json)


@app.command("delete")
@changing
def delete_session(
    session_id: SessionId,
    yes: Yes = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Ask for the end of a session and its key pairs."""
    api = Api.connect(data, api_url, token_file)
    confirm(api, {"kind": "delete-market-data-session", "session_id": session_id}, yes=yes)
    show_request(api.delete("market-data-sessions", session_id), as_json=as_json)
