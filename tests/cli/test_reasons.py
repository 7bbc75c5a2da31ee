"""--reason on every command that changes something: the audit says why."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from ontherun.cli import app

Run = Callable[..., Result]

READING = {
    "up", "demo", "status", "attention", "version",
    "session list", "session trace", "session live", "session messages", "gateway list", "week show", "controls show",
    "market list", "market instruments", "journal verify",
    "entity list", "firm list", "firm show", "session show", "session export",
    "drop-copy list", "drop-copy show", "market-data list", "market-data show",
    "request list", "request export", "request show", "policy show",
    "key list", "key calendar", "key health",
    "order buy", "order sell", "order cancel", "order replace",
    "frame decode", "frame encode", "lab clock",
    "notices outbox", "notices show", "notices messages", "notices calendar", "notices addresses list",
    "notices webhooks list",
    "audit list", "audit search", "audit verify",
    "people list", "people invitations", "token list", "master-key status",
}  # fmt: skip
"""What leaves no audit entry of somebody's doing; orders have no audit but their journal."""


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, part in getattr(command, "commands", {}).items():
        yield from _commands(part, (*path, name))
    if not hasattr(command, "commands"):
        yield " ".join(path), command


def test_every_command_that_changes_something_takes_a_reason() -> None:
    without = {
        name for name, command in _commands(get_command(app)) if "reason" not in {p.name for p in command.params}
    }
    assert without == READING


@pytest.fixture
def run(live_portal: Any) -> Run:
    def run(*arguments: str) -> Result:
        options = ["--api-url", live_portal.url, "--token-file", str(live_portal.token_file)]
        result = CliRunner().invoke(app, [*arguments, *options])
        assert result.exit_code == 0, result.output
        return result

    return run


def test_the_audit_says_why_a_command_changed_something(run: Run) -> None:
    created = json.loads(run("session", "create", "--firm", "DEMO1", "--reason", "für die Prüfung", "--json").stdout)
    (session_id,) = created["session_ids"]
    run("key", "generate", session_id)
    entries = json.loads(run("audit", "list", "--subject", f"session {session_id}", "--json").stdout)
    reasons = {entry["action"]: json.loads(entry["details"]).get("reason") for entry in entries}
    assert reasons == {"session.created": "für die Prüfung", "key_pair.generated": None}
    assert "für die Prüfung" in run("audit", "list", "--subject", f"session {session_id}").stdout


def test_a_reason_that_cannot_be_kept_is_refused(live_portal: Any) -> None:
    options = ["--api-url", live_portal.url, "--token-file", str(live_portal.token_file)]
    result = CliRunner().invoke(app, ["lab", "reset", "--reason", "x" * 101, *options])
    assert result.exit_code == 1
    assert "Audit-Reason" in result.output
