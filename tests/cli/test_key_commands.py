"""ontherun key and ontherun session, against a live portal."""

import json
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
import typer
from typer.testing import CliRunner, Result

from ontherun.cli import attention, keys, sessions

Run = Callable[..., Result]


def application() -> typer.Typer:
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    app.add_typer(sessions.app)
    app.add_typer(keys.app)
    app.command("attention")(attention.attention)
    return app


@pytest.fixture
def data(live_portal: Any) -> Path:
    """The data directory, as `ontherun up` leaves it."""
    up = {"api_url": live_portal.url, "token_file": str(live_portal.token_file)}
    (live_portal.data_dir / "up.json").write_text(json.dumps(up))
    return Path(live_portal.data_dir)


@pytest.fixture
def run(data: Path) -> Run:
    def run(*arguments: str, fails: bool = False, **more: Any) -> Result:
        result = CliRunner().invoke(application(), arguments, env={"ONTHERUN_DATA": str(data)}, **more)
        assert result.exit_code == (1 if fails else 0), result.output
        return result

    return run


@pytest.fixture
def session_id(run: Run) -> str:
    return new_session(run)


def new_session(run: Run, firm: str = "DEMO1") -> str:
    return str(json.loads(run("session", "create", "--firm", firm, "--json").stdout)["session_ids"][0])


def generated(run: Run, session_id: str) -> str:
    return str(json.loads(run("key", "generate", session_id, "--json").stdout)["access_key_id"])


def test_sessions_are_listed_as_a_table_and_as_json(run: Run, live_portal: Any) -> None:
    live_portal.running.logged_in.add("A01")
    table = run("session", "list").stdout.splitlines()
    assert table[0].split() == ["SESSION", "FIRMS", "SEGMENTS", "KEY", "PAIRS", "LOGIN", "LABEL"]
    assert table[2].split() == ["A01", "DEMO2", "40", "1", "logged", "in", "Demo"]
    found = json.loads(run("session", "list", "--json").stdout)
    assert [session["session_id"] for session in found[:2]] == ["A00", "A01"]


def test_a_session_is_created_and_shown(run: Run) -> None:
    said = run(
        "session", "create", "--firm", "DEMO1", "--firm", "DEMO2", "--no-cancel-on-disconnect", "--label", "algo 7"
    ).stdout
    session_id = said.split()[2]
    assert f"ontherun key generate {session_id}" in said
    shown = run("session", "show", session_id).stdout
    for line in ("Globex firms:         DEMO1 DEMO2", "Cancel on disconnect: no", "Label:                algo 7"):
        assert line in shown
    assert json.loads(run("session", "show", session_id, "--json").stdout)["firms"] == ["DEMO1", "DEMO2"]


def test_a_list_longer_than_a_page_is_whole(run: Run, live_portal: Any) -> None:
    headers = {"Authorization": f"Bearer {live_portal.token_file.read_text().strip()}"}
    with httpx2.Client(base_url=live_portal.url, headers=headers) as client:
        client.put("/api/v1/entities/1/session-allowance", json={"allowance": 1000}).raise_for_status()
        for _ in range(101):
            client.post("/api/v1/sessions", json={"firms": ["DEMO2"], "market_segments": [40]}).raise_for_status()
    found = json.loads(run("session", "list", "--json").stdout)
    assert len(found) == len({session["session_id"] for session in found}) > 100


def test_a_pair_is_generated_and_downloaded_to_a_file_for_its_owner_only(
    run: Run, session_id: str, tmp_path: Path
) -> None:
    out = tmp_path / "key.json"
    said = run("key", "generate", session_id, "--out", str(out)).stdout
    content = json.loads(out.read_text())
    assert content["access_key_id"] in said
    assert content["secret_key"] not in said
    assert (content["session_id"], content["firm"]) == (session_id, "DEMO1")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_a_key_file_is_replaced_only_by_force(run: Run, session_id: str, tmp_path: Path) -> None:
    out = tmp_path / "key.json"
    out.write_text("precious")
    refused = run("key", "generate", session_id, "--out", str(out), fails=True)
    assert "is there already" in refused.stderr
    assert out.read_text() == "precious"
    assert json.loads(run("key", "list", session_id, "--json").stdout) == []  # nothing was generated for nothing
    run("key", "generate", session_id, "--out", str(out), "--force")
    assert "secret_key" in out.read_text()
    nowhere = run("key", "download", session_id, "--out", str(tmp_path / "none" / "key.json"), fails=True)
    assert "is no directory" in nowhere.stderr


