"""ontherun entity, firm, request amend, key label and notices webhooks rotate against a live portal."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ontherun.cli import app

Run = Callable[..., Result]


@pytest.fixture
def run(live_portal: Any) -> Run:
    def run(*arguments: str, fails: bool = False) -> Result:
        options = ["--api-url", live_portal.url, "--token-file", str(live_portal.token_file)]
        result = CliRunner().invoke(app, [*arguments, *options])
        assert (result.exit_code != 0) == fails, result.output
        return result

    return run


def test_a_firm_is_registered_renamed_authorised_and_withdrawn(run: Run) -> None:
    entity = str(json.loads(run("entity", "create", "Another entity", "--json").stdout)["entity_id"])
    assert "Another entity" in run("entity", "list").stdout
    assert (
        "Sessions can be created" in run("firm", "register", "CLIF1", "A firm", "--entity", entity, "--preview").stdout
    )
    assert "is Completed" in run("firm", "register", "CLIF1", "A firm", "--entity", entity).stdout
    run("firm", "rename", "CLIF1", "Renamed")
    assert "may carry CLIF1" in run("firm", "authorise", "CLIF1", "DEMO1").stdout
    shown = run("firm", "show", "CLIF1").stdout
    assert "Name:               Renamed" in shown
    assert "May route through:  DEMO1" in shown
    assert "carried it: none" in run("firm", "unauthorise", "CLIF1", "DEMO1", "--yes").stdout
    assert "CLIF1" in run("firm", "list").stdout
    assert "is Completed" in run("firm", "withdraw", "CLIF1", "--yes").stdout
    assert "There is no Globex firm CLIF1." in run("firm", "show", "CLIF1", fails=True).stderr


def test_an_open_request_is_amended(run: Run) -> None:
    run("policy", "set", "--timetable", "exchange")
    try:
        number = str(json.loads(run("session", "create", "--firm", "DEMO1", "--json").stdout)["request_id"])
        assert "Create 3 Order" in run("request", "amend", number, "--set", "number_of_sessions=3", "--preview").stdout
        amended = json.loads(
            run("request", "amend", number, "--set", "number_of_sessions=3", "--set", "label=farm", "--json").stdout
        )
        assert (amended["revision"], amended["terms"]["label"], amended["terms"]["number_of_sessions"]) == (
            1,
            "farm",
            3,
        )
        assert "is no setting" in run("request", "amend", number, "--set", "label", fails=True).stderr
        assert "no_field" in run("request", "amend", number, "--set", "no_field=1", fails=True).stderr
        run("request", "cancel", number)
        run("session", "delete", "A00", "--yes", "--live-date", "2026-02-02")
        (waiting,) = json.loads(run("request", "list", "--status", "In-Progress", "--json").stdout)
        assert waiting["live_date"] == "2026-02-02"
        run("request", "cancel", str(waiting["request_id"]))
    finally:
        run("policy", "set", "--timetable", "at-once")


def test_requests_go_out_as_a_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "requests.csv"
    run("request", "export", str(file))
    assert file.read_text().startswith("Request,Kind,Status")
    assert "is there already" in run("request", "export", str(file), fails=True).stderr
    run("request", "export", str(file), "--format", "pdf", "--force")
    assert file.read_bytes().startswith(b"%PDF")


def test_a_key_pair_has_a_label_that_its_file_shows(run: Run) -> None:
    (session_id,) = json.loads(run("session", "create", "--firm", "DEMO1", "--json").stdout)["session_ids"]
    key = json.loads(run("key", "generate", session_id, "--label", "algo 7", "--json").stdout)
    assert key["label"] == "algo 7"
    assert "algo 7" in run("key", "list", session_id).stdout
    assert "is called désk" in run("key", "label", session_id, key["access_key_id"], "désk").stdout
    assert "Label:          désk" in run("key", "download", session_id, "--format", "text").stdout
    assert "has this label already" in run("key", "label", session_id, key["access_key_id"], "désk", fails=True).stderr


def test_the_secret_of_a_webhook_is_rotated(run: Run) -> None:
    made = json.loads(run("notices", "webhooks", "add", "https://hooks.example/", "--entity", "1", "--json").stdout)
    number = str(made["about"]["webhook_id"])
    rotated = json.loads(run("notices", "webhooks", "rotate", number, "--json").stdout)
    assert rotated["secret"] != made["secret"]
    assert rotated["about"]["earlier_secret_until"] == "2026-01-02T00:00:00Z"
    assert "The one before is erased." in run("notices", "webhooks", "rotate", number, "--overlap", "0").stdout
