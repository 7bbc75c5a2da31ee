"""ontherun journal: check what the market has written down."""

from pathlib import Path
from typing import Annotated

import typer

from ontherun.cli.api import DEFAULT_DATA, AsJson, Data, fail, print_json

app = typer.Typer(name="journal", help="Check what the market has written down.", no_args_is_help=True)


@app.callback()
def journal() -> None:
    """Keeps `verify` a command of its own."""


@app.command("verify")
def verify(
    files: Annotated[list[Path] | None, typer.Argument(help="Journals; those of the data folder if none.")] = None,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Check every row, and carry each out again: it must say what was said then. The venue may run meanwhile.

    Exit status 1 where a journal is damaged, or says something else now.
    """
    from ontherun.gateway.recovery import RecoveryError
    from ontherun.journal import JournalError
    from ontherun.service.journal_check import check, journals_in

    paths = files or journals_in(data.expanduser())
    if not paths:
        fail(f"There is no journal in {data}: journal-SEGMENT.bin is made at the first start of ontherun up.")
    found, faults = [], []
    for path in paths:
        try:
            found.append(check(path))
        except (JournalError, RecoveryError) as error:
            faults.append({"file": str(path), "fault": str(error)})
    if as_json:
        print_json({"good": [one._asdict() for one in found], "bad": faults})
    else:
        for one in found:
            typer.echo(
                f"{one.file}: good. {one.rows} rows, {one.size} bytes, checksum {one.checksum:#010x}; {one.messages} "
                f"messages to {one.sessions} sessions said again, {one.working_orders} orders working"
                + (f"; {one.left_over} bytes of a row that is not whole" if one.left_over else "")
            )
        for bad in faults:
            typer.echo(f"{bad['file']}: {bad['fault']}", err=True)
    if faults:
        raise typer.Exit(1)
