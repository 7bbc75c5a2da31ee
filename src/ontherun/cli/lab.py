"""ontherun lab: see and move the clock of a venue that was started with --lab."""

from typing import Annotated, Any

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, print_json
from ontherun.cli.changing import changing

app = typer.Typer(name="lab", help="Move the clock of a venue that runs with --lab.", no_args_is_help=True)

StandStill = Annotated[
    bool | None, typer.Option("--stand-still/--run", help="Whether the clock stands still there or runs on.")
]


@app.command("clock")
def show_clock(
    as_json: AsJson = False, data: Data = DEFAULT_DATA, api_url: ApiUrl = None, token_file: TokenFile = None
) -> None:
    """Show the lab clock and how far it is from the machine's."""
    _print(Api.connect(data, api_url, token_file).get("lab", "clock"), as_json=as_json)


@app.command("advance")
@changing
def advance(
    span: Annotated[str, typer.Argument(metavar="SPAN", help="4w, 1d12h, 90s")],
    back: Annotated[bool, typer.Option("--back", help="Backwards.")] = False,
    stand_still: StandStill = None,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Move the clock by a span of time."""
    move = {"advance": f"-{span}" if back else span, "stands_still": stand_still}
    _print(Api.connect(data, api_url, token_file).put("lab", "clock", body=move), as_json=as_json)


@app.command("set")
@changing
def set_time(
    at: Annotated[str, typer.Argument(metavar="TIME", help="2027-01-04T17:30")],
    zone: Annotated[str, typer.Option("--zone", help="The time zone of TIME.")] = "UTC",
    stand_still: StandStill = None,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Move the clock to a date and time."""
    move = {"at": at, "zone": zone, "stands_still": bool(stand_still)}
    _print(Api.connect(data, api_url, token_file).put("lab", "clock", body=move), as_json=as_json)


@app.command("reset")
@changing
def reset(
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Go back to the machine's time."""
    move = {"reset": True}
    _print(Api.connect(data, api_url, token_file).put("lab", "clock", body=move), as_json=as_json)


def _print(clock: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(clock)
        return
    from ontherun.keys import span_text

    name = "Lab clock" if clock["lab"] else "Clock    "
    typer.echo(f"{name}      {clock['now'][:19].replace('T', ' ')} UTC{' (stands still)' * clock['stands_still']}")
    typer.echo(f"Machine        {clock['machine_now'][:19].replace('T', ' ')} UTC")
    typer.echo(f"Difference     {span_text(clock['offset_ns'])}")
    if not clock["lab"]:
        typer.echo("It cannot be moved: start the venue with --lab for that.")
