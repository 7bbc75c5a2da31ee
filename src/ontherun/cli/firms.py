"""ontherun entity and ontherun firm: registered entities, their Globex firms, and which may route through which."""

from typing import Annotated, Any

import typer

from ontherun.cli.api import (
    DEFAULT_DATA,
    Api,
    ApiUrl,
    AsJson,
    Data,
    TokenFile,
    day,
    print_json,
    print_list,
    print_record,
)
from ontherun.cli.asking import Preview, Yes, ask, tell
from ontherun.cli.changing import changing

entities = typer.Typer(name="entity", help="Registered entities.", no_args_is_help=True)
firms = typer.Typer(name="firm", help="Globex firms of entities.", no_args_is_help=True)

Gfid = Annotated[str, typer.Argument(metavar="GFID", help="The Globex Firm ID, five characters.")]
Primary = Annotated[str, typer.Argument(metavar="PRIMARY", help="A firm of another entity, primary on its sessions.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A name for people.")]


@entities.command("list")
def list_entities(
    as_json: AsJson = False, data: Data = DEFAULT_DATA, api_url: ApiUrl = None, token_file: TokenFile = None
) -> None:
    """List the entities that you see, and how many of their Order Entry sessions are used."""
    api = Api.connect(data, api_url, token_file)
    found = [each | {"sessions": _allowance(api, each["entity_id"])} for each in api.every("entities")]
    print_list(
        found,
        ("ENTITY", "NAME", "SESSIONS", "MAY HAVE", "REGISTERED (UTC)"),
        lambda entity: (
            entity["entity_id"],
            entity["name"],
            entity["sessions"]["used"],
            entity["sessions"]["allowance"],
            day(entity["created_at"]),
        ),
        "There is no entity yet. Register one with: ontherun entity create NAME",
        as_json=as_json,
    )


@entities.command("create")
@changing
def create_entity(
    name: Name,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Register an entity. For the operator of the venue."""
    made = Api.connect(data, api_url, token_file).post("entities", body={"name": name})
    print_record(made, as_json=as_json)


@firms.command("list")
def list_firms(
    as_json: AsJson = False, data: Data = DEFAULT_DATA, api_url: ApiUrl = None, token_file: TokenFile = None
) -> None:
    """List the Globex firms that you see."""
    print_list(
        Api.connect(data, api_url, token_file).every("firms"),
        ("FIRM", "NAME", "ENTITY", "REGISTERED (UTC)"),
        lambda firm: (firm["gfid"], firm["name"], firm["entity_id"], day(firm["created_at"])),
        "There is no Globex firm yet. Register one with: ontherun firm register GFID NAME --entity ID",
        as_json=as_json,
    )


@firms.command("show")
def show_firm(
    gfid: Gfid,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Show a Globex firm, and which firms of other entities may carry it."""
    api = Api.connect(data, api_url, token_file)
    authorised = [each["primary"] for each in api.every("firms", gfid, "route-through")]
    print_record(api.get("firms", gfid) | {"may_route_through": authorised}, as_json=as_json)


@firms.command("register")
@changing
def register_firm(
    gfid: Gfid,
    name: Name,
    entity: Annotated[int, typer.Option("--entity", metavar="ID", min=1, help="The entity that it is of.")] = 1,
    preview: Preview = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Ask for a Globex firm."""
    api = Api.connect(data, api_url, token_file)
    tell(ask(api, "register-firm", preview=preview, as_json=as_json, entity_id=entity, gfid=gfid, name=name))


@firms.command("rename")
@changing
def rename_firm(
    gfid: Gfid,
    name: Name,
    preview: Preview = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Ask for another name of a Globex firm."""
    api = Api.connect(data, api_url, token_file)
    tell(ask(api, "rename-firm", preview=preview, as_json=as_json, gfid=gfid, name=name))


@firms.command("withdraw")
@changing
def withdraw_firm(
    gfid: Gfid,
    yes: Yes = False,
    preview: Preview = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Ask for the end of a Globex firm that no session carries."""
    api = Api.connect(data, api_url, token_file)
    tell(ask(api, "withdraw-firm", preview=preview, as_json=as_json, sure=yes, gfid=gfid))


@firms.command("authorise")
@changing
def authorise(
    gfid: Gfid,
    primary: Primary,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Let sessions of another entity's firm carry one of yours."""
    made = Api.connect(data, api_url, token_file).put("firms", gfid, "route-through", primary, body={})
    _say(made, f"Sessions of {primary} may carry {gfid}.", as_json=as_json)


@firms.command("unauthorise")
@changing
def unauthorise(
    gfid: Gfid,
    primary: Primary,
    yes: Yes = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Take that back: your firm is taken off every such session at once."""
    api = Api.connect(data, api_url, token_file)
    if not yes:
        typer.confirm(f"Take {gfid} off every session of {primary}?", abort=True, err=True)
    ended = api.delete("firms", gfid, "route-through", primary)
    off = " ".join(ended["changed_sessions"]) or "none"
    _say(ended, f"{primary} may carry {gfid} no more. Sessions that carried it: {off}.", as_json=as_json)


def _allowance(api: Api, entity_id: int) -> dict[str, Any]:
    found: dict[str, Any] = api.get("entities", str(entity_id), "session-allowance")
    return found


def _say(value: object, words: str, *, as_json: bool) -> None:
    if as_json:
        print_json(value)
    else:
        typer.echo(words)
