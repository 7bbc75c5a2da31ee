"""ontherun market-data: create, see, change and delete Market Data sessions."""

from enum import StrEnum
from typing import Annotated

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, print_list, print_record
from ontherun.cli.asking import AnySource, LiveDate, Preview, Source, Yes, ask, tell
from ontherun.cli.changing import changing
from ontherun.cli.drop_copy import MarketName
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
    print_list(
        Api.connect(data, api_url, token_file).every("market-data-sessions"),
        ("SESSION", "FIRM", "MARKET", "KEY PAIRS", "PRODUCTS", "LABEL"),
        lambda session: (
            session["session_id"],
            session["firm"],
            session["market"],
            session["valid_key_pairs"],
            " ".join(session["products"]),
            session["label"],
        ),
        "There is no Market Data session yet. Create one with: ontherun market-data create",
        as_json=as_json,
    )


@app.command("show")
def show_session(
    session_id: SessionId,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Show one session."""
    print_record(Api.connect(data, api_url, token_file).get("market-data-sessions", session_id), as_json=as_json)


@app.command("create")
@changing
def create_sessions(
    firm: Annotated[str, typer.Option(metavar="GFID", help="The Globex firm.")],
    product: Annotated[list[Product], typer.Option(help="What it is entitled to. Repeatable.")],
    market: Annotated[MarketName, typer.Option(help="The BrokerTec market.")] = MarketName.US,
    number: Annotated[int, typer.Option("--number", "-n", min=1, max=15, help="How many sessions.")] = 1,
    label: Annotated[str, typer.Option(help="A name for people.")] = "",
    notes: Annotated[str, typer.Option(help="What your colleagues should know.")] = "",
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
    request = ask(
        Api.connect(data, api_url, token_file),
        "create-market-data-sessions",
        preview=preview,
        as_json=as_json,
        firm=firm,
        market=market.value,
        products=[one.value for one in product],
        number_of_sessions=number,
        label=label,
        notes=notes,
        front_end_system=front_end_system,
        allowed_sources=source or None,
        live_date=live_date,
    )
    tell(request)


@app.command("edit")
@changing
def edit_session(
    session_id: SessionId,
    product: Annotated[list[Product] | None, typer.Option(help="All that it is entitled to.")] = None,
    label: Annotated[str | None, typer.Option(help="A name for people.")] = None,
    notes: Annotated[str | None, typer.Option(help="What your colleagues should know.")] = None,
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
    """Ask for another setting of a session; what is not named stays."""
    request = ask(
        Api.connect(data, api_url, token_file),
        "change-market-data-session",
        preview=preview,
        as_json=as_json,
        session_id=session_id,
        products=[one.value for one in product] if product else None,
        label=label,
        notes=notes,
        front_end_system=front_end_system,
        allowed_sources=[] if any_source else source or None,
        live_date=live_date,
    )
    tell(request)


@app.command("delete")
@changing
def delete_session(
    session_id: SessionId,
    live_date: LiveDate = None,
    yes: Yes = False,
    preview: Preview = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Ask for the end of a session and its key pairs."""
    request = ask(
        Api.connect(data, api_url, token_file),
        "delete-market-data-session",
        preview=preview,
        as_json=as_json,
        sure=yes,
        session_id=session_id,
        live_date=live_date,
    )
    tell(request)
