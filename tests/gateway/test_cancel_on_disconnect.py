"""Cancel on disconnect (CME client wiki, Cancel on Disconnect): a session that is lost loses its resting Day orders,
one that says Terminate keeps them; what was cancelled is told after the next login."""

import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.api import ask, new_key, new_session
from tests.support.raw_client import RawClient
from tests.support.venue_process import VenueProcess

from ontherun.ilink import messages as m
from ontherun.ilink.codes import TerminateCode
from ontherun.ilink.messages.enums import ExecReason

PRICE = 99 * 10**9
TICK = 15_625_000


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path_factory.mktemp("venue") / "data", "--no-fsync") as running:
        yield running


def rest(client: RawClient, venue: VenueProcess, *names: bytes, price: int = PRICE) -> list[m.ExecutionReportNew]:
    """Log in under a new UUID and leave buy orders for 5 lots resting."""
    client.log_in()
    for name in names:
        client.order(venue.security_id("UB10"), 1, price, 5, name)
    return [client.expect(m.ExecutionReportNew) for _ in names]


def until_gone(venue: VenueProcess, session_id: str) -> None:
    """Wait until the gateway has noticed that the session's connection is lost."""
    for _ in range(1000):
        if session_id not in ask(venue, "GET", "status")["connected_sessions"]:
            return
        time.sleep(0.02)
    raise AssertionError(f"{session_id} is still connected")


def missed(client: RawClient, next_seq_no: int) -> list[Any]:
    """Log in again under the same UUID, and fetch every message that came after `next_seq_no` - 1."""
    client.establish()
    ack = client.expect(m.EstablishmentAck)
    count = ack.next_seq_no - next_seq_no
    if not count:
        return []
    request = m.RetransmitRequest(
        uuid=client.uuid, request_timestamp=time.time_ns(), from_seq_no=next_seq_no, msg_count=count
    )
    client.send(request.encode())
    assert client.expect(m.Retransmission).msg_count == count
    return [client.receive() for _ in range(count)]


def again(venue: VenueProcess, before: RawClient) -> RawClient:
    """The same client on a new connection, with the UUID and number of the old one."""
    client = RawClient(venue.address, before.key)
    client.uuid, client.next_seq_no = before.uuid, before.next_seq_no
    return client


def reset(client: RawClient, venue: VenueProcess) -> None:
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def close(client: RawClient, venue: VenueProcess) -> None:
    client.close()


def break_the_frames(client: RawClient, venue: VenueProcess) -> None:
    client.send(b"\0" * 12)
    assert client.expect(m.Terminate).error_codes == TerminateCode.INVALID_SOFH


def break_the_numbers(client: RawClient, venue: VenueProcess) -> None:
    client.order(venue.security_id("UB10"), 1, PRICE, 1, b"LOW", seq_num=1)
    client.next_seq_no -= 1
    assert client.expect(m.Terminate).error_codes == TerminateCode.INVALID_MSG_SEQ_NO


@pytest.mark.parametrize("loss", [reset, close, break_the_frames, break_the_numbers])
def test_a_session_that_is_lost_loses_its_day_orders_and_reads_so_after_the_next_login(
    venue: VenueProcess, loss: Callable[[RawClient, VenueProcess], None]
) -> None:
    with RawClient(venue.address, venue.key(0)) as client:
        orders = rest(client, venue, b"ONE", b"TWO")
        loss(client, venue)
        until_gone(venue, client.key["session_id"])
        with again(venue, client) as back:
            reports = missed(back, 3)
            assert [type(report) for report in reports] == [m.ExecutionReportCancel] * 2
            for number, (order, report) in enumerate(zip(orders, reports, strict=True), 3):
                assert (report.seq_num, report.uuid, report.poss_retrans_flag) == (number, client.uuid, 1)
                assert (report.order_id, report.cl_ord_id) == (order.order_id, order.cl_ord_id)
                assert (report.exec_restatement_reason, report.cum_qty) == (ExecReason.CANCEL_ON_DISCONNECT, 0)
                assert (report.order_request_id, report.sender_id) == (order.order_request_id, b"TRADER1")
                assert report.transact_time > order.transact_time
            back.terminate()


