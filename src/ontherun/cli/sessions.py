"""ontherun session: see Order Entry sessions. What changes them is in session_changes.py."""

from typing import Annotated, Any

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, day, print_json, print_table
from ontherun.cli.changing import changing

app = typer.Typer(name="session", help="Create, see, change and delete Order Entry sessions.", no_args_is_help=True)

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
        print_session(session)


@app.command("open-port")
@changing
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


def print_session(session: dict[str, Any]) -> None:
    """Print what there is to know of a session."""
    lines = {
        "Session ID": session["session_id"],
        "Label": session["label"] or "-",
        "Globex firms": " ".join(session["firms"]),
        "Market segments": " ".join(map(str, session["market_segments"])),
        "Cancel on disconnect": "yes" if session["cancel_on_disconnect"] else "no",
        "Log in at": " ".join(f"{at['host']}:{at['port']}" for at in session["addresses"]) or "-",
        "Log in from": " ".join(session["allowed_sources"]) or "anywhere",
        "Protocol": session["protocol"],
        "Front end system": session["front_end_system"] or "-",
        "Notes": session["notes"] or "-",
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
