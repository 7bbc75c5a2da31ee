"""What logins and connections leave for their owner: over real sockets, by REST and command, with one id everywhere."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.support.raw_client import RawClient
from tests.support.venue_process import ROOT, VenueProcess

from ontherun.ilink import messages as m
from ontherun.ilink.signing import negotiate_text, sign

HERE = os.environ | {"PYTHONPATH": str(ROOT / "src")}


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path_factory.mktemp("traces") / "data", "--no-fsync") as running:
        yield running


def ask(venue: VenueProcess, path: str, token: str | None = None, **query: Any) -> Any:
    text = token or Path(venue.ready["token_file"]).read_text().strip()
    headers = {"Authorization": f"Bearer {text}"}
    url = f"{venue.ready['api_url']}/api/v1/{path}"
    return httpx2.get(url, params=query, headers=headers, trust_env=False, timeout=20).json()


def until(venue: VenueProcess, kind: str, session: str, **facts: object) -> dict[str, Any]:
    """The newest entry of this kind with these values; it may take a moment to be there."""
    for _ in range(500):
        for entry in ask(venue, f"sessions/{session}/traces", kind=kind)["items"]:
            if all(entry.get(name, entry["facts"].get(name)) == value for name, value in facts.items()):
                return dict(entry)
        time.sleep(0.02)
    raise AssertionError(ask(venue, f"sessions/{session}/traces"))


def log_lines(venue: VenueProcess, connection: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (venue.data / "ontherun.log").read_text().splitlines()]
    return [line for line in lines if line.get("connection") == connection]


def test_a_login_with_a_usual_mistake_is_told_whole_and_without_a_secret(venue: VenueProcess) -> None:
    key = venue.key()
    with RawClient(venue.address, key) as client:
        client.uuid = 77
        at = time.time_ns()
        text = negotiate_text(at, 77, client.session, client.firm)
        wrong = sign(key["secret_key"].encode(), text)
        client.send(
            m.Negotiate(
                hmac_signature=wrong,
                access_key_id=client.access_key_id,
                uuid=77,
                request_timestamp=at,
                session=client.session,
                firm=client.firm,
                credentials=b"",
            ).encode()
        )
        client.expect(m.NegotiationReject)
        mine = client.socket.getsockname()
    entry = until(venue, "login", key["session_id"], uuid=77)
    assert (entry["level"], entry["code"], entry["peer"]) == ("error", 0, f"127.0.0.1:{mine[1]}")
    assert (entry["segment"], entry["role"], entry["session_id"]) == (40, "primary", key["session_id"])
    assert "not what this key makes" in entry["reason"]
    facts = entry["facts"]
    assert (facts["message"], facts["verdict"], facts["key_state"]) == ("Negotiate", "rejected", "valid")
    assert facts["code_name"] == "HMAC_NOT_AUTHENTICATED"
    assert facts["canonical_text"] == text.decode()
    assert facts["diagnosis"] == "the secret key was used as text: decode it with base64url first"
    assert (facts["access_key_id"], facts["firm"]) == (key["access_key_id"], key["firm"])
    assert facts["request_timestamp"] == at
    assert 0 <= facts["clock_skew"] < 60 * 10**9
    right = sign(client.secret, text)
    for told in (json.dumps(entry), (venue.data / "ontherun.log").read_text()):
        for secret in (key["secret_key"], right.hex(), wrong.hex(), client.secret.hex()):
            assert secret not in told


def test_one_id_runs_from_login_to_refused_order_and_disconnect(venue: VenueProcess) -> None:
    key = venue.key()
    with RawClient(venue.address, key) as client:
        client.log_in()
        client.order(1, 1, 99 * 10**9, 5, b"NO-SUCH")  # no such instrument
        client.receive()
        client.terminate()
        uuid = client.uuid
    established = until(venue, "login", key["session_id"], uuid=uuid, message="Establish")
    connection = established["connection"]
    assert connection.startswith("40-")
    assert established["facts"]["keep_alive_interval"] == 10_000
    assert (established["facts"]["next_inbound"], established["facts"]["next_outbound"]) == (1, 1)
    until(venue, "disconnected", key["session_id"], connection=connection)
    entries = ask(venue, f"sessions/{key['session_id']}/traces", connection=connection)["items"]
    assert [(entry["kind"], entry["level"]) for entry in entries] == [
        ("disconnected", "info"),
        ("terminate", "info"),
        ("login", "info"),
        ("login", "info"),
    ]
    assert "the client ended the session" in entries[0]["reason"]
    for _ in range(500):
        events = [line["event"] for line in log_lines(venue, connection)]
        if events[-1:] == ["disconnected"]:
            break
        time.sleep(0.02)
    assert events == ["login", "refused", "disconnected"]


def test_gaps_retransmissions_and_a_bad_end_are_told(venue: VenueProcess) -> None:
    key = venue.key()
    with RawClient(venue.address, key) as client:
        client.log_in()
        client.order(venue.security_id("UB10"), 1, 90 * 10**9, 5, b"ONE")
        client.expect(m.ExecutionReportNew)
        client.next_seq_no = 5
        client.order(venue.security_id("UB10"), 1, 90 * 10**9, 5, b"FIVE")
        client.expect(m.NotApplied)
        lapsed = {"fault_tolerance_indicator": 255, "keep_alive_interval_lapsed": 1}
        client.send(m.Sequence(uuid=client.uuid, next_seq_no=6, **lapsed).encode())
        for first in (1, 99):
            client.send(
                m.RetransmitRequest(
                    uuid=client.uuid,
                    last_uuid=2**64 - 1,
                    request_timestamp=time.time_ns(),
                    from_seq_no=first,
                    msg_count=1,
                ).encode()
            )
            client.receive()
            if first == 1:
                client.expect(m.ExecutionReportNew)
        client.order(venue.security_id("UB10"), 1, 90 * 10**9, 5, b"LOW", seq_num=2)
        client.expect(m.Terminate)
    session = key["session_id"]
    ended = until(venue, "terminate", session, code=11)
    assert (ended["level"], ended["facts"]["by"]) == ("error", "gateway")
    until(venue, "disconnected", session, connection=ended["connection"])
    entries = ask(venue, f"sessions/{session}/traces", connection=ended["connection"], after=0)["items"]
    told = [(entry["kind"], entry["code"], entry["facts"].get("from_seq_no")) for entry in entries][2:]
    assert told == [
        ("not-applied", None, 2),
        ("keep-alive-lapsed", None, None),
        ("gap-filled", None, None),
        ("retransmission", None, 1),
        ("retransmission", 0, None),
        ("terminate", 11, None),
        ("disconnected", None, None),
    ]


def test_a_stranger_is_shown_to_the_operator_only(venue: VenueProcess) -> None:
    with RawClient(venue.address, venue.key() | {"session_id": "ZZ9"}) as client:
        client.negotiate(uuid=5)
        client.receive()
    with RawClient(venue.address, venue.key()) as client:
        client.send(b"\x04\x00\x00\x00GET / HTTP/1.1\r\n\r\n")
        assert client.closed()
    for _ in range(500):
        found = ask(venue, "traces", level="error")["items"]
        strangers = [entry for entry in found if entry["session_id"] is None]
        if {entry["kind"] for entry in strangers} >= {"login", "bad-frame"}:
            break
        time.sleep(0.02)
    (named,) = [entry for entry in strangers if entry["kind"] == "login"]
    assert (named["facts"]["session"], named["facts"]["uuid"], named["code"]) == ("ZZ9", 5, 10)
    create = ["token", "create", "reader", "--entity", "1", "--role", "read-only", "--data", str(venue.data), "--json"]
    token = subprocess.run(
        [sys.executable, "-m", "ontherun", *create],
        capture_output=True,
        text=True,
        check=True,
        env=HERE,
    ).stdout
    theirs = ask(venue, "traces", token=json.loads(token)["token"], limit=1000)["items"]
    assert {entry["session_id"] for entry in theirs} == {venue.key()["session_id"]}


def test_five_bad_logins_and_the_opening_are_told(venue: VenueProcess) -> None:
    key = venue.key(1)
    with RawClient(venue.address, key) as client:
        for _ in range(5):
            client.negotiate(hmac_signature=b"\x01" * 32)
            client.receive()
    closed = until(venue, "port-closed", key["session_id"])
    assert closed["level"] == "error"
    last = until(venue, "login", key["session_id"], code=8)
    assert (last["facts"]["verdict"], last["connection"]) == ("terminated", closed["connection"])
    token = Path(venue.ready["token_file"]).read_text().strip()
    httpx2.post(
        f"{venue.ready['api_url']}/api/v1/sessions/{key['session_id']}/open-port",
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
    ).raise_for_status()
    assert until(venue, "port-opened", key["session_id"])["connection"] == ""


def test_the_command_shows_and_follows(venue: VenueProcess) -> None:
    key = venue.key(1)
    command = [sys.executable, "-m", "ontherun", "session", "trace", key["session_id"], "--data", str(venue.data)]
    with subprocess.Popen([*command, "--follow", "--json"], stdout=subprocess.PIPE, text=True, env=HERE) as follow:
        assert follow.stdout is not None
        with RawClient(venue.address, key) as client:
            client.log_in()
            uuid = client.uuid
        for line in follow.stdout:
            entry = json.loads(line)
            if entry["facts"].get("uuid") == uuid and entry["kind"] == "login":
                break
        follow.terminate()
    shown = subprocess.run([*command, "--details"], capture_output=True, text=True, check=True, env=HERE).stdout
    assert "Establish accepted: accepted" in shown
    assert "canonical text: " in shown


def test_traces_survive_a_kill(tmp_path: Path) -> None:
    with VenueProcess(tmp_path / "data", "--no-fsync") as venue:
        key = venue.key()
        with RawClient(venue.address, key) as client:
            client.log_in()
            until(venue, "login", key["session_id"], message="Establish")
            venue.kill()
    with VenueProcess(tmp_path / "data", "--no-fsync") as venue:
        assert until(venue, "login", key["session_id"], message="Establish")["facts"]["uuid"] == client.uuid
        assert until(venue, "disconnected", key["session_id"])["connection"] == ""
