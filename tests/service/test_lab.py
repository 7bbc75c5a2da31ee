"""Time travel of a running venue: by its commands and its API, with a live session and a real restart."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
from tests.support.api import ask
from tests.support.raw_client import RawClient
from tests.support.venue_process import VenueProcess

from ontherun.ilink import messages as m
from ontherun.ilink.codes import NegotiationRejectCode, TerminateCode


def api(venue: VenueProcess) -> httpx2.Client:
    token = Path(venue.ready["token_file"]).read_text().strip()
    return httpx2.Client(
        base_url=venue.ready["api_url"] + "/api/v1", headers={"Authorization": f"Bearer {token}"}, trust_env=False
    )


def command(venue: VenueProcess, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "ontherun", *words, "--data", str(venue.data)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def clock(venue: VenueProcess) -> dict[str, Any]:
    code, text = command(venue, "lab", "clock", "--json")
    assert code == 0, text
    shown: dict[str, Any] = json.loads(text)
    return shown


def to_wednesday(venue: VenueProcess) -> int:
    """Move the clock to the next Wednesday's noon, from where a few days lead to no new week; that day in Unix time."""
    day = int(time.time()) // 86_400 * 86_400
    wednesday = day + (2 - time.gmtime(day).tm_wday) % 7 * 86_400
    noon = time.strftime("%Y-%m-%dT12:00", time.gmtime(wednesday))
    assert command(venue, "lab", "set", noon)[0] == 0
    while ask(venue, "GET", "week")["segments"][0]["next_at"] < noon:  # a new week, if that is one, begins
        time.sleep(0.05)
    return wednesday


def test_a_day_goes_by_the_live_session_stays_a_year_goes_by_and_the_week_and_the_key_end(tmp_path: Path) -> None:
    with VenueProcess(tmp_path / "data", "--no-fsync", "--lab") as venue:
        key = venue.key() | {"party_details_list_req_id": 1001}
        with RawClient(venue.address, key) as client:
            wednesday = to_wednesday(venue)
            client.log_in()
            assert command(venue, "lab", "advance", "1d")[0] == 0
            client.order(venue.security_id("UB30"), 1, 99 * 10**9, 1, b"AFTER")
            report = client.expect(m.ExecutionReportNew)
            assert report.transact_time > (wednesday + 43_200) * 10**9
            assert command(venue, "lab", "advance", "60w", "--reason", "see keys expire")[0] == 0
            end = client.expect(m.Terminate)
            assert (end.error_codes, end.reason) == (TerminateCode.FINISHED, b"the trading week is over")
        with RawClient(venue.address, key) as client:
            client.negotiate()
            assert client.expect(m.NegotiationReject).error_codes == NegotiationRejectCode.HMAC_NOT_AUTHENTICATED
        assert command(venue, "lab", "reset")[0] == 0
        with RawClient(venue.address, key) as client:
            client.log_in()
        with api(venue) as asking:
            (entry, *_) = asking.get("/audit?limit=2").json()["items"]
            assert entry["action"] == "clock.moved"
            assert asking.get("/audit/verification").json()["intact"]


def test_what_falls_due_on_the_way_is_announced_once_and_not_again_after_a_way_back(tmp_path: Path) -> None:
    def announced(asking: httpx2.Client) -> list[str]:
        found = asking.get("/audit?action=key_pair.expir&limit=100").json()["items"]
        return [f"{entry['action']} {entry['details']}" for entry in found]

    with VenueProcess(tmp_path / "data", "--no-fsync", "--lab") as venue, api(venue) as asking:
        assert command(venue, "lab", "advance", "60w")[0] == 0
        deadline = time.monotonic() + 10
        while len(found := announced(asking)) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len([line for line in found if line.startswith("key_pair.expired")]) == 2, "the demo's two pairs"
        assert command(venue, "lab", "reset")[0] == 0
        assert command(venue, "lab", "advance", "60w")[0] == 0
        time.sleep(0.5)
        assert announced(asking) == found


def test_the_clock_survives_a_kill_and_status_says_that_it_is_moved(tmp_path: Path) -> None:
    venue = VenueProcess(tmp_path / "data", "--lab")
    code, text = command(venue, "lab", "set", "2027-01-04T17:30", "--zone", "America/New_York", "--stand-still")
    assert code == 0, text
    assert "2027-01-04 22:30:00 UTC (stands still)" in text
    venue.kill()
    with VenueProcess(tmp_path / "data", "--lab") as venue:
        assert clock(venue)["now"] == "2027-01-04T22:30:00Z"
        with api(venue) as asking:
            status = asking.get("/status").json()
        assert status["now"] == "2027-01-04T22:30:00Z"
        assert status["lab_offset_ns"] != 0
        done = subprocess.run(
            [sys.executable, "-m", "ontherun", "status", "--data", str(venue.data)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "LAB CLOCK" in done.stdout
        code, text = venue.stop()
        assert (code, "2027-01-04T22:30:00Z" in text) == (0, True)


def test_a_journal_with_journeys_in_it_is_recovered_after_a_kill(tmp_path: Path) -> None:
    venue = VenueProcess(tmp_path / "data", "--lab")
    key = venue.key() | {"party_details_list_req_id": 1001}
    security = venue.security_id("UB30")
    with RawClient(venue.address, key) as client:
        to_wednesday(venue)
        client.log_in()
        uuid = client.uuid
        for number, move in enumerate((("advance", "2d"), ("advance", "50w", "--back"), ("advance", "3d")), 1):
            assert command(venue, "lab", *move)[0] == 0
            client.order(security, 1, 90 * 10**9, 1, f"AFTER{number}".encode())
            client.expect(m.ExecutionReportNew)
        venue.kill()
    with VenueProcess(tmp_path / "data", "--lab") as venue, RawClient(venue.address, key) as client:
        client.uuid, client.next_seq_no = uuid, 4
        client.establish()
        ack = client.expect(m.EstablishmentAck)
        assert ack.next_seq_no == 7  # each order was accepted, and cancelled when the venue died
        client.order(security, 1, 90 * 10**9, 1, b"LATER")
        client.expect(m.ExecutionReportNew)


def test_outside_a_lab_the_clock_does_not_move(tmp_path: Path) -> None:
    with VenueProcess(tmp_path / "data", "--no-fsync") as venue:
        code, text = command(venue, "lab", "advance", "4w")
        assert (code, "ontherun up --lab" in text) == (1, True)
        with api(venue) as asking:
            assert asking.get("/lab/clock").json()["lab"] is False
            answer = asking.put("/lab/clock", json={"reset": True})
            assert (answer.status_code, answer.json()["type"]) == (409, "urn:ontherun:problem:conflict")
            assert asking.get("/status").json()["lab_offset_ns"] is None


def test_a_move_that_is_none_is_refused_with_what_would_be_right(tmp_path: Path) -> None:
    with VenueProcess(tmp_path / "data", "--no-fsync", "--lab") as venue, api(venue) as asking:
        for move in ({}, {"at": "2027-01-01T00:00", "reset": True}, {"advance": "soon"}, {"at": "tomorrow"}):
            answer = asking.put("/lab/clock", json=move)
            assert (answer.status_code, answer.json()["type"]) == (422, "urn:ontherun:problem:invalid"), move
