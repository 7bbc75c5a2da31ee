import json
from pathlib import Path
from typing import Any

import pytest

from ontherun.client import KeyFile, UnknownSecurity, Venue, VenueError

SECRET = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"


def ready(**changes: Any) -> dict[str, Any]:
    return {
        "api_url": "http://127.0.0.1:8040",
        "portal_url": "http://127.0.0.1:8040",
        "gateways": [{"segment": 40, "role": "primary", "host": "127.0.0.1", "port": 9040}],
        "instruments": [{"symbol": "UB10", "security_id": 400010}],
        "demo": [
            {
                "session_id": session,
                "firm": "ALPHA",
                "access_key_id": "EXAMPLEKEYID00000001",
                "key_file": f"keys/{session}.json",
                "party_details_list_req_id": number,
            }
            for number, session in enumerate(("A01", "B01"), 1)
        ],
    } | changes


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "up.json").write_text(json.dumps(ready()))
    (tmp_path / "keys").mkdir()
    for session in ("A01", "B01"):
        key = {"session_id": session, "firm": "ALPHA", "access_key_id": "EXAMPLEKEYID00000001", "secret_key": SECRET}
        (tmp_path / "keys" / f"{session}.json").write_text(json.dumps(key))
    return tmp_path


def test_a_running_venue_is_found_by_its_data_folder_or_its_ready_file(data: Path) -> None:
    assert Venue.load(data) == Venue.load(data / "up.json")


def test_a_running_venue_is_found_where_the_environment_says(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONTHERUN_DATA", str(data))
    assert Venue.load().gateway().port == 9040


def test_the_login_of_a_demo_session_holds_all_that_connect_needs(data: Path) -> None:
    login = Venue.load(data).login("B01")
    assert (login.host, login.port, login.party_details_list_req_id) == ("127.0.0.1", 9040, 2)
    assert login.key == KeyFile.load(data / "keys" / "B01.json")
    assert dict(login.instruments) == {"UB10": 400010}
    assert Venue.load(data).login(1) == login


def test_a_login_can_be_changed(data: Path) -> None:
    assert Venue.load(data).login().with_(sender_id="TRADER1").sender_id == "TRADER1"


def test_what_is_not_there_is_said(data: Path, tmp_path: Path) -> None:
    venue = Venue.load(data)
    with pytest.raises(VenueError, match="ontherun up"):
        Venue.load(tmp_path / "elsewhere")
    with pytest.raises(VenueError, match="no demo session 'C01'"):
        venue.login("C01")
    with pytest.raises(VenueError, match="no primary gateway for segment 42"):
        venue.login(segment=42)


@pytest.mark.parametrize("content", ["{", "[]", "{}", json.dumps(ready(gateways=[{}])), json.dumps(ready(demo=None))])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "up.json").write_text(content)
    with pytest.raises(VenueError, match=r"up\.json"):
        Venue.load(tmp_path)


def test_securities_are_found_by_symbol_or_number(data: Path) -> None:
    instruments = Venue.load(data).instruments
    assert instruments.security_id("UB10") == instruments.security_id(400010) == 400010
    assert (instruments.symbol(400010), instruments.symbol(5)) == ("UB10", "5")
    with pytest.raises(UnknownSecurity, match="unknown security 'UB11'; known: UB10"):
        instruments.security_id("UB11")
