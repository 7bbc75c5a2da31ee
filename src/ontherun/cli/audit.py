"""ontherun audit: search, export and verify the record of every action."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, fail, print_json, print_table
from ontherun.cli.changing import changing

app = typer.Typer(name="audit", help="Search, export and verify the record of every action.", no_args_is_help=True)

Actor = Annotated[str, typer.Option("--actor", metavar="TEXT", help="Part of the name of who did it.")]
Action = Annotated[str, typer.Option("--action", metavar="TEXT", help="Beginning of the action: key_pair.")]
Subject = Annotated[str, typer.Option("--subject", metavar="TEXT", help="The whole subject: 'session A00'.")]
EntityId = Annotated[int | None, typer.Option("--entity", metavar="ID", help="Entity.")]
Since = Annotated[str, typer.Option("--since", metavar="TIME", help="2026-11-23T00:00:00Z or later.")]
Until = Annotated[str, typer.Option("--until", metavar="TIME", help="Before 2026-11-24T00:00:00Z.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="At most so many entries.")]


@app.command("list")
def list_entries(
    actor: Actor = "",
    action: Action = "",
    subject: Subject = "",
    entity_id: EntityId = None,
    since: Since = "",
    until: Until = "",
    limit: Limit = 50,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """List the newest entries."""
    query = _query(actor, action, subject, entity_id, since, until, "")
    _print(_find(Api.connect(data, api_url, token_file), query, limit), as_json=as_json)


@app.command("search")
def search(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="In details, subject, action or source address.")],
    actor: Actor = "",
    action: Action = "",
    subject: Subject = "",
    entity_id: EntityId = None,
    since: Since = "",
    until: Until = "",
    limit: Limit = 50,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Search for a text, newest entries first."""
    query = _query(actor, action, subject, entity_id, since, until, text)
    _print(_find(Api.connect(data, api_url, token_file), query, limit), as_json=as_json)


@app.command("export")
@changing
def export(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; its ending, .jsonl or .csv, is the format.")],
    actor: Actor = "",
    action: Action = "",
    subject: Subject = "",
    entity_id: EntityId = None,
    since: Since = "",
    until: Until = "",
    text: Annotated[str, typer.Option("--text", metavar="TEXT", help="In details, subject, action or source.")] = "",
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Export everything, or what a search finds, oldest first and with hashes, to a file."""
    file_format = out.suffix.removeprefix(".")
    if file_format not in ("jsonl", "csv"):
        fail(f"{out}: the format is in the name. Call the file .jsonl or .csv.")
    query = _query(actor, action, subject, entity_id, since, until, text)
    Api.connect(data, api_url, token_file).save(out, "audit", "export", format=file_format, **query)
    typer.echo(f"{out} holds the audit. Verify it anywhere with: ontherun audit verify {out}")


@app.command("verify")
def verify(
    path: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE|DIR]", help="An export, or a stopped venue's data. [the running venue's own]"),
    ] = None,
    kept: Annotated[
        str, typer.Option("--kept", metavar="HASH", help="A last hash from before, kept elsewhere: it must be there.")
    ] = "",
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Verify the chain of hashes: of the running venue, or offline of an export or a stopped venue's data directory."""
    if path:
        found = _offline(path, kept)
    else:
        query = {"kept": kept} if kept else {}
        found = Api.connect(data, api_url, token_file).get("audit", "verification", **query)
    if as_json:
        print_json(found)
    elif found["intact"]:
        left_out = f", {found['missing']} left out" if found.get("missing") else ""
        typer.echo(f"Intact: {found['entries']} entries{left_out}. The hash of the last is {found['last_hash']}.")
    else:
        typer.echo(f"NOT INTACT. {found['message']}", err=True)
    if not found["intact"]:
        raise typer.Exit(1)


def _offline(path: Path, kept: str) -> dict[str, Any]:
    try:
        from ontherun.registry import AuditDamagedError, RegistryError
        from ontherun.registry.audit_files import verify_path
    except ModuleNotFoundError as error:
        fail(f"Verifying offline needs more than the client ({error.name}): pip install 'ontherun[server]'")
    if not path.exists():
        fail(f"There is no {path}.")
    try:
        found = verify_path(path, kept)
    except AuditDamagedError as damage:
        return {"intact": False, "first_bad_entry": damage.sequence, "message": str(damage)}
    except RegistryError as error:
        fail(str(error))
    return {"intact": True, "entries": found.entries, "last_hash": found.hash, "missing": found.missing}


def _query(
    actor: str, action: str, subject: str, entity_id: int | None, since: str, until: str, text: str
) -> dict[str, Any]:
    query = {"actor": actor, "action": action, "subject": subject, "entity_id": entity_id}
    query |= {"since": since, "until": until, "text": text}
    return {name: value for name, value in query.items() if value not in ("", None)}


def _find(api: Api, query: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    before: dict[str, Any] = {}
    while len(found) < limit:
        page = api.get("audit", limit=min(limit - len(found), 1000), **query, **before)
        found += page["items"]
        if page["next"] is None:
            break
        before = {"before": page["next"]}
    return found


def _print(entries: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json(entries)
    elif not entries:
        typer.echo("No entry fits.")
    else:
        print_table(
            ("ENTRY", "TIME (UTC)", "ACTION", "SUBJECT", "BY", "FROM", "WHY", "DETAILS"),
            (
                (
                    entry["sequence"],
                    entry["at"][:19].replace("T", " "),
                    entry["action"],
                    entry["subject"],
                    entry["actor"],
                    entry["source"] or "-",
                    json.loads(entry["details"]).get("reason") or "-",
                    entry["details"],
                )
                for entry in entries
            ),
        )
