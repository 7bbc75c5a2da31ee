"""A venue that is not LOCAL asks everybody for a second factor, and stays what it is."""

import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from tests.support.venue_process import VenueProcess

from ontherun.registry import RegistryError
from ontherun.service.environment import keep_environment

from .test_unlucky_operator import refused_start


def test_elsewhere_than_local_nobody_gets_in_by_a_link_and_keys_carry_the_name(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with VenueProcess(data, "--no-fsync", "--environment", "CERT") as venue:
        token = Path(venue.ready["token_file"]).read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}
        api = f"{venue.ready['api_url']}/api/v1"
        assert httpx2.get(f"{api}/users", headers=headers).json()["items"] == []
        made = httpx2.post(f"{api}/invitations", headers=headers, json={"email": "ann@example.com", "roles": []})
        assert made.status_code == 201, made.text
        assert venue.key()["environment"] == "CERT"
        code, said = venue.stop()
    assert (code, "/sign-in/link/" in said, "people invite" in said) == (0, False, True), said
    assert "start it with --environment CERT" in refused_start(data, "--gateway-port-base", "0")


def test_data_that_were_made_for_one_environment_are_no_others(tmp_path: Path) -> None:
    keep_environment(tmp_path / "cert", "CERT")
    keep_environment(tmp_path / "cert", "CERT")
    with pytest.raises(RegistryError, match="--environment CERT"):
        keep_environment(tmp_path / "cert", "LOCAL")
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "registry.sqlite3").touch()
    with pytest.raises(RegistryError, match="--environment LOCAL"):
        keep_environment(tmp_path / "local", "PROD")
    keep_environment(tmp_path / "local", "LOCAL")


def test_nobody_moves_the_clock_of_production(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "ontherun", "up", "--data", str(tmp_path), "--lab", "--environment", "PROD"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, "nobody's to move" in ended.stderr) == (2, True), ended.stderr
