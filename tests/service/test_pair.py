"""Two processes on the same data: the standby follows, serves the backups, and takes over when the other one dies."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.service.test_kill import PRICE, Trader, check_working_orders, fetch
from tests.support.raw_client import RawClient
from tests.support.venue_process import ROOT, VenueProcess

from ontherun.ilink import messages as m

PAIR = ("--pair", "--no-fsync", "--messaging-controls", "off")
UB10 = 400_010


class Pair:
    """A venue and its standby. `first` and `second` are their processes, in the order of their starts."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.first = VenueProcess(data, *PAIR)
        self.second = VenueProcess(data, *PAIR, name="second")
        assert (self.first.ready["standby"], self.second.ready["standby"]) == (False, True)

    def primary(self, number: int = 0) -> RawClient:
        return RawClient(at(self.first, "primary"), self.first.key(number))

    def backup(self, uuid: int, number: int = 0) -> RawClient:
        client = RawClient(at(self.second, "backup"), self.second.key(number))
        client.uuid = uuid
        return client

    def taken_over(self) -> None:
        """Wait until the standby is the venue with everything."""
        wait_for(lambda: not json.loads(self.second.ready_file.read_text())["standby"])

    def __enter__(self) -> "Pair":
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self.second, self.first):
            if process.process.poll() is None:
                process.process.send_signal(signal.SIGINT)
                process.process.communicate(timeout=30)


def at(process: VenueProcess, role: str) -> tuple[str, int]:
    ready = json.loads(process.ready_file.read_text())
    return next((gateway["host"], gateway["port"]) for gateway in ready["gateways"] if gateway["role"] == role)


def wait_for(test: object, limit: float = 60.0) -> None:
    end = time.monotonic() + limit
    while not test():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


