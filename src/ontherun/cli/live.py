"""ontherun session live, messages and end: how a session stands at the gateways now."""

import contextlib
import time
from typing import Annotated, Any

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, print_json
from ontherun.cli.changing import changing
from ontherun.cli.sessions import SessionId

_LOOK = 1.0  # seconds between two looks
_CLEAR = "\x1b[H\x1b[2J"


def live(
    session_id: SessionId,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Look again each second, until Ctrl-C.")] = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Show how a session stands now: connections, numbers both ways, gaps, what is still to recover."""
    api = Api.connect(data, api_url, token_file)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            found = api.get("sessions", session_id, "live")
            if as_json:
                print_json(found)
            else:
                typer.echo((_CLEAR if follow else "") + "\n".join(_lines(found)))
            if not follow:
                return
            time.sleep(_LOOK)


def messages(
    session_id: SessionId,
    limit: Annotated[int, typer.Option("--limit", min=1, max=50, help="Of each way and market segment.")] = 10,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Show the last business messages of a session, decoded; the newest last."""
    found = Api.connect(data, api_url, token_file).get("sessions", session_id, "messages", limit=limit)["items"]
    if as_json:
        print_json(found)
        return
    for message in reversed(found):
        arrow = "->" if message["direction"] == "received" else "<-"
        at = (message["at"] or "")[11:26]
        typer.echo(f"{at:<15}  seg {message['segment']}  {arrow} {message['number'] or '-':<6} {_said(message)}")
    if not found:
        typer.echo(f"No business message of session {session_id} went by yet.")


@changing
def end(
    session_id: SessionId,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """End a session's connections by Terminate; it may log in again, and its numbers and orders stay."""
    ended = Api.connect(data, api_url, token_file).post("sessions", session_id, "end")
    if as_json:
        print_json(ended)
    else:
        typer.echo(f"The connections of session {session_id} were ended.")


def _said(message: dict[str, Any]) -> str:
    return f"{message['name']}: {message['words']}" if message["words"] else str(message["name"])


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [f"Session {found['session_id']} at {found['now'][:10]} {found['now'][11:23]} UTC"]
    for stream in found["segments"]:
        lines.append(f"Market segment {stream['segment']}, UUID {stream['uuid'] or '-'}")
        lines.append(f"  next numbers    client {stream['next_inbound']}, gateway {stream['next_outbound']}")
        if stream["gap_from"]:
            lines.append(f"  gap             {stream['gap_from']} is missing; NotApplied waits for an answer")
        if stream["missed"]:
            behind = f"{stream['missed']} messages from {stream['missed_from']} on, UUID {stream['missed_uuid']}"
            lines.append(f"  to recover      {behind}")
        lines.append(f"  stored          {stream['stored']} messages can be asked for again")
        lines.append(f"  working orders  {stream['orders']}")
        for rate in stream["rates"]:
            if rate["per_second"]:
                limits = f"refused above {rate['reject']}, ended above {rate['logout']}"
                lines.append(f"  {rate['module'].lower():<15} {rate['per_second']:.0f}/s; {limits}")
        if stream["port_closed"]:
            lines.append(f"  PORT CLOSED     open it with: ontherun session open-port {found['session_id']}")
        elif stream["bad_logins"]:
            lines.append(f"  bad logins      {stream['bad_logins']} within 60 s; {stream['closes_at']} close the port")
        lines += (f"  {_connection(each)}" for each in stream["connections"])
        if not stream["connections"]:
            lines.append("  not connected")
    if not found["segments"]:
        lines.append("It never logged in.")
    return lines


def _connection(each: dict[str, Any]) -> str:
    interval = f"keep-alive {each['keep_alive_interval'] / 1000:g} s"
    who = f"{each['role']} {each['state']} from {each['peer']} since {each['since'][11:19]}, firm {each['firm']}"
    return f"{who}, {interval}, heard {each['last_received'][11:23]}, connection {each['connection']}"
