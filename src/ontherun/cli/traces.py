"""ontherun session trace: what happened at logins and on connections."""

import contextlib
import json
import time
from enum import StrEnum
from typing import Annotated, Any

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, Data, TokenFile

_PAGE = 200
_LOOK = 0.5  # seconds between two looks for new entries
_COLOURS = {"info": None, "warning": typer.colors.YELLOW, "error": typer.colors.RED}


class ShownLevel(StrEnum):
    """How much an entry concerns the owner."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


Kinds = Annotated[list[str] | None, typer.Option("--kind", metavar="KIND", help="login, terminate... Repeatable.")]
Levels = Annotated[list[ShownLevel] | None, typer.Option("--level", help="Repeatable.")]
Connection = Annotated[str, typer.Option("--connection", metavar="ID", help="Of one connection.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on with what happens from now, until Ctrl-C.")]
Details = Annotated[bool, typer.Option("--details", help="Show all that is known, with the text that was signed.")]


def trace(
    session_id: Annotated[
        str | None,
        typer.Argument(metavar="[SESSION]", help="Session ID; without one, all that you see."),
    ] = None,
    kind: Kinds = None,
    level: Levels = None,
    connection: Connection = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many, the newest.")] = 50,
    follow: Follow = False,
    details: Details = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one entry a line.")] = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Show what happened at a session's logins and on its connections, and exactly why; the newest last."""
    api = Api.connect(data, api_url, token_file)
    path = ("traces",) if session_id is None else ("sessions", session_id, "traces")
    query: dict[str, Any] = {"kind": kind or [], "level": [each.value for each in level or ()]}
    if connection:
        query["connection"] = connection

    def show(entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            if as_json:
                typer.echo(json.dumps(entry))
            else:
                _print(entry, details=details)

    newest = _newest(api, path, query, limit)
    show(newest)
    last = newest[-1]["number"] if newest else 0
    with contextlib.suppress(KeyboardInterrupt):
        while follow:
            entries = api.get(*path, **query, after=last, limit=_PAGE)["items"]
            show(entries)
            last = entries[-1]["number"] if entries else last
            time.sleep(_LOOK)


def _newest(api: Api, path: tuple[str, ...], query: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    """The newest entries, the oldest of them first."""
    found: list[dict[str, Any]] = []
    following: str | None = ""
    while following is not None and len(found) < limit:
        before = {"before": following} if following else {}
        page = api.get(*path, **query, **before, limit=min(limit - len(found), 1000))
        found += page["items"]
        following = page["next"]
    return found[::-1]


def _print(entry: dict[str, Any], *, details: bool) -> None:
    facts = entry["facts"]
    what = facts.get("message", "") if entry["kind"] == "login" else entry["kind"]
    code = "" if entry["code"] is None else f" {entry['code']} {facts.get('code_name', '')}".rstrip()
    verdict = f" {facts['verdict']}" if "verdict" in facts else ""
    head = f"{entry['at'][:10]} {entry['at'][11:23]}  {entry['session_id'] or '-':<3}  seg {entry['segment']:<3}"
    typer.secho(f"{head}  {what}{verdict}{code}: {entry['reason']}", fg=_COLOURS[entry["level"]])
    if facts.get("diagnosis"):
        typer.echo(f"    {facts['diagnosis']}")
    if not details:
        return
    typer.echo(f"    connection: {entry['connection'] or '-'} from {entry['peer'] or '-'}, {entry['role']}")
    for name, value in facts.items():
        if value not in ("", None):
            typer.echo(f"    {name.replace('_', ' ')}: {json.dumps(value) if name == 'canonical_text' else value}")