def promotion(client: RawClient) -> m.Sequence:
    """The Sequence that makes this client's connection the primary; keep-alives before it are passed over."""
    while True:
        message = client.receive(sequences=True)
        assert isinstance(message, m.Sequence), message
        if message.fault_tolerance_indicator == 1:
            return message


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A pair that nobody kills before the last test with it."""
    with Pair(tmp_path_factory.mktemp("calm") / "data") as running:
        yield running


def test_the_standby_refuses_on_the_backup_what_the_venue_would_refuse(calm: Pair) -> None:
    with calm.backup(time.time_ns() // 1000) as early:
        early.establish(0)
        assert early.expect(m.EstablishmentReject).error_codes == 27
    with calm.primary() as primary:
        primary.log_in()
        with calm.backup(primary.uuid) as backup:
            backup.negotiate()
            assert backup.expect(m.NegotiationReject).error_codes == 28
            backup.uuid = primary.uuid
            backup.establish(0, hmac_signature=b"\x01" * 32)
            assert backup.expect(m.EstablishmentReject).error_codes == 0
            backup.establish(0)
            ack = backup.expect(m.EstablishmentAck)
            assert (ack.next_seq_no, ack.fault_tolerance_indicator) == (0, 0)
            backup.next_seq_no = 0
            backup.order(UB10, 1, PRICE, 1, b"NOT HERE")
            assert backup.expect(m.BusinessReject).business_reject_reason == 131
            primary.terminate()
            assert backup.expect(m.Terminate).error_codes == 26
        with calm.backup(primary.uuid) as late:
            late.establish(0)
            assert late.expect(m.EstablishmentReject).error_codes == 27


def test_a_session_waits_at_the_standby_and_trades_on_there_when_the_venue_is_killed_and_so_in_turn(
    tmp_path: Path,
) -> None:
    with (
        Pair(tmp_path / "data") as pair,
        pair.primary() as primary,
        pair.backup(0) as backup,
        pair.primary(1) as without_backup,
    ):
        primary.log_in()
        without_backup.log_in()
        without_backup.order(UB10, 1, PRICE - 10**9, 1, b"LOST")
        without_backup.expect(m.ExecutionReportNew)
        backup.uuid = primary.uuid
        backup.establish(0)
        backup.expect(m.EstablishmentAck)
        primary.order(UB10, 1, PRICE, 5, b"KEPT")
        order_id = primary.expect(m.ExecutionReportNew).order_id
        pair.first.kill()
        said = promotion(backup)
        assert (said.next_seq_no, said.uuid) == (2, primary.uuid)
        backup.next_seq_no = 2
        backup.order(UB10, 2, PRICE, 2, b"SELL")
        assert backup.expect(m.ExecutionReportNew).seq_num == 2
        trades = [backup.expect(m.ExecutionReportTradeOutright) for _ in range(2)]
        assert order_id in {trade.order_id for trade in trades}
        pair.taken_over()
        status = command("status", "--data", str(pair.data), "--json")
        assert json.loads(status.stdout)["connected_sessions"] == [backup.key["session_id"]]
        with RawClient(at(pair.second, "primary"), pair.second.key(1)) as back:
            back.uuid = without_backup.uuid
            back.establish(2)
            assert back.expect(m.EstablishmentAck).next_seq_no == 3
            back.send(
                m.RetransmitRequest(
                    uuid=back.uuid, request_timestamp=time.time_ns(), from_seq_no=2, msg_count=1
                ).encode()
            )
            back.expect(m.Retransmission)
            assert back.expect(m.ExecutionReportCancel).cl_ord_id == b"LOST"
        with VenueProcess(pair.data, *PAIR) as again, RawClient(at(again, "backup"), again.key()) as waiting:
            assert again.ready["standby"]
            waiting.uuid = primary.uuid
            waiting.establish(0)
            waiting.expect(m.EstablishmentAck)
            pair.second.kill()
            assert promotion(waiting).next_seq_no == 5
            waiting.next_seq_no = 3
            waiting.order(UB10, 1, PRICE, 1, b"AGAIN")
            assert waiting.expect(m.ExecutionReportNew).seq_num == 5


def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ontherun", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_key_that_is_deleted_at_the_venue_is_refused_by_the_standby(calm: Pair) -> None:
    key = calm.first.key()
    with calm.primary() as primary:
        primary.log_in()
        made = command("key", "generate", key["session_id"], "--data", str(calm.data), "--json")
        assert made.returncode == 0, made.stdout + made.stderr
        deleted = command("key", "delete", key["session_id"], key["access_key_id"], "--data", str(calm.data), "--yes")
        assert deleted.returncode == 0, deleted.stdout + deleted.stderr

        def refused() -> bool:
            with RawClient(at(calm.second, "backup"), key) as client:
                client.uuid = primary.uuid
                client.establish(0)
                answer = client.receive()
                if isinstance(answer, m.EstablishmentAck):
                    client.terminate()
                    time.sleep(0.2)
                    return False
                assert answer.error_codes == 0
                return True

        wait_for(refused)


def test_the_venue_that_stops_in_order_is_taken_over_and_its_clients_are_told(tmp_path: Path) -> None:
    with Pair(tmp_path / "data") as pair:
        with pair.primary() as primary:
            primary.log_in()
            with pair.backup(primary.uuid) as backup:
                backup.establish(0)
                backup.expect(m.EstablishmentAck)
                assert pair.first.stop()[0] == 0
                assert primary.expect(m.Terminate).error_codes == 0
                assert backup.expect(m.Terminate).error_codes == 26
        pair.taken_over()
        with RawClient(at(pair.second, "primary"), pair.second.key()) as client:
            client.uuid = primary.uuid
            client.establish(1)
            assert client.expect(m.EstablishmentAck).fault_tolerance_indicator == 1


@pytest.mark.parametrize("rounds", [1, pytest.param(12, marks=pytest.mark.slow)])
def test_kill_9_under_load_loses_nothing_and_says_nothing_twice_on_the_backup(tmp_path: Path, rounds: int) -> None:
    for seed in range(rounds):
        with Pair(tmp_path / f"{seed}") as pair, pair.primary() as primary:
            trader = Trader()
            primary.log_in()
            with pair.backup(primary.uuid) as backup:
                backup.establish(0)
                backup.expect(m.EstablishmentAck)
                killer = threading.Timer(0.2 + 0.1 * seed, pair.first.kill)
                killer.start()
                trader.trade(primary, UB10, seed)
                killer.join()
                go_on(backup, trader)
                pair.taken_over()
                check_working_orders(backup, trader, pair.second)


def go_on(backup: RawClient, trader: Trader) -> None:
    """Take the promotion, fetch what was missed, find out what was never applied, and trade on."""
    said = promotion(backup)
    assert said.next_seq_no > max(trader.reports, default=0), "a message was sent that the journal does not have"
    fetch(backup, trader, 1, said.next_seq_no)
    assert sorted(trader.reports) == list(range(1, said.next_seq_no))
    accepted = [r.cl_ord_id for r in trader.reports.values() if isinstance(r, m.ExecutionReportNew)]
    assert len(accepted) == len(set(accepted)), "an order was accepted twice"
    backup.send(m.Sequence(uuid=backup.uuid, next_seq_no=trader.next_seq_no, keep_alive_interval_lapsed=0).encode())
    applied = trader.next_seq_no
    backup.socket.settimeout(0.5)
    with contextlib.suppress(TimeoutError):
        applied = backup.expect(m.NotApplied).from_seq_no
        backup.send(m.Sequence(uuid=backup.uuid, next_seq_no=trader.next_seq_no, keep_alive_interval_lapsed=0).encode())
    backup.socket.settimeout(10)
    assert set(accepted) == {name for name, number in trader.sent.items() if number < applied}
    backup.next_seq_no = trader.next_seq_no
    backup.order(UB10, 1, PRICE - 10**9, 1, b"AFTER")
    while True:
        report = backup.receive()
        trader.keep(report)
        if isinstance(report, m.ExecutionReportNew):
            break
    assert report.cl_ord_id == b"AFTER"


def test_a_promotion_by_command_is_refused_where_the_standby_is_the_backup(calm: Pair) -> None:
    refused = command("gateway", "promote", "--segment", "40", "--data", str(calm.data))
    assert refused.returncode == 1
    assert "takes over when the venue's process ends" in refused.stderr


def test_a_third_process_is_refused(calm: Pair) -> None:
    third = command("up", "--data", str(calm.data), "--portal-port", "0", "--gateway-port-base", "0", *PAIR)
    assert third.returncode == 1
    assert "a pair is two processes" in third.stderr


def test_a_standby_for_a_venue_that_serves_its_backups_itself_is_refused(tmp_path: Path) -> None:
    with VenueProcess(tmp_path / "data", "--no-fsync") as venue:
        second = command("up", "--data", str(venue.data), "--portal-port", "0", "--gateway-port-base", "0", *PAIR)
        assert second.returncode == 1
        assert "start it with --pair too" in second.stderr


def test_the_venue_lists_the_standbys_gateways_as_long_as_it_is_there(calm: Pair) -> None:
    assert [gateway["role"] for gateway in listed(calm)] == ["primary", "backup"]
    calm.second.kill()
    assert [gateway["role"] for gateway in listed(calm)] == ["primary"]


def listed(pair: Pair) -> list[dict[str, object]]:
    found = command("gateway", "list", "--data", str(pair.data), "--json")
    assert found.returncode == 0, found.stderr
    gateways: list[dict[str, object]] = json.loads(found.stdout)
    return gateways