def test_orders_good_till_cancel_and_good_till_date_stay(venue: VenueProcess) -> None:
    with RawClient(venue.address, new_session(venue)) as client:
        client.log_in()
        ub10 = venue.security_id("UB10")
        client.order(ub10, 1, PRICE, 1, b"GTC", time_in_force=1)
        client.order(ub10, 1, PRICE, 1, b"DAY")
        client.order(ub10, 1, PRICE, 1, b"GTD", time_in_force=6, expire_date=time.time_ns() // 86_400_000_000_000 + 7)
        _, day, _ = [client.expect(m.ExecutionReportNew) for _ in range(3)]
        client.close()
        until_gone(venue, client.key["session_id"])
        with again(venue, client) as back:
            assert [report.order_id for report in missed(back, 4)] == [day.order_id]
            back.terminate()


def test_a_terminate_of_the_client_leaves_the_orders(venue: VenueProcess) -> None:
    with RawClient(venue.address, venue.key(0)) as client:
        rest(client, venue, b"KEPT")
        client.terminate()
        with again(venue, client) as back:
            assert missed(back, 2) == []
            back.terminate()


def test_only_what_is_still_open_is_cancelled_and_says_what_was_filled(venue: VenueProcess) -> None:
    with RawClient(venue.address, new_session(venue)) as client, RawClient(venue.address, venue.key(1)) as other:
        rest(client, venue, b"FILLED", b"PARTLY", price=PRICE + 64 * TICK)
        other.log_in()
        other.order(venue.security_id("UB10"), 2, PRICE + 64 * TICK, 7, b"SELL")
        filled = [client.expect(m.ExecutionReportTradeOutright) for _ in range(2)]
        client.close()
        until_gone(venue, client.key["session_id"])
        with again(venue, client) as back:
            (report,) = missed(back, 5)
            assert (report.order_id, report.cum_qty, report.order_qty) == (filled[1].order_id, 2, 5)
            back.terminate()


def test_a_session_that_an_administrator_ends_loses_its_orders(venue: VenueProcess) -> None:
    key = new_session(venue)
    with RawClient(venue.address, key) as client:
        rest(client, venue, b"ENDED")
        why = {"reason": "lost", "end_live_sessions": True}
        ask(venue, "POST", f"sessions/{key['session_id']}/key-revocation", why)
        assert client.expect(m.Terminate).error_codes == TerminateCode.OTHER
        client.key = new_key(venue, key["session_id"])
        with again(venue, client) as back:
            (report,) = missed(back, 2)
            assert report.exec_restatement_reason == ExecReason.CANCEL_ON_DISCONNECT
            back.terminate()


def test_closed_ports_end_the_session_and_its_orders(venue: VenueProcess) -> None:
    key = new_session(venue)
    with RawClient(venue.address, key) as client:
        rest(client, venue, b"CLOSED")
        for _ in range(5):
            with RawClient(venue.address, key) as stranger:
                stranger.negotiate(hmac_signature=b"\1" * 32)
                stranger.receive()
        assert client.expect(m.Terminate).error_codes == TerminateCode.CME_ADMINISTERED_PORT_CLOSURE
        assert client.closed()
        ask(venue, "POST", f"sessions/{key['session_id']}/open-port")
        with again(venue, client) as back:
            (report,) = missed(back, 2)
            assert report.exec_restatement_reason == ExecReason.CANCEL_ON_DISCONNECT
            back.terminate()


def test_a_session_that_is_set_so_keeps_its_orders(venue: VenueProcess) -> None:
    key = new_session(venue, cancel_on_disconnect=False)
    with RawClient(venue.address, key) as client:
        rest(client, venue, b"STAYS")
        client.close()
        until_gone(venue, key["session_id"])
        with again(venue, client) as back:
            assert missed(back, 2) == []
            back.terminate()


def test_a_killed_venue_cancels_once_and_says_the_same_after_every_restart(tmp_path: Path) -> None:
    with VenueProcess(tmp_path / "data", "--no-fsync") as venue, RawClient(venue.address, venue.key()) as client:
        (order,) = rest(client, venue, b"KILLED")
        venue.kill()
    told = []
    for _ in range(2):
        with VenueProcess(tmp_path / "data", "--no-fsync") as venue:
            with again(venue, client) as back:
                told.append(missed(back, 2))
                back.terminate()
            venue.kill()
    assert told[0] == told[1]
    assert [report.order_id for report in told[0]] == [order.order_id]
