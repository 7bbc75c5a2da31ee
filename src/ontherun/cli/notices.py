"""ontherun notices: what was sent or would have been, where notices go, messages, and the calendar of expiries."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ontherun.cli.api import DEFAULT_DATA, Api, ApiUrl, AsJson, Data, TokenFile, day, fail, print_json, print_table
from ontherun.cli.changing import changing

app = typer.Typer(name="notices", help="Mail, webhooks, messages and the calendar of expiries.", no_args_is_help=True)
addresses = typer.Typer(name="addresses", help="Team addresses that get an entity's notices.", no_args_is_help=True)
webhooks = typer.Typer(name="webhooks", help="Programs that are told of an entity's events.", no_args_is_help=True)
app.add_typer(addresses)
app.add_typer(webhooks)

DeliveryId = Annotated[str, typer.Argument(metavar="DELIVERY", help="Which one, for example 17-1.")]
WebhookId = Annotated[int, typer.Argument(metavar="WEBHOOK", min=1, help="Which one.")]
Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="name@domain")]
Topic = Annotated[
    list[str] | None,
    typer.Option("--topic", help="expiry, keys, sessions, requests, people, venue. Repeatable. [all of them]"),
]
Entity = Annotated[int | None, typer.Option("--entity", metavar="ID", min=1, help="Whose notices. [your only entity]")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many, the newest ones.")]


@app.command("outbox")
def outbox(
    state: Annotated[
        str | None, typer.Option("--state", help='Only those in a state: due, sent, failed, "not configured"...')
    ] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """List what was sent, or would have been, newest first."""
    query: dict[str, str | int | bool] = {"limit": limit} | ({} if state is None else {"state": state})
    found = Api.connect(data, api_url, token_file).get("notices", "deliveries", **query)["items"]
    if as_json:
        print_json(found)
    elif found:
        print_table(
            ("DELIVERY", "AT (UTC)", "STATE", "TO", "SUBJECT", "ANSWER"),
            (
                (
                    each["delivery_id"],
                    day(each["at"]),
                    each["state"],
                    each["address"] or "-",
                    each["subject"],
                    each["answer"][:60],
                )
                for each in found
            ),
        )
    else:
        typer.echo("There is nothing in the outbox. Every key event gets there: ontherun key generate A00")


@app.command("show")
def show(
    delivery_id: DeliveryId,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Show a delivery with what was, or would be, sent."""
    found = Api.connect(data, api_url, token_file).get("notices", "deliveries", delivery_id)
    if as_json:
        print_json(found)
        return
    about = found["about"]
    for name in ("delivery_id", "state", "channel", "address", "attempts", "next_attempt_at", "answer", "message_id"):
        if about[name] not in (None, ""):
            typer.echo(f"{name.replace('_', ' ') + ':':<17}{about[name]}")
    typer.echo(f"{'subject:':<17}{about['subject']}\n")
    typer.echo(found["text"] if found["text"] is not None else json.dumps(found["body"], indent=2))


