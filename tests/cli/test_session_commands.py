"""ontherun session, request, drop-copy and market-data against a live portal."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner, Result

from ontherun.cli import app

Run = Callable[..., Result]


@pytest.fixture
def run(live_portal: Any) -> Run:
    """Run a command against the portal; by default it has to succeed."""

    def run(*arguments: str, fails: bool = False, answer: str | None = None) -> Result:
        options = ["--api-url", live_portal.url, "--token-file", str(live_portal.token_file)]
        result = CliRunner().invoke(app, [*arguments, *options], input=answer)
        assert (result.exit_code != 0) == fails, result.output
        return result

    return run


@pytest.fixture
def api(live_portal: Any) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {live_portal.token_file.read_text().strip()}"}
    with httpx2.Client(base_url=f"{live_portal.url}/api/v1", headers=headers) as client:
        yield client


def new_session(run: Run, *options: str) -> str:
    request = json.loads(run("session", "create", "--firm", "DEMO1", *options, "--json").stdout)
    assert request["status"] == "Completed"
    return str(request["session_ids"][0])


def test_a_session_is_created_edited_and_deleted(run: Run) -> None:
    session_id = new_session(run, "--source", "10.0.0.0/8", "--notes", "for QA", "--front-end-system", "OMS")
    shown = run("session", "show", session_id).stdout
    for line in (
        "Log in from:          10.0.0.0/8",
        "Notes:                for QA",
        "Log in at:            127.0.0.1:9040",
    ):
        assert line in shown
    assert "carried out at once" in run("session", "edit", session_id, "--label", "new", "--preview").stdout
    assert "is Completed" in run("session", "edit", session_id, "--label", "new", "--any-source").stdout
    shown = run("session", "show", session_id).stdout
    assert "Label:                new" in shown
    assert "Log in from:          anywhere" in shown
    assert "is FIX already" in (
        run("session", "protocol", session_id, "FIX").stdout
        + run("session", "protocol", session_id, "FIX", fails=True).stderr
    )
    refused = run("session", "delete", session_id, fails=True, answer="n\n")
    assert "is never given again" in refused.stderr
    assert "is Completed" in run("session", "delete", session_id, "--end-session", answer="y\n").stdout
    assert f"There is no session {session_id}." in run("session", "show", session_id, fails=True).stderr


def test_several_sessions_are_created_and_cloned_at_once(run: Run) -> None:
    said = run("session", "create", "--firm", "DEMO1", "--number", "3", "--label", "farm").stdout
    ids = said.split("Sessions: ")[1].split()
    assert len(ids) == 3
    clones = json.loads(run("session", "clone", ids[0], "-n", "2", "--json").stdout)
    assert len(clones["session_ids"]) == 2
    assert "It logs in once it has a key pair" in run("session", "clone", ids[0], "--label", "one").stdout


def test_sessions_go_out_and_in_as_csv(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "sessions.csv"
    assert "holds your sessions" in run("session", "export", str(file)).stdout
    assert "is there already" in run("session", "export", str(file), fails=True).stderr
    for form in ("xlsx", "pdf"):
        run("session", "export", str(file), "--format", form, "--force")
    file.write_text("firms,market_segments,label\nDEMO1 DEMO2,40,in\n", encoding="utf-8")
    assert "Import 1 Order Entry session" in run("session", "import", str(file), "--preview").stdout
    assert "Label:                in" in run("session", "import", str(file)).stdout
    file.write_text("firms,market_segments\nDEMO1,40\nNONE1,40\n", encoding="utf-8")
    assert "line 3: There is no Globex firm NONE1." in run("session", "import", str(file), fails=True).stderr
    assert "cannot be read" in run("session", "import", str(tmp_path / "none.csv"), fails=True).stderr


def test_a_request_waits_and_is_cancelled_approved_or_rejected(run: Run, api: httpx2.Client) -> None:
    made = api.post("/tokens", json={"name": "second", "scopes": "admin-manager", "entity_id": 1}).json()
    api.patch("/policies", json={"four_eyes": True, "timetable": "exchange"}).raise_for_status()
    try:
        number = str(json.loads(run("session", "create", "--firm", "DEMO1", "--json").stdout)["request_id"])
        assert f"ontherun request approve {number}" in run("request", "show", number).stdout
        assert "another person has to approve" in run("request", "approve", number, fails=True).stderr
        body = {"firms": ["DEMO2"], "market_segments": [40]}
        with httpx2.Client(base_url=api.base_url, headers={"Authorization": f"Bearer {made['token']}"}) as second:
            theirs = [str(second.post("/sessions", json=body).json()["request_id"]) for _ in range(2)]
        assert all(one in run("request", "list", "--to-do").stdout for one in theirs)
        approved = run("request", "approve", theirs[0]).stdout
        assert "is In-Progress" in approved
        assert "It is carried out on 2026-01-02 18:00 UTC. That is in" in approved
        assert "Reason: not now" in run("request", "reject", theirs[1], "--reason", "not now").stdout
        assert "is Cancelled" in run("request", "cancel", number).stdout
        assert (
            "Another person has to approve it first." in run("session", "create", "--firm", "DEMO1", "--preview").stdout
        )
    finally:
        api.patch("/policies", json={"four_eyes": False, "timetable": "at-once"}).raise_for_status()
    listed = json.loads(run("request", "list", "--status", "Rejected", "--json").stdout)
    assert [str(request["request_id"]) for request in listed] == [theirs[1]]
    assert "Nothing waits" in run("request", "list", "--to-do").stdout
    assert theirs[0] in run("request", "list").stdout


def test_a_drop_copy_group_is_made_changed_and_deleted(run: Run) -> None:
    assert "There is no Drop Copy group yet" in run("drop-copy", "list").stdout
    create = ("drop-copy", "create", "--name", "Risk", "--firm", "DEMO1", "--copy", "A00")
    assert "A target session will be assigned" in run(*create, "--preview").stdout
    made = json.loads(run(*create, "--json").stdout)
    (target,) = made["session_ids"]
    assert target in run("drop-copy", "list").stdout
    run("drop-copy", "edit", "1", "--message", "acks")
    assert "Messages:           acks" in run("drop-copy", "show", "1").stdout
    assert "is Completed" in run("drop-copy", "delete", "1", "--yes").stdout


def test_market_data_sessions_are_made_changed_and_deleted(run: Run) -> None:
    assert "There is no Market Data session yet" in run("market-data", "list").stdout
    create = ("market-data", "create", "--firm", "DEMO1", "--product", "us-repo")
    assert "Entitled to US repo." in run(*create, "--preview").stdout
    (session_id,) = json.loads(run(*create, "--json").stdout)["session_ids"]
    assert "names what BrokerTec EU does not have" in run(*create, "--market", "EU", fails=True).stderr
    run("market-data", "edit", session_id, "--label", "repo desk")
    assert "repo desk" in run("market-data", "list").stdout
    assert "Market:             US" in run("market-data", "show", session_id).stdout
    assert "is Completed" in run("market-data", "delete", session_id, answer="y\n").stdout


def test_policies_are_shown_and_set(run: Run) -> None:
    assert (
        "Order entry session:" in run("policy", "set", "--timetable", "exchange").stdout + run("policy", "show").stdout
    )
    assert "Timetable:                        at-once" in run("policy", "set", "--timetable", "at-once").stdout
    assert "Nothing would change" in run("policy", "set", fails=True).stderr
    assert "may have 150 Order Entry sessions" in run("policy", "allowance", "1", "--sessions", "150").stdout
    assert json.loads(run("policy", "allowance", "1", "--json").stdout)["allowance"] == 150
    assert "may have 100" in run("policy", "allowance", "1", "--default").stdout
