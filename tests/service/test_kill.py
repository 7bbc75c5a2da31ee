"""`kill -9` under load: no acknowledged order is lost, none is there twice, and the client finds every message it
missed."""

import contextlib
import random
import threading
import time
from pathlib import Path

import pytest
from tests.support.raw_client import RawClient
from tests.support.venue_process import VenueProcess

from ontherun.ilink import messages as m
from ontherun.ilink.messages.enums import ExecReason

PRICE = 99 * 10**9
TICK = 15_625_000


class Trader:
    """Sends orders as fast as it can, and remembers every message it got."""

    def __init__(self) -> None:
        self.uuid = 0
        self.next_seq_no = 1
        self.reports: dict[int, m.Message] = {}
        self.sent: dict[bytes, int] = {}

    def trade(self, client: RawClient, security_id: int, seed: int) -> None:
        """Until the connection breaks: orders on both sides, so that some rest and some trade."""
        chance = random.Random(seed)

        def receive() -> None:
            try:
                while True:
                    self.keep(client.receive())
            except (OSError, EOFError):
                pass

        reader = threading.Thread(target=receive)
        reader.start()
        try:
            while True:
                name = b"%d-%d" % (seed, client.next_seq_no)
                self.sent[name] = client.next_seq_no
                price, quantity = PRICE + chance.randint(-3, 3) * TICK, chance.randint(1, 9)
                good_till = chance.randint(0, 1)  # a Day order goes with the connection, a GTC order outlives the kill
                client.order(security_id, chance.randint(1, 2), price, quantity, name, time_in_force=good_till)
                self.next_seq_no = client.next_seq_no
                if chance.random() < 0.02:
                    time.sleep(0.002)
        except OSError:
            client.next_seq_no = self.next_seq_no = self.sent[name] + 1
        reader.join()

    def keep(self, message: m.Message) -> None:
        number = message.seq_num  # type: ignore[attr-defined]
        assert number not in self.reports, f"message {number} came twice"
        self.reports[number] = message


def fetch(client: RawClient, trader: Trader, first: int, stop: int) -> None:
    """Ask for what is missing of first..stop-1, 2,500 at most in one request."""
    while first < stop:
        count = min(stop - first, 2500)
        client.send(
            m.RetransmitRequest(
                uuid=client.uuid, request_timestamp=time.time_ns(), from_seq_no=first, msg_count=count
            ).encode()
        )
        assert client.expect(m.Retransmission).msg_count == count
        for number in range(first, first + count):
            message = client.receive()
            assert message.seq_num == number
            assert message.poss_retrans_flag == 1
            if number not in trader.reports:
                trader.keep(message)
        first += count


@pytest.mark.parametrize("fsync", ["--fsync", "--no-fsync"])
@pytest.mark.parametrize("rounds", [3, pytest.param(25, marks=pytest.mark.slow)])
def test_kill_9_under_load_loses_no_acknowledged_order_and_repeats_none(
    tmp_path: Path, fsync: str, rounds: int
) -> None:
    chance = random.Random(rounds)
    trader = Trader()
    for seed in range(rounds):
        with (
            VenueProcess(tmp_path / "data", fsync, "--messaging-controls", "off") as venue,
            RawClient(venue.address, venue.key()) as client,
        ):
            if seed == 0:
                client.log_in()
                trader.uuid = client.uuid
            else:
                resume(client, trader)
            killer = threading.Timer(chance.uniform(0.05, 0.5), venue.kill)
            killer.start()
            trader.trade(client, venue.security_id("UB10"), seed)
            killer.join()
    with VenueProcess(tmp_path / "data", fsync) as venue, RawClient(venue.address, venue.key()) as client:
        resume(client, trader)
        check_working_orders(client, trader, venue)


def resume(client: RawClient, trader: Trader) -> None:
    """Establish under the same UUID, fetch every message that was missed, and check them all."""
    client.uuid = trader.uuid
    client.establish(trader.next_seq_no, keep_alive=60_000)  # a slow machine is not a dead client
    ack = client.expect(m.EstablishmentAck)
    applied = trader.next_seq_no
    highest = max(trader.reports, default=0)
    assert ack.next_seq_no > highest, "a message was sent that the journal does not have"
    message = None
    client.socket.settimeout(0.2)
    with contextlib.suppress(TimeoutError):
        message = client.expect(m.NotApplied)
    client.socket.settimeout(10)
    if message is not None:
        applied = message.from_seq_no
        assert message.from_seq_no + message.msg_count - 1 == trader.next_seq_no
        client.send(m.Sequence(uuid=client.uuid, next_seq_no=trader.next_seq_no, keep_alive_interval_lapsed=0).encode())
    fetch(client, trader, 1, ack.next_seq_no)
    assert sorted(trader.reports) == list(range(1, ack.next_seq_no))
    accepted = [r.cl_ord_id for r in trader.reports.values() if isinstance(r, m.ExecutionReportNew)]
    assert len(accepted) == len(set(accepted)), "an order was accepted twice"
    not_applied = {name for name, number in trader.sent.items() if number >= applied}
    for name in not_applied:
        assert name not in accepted
        del trader.sent[name]
    assert set(accepted) == set(trader.sent), "an order that was applied has no report, or the other way round"
    client.next_seq_no = trader.next_seq_no


def check_working_orders(client: RawClient, trader: Trader, venue: VenueProcess) -> None:
    """Cancel everything: exactly the orders that the reports say are working are there, with the quantity they say."""
    leaves: dict[int, int] = {}
    sides: dict[int, int] = {}
    filled: dict[int, int] = {}
    for _, report in sorted(trader.reports.items()):
        if isinstance(report, m.ExecutionReportNew):
            leaves[report.order_id], sides[report.order_id] = report.order_qty, report.side
        elif isinstance(report, m.ExecutionReportTradeOutright):
            leaves[report.order_id], filled[report.order_id] = report.leaves_qty, report.cum_qty
        elif isinstance(report, m.ExecutionReportCancel):
            assert report.exec_restatement_reason == ExecReason.CANCEL_ON_DISCONNECT
            leaves[report.order_id] = 0
    assert any(leaves.values()), "a GTC order is working"
    for order_id, quantity in leaves.items():
        client.send(
            m.OrderCancelRequest(
                order_id=order_id,
                party_details_list_req_id=client.key["party_details_list_req_id"],
                manual_order_indicator=0,
                seq_num=client.next_seq_no,
                sender_id=b"T",
                cl_ord_id=b"CANCEL",
                order_request_id=1,
                sending_time_epoch=1,
                location=b"US,NY",
                security_id=venue.security_id("UB10"),
                side=sides[order_id],
            ).encode()
        )
        client.next_seq_no += 1
        answer = client.receive()
        if quantity:
            assert isinstance(answer, m.ExecutionReportCancel)
            assert (answer.order_id, answer.cum_qty) == (order_id, filled.get(order_id, 0))
        else:
            assert isinstance(answer, m.OrderCancelReject)
