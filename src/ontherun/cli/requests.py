"""ontherun request: see requests, amend and cancel them, and approve or reject those of others."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, day, fail, print_json, print_table
from ontherun.cli.asking import FileFormat, Preview, export, print_preview, print_request
from ontherun.cli.changing import changing

app = typer.Typer(name="request", help="See requests, and amend, cancel, approve or reject them.", no_args_is_help=True)

RequestId = Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="The number of the request.")]


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


@app.command("export")
def export_requests(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write.")],
    file_format: Annotated[FileFormat, typer.Option("--format", help="How it is written.")] = FileFormat.CSV,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE when it is there.")] = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Write the requests that you see to a file, newest first."""
    api = Api.connect(data, api_url, token_file)
    export(api, "request-export", file, file_format, force=force)
    typer.echo(f"{file} holds your requests.")


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


@app.command("amend")
@changing
def amend_request(
    request_id: RequestId,
    setting: Annotated[
        list[str],
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="What is to be different, as `request show --json` names it: number_of_sessions=3, live_date=null, "
            """firms='["DEMO1"]'. Repeatable.""",
        ),
    ],
    preview: Preview = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Ask for something else in a request that is still open."""
    api = Api.connect(data, api_url, token_file)
    was = api.get("requests", str(request_id))
    asked = {"kind": was["kind"], **was["terms"], **dict(map(_setting, setting))}
    asked = {name: value for name, value in asked.items() if value is not None}
    if preview:
        found = api.post("request-preview", body=asked, amends=request_id)
        print_json(found) if as_json else print_preview(found)
    else:
        _tell(api.put("requests", str(request_id), body=asked, revision=was["revision"]), as_json=as_json)


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


def _tell(request: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(request)
    else:
        print_request(request)


def _setting(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not separator:
        fail(f"{text} is no setting. Write FIELD=VALUE, for example number_of_sessions=3.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
