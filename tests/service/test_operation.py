"""A venue as whoever runs it meets it: measures, health, logs that rotate, and how it goes down. In a process."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.support.raw_client import RawClient
from tests.support.venue_process import ROOT, VenueProcess

from ontherun.ilink import messages as m
from ontherun.ilink.codes import TerminateCode
from ontherun.service.settings import Settings
from ontherun.service.venue import Venue

HERE = os.environ | {"PYTHONPATH": str(ROOT / "src")}
PRICE = 99 * 10**9


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path_factory.mktemp("operation") / "data", "--no-fsync") as running:
        yield running


@pytest.fixture
def another(tmp_path: Path) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path / "data", "--no-fsync", "--drain", "20") as running:
        yield running


def get(venue: VenueProcess, path: str, token: str | None = None) -> httpx2.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx2.get(venue.ready["api_url"] + path, headers=headers, trust_env=False, timeout=20)


def token(venue: VenueProcess) -> str:
    return Path(venue.ready["token_file"]).read_text().strip()


def samples(venue: VenueProcess) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = get(venue, "/metrics", token(venue))
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(found: dict[Any, float], name: str, **labels: str) -> float:
    return sum(
        number for (each, given), number in found.items() if each == name and labels.items() <= dict(given).items()
    )


def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come to be")


def test_measures_follow_what_happens(venue: VenueProcess) -> None:
    before = samples(venue)
    with RawClient(venue.address, venue.key()) as client:
        client.negotiate(hmac_signature=b"\x01" * 32)
        client.expect(m.NegotiationReject)
    with RawClient(venue.address, venue.key()) as client, RawClient(venue.address, venue.key(1)) as other:
        client.log_in()
        other.log_in()
        for number in range(40):
            client.order(venue.security_id("UB10"), 1, PRICE, 5, b"N%d" % number)
            client.expect(m.ExecutionReportNew)
        client.order(1, 1, PRICE, 5, b"NO-SUCH")
        client.expect(m.ExecutionReportReject)
        other.order(venue.security_id("UB10"), 2, PRICE, 7, b"SELL", time_in_force=3)
        other.expect(m.ExecutionReportNew)
        other.expect(m.ExecutionReportTradeOutright)
        after = samples(venue)

    def grown(name: str, **labels: str) -> float:
        return value(after, f"ontherun_{name}_total", **labels) - value(before, f"ontherun_{name}_total", **labels)

    assert grown("messages", direction="received", message="NewOrderSingle", segment="40") == 42
    assert grown("messages", direction="sent", message="ExecutionReportNew") == 41
    assert grown("messages", direction="sent", message="ExecutionReportReject") == 1
    assert grown("messages", direction="sent", message="ExecutionReportTradeOutright") >= 2
    assert grown("refusals", message="NewOrderSingle", answer="ExecutionReportReject") == 1
    assert grown("logins", verdict="rejected", code="HMAC_NOT_AUTHENTICATED", message="Negotiate") == 1
    assert grown("logins", verdict="accepted", message="Establish") == 2
    assert grown("connections_accepted") == 3
    assert grown("journal_commits") >= 40
    assert value(after, "ontherun_orders_working", segment="40") == 39
    assert value(after, "ontherun_connections", state="established", role="primary") == 2
    assert value(after, "ontherun_journal_bytes") > 5000
    assert value(after, "ontherun_outbox_bytes") > 5000
    assert value(after, "ontherun_commit_seconds_count") >= 2
    assert value(after, "ontherun_commit_bytes_sum") > 100
    assert value(after, "ontherun_loop_delay_seconds_count") >= 1
    assert value(after, "ontherun_http_requests_total", sort="operation", status="200") >= 1
    assert value(after, "ontherun_traces_lost_total") == 0


def test_measures_take_a_token_of_the_venue_that_may_see_it(venue: VenueProcess) -> None:
    assert get(venue, "/metrics").status_code == 401

    def made(*scope: str) -> str:
        command = [sys.executable, "-m", "ontherun", "token", "create", "prometheus", *scope, "--json"]
        command += ["--data", str(venue.data)]
        done = subprocess.run(command, env=HERE, capture_output=True, text=True, check=True)
        return str(json.loads(done.stdout)["token"])

    assert get(venue, "/metrics", made("--scope", "view")).status_code == 200
    assert get(venue, "/metrics", made("--role", "admin-manager", "--entity", "1")).status_code == 403


def test_a_running_venue_is_alive_and_ready(venue: VenueProcess) -> None:
    for path in ("/health/live", "/health/ready"):
        answer = get(venue, path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_a_log_that_was_moved_away_is_opened_anew(venue: VenueProcess) -> None:
    log = venue.data / "ontherun.log"
    log.rename(venue.data / "ontherun.log.1")
    venue.process.send_signal(signal.SIGHUP)
    until(log.exists)
    with RawClient(venue.address, venue.key()) as client:
        client.negotiate(hmac_signature=b"\x01" * 32)
        client.expect(m.NegotiationReject)
    until(lambda: '"login"' in log.read_text())
    assert log.stat().st_mode & 0o777 == 0o600


def test_it_goes_down_in_order(another: VenueProcess) -> None:
    with (
        RawClient(another.address, another.key()) as client,
        RawClient(another.address, another.key(1)) as lazy,
        socket.create_connection(another.address) as stranger,
    ):
        client.log_in()
        lazy.log_in()
        client.order(another.security_id("UB10"), 1, PRICE, 5, b"LAST")
        another.process.send_signal(signal.SIGTERM)
        client.expect(m.ExecutionReportNew)
        ended = client.expect(m.Terminate)
        assert (ended.error_codes, ended.reason) == (TerminateCode.FINISHED, b"the gateway is going down")
        with pytest.raises(OSError):  # noqa: PT011 - refused
            socket.create_connection(another.address, timeout=5)
        assert lazy.expect(m.Terminate).error_codes == TerminateCode.FINISHED
        stranger.settimeout(10)
        assert b"the gateway is going down" in stranger.recv(4096)
        client.send(m.Terminate(uuid=client.uuid, request_timestamp=time.time_ns(), error_codes=0).encode())
        assert client.closed()
        output = another.process.communicate(timeout=30)[0]
    assert another.process.returncode == 0
    assert output.endswith("stopped\n")
    assert not (another.data / "up.json").exists()
    events = [json.loads(line)["event"] for line in (another.data / "ontherun.log").read_text().splitlines()]
    assert "draining" in events


async def test_a_venue_that_goes_down_is_not_ready(tmp_path: Path) -> None:
    venue = await Venue.start(Settings(tmp_path, portal_port=0, gateway_port_base=0, fsync=False))
    assert await venue.unready() == []
    await venue.drain()
    reasons = await venue.unready()
    assert reasons[0] == "the venue is going down"
    assert reasons[1].startswith("no gateway listens for market segment")
    await venue.stop()


def test_a_second_signal_ends_it_at_once(another: VenueProcess) -> None:
    with RawClient(another.address, another.key()) as client:
        client.log_in()
        another.process.send_signal(signal.SIGSTOP)  # both signals are there when it looks
        another.process.send_signal(signal.SIGTERM)
        another.process.send_signal(signal.SIGINT)
        another.process.send_signal(signal.SIGCONT)
        another.process.communicate(timeout=30)
    assert another.process.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM)
    with VenueProcess(another.data, "--no-fsync") as again, RawClient(again.address, again.key()) as client:
        client.log_in()
