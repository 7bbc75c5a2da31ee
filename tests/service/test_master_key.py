"""Rotation of the master key of a running venue: by command, under logins, and through a kill."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
from tests.support.raw_client import RawClient
from tests.support.venue_process import VenueProcess


def command(venue: VenueProcess, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "ontherun", "master-key", *words, "--data", str(venue.data)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def status(venue: VenueProcess) -> dict[str, Any]:
    code, text = command(venue, "status", "--json")
    assert code == 0
    found: dict[str, Any] = json.loads(text)
    return found


def test_logins_go_on_over_a_rotation_and_a_restart(tmp_path: Path) -> None:
    with VenueProcess(tmp_path / "data", "--no-fsync") as venue:
        before = status(venue)
        code, text = command(venue, "rotate", "--reason", "yearly")
        assert (code, "seals now" in text) == (0, True)
        after = status(venue)
        assert (before["current"] != after["current"], len(after["keys"]), after["problem"]) == (True, 1, "")
        with RawClient(venue.address, venue.key()) as client:
            client.log_in()
    with VenueProcess(tmp_path / "data", "--no-fsync") as venue, RawClient(venue.address, venue.key()) as client:
        client.log_in()
        assert status(venue)["current"] == after["current"]


def test_a_venue_killed_in_a_rotation_finishes_it_when_it_starts(tmp_path: Path) -> None:
    venue = VenueProcess(tmp_path / "data", "--no-fsync")
    token = Path(venue.ready["token_file"]).read_text().strip()
    url, headers = venue.ready["api_url"] + "/api/v1", {"Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=url, headers=headers, trust_env=False) as api:
        for _ in range(60):
            made = api.post("/sessions", json={"firms": ["DEMO1"], "market_segments": [40]}).json()
            api.post(f"/sessions/{made['session_ids'][0]}/keys")
        old = api.get("/master-key").json()["current"]
        assert api.post("/master-key/rotations", json={}).status_code == 202
    venue.kill()
    with VenueProcess(tmp_path / "data", "--no-fsync") as venue, RawClient(venue.address, venue.key()) as client:
        client.log_in()
        while (found := status(venue))["rotating"]:
            pass
        assert [key["master_key_id"] for key in found["keys"]] == [found["current"]]
        assert found["current"] != old
        assert len((venue.data / "master.key").read_text().split()) == 1
