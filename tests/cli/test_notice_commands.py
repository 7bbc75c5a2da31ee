"""ontherun notices, against a running portal."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from ontherun.cli import notices

Run = Callable[..., str]


@pytest.fixture
def run(live_portal: Any) -> Run:
    """Run a command; what it printed."""
    up = {"api_url": live_portal.url, "token_file": str(live_portal.token_file)}
    (live_portal.data_dir / "up.json").write_text(json.dumps(up))
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    app.add_typer(notices.app)
    app.add_typer(typer.Typer(name="other"))

    def run(*arguments: str, fails: bool = False) -> str:
        result = CliRunner().invoke(app, arguments, env={"ONTHERUN_DATA": str(live_portal.data_dir)})
        assert result.exit_code == (1 if fails else 0), result.output
        return result.output

    return run


def test_addresses_are_added_listed_tested_and_removed(run: Run) -> None:
    assert "gets the notices of entity 1 on expiry, keys." in run(
        "notices", "addresses", "add", "team@bank.example", "--topic", "keys", "--topic", "expiry"
    )
    assert "team@bank.example" in run("notices", "addresses", "list")
    assert "is in the outbox" in run("notices", "addresses", "test", "team@bank.example")
    (newest, *_) = json.loads(run("notices", "outbox", "--json"))
    assert (newest["type"], newest["address"], newest["state"]) == (
        "notice.tested",
        "team@bank.example",
        "not configured",
    )
    shown = run("notices", "show", newest["delivery_id"])
    assert "Test of your notices" in shown
    assert "Nothing was changed." in shown
    assert "--smtp-host" in run("notices", "resend", newest["delivery_id"], fails=True)
    assert "gets nothing more" in run("notices", "addresses", "remove", "team@bank.example")
    assert "is no mail address" in run("notices", "addresses", "add", "team", fails=True)


def test_webhooks_are_added_listed_tested_and_removed(run: Run) -> None:
    made = json.loads(run("notices", "webhooks", "add", "http://127.0.0.1:1/hook", "--topic", "keys", "--json"))
    number = str(made["about"]["webhook_id"])
    assert made["secret"].startswith("whsec_")
    assert made["secret"] not in run("notices", "webhooks", "list", "--json")
    assert "http://127.0.0.1:1/hook" in run("notices", "webhooks", "list")
    assert "is in the outbox" in run("notices", "webhooks", "test", number)
    assert "is removed" in run("notices", "webhooks", "remove", number)
    assert "There is no webhook" in run("notices", "webhooks", "test", number, fails=True)


def test_messages_are_listed_and_marked(run: Run) -> None:
    assert "New key pair for session A00" in run("notices", "messages", "--unread")
    (newest, *_) = json.loads(run("notices", "messages", "--json"))["items"]
    number = str(newest["message_id"])
    assert f"Message {number} is read" in run("notices", "messages", "--mark-read", number)
    assert number not in run("notices", "messages", "--unread").split()
    assert "All messages are read" in run("notices", "messages", "--mark-all-read")
    assert "There is no unread message" in run("notices", "messages", "--unread")
    assert json.loads(run("notices", "messages", "--json"))["unread"] == 0


def test_the_calendar_is_written_to_a_file(run: Run, tmp_path: Path) -> None:
    run("notices", "calendar", "--out", str(tmp_path / "expiries.ics"))
    assert (tmp_path / "expiries.ics").read_bytes().startswith(b"BEGIN:VCALENDAR\r\n")
