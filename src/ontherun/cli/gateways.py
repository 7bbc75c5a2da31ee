"""ontherun gateway: where clients log in, and the failover from a primary to its backup."""

from typing import Annotated, Any

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, print_json, print_table
from ontherun.cli.changing import changing

app = typer.Typer(name="gateway", help="See the gateways, and have a backup take over.", no_args_is_help=True)


@app.command("list")
def list_gateways(
    as_json: AsJson = False, data: Data = DEFAULT_DATA, api_url: ApiUrl = None, token_file: TokenFile = None
) -> None:
    """List where the gateways of each market segment listen."""
    found = Api.connect(data, api_url, token_file).every("gateways")
    if as_json:
        print_json(found)
    else:
        _print(found)


@app.command("promote")
@changing
def promote(
    segment: Annotated[int, typer.Option("--segment", min=0, max=254, help="Market segment ID, for example 40.")],
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Have a segment's backup take over, as when its primary fails: every connection to the primary breaks."""
    found = Api.connect(data, api_url, token_file).post("gateways", str(segment), "promote")
    if as_json:
        print_json(found)
        return
    sessions = found["sessions"]
    typer.echo(
        f"The backup of segment {segment} is the primary; {sessions} session{'s' * (sessions != 1)} trade on there."
    )
    _print(found["gateways"])


def _print(gateways: list[dict[str, Any]]) -> None:
    print_table(
        ("SEGMENT", "ROLE", "ADDRESS"), ((at["segment"], at["role"], f"{at['host']}:{at['port']}") for at in gateways)
    )
