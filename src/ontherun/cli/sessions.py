"""ontherun session: create and see Order Entry sessions."""

from typing import Annotated, Any

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, day, print_json, print_table

app = typer.Typer(name="session", help="Create and see Order Entry sessions.", no_args_is_help=True)

SessionId = Annotated[str, typer.Argument(metavar="SESSION", help="Session ID, for example A00.")]


@app.command("list")
def list_sessions(
    as_json: AsJson = False, data: Data = DEFAULT_DATA, api_url: ApiUrl = None, token_file: TokenFile = None
) -> None:
    """List your sessions."""
    found = Api.connect(data, api_url, token_file).every("sessions")
    if as_json:
        print_json(found)
    elif found:
        print_table(
            ("SESSION", "FIRMS", "SEGMENTS", "KEY PAIRS", "LOGIN", "LABEL"),
            (
                (
                    session["session_id"],
                    " ".join(session["firms"]),
                    " ".join(map(str, session["market_segments"])),
                    session["valid_key_pairs"],
                    _login(session, "-"),
                    session["label"],
                )
                for session in found
            ),
        )
    else:
        typer.echo("There is no session yet. Create one with: ontherun session create --firm GFID")


@app.command("show")
def show_session(
    session_id: SessionId,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Show one session."""
    session = Api.connect(data, api_url, token_file).get("sessions", session_id)
    if as_json:
        print_json(session)
    else:
        _print_session(session)


@app.command("create")
def create_session(
    firm: Annotated[list[str], typer.Option(metavar="GFID", help="A Globex firm, the primary one first. Repeatable.")],
    segment: Annotated[list[int] | None, typer.Option(metavar="ID", help="A market segment. Repeatable. [40]")] = None,
    cancel_on_disconnect: Annotated[
        bool,
        typer.Option(
            help="Whether resting day orders go when the connection is lost. Kept; the gateways do not act on it yet."
        ),
    ] = True,
    label: Annotated[str, typer.Option(help="A name for people.")] = "",
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Create a session. Its Session ID is assigned."""
    body = {
        "firms": firm,
        "market_segments": segment or [40],
        "cancel_on_disconnect": cancel_on_disconnect,
        "label": label,
    }
    session = Api.connect(data, api_url, token_file).post("sessions", body=body)
    if as_json:
        print_json(session)
    else:
        _print_session(session)
        typer.echo(f"It logs in once it has a key pair: ontherun key generate {session['session_id']}")


@app.command("open-port")
def open_port(
    session_id: SessionId,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Open a session's ports again, which five bad logins within 60 s closed."""
    session = Api.connect(data, api_url, token_file).post("sessions", session_id, "open-port")
    if as_json:
        print_json(session)
    else:
        typer.echo(f"The ports of session {session_id} are open: it may log in again.")


def _login(session: dict[str, Any], otherwise: str) -> str:
    if session["port_closed"]:
        return "port closed"
    return "logged in" if session["connected"] else otherwise


def _print_session(session: dict[str, Any]) -> None:
    lines = {
        "Session ID": session["session_id"],
        "Label": session["label"] or "-",
        "Globex firms": " ".join(session["firms"]),
        "Market segments": " ".join(map(str, session["market_segments"])),
        "Cancel on disconnect": "yes" if session["cancel_on_disconnect"] else "no",
        "Valid key pairs": session["valid_key_pairs"],
        "Login": _login(session, "not logged in"),
        "Created": f"{day(session['created_at'])} UTC",
    }
    for name, value in lines.items():
        typer.echo(f"{name + ':':<22}{value}")
    if session["port_closed"]:
        typer.echo(
            "Five bad logins within 60 s closed its ports, and every login is refused with Terminate 8. "
            f"Open them with: ontherun session open-port {session['session_id']}"
        )
