"""ontherun attention: what somebody should act on now."""

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, print_json, print_table


def attention(
    as_json: AsJson = False, data: Data = DEFAULT_DATA, api_url: ApiUrl = None, token_file: TokenFile = None
) -> None:
    """List what needs attention: closed ports, sessions without a valid key pair, key pairs that expire."""
    found = Api.connect(data, api_url, token_file).every("attention")
    if as_json:
        print_json(found)
    elif found:
        print_table(
            ("WHAT", "WHERE", "ABOUT", "WHEN (UTC)"),
            (
                (need["kind"], need["subject"], need["about"] or "-", (need["at"] or "now")[:16].replace("T", " "))
                for need in found
            ),
        )
    else:
        typer.echo("Nothing needs attention.")
