"""ontherun key: generate, list, download and delete the secure key pairs of a session."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, day, fail, print_json, print_table
from ontherun.cli.sessions import SessionId

app = typer.Typer(
    name="key", help="Generate, list, download and delete the key pairs of a session.", no_args_is_help=True
)


class FileFormat(StrEnum):
    """The forms of a key file."""

    JSON = "json"
    TEXT = "text"
    ENV = "env"


AccessKeyId = Annotated[str, typer.Argument(metavar="ACCESS_KEY_ID", help="Which pair.")]
Format = Annotated[FileFormat, typer.Option("--format", help="How the key file is written.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FILE", help="Write the key file here, for your eyes only (mode 0600)."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace FILE when it is there.")]


@app.command("list")
def list_pairs(
    session_id: SessionId,
    deleted: Annotated[bool, typer.Option("--deleted", help="Deleted pairs too.")] = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """List a session's key pairs."""
    found = Api.connect(data, api_url, token_file).every("sessions", session_id, "keys", deleted=deleted)
    if as_json:
        print_json(found)
    elif found:
        _print_pairs(found)
    else:
        typer.echo(f"Session {session_id} has no key pair. Generate one with: ontherun key generate {session_id}")


@app.command("generate")
def generate_pair(
    session_id: SessionId,
    out: Out = None,
    file_format: Format = FileFormat.JSON,
    force: Force = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Generate a key pair, valid at once. With --out, download it as well."""
    _check_target(out, force=force)
    api = Api.connect(data, api_url, token_file)
    pair = api.post("sessions", session_id, "keys")
    if out is not None:
        _write(out, _download(api, session_id, pair["access_key_id"], file_format), force=force)
    if as_json:
        print_json(pair)
        return
    _print_pairs([pair])
    if out is None:
        typer.echo(f"Its secret: ontherun key download {session_id} {pair['access_key_id']} --out FILE")
    else:
        typer.echo(f"The key file is {out}.")


@app.command("download")
def download_pair(
    session_id: SessionId,
    access_key_id: Annotated[
        str | None, typer.Argument(metavar="[ACCESS_KEY_ID]", help="Which pair. [the valid one that expires last]")
    ] = None,
    out: Out = None,
    file_format: Format = FileFormat.JSON,
    force: Force = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Download a key pair with its secret: to a file, or to standard output."""
    _check_target(out, force=force)
    api = Api.connect(data, api_url, token_file)
    access_key_id = access_key_id or _newest(api, session_id)
    if out is None:
        chosen = FileFormat.JSON if as_json else file_format
        typer.echo(_download(api, session_id, access_key_id, chosen), nl=False)
        return
    _write(out, _download(api, session_id, access_key_id, file_format), force=force)
    if as_json:
        print_json({"session_id": session_id, "access_key_id": access_key_id, "file": str(out)})
    else:
        typer.echo(f"{out} holds key pair {access_key_id} of session {session_id}.")


@app.command("delete")
def delete_pair(
    session_id: SessionId,
    access_key_id: AccessKeyId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Delete a key pair: the next login with it is refused, and its secret is erased."""
    api = Api.connect(data, api_url, token_file)
    if not yes:
        others = [pair for pair in _valid(api, session_id) if pair["access_key_id"] != access_key_id]
        left = f"{len(others)} valid pair stays" if others else "NO valid pair stays: the session cannot log in"
        typer.confirm(f"Delete key pair {access_key_id} of session {session_id}? {left}.", abort=True, err=True)
    api.delete("sessions", session_id, "keys", access_key_id)
    if as_json:
        print_json({"session_id": session_id, "access_key_id": access_key_id, "state": "deleted"})
    else:
        typer.echo(f"Key pair {access_key_id} of session {session_id} is deleted.")


def _print_pairs(pairs: list[dict[str, Any]]) -> None:
    print_table(
        ("ACCESS KEY ID", "STATE", "CREATED (UTC)", "EXPIRES (UTC)"),
        ((pair["access_key_id"], pair["state"], day(pair["created_at"]), day(pair["expires_at"])) for pair in pairs),
    )


def _valid(api: Api, session_id: str) -> list[dict[str, Any]]:
    return [pair for pair in api.every("sessions", session_id, "keys") if pair["state"] in ("active", "expiring")]


def _newest(api: Api, session_id: str) -> str:
    valid = _valid(api, session_id)
    if not valid:
        fail(f"Session {session_id} has no valid key pair. Generate one with: ontherun key generate {session_id}")
    return str(max(valid, key=lambda pair: (pair["expires_at"], pair["created_at"]))["access_key_id"])


def _download(api: Api, session_id: str, access_key_id: str, file_format: FileFormat) -> str:
    return api.text("sessions", session_id, "keys", access_key_id, "download", format=file_format.value)


def _check_target(out: Path | None, *, force: bool) -> None:
    if out is None:
        return
    if out.exists() and not force:
        fail(f"{out} is there already. Choose another file, or replace it with --force.")
    if not out.absolute().parent.is_dir():
        fail(f"{out.absolute().parent} is no directory.")


def _write(out: Path, content: str, *, force: bool) -> None:
    if force:
        out.unlink(missing_ok=True)
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        fail(f"{out} cannot be written: {error.strerror}.")
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(content)
