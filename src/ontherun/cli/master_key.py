"""ontherun master-key: see where the master key comes from, and rotate it."""

import time
from typing import Any

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, fail, print_json, print_table
from ontherun.cli.changing import changing

app = typer.Typer(name="master-key", help="The key that seals all stored secrets.", no_args_is_help=True)

_GLANCE = 0.2  # seconds between two looks at a rotation


@app.command("status")
def status(
    as_json: AsJson = False, data: Data = DEFAULT_DATA, api_url: ApiUrl = None, token_file: TokenFile = None
) -> None:
    """Show where the master key comes from, what is sealed with it, and how far a rotation is."""
    _print(Api.connect(data, api_url, token_file).get("master-key"), as_json=as_json)


@app.command("rotate")
@changing
def rotate(
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Have a new master key take over, and everything sealed anew with it, while the venue runs."""
    api = Api.connect(data, api_url, token_file)
    found = api.post("master-key", "rotations", body={})
    while found["rotating"]:
        typer.echo(f"\r{found['done']} of {found['total']} secrets are sealed anew", nl=False, err=True)
        time.sleep(_GLANCE)
        found = api.get("master-key")
    typer.echo(f"\r{found['done']} of {found['total']} secrets are sealed anew", err=True)
    _print(found, as_json=as_json)
    if found["problem"]:
        fail(found["problem"])


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    typer.echo(f"The master key comes from {found['source']}.")
    print_table(
        ("MASTER KEY", "SECRETS", ""),
        (
            (key["master_key_id"], key["secrets"], "seals now" if key["current"] else "opens only")
            for key in found["keys"]
        ),
    )
    if found["rotating"]:
        typer.echo(f"A rotation runs: {found['done']} of {found['total']} secrets are sealed anew.")
