"""The `ontherun` command. What a subcommand needs is imported when it runs, so that help is quick."""

import sys

import typer

from ontherun.cli import (
    attention,
    audit,
    demo,
    drop_copy,
    firms,
    frames,
    gateways,
    journals,
    key_test,
    keys_all,
    lab,
    live,
    market_control,
    market_data,
    markets,
    master_key,
    notices,
    orders,
    people,
    policies,
    requests,
    session_changes,
    sessions,
    status,
    traces,
    up,
)
from ontherun.cli.changing import changing

app = typer.Typer(
    name="ontherun",
    help="BrokerTec order entry that anyone can run.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # help in 0.16 s instead of 0.27
)
app.command("up", short_help="Start a venue: portal, API, gateways.")(up.up)
app.command("demo", short_help="Watch two firms log in and trade.")(demo.demo)
app.command("sign-in-link", short_help="Make a link that signs in at the portal.")(changing(people.sign_in_link))
app.command("status", short_help="Show what runs, and where.")(status.status)
app.command("attention", short_help="List what somebody should act on.")(attention.attention)
session_changes.add_to(sessions.app)
sessions.app.command("trace")(traces.trace)
sessions.app.command("live")(live.live)
sessions.app.command("messages")(live.messages)
sessions.app.command("end")(live.end)
app.add_typer(sessions.app)
app.add_typer(firms.entities)
app.add_typer(firms.firms)
app.add_typer(drop_copy.app)
app.add_typer(market_data.app)
app.add_typer(requests.app)
app.add_typer(policies.app)
keys_all.app.command("test")(changing(key_test.judge_login))
app.add_typer(keys_all.app)
app.add_typer(orders.app)
app.add_typer(gateways.app)
app.add_typer(journals.app)
app.add_typer(frames.app)
app.add_typer(lab.app)
app.add_typer(markets.app)
app.add_typer(market_control.week)
app.add_typer(market_control.controls)
app.add_typer(notices.app)
app.add_typer(audit.app)
app.add_typer(people.app)
app.add_typer(people.tokens)
app.add_typer(master_key.app)


@app.command()
def version() -> None:
    """Print the version."""
    import ontherun

    sys.stdout.write(ontherun.__version__ + "\n")


def main() -> None:
    """Run the command line."""
    app()
