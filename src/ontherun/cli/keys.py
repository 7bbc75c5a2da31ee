"""ontherun key: the secure key pairs of a session."""

import os
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, day, fail, print_json, print_table
from ontherun.cli.changing import changing
from ontherun.cli.sessions import SessionId

app = typer.Typer(
    name="key", help="Generate, list, download, rotate and delete the key pairs of sessions.", no_args_is_help=True
)


class FileFormat(StrEnum):
    """The forms of a key file."""

    JSON = "json"
    TEXT = "text"
    ENV = "env"
    CSV = "csv"


AccessKeyId = Annotated[str, typer.Argument(metavar="ACCESS_KEY_ID", help="Which pair.")]
Format = Annotated[FileFormat, typer.Option("--format", help="How the key file is written.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FILE", help="Write the key file here, for your eyes only (mode 0600)."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace FILE when it is there.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Zone = Annotated[str, typer.Option("--zone", metavar="ZONE", help="The time zone of a TIME without an offset.")]
CENTRAL = "America/Chicago"


@app.command("list")
def list_pairs(
    session_id: Annotated[
        str | None, typer.Argument(metavar="[SESSION_ID]", help="Whose pairs. [those of every session]")
    ] = None,
    deleted: Annotated[bool, typer.Option("--deleted", help="Deleted pairs too.")] = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """List the key pairs of a session, or of all of them, with their states and what happens next."""
    api = Api.connect(data, api_url, token_file)
    if session_id is None:
        found = api.every("keys") + (api.every("keys", state="deleted") if deleted else [])
    else:
        found = api.every("sessions", session_id, "keys", deleted=deleted)
    if as_json:
        print_json(found)
    elif found:
        print_pairs(found, with_session=session_id is None)
    elif session_id is None:
        typer.echo("There is no key pair yet. Generate one with: ontherun key generate SESSION_ID")
    else:
        typer.echo(f"Session {session_id} has no key pair. Generate one with: ontherun key generate {session_id}")


@app.command("generate")
@changing
def generate_pair(
    session_id: SessionId,
    delete: Annotated[
        str | None,
        typer.Option("--delete", metavar="ACCESS_KEY_ID", help="For a third pair: which of the two is deleted."),
    ] = None,
    cut_over: Annotated[
        str | None,
        typer.Option("--cut-over", metavar="TIME", help="When the new pair becomes valid and the old one ends."),
    ] = None,
    zone: Zone = CENTRAL,
    label: Annotated[str, typer.Option(help="A name for people.")] = "",
    out: Out = None,
    file_format: Format = FileFormat.JSON,
    force: Force = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Generate a key pair, valid at once. The older one then ends four weeks later. With --out, download it as well."""
    check_target(out, force=force)
    api = Api.connect(data, api_url, token_file)
    cut_over_at = None if cut_over is None else instant(cut_over, zone)
    body = {"delete": delete, "cut_over_at": cut_over_at, "label": label}
    pair = api.post("sessions", session_id, "keys", body=body)
    if out is not None:
        content = _download(api, session_id, pair["access_key_id"], file_format)
        write_private(out, content, force=force)
    if as_json:
        print_json(pair)
        return
    print_pairs([pair])
    if out is None:
        typer.echo(f"Its secret: ontherun key download {session_id} {pair['access_key_id']} --out FILE")
    else:
        typer.echo(f"The key file is {out}.")


@app.command("download")
@changing
def download_pair(
    session_id: SessionId,
    access_key_id: Annotated[
        str | None, typer.Argument(metavar="[ACCESS_KEY_ID]", help="Which pair. [the valid one that expires last]")
    ] = None,
    out: Out = None,
    file_format: Format = FileFormat.JSON,
    sealed_to: Annotated[
        Path | None,
        typer.Option("--sealed-to", metavar="FILE", help="Seal the secret to this public key (PEM: RSA or X25519)."),
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Download a key pair with its secret: to a file, or to standard output."""
    check_target(out, force=force)
    public_key = None if sealed_to is None else _read(sealed_to)
    api = Api.connect(data, api_url, token_file)
    access_key_id = access_key_id or _newest(api, session_id)
    if public_key is not None:
        path = ("sessions", session_id, "keys", access_key_id, "sealed-download")
        content = api.post_file(*path, body={"public_key": public_key})
    else:
        chosen = FileFormat.JSON if as_json and out is None else file_format
        content = _download(api, session_id, access_key_id, chosen)
    if out is None:
        typer.echo(content.decode("utf-8"), nl=False)
        return
    write_private(out, content, force=force)
    if as_json:
        print_json({"session_id": session_id, "access_key_id": access_key_id, "file": str(out)})
    else:
        typer.echo(f"{out} holds key pair {access_key_id} of session {session_id}.")


@app.command("delete")
@changing
def delete_pair(
    session_id: SessionId,
    access_key_id: AccessKeyId,
    yes: Yes = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Delete a key pair: the next login with it is refused, and its secret is erased."""
    api = Api.connect(data, api_url, token_file)
    _confirm(api, session_id, access_key_id, "Delete", yes=yes)
    api.delete("sessions", session_id, "keys", access_key_id)
    if as_json:
        print_json({"session_id": session_id, "access_key_id": access_key_id, "state": "deleted"})
    else:
        typer.echo(f"Key pair {access_key_id} of session {session_id} is deleted.")


@app.command("label")
@changing
def label_pair(
    session_id: SessionId,
    access_key_id: AccessKeyId,
    label: Annotated[str, typer.Argument(metavar="TEXT", help="A name for people; '' takes it away.")],
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Call a key pair something else. Key files show it."""
    api = Api.connect(data, api_url, token_file)
    pair = api.patch("sessions", session_id, "keys", access_key_id, body={"label": label})
    if as_json:
        print_json(pair)
    else:
        typer.echo(f"Key pair {access_key_id} of session {session_id} is called {label or 'nothing'}.")


@app.command("deactivate")
@changing
def deactivate_pair(
    session_id: SessionId,
    access_key_id: AccessKeyId,
    yes: Yes = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Take a key pair out of use: the next login with it is refused, until it is activated again."""
    api = Api.connect(data, api_url, token_file)
    _confirm(api, session_id, access_key_id, "Deactivate", yes=yes)
    _print_changed(api.post("sessions", session_id, "keys", access_key_id, "deactivate"), as_json=as_json)


@app.command("activate")
@changing
def activate_pair(
    session_id: SessionId,
    access_key_id: AccessKeyId,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Bring a deactivated key pair back into use."""
    api = Api.connect(data, api_url, token_file)
    _print_changed(api.post("sessions", session_id, "keys", access_key_id, "activate"), as_json=as_json)


@app.command("cut-over")
@changing
def schedule_cut_over(
    session_id: SessionId,
    access_key_id: AccessKeyId,
    at: Annotated[str, typer.Argument(metavar="TIME", help="2027-01-04T17:30")],
    zone: Zone = CENTRAL,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Schedule when a key pair takes over: every other pair of the session ends then."""
    body = {"at": instant(at, zone)}
    api = Api.connect(data, api_url, token_file)
    pairs = api.post("sessions", session_id, "keys", access_key_id, "cut-over", body=body)["items"]
    if as_json:
        print_json(pairs)
    else:
        print_pairs(pairs)


def print_pairs(pairs: list[dict[str, Any]], *, with_session: bool = False) -> None:
    """Print key pairs as a table."""
    heads = ("ACCESS KEY ID", "STATE", "CREATED (UTC)", "EXPIRES (UTC)", "LAST USED (UTC)", "NEXT", "LABEL")
    print_table(
        ("SESSION", *heads) if with_session else heads,
        ((pair["session_id"], *_cells(pair)) if with_session else _cells(pair) for pair in pairs),
    )


def instant(text: str, zone: str) -> str:
    """Write a time that somebody typed as RFC 3339, in `zone` unless it has an offset of its own."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{text} is no date and time. Write 2027-01-04T17:30, or with an offset: 2027-01-04T17:30-06:00.")
    if at.tzinfo is None:
        try:
            at = at.replace(tzinfo=ZoneInfo(zone))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            fail(f"{zone} is no time zone. Write a name such as America/Chicago or UTC.")
    return at.isoformat()


def check_target(out: Path | None, *, force: bool) -> None:
    """Leave with a message when a file cannot be written as asked, before anything is done."""
    if out is None:
        return
    if out.exists() and not force:
        fail(f"{out} is there already. Choose another file, or replace it with --force.")
    if not out.absolute().parent.is_dir():
        fail(f"{out.absolute().parent} is no directory.")


def write_private(out: Path, content: bytes, *, force: bool) -> None:
    """Write a file that only its owner may read."""
    if force:
        out.unlink(missing_ok=True)
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        fail(f"{out} cannot be written: {error.strerror}.")
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _cells(pair: dict[str, Any]) -> tuple[str, ...]:
    used, change = pair["use"]["last_used_at"], pair["next_change"]
    return (
        pair["access_key_id"],
        pair["state"],
        day(pair["created_at"]),
        day(pair["expires_at"]),
        day(used) if used else "never",
        f"{change['state']} {day(change['at'])}" if change else "-",
        pair["label"],
    )


def _print_changed(pair: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(pair)
    else:
        typer.echo(f"Key pair {pair['access_key_id']} of session {pair['session_id']} is {pair['state']}.")


def _confirm(api: Api, session_id: str, access_key_id: str, what: str, *, yes: bool) -> None:
    if yes:
        return
    others = [pair for pair in _valid(api, session_id) if pair["access_key_id"] != access_key_id]
    left = f"{len(others)} valid pair stays" if others else "NO valid pair stays: the session cannot log in"
    typer.confirm(f"{what} key pair {access_key_id} of session {session_id}? {left}.", abort=True, err=True)


def _valid(api: Api, session_id: str) -> list[dict[str, Any]]:
    return [pair for pair in api.every("sessions", session_id, "keys") if pair["state"] in ("active", "expiring")]


def _newest(api: Api, session_id: str) -> str:
    valid = _valid(api, session_id)
    if not valid:
        fail(f"Session {session_id} has no valid key pair. Generate one with: ontherun key generate {session_id}")
    return str(max(valid, key=lambda pair: (pair["expires_at"], pair["created_at"]))["access_key_id"])


def _download(api: Api, session_id: str, access_key_id: str, file_format: FileFormat) -> bytes:
    path = ("sessions", session_id, "keys", access_key_id, "download")
    return api.text(*path, format=file_format.value).encode("utf-8")


def _read(public_key: Path) -> str:
    try:
        return public_key.read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        fail(f"The public key cannot be read: {error}")
