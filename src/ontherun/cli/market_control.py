"""ontherun week, ontherun controls: the trading week of a running venue, and how much its sessions may send."""

from typing import Annotated, Any

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, print_json
from ontherun.cli.changing import changing

week = typer.Typer(name="week", help="See the trading week, or begin the next one.", no_args_is_help=True)
controls = typer.Typer(name="controls", help="See and set how much sessions may send.", no_args_is_help=True)

Limit = Annotated[str | None, typer.Option(metavar="REJECT/LOGOUT", help="Messages a second, such as 500/750.")]


@week.command("show")
def show_week(
    as_json: AsJson = False, data: Data = DEFAULT_DATA, api_url: ApiUrl = None, token_file: TokenFile = None
) -> None:
    """Show when the trading week of each market segment began, and when the next one begins."""
    _print_weeks(Api.connect(data, api_url, token_file).get("week"), as_json=as_json)


@week.command("start")
@changing
def start_week(
    as_json: AsJson = False, data: Data = DEFAULT_DATA, api_url: ApiUrl = None, token_file: TokenFile = None
) -> None:
    """Begin a new trading week now: sessions are ended, Day orders go, numbers begin at 1. For the operator."""
    _print_weeks(Api.connect(data, api_url, token_file).post("week"), as_json=as_json)


@controls.command("show")
def show_controls(
    as_json: AsJson = False, data: Data = DEFAULT_DATA, api_url: ApiUrl = None, token_file: TokenFile = None
) -> None:
    """Show how many messages a second a session may send, averaged over 3 s."""
    _print_controls(Api.connect(data, api_url, token_file).get("messaging-controls"), as_json=as_json)


@controls.command("set")
@changing
def set_controls(
    common: Limit = None,
    common_closed: Limit = None,
    cancel: Limit = None,
    mass_quote: Limit = None,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Change limits, at once; what is not named stays. For the operator of the venue."""
    api = Api.connect(data, api_url, token_file)
    given = {"common": common, "common_closed": common_closed, "cancel": cancel, "mass_quote": mass_quote}
    limits = api.get("messaging-controls") | {name: _limits(text) for name, text in given.items() if text is not None}
    _print_controls(api.put("messaging-controls", body=limits), as_json=as_json)


def _limits(text: str) -> dict[str, int]:
    reject, _, logout = text.partition("/")
    if not (reject.isdecimal() and logout.isdecimal()):
        raise typer.BadParameter(f"{text!r} is not REJECT/LOGOUT, such as 500/750")
    return {"reject": int(reject), "logout": int(logout)}


def _print_weeks(found: Any, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    for one in found["segments"]:
        began, following = (one[name][:16].replace("T", " ") for name in ("began_at", "next_at"))
        typer.echo(f"Segment {one['segment']}: this week began {began} UTC, the next one begins {following} UTC")


def _print_controls(found: Any, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    typer.echo(f"{'Messages a second':<19}{'refused above':>14}{'logged out above':>18}")
    for name, limits in found.items():
        typer.echo(f"{name.replace('_', ' '):<19}{limits['reject']:>14}{limits['logout']:>18}")
