"""ontherun key: many key pairs in one go, the calendar of expiries, health, and the emergency."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, day, fail, print_json, print_table
from ontherun.cli.changing import REASON, changing
from ontherun.cli.keys import FileFormat, Force, Format, Yes, check_target, write_private
from ontherun.cli.keys import app as app


class Packing(StrEnum):
    """How many key files come in one."""

    JSON = "json"
    ZIP = "zip"


SessionIds = Annotated[list[str], typer.Argument(metavar="SESSION_ID...", help="Which sessions.")]


@app.command("calendar")
def show_calendar(
    as_json: AsJson = False, data: Data = DEFAULT_DATA, api_url: ApiUrl = None, token_file: TokenFile = None
) -> None:
    """List when key pairs expire, the soonest first, and whether the session can log in afterwards."""
    found = Api.connect(data, api_url, token_file).every("keys", "calendar")
    if as_json:
        print_json(found)
    elif not found:
        typer.echo("No key pair is there to expire.")
    else:
        print_table(
            ("EXPIRES (UTC)", "SESSION", "ACCESS KEY ID", "STATE", "BECAUSE", "AFTERWARDS", "LABEL"),
            (
                (
                    day(each["at"]),
                    each["session_id"],
                    each["access_key_id"],
                    each["state"],
                    each["ends_by"],
                    "successor" if each["has_successor"] else "NO KEY",
                    each["label"],
                )
                for each in found
            ),
        )


@app.command("health")
def show_health(
    as_json: AsJson = False, data: Data = DEFAULT_DATA, api_url: ApiUrl = None, token_file: TokenFile = None
) -> None:
    """Show how well key pairs are looked after, and what to do: a score from 0 to 100."""
    api = Api.connect(data, api_url, token_file)
    found = api.every("keys", "health")
    score = api.get("keys", "health", limit=1)["score"]
    if as_json:
        print_json({"score": score, "sessions": found})
        return
    typer.echo(f"Score {score} of 100, over {len(found)} session{'' if len(found) == 1 else 's'}.")
    rows = [
        (health["session_id"], health["score"], concern["finding"], concern["access_key_id"] or "", concern["advice"])
        for health in found
        for concern in health["concerns"]
    ]
    if rows:
        print_table(("SESSION", "SCORE", "FINDING", "ACCESS KEY ID", "WHAT TO DO"), rows)


@app.command("generate-many")
@changing
def generate_many(
    session_ids: SessionIds,
    delete_oldest: Annotated[
        bool, typer.Option("--delete-oldest", help="Where two pairs are there already, delete the older one.")
    ] = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Generate a key pair for each of many sessions."""
    body = {"session_ids": session_ids, "delete_oldest": delete_oldest}
    api = Api.connect(data, api_url, token_file)
    _print_outcomes(api.post("keys", "bulk-generation", body=body)["items"], "generated", as_json=as_json)


@app.command("download-many")
@changing
def download_many(
    session_ids: SessionIds,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Write them here (mode 0600).")],
    packing: Annotated[Packing, typer.Option("--packing", help="One JSON array, or a zip of key files.")] = Packing.ZIP,
    file_format: Format = FileFormat.JSON,
    force: Force = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Download the newest valid key pair of each of many sessions, in one file."""
    check_target(out, force=force)
    api = Api.connect(data, api_url, token_file)
    pairs = _newest_of(api, session_ids)
    body = {"pairs": pairs, "packing": packing.value, "format": file_format.value}
    write_private(out, api.post_file("keys", "bulk-download", body=body), force=force)
    if as_json:
        print_json({"file": str(out), "pairs": pairs})
    else:
        typer.echo(f"{out} holds {len(pairs)} key pair{'' if len(pairs) == 1 else 's'}.")


@app.command("delete-many")
@changing
def delete_many(
    access_key_ids: Annotated[list[str], typer.Argument(metavar="ACCESS_KEY_ID...", help="Which pairs.")],
    yes: Yes = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Delete many key pairs, whatever sessions they are of."""
    api = Api.connect(data, api_url, token_file)
    known = {pair["access_key_id"]: pair["session_id"] for pair in api.every("keys")}
    if unknown := [each for each in access_key_ids if each not in known]:
        fail(f"There is no key pair {', '.join(unknown)}. List them with: ontherun key list")
    if not yes:
        typer.confirm(f"Delete {len(access_key_ids)} key pairs?", abort=True, err=True)
    pairs = [{"session_id": known[each], "access_key_id": each} for each in access_key_ids]
    _print_outcomes(api.post("keys", "bulk-deletion", body={"pairs": pairs})["items"], "deleted", as_json=as_json)


@app.command("revoke")
@changing
def revoke(
    session_id: Annotated[str | None, typer.Option("--session", metavar="SESSION_ID", help="Of one session.")] = None,
    firm: Annotated[
        str | None, typer.Option("--firm", metavar="GFID", help="Of every session that carries a firm.")
    ] = None,
    end_live_sessions: Annotated[
        bool, typer.Option("--end-live-sessions", help="End what is logged in at once, too.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """In an emergency, delete every key pair of a session or of a firm at once."""
    if (session_id is None) == (firm is None):
        fail("Name what is revoked: --session SESSION_ID or --firm GFID.")
    whose = f"session {session_id}" if session_id else f"firm {firm}"
    if not yes:
        typer.confirm(f"Delete every key pair of {whose}? Nothing of it can log in then.", abort=True, err=True)
    where = ("sessions", session_id) if session_id else ("firms", str(firm))
    body = {"reason": REASON.get(), "end_live_sessions": end_live_sessions}
    done = Api.connect(data, api_url, token_file).post(*where, "key-revocation", body=body)
    if as_json:
        print_json(done)
        return
    for pair in done["revoked"]:
        typer.echo(f"Key pair {pair['access_key_id']} of session {pair['session_id']} is deleted.")
    for ended in done["ended_sessions"]:
        typer.echo(f"Session {ended} was logged in, and its connection is ended.")


def _newest_of(api: Api, session_ids: list[str]) -> list[dict[str, str]]:
    newest: dict[str, dict[str, Any]] = {}
    for pair in api.every("keys"):  # in the order of their making
        if pair["state"] in ("active", "expiring") and pair["session_id"] in session_ids:
            newest[pair["session_id"]] = pair
    if without := [session_id for session_id in session_ids if session_id not in newest]:
        fail(f"No valid key pair: {', '.join(without)}. Generate some with: ontherun key generate-many SESSION_ID...")
    return [{"session_id": each, "access_key_id": newest[each]["access_key_id"]} for each in dict.fromkeys(session_ids)]


def _print_outcomes(outcomes: list[dict[str, Any]], done: str, *, as_json: bool) -> None:
    """Print what became of each; exit code 1 when something could not be done."""
    if as_json:
        print_json(outcomes)
    else:
        print_table(
            ("SESSION", "ACCESS KEY ID", "OUTCOME"),
            ((each["session_id"], each["access_key_id"] or "", each["problem"] or done) for each in outcomes),
        )
    if any(each["problem"] for each in outcomes):
        sys.exit(1)
