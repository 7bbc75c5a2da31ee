"""People: one-time links that sign somebody in."""

from typing import Annotated

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, print_json


def sign_in_link(
    email: Annotated[
        str | None, typer.Option("--user", metavar="EMAIL", help="For whom. [the operator at this machine]")
    ] = None,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Make a link that signs somebody in at the portal, once, within a quarter of an hour."""
    made = Api.connect(data, api_url, token_file).post("sign-in-links", body={"email": email} if email else {})
    if as_json:
        print_json(made)
    else:
        typer.echo(made["url"])
