"""ontherun status: what runs, and what time it is there."""

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, print_json


def status(
    as_json: AsJson = False, data: Data = DEFAULT_DATA, api_url: ApiUrl = None, token_file: TokenFile = None
) -> None:
    """Show what runs: version, clock, gateways, instruments, sessions that are logged in."""
    found = Api.connect(data, api_url, token_file).get("status")
    if as_json:
        print_json(found)
        return
    from ontherun.keys import span_text

    typer.echo(f"Version      {found['version']}, environment {found['environment']}")
    typer.echo(f"Clock        {found['now'][:19].replace('T', ' ')} UTC")
    if found["lab_offset_ns"]:
        typer.secho(f"LAB CLOCK    {span_text(found['lab_offset_ns'])}: ontherun lab reset", fg=typer.colors.YELLOW)
    for gateway in found["gateways"]:
        typer.echo(f"Gateway      {gateway['host']}:{gateway['port']}, segment {gateway['segment']}, {gateway['role']}")
    typer.echo(f"Instruments  {' '.join(instrument['symbol'] for instrument in found['instruments'])}")
    typer.echo(f"Logged in    {' '.join(found['connected_sessions']) or 'nobody'}")
