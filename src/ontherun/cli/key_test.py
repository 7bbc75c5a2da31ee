"""ontherun key test: is this signature right, and if not, what made it?"""

from pathlib import Path
from typing import Annotated, Any

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, fail, print_json
from ontherun.cli.sessions import SessionId


def judge_login(
    session_id: SessionId,
    frame: Annotated[
        str | None,
        typer.Option("--frame", metavar="TEXT", help="A whole Negotiate or Establish: hex or base64, a file, or -."),
    ] = None,
    request_timestamp: Annotated[int | None, typer.Option(help="RequestTimestamp, ns, as it was sent.")] = None,
    uuid: Annotated[int | None, typer.Option(help="UUID, as it was sent.")] = None,
    access_key_id: Annotated[str | None, typer.Option(help="AccessKeyID, as it was sent.")] = None,
    signature: Annotated[str | None, typer.Option(help="HMACSignature: hex or base64.")] = None,
    firm: Annotated[str | None, typer.Option(help="Firm. [the session's primary firm]")] = None,
    establish: Annotated[
        tuple[str, str, str, int, int] | None,
        typer.Option(
            metavar="NAME VERSION VENDOR NEXTSEQNO KEEPALIVE", help="The five further values of an Establish."
        ),
    ] = None,
    signed_text: Annotated[
        str | None, typer.Option(metavar="FILE", help="What your client signed: a file, or -, to be compared.")
    ] = None,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Say whether a login's signature is right, and if not, what made it. Exit code 1 when it is not.

    Give a whole frame with --frame, or the values one by one. The secret never leaves the venue.
    """
    body: dict[str, Any]
    if frame is not None:
        body = {"frame": _frame(frame)}
    else:
        body = {
            "request_timestamp": request_timestamp,
            "uuid": uuid,
            "access_key_id": access_key_id,
            "signature": signature,
        }
        if missing := [name for name, value in body.items() if value is None]:
            options = ", ".join(f"--{name.replace('_', '-')}" for name in missing)
            fail(f"Give --frame, or the values one by one; {options} is not there.")
        if firm is not None:
            body["firm"] = firm
        if establish is not None:
            names = ("trading_system_name", "trading_system_version", "trading_system_vendor")
            body |= dict(zip((*names, "next_seq_no", "keep_alive_interval"), establish, strict=True))
    if signed_text is not None:
        body["signed_text"] = _read(signed_text).decode("utf-8", "replace")
    found = Api.connect(data, api_url, token_file).post("sessions", session_id, "key-test", body=body)
    if as_json:
        print_json(found)
    else:
        _print(found)
    if not found["accepted"]:
        raise typer.Exit(1)


def _frame(source: str) -> str:
    """The text of a frame: given itself, or in a file, as text or as raw bytes."""
    if source != "-" and not Path(source).is_file():
        return source
    content = _read(source)
    try:
        return content.decode("ascii")
    except UnicodeDecodeError:
        return content.hex()


def _read(source: str) -> bytes:
    try:
        return typer.get_binary_stream("stdin").read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        fail(f"{source} cannot be read: {error.strerror}")


def _print(found: dict[str, Any]) -> None:
    typer.echo(found["verdict"])
    for line in found["advice"]:
        typer.echo(f"- {line}")
    if found["values"]:
        typer.echo(f"\nSigned text of {found['message']}, one line feed (\\n) between two values, none at the end:")
        last = len(found["values"]) - 1
        for number, value in enumerate(found["values"]):
            end = "" if number == last else "\\n"
            typer.echo(f"  {value['name']:<22}{value['value']}{end}")
    if found["key_pairs"]:
        typer.echo("")
    for pair in found["key_pairs"]:
        made = "made this signature" if pair["verifies"] else "did not make this signature"
        named = ", named in the message" if pair["named"] else ""
        typer.echo(f"{pair['access_key_id']:<22}{made} ({pair['state']}{named})")
