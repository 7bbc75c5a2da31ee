"""ontherun market: the states of the markets, and what the operator does to them."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, print_json, print_table
from ontherun.cli.changing import changing

app = typer.Typer(name="market", help="See the markets; set states, cancel orders and trades.", no_args_is_help=True)


class State(StrEnum):
    """The states of a market."""

    PRE_OPEN = "pre-open"
    OPEN = "open"
    PAUSE = "pause"
    POST_CLOSE = "post-close"
    CLOSED = "closed"


Segment = Annotated[int, typer.Option("--segment", min=0, max=254, help="Market segment ID.")]
Trade = Annotated[int, typer.Argument(metavar="TRADE", help="OrderEventExecID (1797) of both sides' reports.")]


@app.command("list")
def list_markets(
    as_json: AsJson = False, data: Data = DEFAULT_DATA, api_url: ApiUrl = None, token_file: TokenFile = None
) -> None:
    """List the market segments with their states, and what their hours do next."""
    found = Api.connect(data, api_url, token_file).every("markets")
    if as_json:
        print_json(found)
    else:
        _print(found)


@app.command("instruments")
def show_instruments() -> None:
    """Print the seven benchmarks as a file to edit, for ontherun up --instruments."""
    from ontherun.market.benchmarks import BENCHMARKS
    from ontherun.market.reference_data import write_instruments

    typer.echo(write_instruments(BENCHMARKS), nl=False)


@app.command("state")
@changing
def set_state(
    state: State,
    segment: Segment = 40,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Put a market into a state, until its hours set another."""
    _do(Api.connect(data, api_url, token_file), segment, {"do": "set-state", "state": state.value}, as_json=as_json)


@app.command("end-day")
@changing
def end_day(
    segment: Segment = 40,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Eliminate the day orders, and the GTD orders whose date has come."""
    _do(Api.connect(data, api_url, token_file), segment, {"do": "end-day"}, as_json=as_json)


@app.command("new-on-the-run")
@changing
def new_on_the_run(
    security_id: Annotated[int, typer.Argument(metavar="SECURITY_ID", min=1)],
    segment: Segment = 40,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """The next security of a tenor is on-the-run: the GTC and GTD orders of this instrument end."""
    command = {"do": "new-on-the-run", "security_id": security_id}
    _do(Api.connect(data, api_url, token_file), segment, command, as_json=as_json)


@app.command("cancel-order")
@changing
def cancel_order(
    order_id: Annotated[int, typer.Argument(metavar="ORDER_ID", min=1)],
    restatement: Annotated[
        int, typer.Option("--restatement", min=0, max=254, help="ExecRestatementReason (378).")
    ] = 111,
    segment: Segment = 40,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Cancel a working order that nobody asked to cancel."""
    command = {"do": "cancel-order", "order_id": order_id, "restatement_reason": restatement}
    _do(Api.connect(data, api_url, token_file), segment, command, as_json=as_json)


@app.command("cancel-trade")
@changing
def cancel_trade(
    trade: Trade,
    segment: Segment = 40,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Cancel a trade: both sides get ExecutionReportTradeAddendumOutright (548) with H."""
    _do(Api.connect(data, api_url, token_file), segment, {"do": "cancel-trade", "trade": trade}, as_json=as_json)


@app.command("correct-trade")
@changing
def correct_trade(
    trade: Trade,
    price: Annotated[str, typer.Argument(metavar="PRICE", help="In 32nds, 99-16+, or decimal.")],
    quantity: Annotated[int, typer.Argument(metavar="QUANTITY", min=1)],
    segment: Segment = 40,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Correct a trade to another price and quantity: both sides get 548 with G."""
    command = {"do": "correct-trade", "trade": trade, "price": price, "quantity": quantity}
    _do(Api.connect(data, api_url, token_file), segment, command, as_json=as_json)


def _do(api: Api, segment: int, command: dict[str, Any], *, as_json: bool) -> None:
    done = api.post("markets", str(segment), "commands", body=command)
    if as_json:
        print_json(done)
        return
    if done["trade"] is not None:
        typer.echo(f"The trade is {done['trade']} now.")
    else:
        typer.echo(f"Done; reports sent: {done['reports']}.")
    _print([done["market"]])


def _print(markets: list[dict[str, Any]]) -> None:
    rows = []
    for market in markets:
        coming = market["next"]
        following = "" if coming is None else f"{coming['state']} at {coming['at']}"
        rows.append((market["segment"], market["state"], market["trade_date"] or "", following))
    print_table(("SEGMENT", "STATE", "TRADE DATE", "NEXT"), rows)
