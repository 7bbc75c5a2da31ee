"""ontherun policy: see and set how the venue treats requests, and how many sessions an entity may have."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, day, print_json
from ontherun.cli.changing import changing

app = typer.Typer(name="policy", help="See and set how the venue treats requests.", no_args_is_help=True)


class TimetableName(StrEnum):
    """When requests are carried out."""

    AT_ONCE = "at-once"
    EXCHANGE = "exchange"


@app.command("show")
def show_policies(
    as_json: AsJson = False, data: Data = DEFAULT_DATA, api_url: ApiUrl = None, token_file: TokenFile = None
) -> None:
    """Show the policies, and when what is asked for now takes effect."""
    api = Api.connect(data, api_url, token_file)
    policies, runs = api.get("policies"), api.get("timetable")["runs"]
    if as_json:
        print_json(policies)
        return
    _print(policies)
    for run in runs:
        typer.echo(f"{run['kind'].replace('-', ' ').capitalize() + ':':<34}{day(run['effective_at'])} UTC")


@app.command("set")
@changing
def set_policies(
    timetable: Annotated[TimetableName | None, typer.Option(help="When requests are carried out.")] = None,
    four_eyes: Annotated[bool | None, typer.Option(help="Whether another person has to approve them.")] = None,
    session_allowance: Annotated[int | None, typer.Option(min=0, help="Sessions that an entity may have.")] = None,
    drop_copy_sources: Annotated[int | None, typer.Option(min=0, help="Sources of a Drop Copy group.")] = None,
    fee_text: Annotated[str | None, typer.Option(help="To be acknowledged before something is created.")] = None,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Set policies, for requests from now on. For the operator of the venue."""
    change: dict[str, Any] = {
        "timetable": None if timetable is None else timetable.value,
        "four_eyes": four_eyes,
        "session_allowance": session_allowance,
        "drop_copy_sources": drop_copy_sources,
        "fee_text": fee_text,
    }
    change = {name: value for name, value in change.items() if value is not None}
    policies = Api.connect(data, api_url, token_file).patch("policies", body=change)
    if as_json:
        print_json(policies)
    else:
        _print(policies)


@app.command("allowance")
@changing
def set_allowance(
    entity_id: Annotated[int, typer.Argument(metavar="ENTITY", min=1, help="The number of the entity.")],
    sessions: Annotated[
        int | None, typer.Option(min=0, help="How many Order Entry sessions it may have. [show what it is]")
    ] = None,
    default: Annotated[bool, typer.Option("--default", help="Go back to the venue's default.")] = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Show or set how many Order Entry sessions an entity may have."""
    api = Api.connect(data, api_url, token_file)
    path = ("entities", str(entity_id), "session-allowance")
    if sessions is None and not default:
        found = api.get(*path)
    else:
        found = api.put(*path, body={"allowance": None if default else sessions})
    if as_json:
        print_json(found)
    else:
        typer.echo(f"Entity {entity_id} may have {found['allowance']} Order Entry sessions and has {found['used']}.")


def _print(policies: dict[str, Any]) -> None:
    for name, value in policies.items():
        shown = {True: "yes", False: "no", "": "-"}.get(value, value) if isinstance(value, bool | str) else value
        typer.echo(f"{name.replace('_', ' ').capitalize() + ':':<34}{shown}")
