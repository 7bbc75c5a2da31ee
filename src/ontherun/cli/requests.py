"""ontherun request: see requests, and approve, reject or cancel them."""

from typing import Annotated, Any

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, day, print_json, print_table
from ontherun.cli.changing import changing

app = typer.Typer(name="request", help="See requests, and approve, reject or cancel them.", no_args_is_help=True)

RequestId = Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="The number of the request.")]
Preview = Annotated[bool, typer.Option("--preview", help="Show what it would do and when; ask for nothing.")]


@app.command("list")
def list_requests(
    to_do: Annotated[bool, typer.Option("--to-do", help="Only what waits for your decision.")] = False,
    mine: Annotated[bool, typer.Option("--mine", help="Only what you submitted.")] = False,
    status: Annotated[str, typer.Option(help="Only these: Pending Approval, In-Progress, Completed ...")] = "",
    text: Annotated[str, typer.Option(help="Only those with this in their summary.")] = "",
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """List requests, newest first."""
    api = Api.connect(data, api_url, token_file)
    if to_do:
        found = api.every("to-do")
    else:
        query: dict[str, str | int | bool] = {"mine": mine, "text": text}
        if status:
            query["status"] = status
        found = api.every("requests", next_is="before", **query)
    if as_json:
        print_json(found)
    elif found:
        print_table(
            ("REQUEST", "STATUS", "SUBMITTED (UTC)", "EFFECTIVE (UTC)", "BY", "SUMMARY"),
            (
                (
                    request["request_id"],
                    request["status"],
                    day(request["submitted_at"]),
                    day(request["effective_at"]) if request["effective_at"] else "-",
                    request["submitted_by"],
                    request["summary"],
                )
                for request in found
            ),
        )
    else:
        typer.echo("Nothing waits for your decision." if to_do else "There is no such request.")


@app.command("show")
def show_request(
    request_id: RequestId,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Show one request."""
    _tell(Api.connect(data, api_url, token_file).get("requests", str(request_id)), as_json=as_json)


@app.command("approve")
@changing
def approve_request(
    request_id: RequestId,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Approve another person's request, as it is now."""
    api = Api.connect(data, api_url, token_file)
    revision = api.get("requests", str(request_id))["revision"]
    _tell(api.post("requests", str(request_id), "approve", body={"revision": revision}), as_json=as_json)


@app.command("reject")
def reject_request(
    request_id: RequestId,
    reason: Annotated[str, typer.Option(help="Why, for the person who submitted it.")],
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Reject another person's request."""
    api = Api.connect(data, api_url, token_file)
    _tell(api.post("requests", str(request_id), "reject", body={"reason": reason}), as_json=as_json)


@app.command("cancel")
def cancel_request(
    request_id: RequestId,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Take back a request that is still open."""
    api = Api.connect(data, api_url, token_file)
    _tell(api.post("requests", str(request_id), "cancel", body={"reason": reason}), as_json=as_json)


def print_request(request: dict[str, Any]) -> None:
    """Print what became of a request."""
    typer.echo(f"Request {request['request_id']} is {request['status']}: {request['summary']}.")
    if request["reason"]:
        typer.echo(f"Reason: {request['reason']}")
    if request["status"] == "Pending Approval":
        typer.echo(f"Another person approves it: ontherun request approve {request['request_id']}")
    elif request["status"] == "In-Progress":
        typer.echo(f"It is carried out on {day(request['effective_at'])} UTC. {_in(request['seconds_left'])}")
    elif request["session_ids"]:
        typer.echo(f"Sessions: {' '.join(request['session_ids'])}")


def print_preview(preview: dict[str, Any]) -> None:
    """Print what a request would do."""
    typer.echo(f"{preview['summary']}.")
    for effect in preview["effects"]:
        typer.echo(f"  {effect}")
    if preview["fee_text"]:
        typer.echo(f"  {preview['fee_text']}")
    if preview["needs_approval"]:
        typer.echo("  Another person has to approve it first.")
    when = "at once" if not preview["seconds_left"] else f"on {day(preview['effective_at'])} UTC"
    typer.echo(f"Submitted now, it is carried out {when}. Nothing was asked for yet.")


def _tell(request: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(request)
    else:
        print_request(request)


def _in(seconds: int) -> str:
    hours, minutes = divmod(seconds // 60, 60)
    return f"That is in {hours} h {minutes} min."