def test_a_pair_is_downloaded_to_standard_output_in_each_form(run: Run, session_id: str) -> None:
    key = generated(run, session_id)
    content = json.loads(run("key", "download", session_id, key).stdout)
    assert json.loads(run("key", "download", session_id, key, "--format", "env", "--json").stdout) == content
    env = run("key", "download", session_id, key, "--format", "env").stdout
    assert f"ONTHERUN_SECRET_KEY={content['secret_key']}\n" in env
    assert content["secret_key"] in run("key", "download", session_id, key, "--format", "text").stdout


def test_download_takes_the_valid_pair_that_expires_last(run: Run, session_id: str, live_portal: Any) -> None:
    first = generated(run, session_id)
    live_portal.clock.advance(86_400 * 10**9)
    second = generated(run, session_id)
    assert json.loads(run("key", "download", session_id).stdout)["access_key_id"] == second
    run("key", "delete", session_id, second, "--yes")
    assert json.loads(run("key", "download", session_id).stdout)["access_key_id"] == first
    run("key", "delete", session_id, first, "--yes")
    assert "has no valid key pair" in run("key", "download", session_id, fails=True).stderr


def test_download_to_a_file_names_the_file(run: Run, session_id: str, tmp_path: Path) -> None:
    key = generated(run, session_id)
    out = tmp_path / "key.env"
    assert f"{out} holds key pair {key}" in run("key", "download", session_id, "-o", str(out), "--format", "env").stdout
    again = run("key", "download", session_id, "-o", str(out), "--force", "--json").stdout
    assert json.loads(again) == {"session_id": session_id, "access_key_id": key, "file": str(out)}


def test_deleting_asks_first_and_says_what_stays(run: Run, session_id: str) -> None:
    first, second = generated(run, session_id), generated(run, session_id)
    asked = run("key", "delete", session_id, first, fails=True, input="n\n")
    assert "1 valid pair stays" in asked.stderr
    assert f"{first} of session {session_id} is deleted" in run("key", "delete", session_id, first, input="y\n").stdout
    asked = run("key", "delete", session_id, second, fails=True, input="")
    assert "NO valid pair stays: the session cannot log in" in asked.stderr
    said = json.loads(run("key", "delete", session_id, second, "--yes", "--json").stdout)
    assert said == {"session_id": session_id, "access_key_id": second, "state": "deleted"}
    assert "has no key pair" in run("key", "list", session_id).stdout
    assert run("key", "list", session_id, "--deleted").stdout.count("deleted") == 2


def test_a_refusal_is_told_in_the_words_of_the_api(run: Run, session_id: str) -> None:
    keys = [generated(run, session_id), generated(run, session_id)]
    refused = run("key", "generate", session_id, fails=True)
    assert refused.stdout == ""
    assert all(key in refused.stderr for key in keys)
    assert "Delete one of them" in refused.stderr
    assert "no session ZZZ" in run("session", "show", "ZZZ", fails=True).stderr
    assert "path.session_id: String should match pattern" in run("session", "show", "a00", fails=True).stderr
    assert "There is nothing at /api/v1/sessions/../../x" in run("session", "show", "../../x", fails=True).stderr


def test_a_venue_is_named_by_options_too(run: Run, live_portal: Any) -> None:
    named = ("--api-url", f"{live_portal.url}/", "--token-file", str(live_portal.token_file), "--data", "/nonexistent")
    assert "A00" in run("session", "list", *named).stdout
    assert "--api-url needs --token-file" in run("session", "list", *named[:2], fails=True).stderr


def test_without_a_running_venue_the_way_to_one_is_told(run: Run, tmp_path: Path) -> None:
    refused = run("session", "list", "--data", str(tmp_path), fails=True)
    assert f"No venue runs on {tmp_path}" in refused.stderr
    assert "ontherun up" in refused.stderr
    (tmp_path / "up.json").write_text("{}")
    assert "cannot be used" in run("session", "list", "--data", str(tmp_path), fails=True).stderr
    (tmp_path / "up.json").write_text(json.dumps({"api_url": "http://127.0.0.1:1", "token_file": str(tmp_path / "t")}))
    assert "token cannot be read" in run("session", "list", "--data", str(tmp_path), fails=True).stderr
    (tmp_path / "t").write_text("otr_x")
    assert "http://127.0.0.1:1 does not answer" in run("session", "list", "--data", str(tmp_path), fails=True).stderr