@app.command("resend")
@changing
def resend(
    delivery_id: DeliveryId,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Send again what failed, was given up, is unconfirmed, or was not configured."""
    found = Api.connect(data, api_url, token_file).post("notices", "deliveries", delivery_id, "resend")
    if as_json:
        print_json(found)
    else:
        typer.echo(f"Delivery {delivery_id} to {found['address']} is {found['state']}.")


@app.command("messages")
def messages(
    unread: Annotated[bool, typer.Option("--unread", help="Only those not yet read.")] = False,
    mark_read: Annotated[
        int | None, typer.Option("--mark-read", metavar="MESSAGE", min=1, help="Mark one as read.")
    ] = None,
    mark_all_read: Annotated[bool, typer.Option("--mark-all-read", help="Mark all as read, and list nothing.")] = False,
    limit: Limit = 50,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """List your messages, newest first."""
    api = Api.connect(data, api_url, token_file)
    if mark_read is not None:
        api.act("messages", str(mark_read), "read")
        typer.echo(f"Message {mark_read} is read.")
        return
    if mark_all_read:
        api.act("mark-messages-read")
        typer.echo("All messages are read.")
        return
    found = api.get("messages", limit=limit, unread=unread)
    if as_json:
        print_json(found)
    elif found["items"]:
        print_table(
            ("MESSAGE", "AT (UTC)", "", "SUBJECT"),
            (
                (each["message_id"], day(each["at"]), "" if each["read"] else "unread", each["subject"])
                for each in found["items"]
            ),
        )
    else:
        typer.echo("There is no unread message." if unread else "There is no message yet.")


@app.command("calendar")
def calendar(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write it here. [standard output]")
    ] = None,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Write the expiries of key pairs as a calendar file (RFC 5545)."""
    text = Api.connect(data, api_url, token_file).text("calendar", "expiries.ics")
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        fail(f"{out} cannot be written: {error.strerror}")
    typer.echo(f"The calendar is {out}.")


@addresses.command("list")
def list_addresses(
    as_json: AsJson = False, data: Data = DEFAULT_DATA, api_url: ApiUrl = None, token_file: TokenFile = None
) -> None:
    """List team addresses."""
    found = Api.connect(data, api_url, token_file).every("notices", "addresses")
    if as_json:
        print_json(found)
    elif found:
        print_table(
            ("ENTITY", "ADDRESS", "TOPICS"),
            ((each["entity_id"], each["address"], " ".join(each["topics"])) for each in found),
        )
    else:
        typer.echo("No team address gets notices. Add one with: ontherun notices addresses add ADDRESS")


@addresses.command("add")
@changing
def add_address(
    address: Address,
    topic: Topic = None,
    entity: Entity = None,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Have an entity's notices mailed to a team, or change what about."""
    api = Api.connect(data, api_url, token_file)
    found = api.post("notices", "addresses", body=_new(entity, address=address, topics=topic or []))
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{address} gets the notices of entity {found['entity_id']} on {', '.join(found['topics'])}.")


@addresses.command("remove")
@changing
def remove_address(
    address: Address,
    entity: Entity = None,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Mail nothing more to a team."""
    api = Api.connect(data, api_url, token_file)
    api.delete("notices", "addresses", _entity_of(api, address, entity), address)
    typer.echo(f"{address} gets nothing more.")


@addresses.command("test")
@changing
def try_address(
    address: Address,
    entity: Entity = None,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Have a test mailed to a team."""
    api = Api.connect(data, api_url, token_file)
    _print_sent(api.post("notices", "addresses", _entity_of(api, address, entity), address, "test"), as_json=as_json)


@webhooks.command("list")
def list_webhooks(
    as_json: AsJson = False, data: Data = DEFAULT_DATA, api_url: ApiUrl = None, token_file: TokenFile = None
) -> None:
    """List webhooks."""
    found = Api.connect(data, api_url, token_file).every("notices", "webhooks")
    if as_json:
        print_json(found)
    elif found:
        print_table(
            ("WEBHOOK", "ENTITY", "URL", "TOPICS", "LABEL"),
            (
                (each["webhook_id"], each["entity_id"], each["url"], " ".join(each["topics"]), each["label"])
                for each in found
            ),
        )
    else:
        typer.echo("There is no webhook. Add one with: ontherun notices webhooks add URL")


@webhooks.command("add")
@changing
def add_webhook(
    url: Annotated[str, typer.Argument(metavar="URL", help="https://host/path")],
    topic: Topic = None,
    label: Annotated[str, typer.Option(help="A name for people.")] = "",
    entity: Entity = None,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Have a program told of an entity's events. Its signing secret is shown this once."""
    api = Api.connect(data, api_url, token_file)
    made = api.post("notices", "webhooks", body=_new(entity, url=url, label=label, topics=topic or []))
    if as_json:
        print_json(made)
        return
    typer.echo(f"Webhook {made['about']['webhook_id']} is told of {', '.join(made['about']['topics'])}.")
    typer.echo(f"Signing secret, shown this once: {made['secret']}")
    typer.echo(f"Try it: ontherun notices webhooks test {made['about']['webhook_id']}")


@webhooks.command("rotate")
@changing
def rotate_webhook(
    webhook_id: WebhookId,
    overlap: Annotated[
        int, typer.Option(metavar="HOURS", min=0, max=168, help="How long the secret of now signs as well.")
    ] = 24,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Give a webhook another signing secret, shown this once."""
    api = Api.connect(data, api_url, token_file)
    made = api.post("notices", "webhooks", str(webhook_id), "rotate", body={"overlap_hours": overlap})
    if as_json:
        print_json(made)
        return
    until = made["about"]["earlier_secret_until"]
    typer.echo(f"Signing secret, shown this once: {made['secret']}")
    typer.echo(f"The one before signs as well until {day(until)} UTC." if until else "The one before is erased.")


@webhooks.command("remove")
@changing
def remove_webhook(
    webhook_id: WebhookId, data: Data = DEFAULT_DATA, api_url: ApiUrl = None, token_file: TokenFile = None
) -> None:
    """Tell a program nothing more; its signing secret is erased."""
    Api.connect(data, api_url, token_file).delete("notices", "webhooks", str(webhook_id))
    typer.echo(f"Webhook {webhook_id} is removed.")


@webhooks.command("test")
@changing
def try_webhook(
    webhook_id: WebhookId,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Have a test sent to a program."""
    api = Api.connect(data, api_url, token_file)
    _print_sent(api.post("notices", "webhooks", str(webhook_id), "test"), as_json=as_json)


def _new(entity: int | None, **values: Any) -> dict[str, Any]:
    return values | ({} if entity is None else {"entity_id": entity})


def _entity_of(api: Api, address: str, entity: int | None) -> str:
    """The entity that is named, or the only one with this address."""
    if entity is not None:
        return str(entity)
    found = {str(each["entity_id"]) for each in api.every("notices", "addresses") if each["address"] == address}
    if len(found) != 1:
        fail(f"{address} is an address of {len(found)} entities that you see. Name one with --entity ID.")
    return found.pop()


def _print_sent(sent: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(sent)
    else:
        typer.echo(f"Notice {sent['notice_id']} is in the outbox. See what becomes of it: ontherun notices outbox")
