"""How a session stands now, as its owner sees it: numbers, gaps, what was missed, and the last messages."""

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
from ontherun.ilink.codes import TerminateCode

PRICE = 99 * 10**9


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path_factory.mktemp("live") / "data", "--no-fsync") as running:
        yield running


def ask(venue: VenueProcess, path: str, method: str = "GET", **query: Any) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {Path(venue.ready['token_file']).read_text().strip()}"}
    url = f"{venue.ready['api_url']}/api/v1/sessions/{venue.key()['session_id']}/{path}"
    return httpx2.request(method, url, params=query, headers=headers, trust_env=False, timeout=20)


def stream(venue: VenueProcess) -> dict[str, Any]:
    (found,) = ask(venue, "live").json()["segments"]
    return dict(found)


def until_gone(venue: VenueProcess) -> None:
    for _ in range(500):
        if not stream(venue)["connections"]:
            return
        time.sleep(0.02)
    raise AssertionError("the connection is still there")


def test_numbers_and_connections_are_those_of_now(venue: VenueProcess) -> None:
    assert ask(venue, "live").json()["segments"] == []
    with RawClient(venue.address, venue.key()) as client:
        client.log_in()
        client.order(venue.security_id("UB10"), 1, PRICE, 5, b"ONE")
        client.expect(m.ExecutionReportNew)
        now = stream(venue)
        (connection,) = now["connections"]
        assert (now["uuid"], now["next_inbound"], now["next_outbound"]) == (client.uuid, 2, 2)
        assert (now["stored_from"], now["stored"], now["missed"], now["orders"]) == (1, 1, 0, 1)
        assert (connection["state"], connection["role"], connection["firm"]) == ("ESTABLISHED", "primary", "DEMO1")
        assert connection["peer"] == "{}:{}".format(*client.socket.getsockname())
        assert connection["keep_alive_interval"] == 10_000
        assert now["gap_from"] is None
        client.next_seq_no = 7
        client.order(venue.security_id("UB10"), 1, PRICE, 5, b"SEVEN")
        client.expect(m.NotApplied)
        assert stream(venue)["gap_from"] == 2


def test_what_nobody_was_there_for_is_to_recover_until_it_was_fetched(venue: VenueProcess) -> None:
    with RawClient(venue.address, venue.key()) as one, RawClient(venue.address, venue.key(1)) as two:
        one.log_in()
        one.order(venue.security_id("UB02"), 2, PRICE, 5, b"SELL", time_in_force=1)  # GTC: it stays
        one.expect(m.ExecutionReportNew)
        one.close()
        until_gone(venue)
        two.log_in()
        for number in range(3):
            two.order(venue.security_id("UB02"), 1, PRICE, 1, b"BUY%d" % number)
            two.expect(m.ExecutionReportNew)
            two.expect(m.ExecutionReportTradeOutright)
        now = stream(venue)
        assert (now["missed"], now["missed_from"], now["missed_uuid"]) == (3, 2, one.uuid)
        with RawClient(venue.address, venue.key()) as again:
            again.uuid, again.next_seq_no = one.uuid, one.next_seq_no
            again.establish()
            again.expect(m.EstablishmentAck)
            assert stream(venue)["missed"] == 3
            for first, count, left in ((2, 2, 1), (4, 1, 0)):
                again.send(
                    m.RetransmitRequest(
                        uuid=again.uuid,
                        last_uuid=2**64 - 1,
                        request_timestamp=time.time_ns(),
                        from_seq_no=first,
                        msg_count=count,
                    ).encode()
                )
                again.expect(m.Retransmission)
                for _ in range(count):
                    again.expect(m.ExecutionReportTradeOutright)
                assert stream(venue)["missed"] == left


def test_whoever_manages_sessions_ends_its_connections(venue: VenueProcess) -> None:
    assert ask(venue, "end", "POST").status_code == 409
    with RawClient(venue.address, venue.key()) as client:
        client.log_in()
        assert ask(venue, "end", "POST").json() == {"session_id": venue.key()["session_id"], "ended": True}
        ended = client.expect(m.Terminate)
        assert (ended.error_codes, ended.reason) == (TerminateCode.OTHER, b"an administrator ended the session")
        assert client.closed()
    until_gone(venue)
    (entry, *_) = ask(venue, "traces", kind="terminate").json()["items"]
    assert (entry["code"], entry["facts"]["by"]) == (23, "gateway")


def test_the_commands_show_the_same(venue: VenueProcess) -> None:
    def run(*command: str) -> str:
        session = venue.key()["session_id"]
        line = [
            sys.executable,
            "-m",
            "ontherun",
            "session",
            command[0],
            session,
            *command[1:],
            "--data",
            str(venue.data),
        ]
        environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
        return subprocess.run(line, capture_output=True, text=True, check=True, env=environment).stdout

    with RawClient(venue.address, venue.key()) as client:
        client.log_in()
        client.order(venue.security_id("UB10"), 1, PRICE, 5, b"COMMAND")
        client.expect(m.ExecutionReportNew)
        assert "next numbers    client 2, gateway 2" in run("live")
        assert json.loads(run("live", "--json"))["segments"][0]["uuid"] == client.uuid
        assert "ExecutionReportNew" in run("messages")
        assert "were ended" in run("end", "--reason", "a test")
        client.expect(m.Terminate)


def test_the_last_messages_are_there_in_words_and_after_a_kill(venue: VenueProcess) -> None:  # the last: it kills
    with RawClient(venue.address, venue.key()) as client:
        client.log_in()
        client.order(venue.security_id("UB10"), 1, PRICE, 5, b"FIRST", time_in_force=1)
        client.expect(m.ExecutionReportNew)
        client.order(1, 1, PRICE, 5, b"SECOND")
        client.receive()
        for number in range(70):
            client.order(venue.security_id("UB10"), 1, PRICE, 5, b"N%d" % number, time_in_force=1)
            client.expect(m.ExecutionReportNew)
        venue.kill()
    with VenueProcess(venue.data, "--no-fsync") as again:
        found = ask(again, "messages", limit=50).json()["items"]
        sent = [each for each in found if each["direction"] == "sent"]
        received = [each for each in found if each["direction"] == "received"]
        assert [each["number"] for each in sent] == list(range(72, 22, -1))
        assert [each["number"] for each in received] == list(range(72, 22, -1))
        assert received[0]["name"] == "NewOrderSingle"
        assert "UB10" in received[0]["words"]
        assert received[0]["fields"]["ClOrdID"]["value"] == "N69"
        assert sent[0]["name"] == "ExecutionReportNew"
        assert ask(again, "messages", limit=2).json()["items"][0]["number"] == 72