def test_a_token_that_is_not_valid_is_refused_and_not_shown(run: Run, live_portal: Any, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("otr_secret_that_is_wrong")
    refused = run("session", "list", "--api-url", live_portal.url, "--token-file", str(tmp_path / "token"), fails=True)
    assert "unknown, expired or revoked" in refused.stderr
    assert "otr_secret" not in refused.output


def test_a_proxy_for_the_outside_world_is_not_asked_for_a_venue_on_this_machine(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert "A00" in run("session", "list").stdout


def test_the_help_of_a_command_waits_for_no_web_framework_and_no_database() -> None:
    script = (
        "import sys, typer\n"
        "from ontherun.cli import keys, sessions\n"
        "app = typer.Typer(rich_markup_mode=None)\n"
        "app.add_typer(sessions.app); app.add_typer(keys.app)\n"
        "try: app(['session', 'list', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'fastapi', 'starlette', 'sqlalchemy', 'alembic', 'cryptography', 'httpx2', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "List your sessions." in run.stdout
    assert run.stdout.splitlines()[-1] == "[]"


def test_a_closed_port_is_shown_with_what_opens_it_and_is_opened(run: Run, live_portal: Any) -> None:
    assert "are open" in run("session", "open-port", "A00", fails=True).output
    live_portal.running.closed.add("A00")
    assert "port closed" in run("session", "list").stdout
    assert "ontherun session open-port A00" in run("session", "show", "A00").stdout
    assert "it may log in again" in run("session", "open-port", "A00").stdout
    assert "port closed" not in run("session", "show", "A00").stdout


def test_what_needs_attention_is_listed(run: Run, session_id: str) -> None:
    assert f"no-valid-key  {session_id}" in run("attention").stdout
    assert "no-valid-key" in {need["kind"] for need in json.loads(run("attention", "--json").stdout)}
    run("key", "generate", session_id)
    assert session_id not in run("attention").stdout


def test_every_pair_is_listed_with_its_session_and_what_happens_next(run: Run, session_id: str) -> None:
    key = generated(run, session_id)
    lines = run("key", "list").stdout.splitlines()
    assert lines[0].split("  ")[0] == "SESSION"
    (line,) = [line for line in lines if key in line]
    assert line.startswith(session_id)
    assert "active" in line
    assert "never" in line
    assert "expiring 20" in line


def test_a_third_pair_needs_a_choice(run: Run, session_id: str) -> None:
    first, second = generated(run, session_id), generated(run, session_id)
    refused = run("key", "generate", session_id, fails=True).stderr
    assert first in refused
    assert second in refused
    third = json.loads(run("key", "generate", session_id, "--delete", first, "--json").stdout)["access_key_id"]
    assert [pair["access_key_id"] for pair in json.loads(run("key", "list", session_id, "--json").stdout)] == [
        second,
        third,
    ]


def test_a_cut_over_is_typed_in_central_time_and_brought_forward(run: Run, session_id: str, live_portal: Any) -> None:
    live_portal.clock.set(1_767_225_600 * 10**9)
    old = generated(run, session_id)
    made = run("key", "generate", session_id, "--cut-over", "2026-01-12T09:00", "--json").stdout
    new = json.loads(made)
    assert new["valid_from"] == "2026-01-12T15:00:00Z"
    pairs = json.loads(
        run("key", "cut-over", session_id, new["access_key_id"], "2026-01-11T09:00", "--zone", "UTC", "--json").stdout
    )
    assert [(pair["access_key_id"], pair["expires_at"][:13]) for pair in pairs][:1] == [(old, "2026-01-11T09")]
    assert "not yet valid" in run("key", "list", session_id).stdout
    assert "is no date and time" in run("key", "cut-over", session_id, old, "soon", fails=True).stderr
    nowhere = run("key", "cut-over", session_id, old, "2026-01-11T09:00", "--zone", "Mars/Base", fails=True).stderr
    assert "is no time zone" in nowhere


def test_a_pair_is_deactivated_after_a_question_and_activated(run: Run, session_id: str) -> None:
    key = generated(run, session_id)
    asked = run("key", "deactivate", session_id, key, input="y\n")
    assert "NO valid pair stays" in asked.stderr
    assert f"{key} of session {session_id} is deactivated" in asked.stdout
    assert json.loads(run("key", "activate", session_id, key, "--json").stdout)["state"] == "active"


def test_a_secret_is_sealed_to_a_public_key(run: Run, session_id: str, tmp_path: Path) -> None:
    key, pem = generated(run, session_id), tmp_path / "receiver.pem"
    pem.write_text(
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEA3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=\n"
        "-----END PUBLIC KEY-----\n"
    )
    content = json.loads(run("key", "download", session_id, key, "--sealed-to", str(pem)).stdout)
    assert content["algorithm"] == "X25519-HKDF-SHA256-AES256GCM"
    assert "secret_key" not in content
    missing = run("key", "download", session_id, key, "--sealed-to", str(tmp_path / "none"), fails=True)
    assert "public key cannot be read" in missing.stderr


def test_pairs_are_made_downloaded_and_deleted_in_bulk(run: Run, tmp_path: Path) -> None:
    ids = [new_session(run) for _ in range(2)]
    assert "generated" in run("key", "generate-many", *ids).stdout
    again = run("key", "generate-many", ids[0], "ZZZ", fails=True)
    assert "There is no session ZZZ." in again.stdout
    out = tmp_path / "keys.zip"
    assert f"{out} holds 2 key pairs" in run("key", "download-many", *ids, "--out", str(out), "--format", "env").stdout
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with zipfile.ZipFile(out) as archive:
        assert [name[:3] for name in archive.namelist()] == ids
    one = tmp_path / "keys.json"
    run("key", "download-many", ids[1], "--out", str(one), "--packing", "json")
    (content,) = json.loads(one.read_text())
    assert content["session_id"] == ids[1]
    assert "no key pair nowhere" in run("key", "delete-many", "nowhere", "--yes", fails=True).stderr
    deleted = json.loads(run("key", "delete-many", content["access_key_id"], "--yes", "--json").stdout)
    assert deleted == [{"session_id": ids[1], "access_key_id": content["access_key_id"], "problem": None}]
    assert (
        f"No valid key pair: {ids[1]}"
        in run("key", "download-many", *ids, "-o", str(one), "--force", fails=True).stderr
    )


def test_every_pair_of_a_session_or_a_firm_is_revoked(run: Run, session_id: str, live_portal: Any) -> None:
    live_portal.running.logged_in.add(session_id)
    two = [generated(run, session_id), generated(run, session_id)]
    said = run(
        "key", "revoke", "--session", session_id, "--reason", "laptop stolen", "--end-live-sessions", input="y\n"
    ).stdout
    assert all(key in said for key in two)
    assert f"Session {session_id} was logged in" in said
    assert live_portal.running.ended[-1] == (session_id, "key pairs revoked: laptop stolen")
    headers = {"Authorization": f"Bearer {live_portal.token_file.read_text().strip()}"}
    body = {"entity_id": 1, "gfid": "LOST1", "name": "A firm that lost its keys"}
    httpx2.post(f"{live_portal.url}/api/v1/firms", json=body, headers=headers).raise_for_status()
    other = new_session(run, "LOST1")
    generated(run, other)
    revoked = json.loads(run("key", "revoke", "--firm", "LOST1", "--yes", "--json").stdout)["revoked"]
    assert [pair["session_id"] for pair in revoked] == [other]
    assert "Name what is revoked" in run("key", "revoke", fails=True).stderr


def test_the_calendar_and_the_health_of_all_pairs_are_shown(run: Run, session_id: str, live_portal: Any) -> None:
    key = generated(run, session_id)
    lines = run("key", "calendar").stdout.splitlines()
    (line,) = [line for line in lines if key in line]
    assert "end of its life" in line
    assert "NO KEY" in line
    live_portal.clock.advance(8 * 86_400 * 10**9)
    health = run("key", "health").stdout
    assert health.startswith("Score ")
    assert any(key in line and "never used" in line for line in health.splitlines())
    found = json.loads(run("key", "health", "--json").stdout)
    assert 0 <= found["score"] <= 100
