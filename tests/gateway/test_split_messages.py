"""MSGW safeguards: what comes in pieces is told as delayed; more than 50 at once end the session. Off by default."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.gateway_host import GatewayHost
from tests.support.raw_client import RawClient

from ontherun.gateway.engine import Engine
from ontherun.gateway.recovery import recover
from ontherun.ilink import messages as m
from ontherun.ilink.codes import TerminateCode
from ontherun.ilink.messages.enums import ExecReason, SplitMsg
from ontherun.journal import Outbox
from ontherun.market.policy import SegmentPolicy

PRICE = 99 * 10**9


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GatewayHost]:
    with GatewayHost(tmp_path, split_safeguard=True) as running:
        yield running


def in_pieces(client: RawClient, host: GatewayHost, count: int) -> None:
    """Send so many orders, the first of them in two pieces that the gateway reads one after the other."""
    send, frames = client.send, list[bytes]()
    client.send = frames.append  # type: ignore[method-assign]
    try:
        for _ in range(count):
            client.order(host.security_id, 1, PRICE, 1, b"%d" % client.next_seq_no)
    finally:
        client.send = send  # type: ignore[method-assign]
    (connection,) = host.ask(lambda: list(host.gateway.connections))
    data = b"".join(frames)
    client.send(data[:40])
    host.until(lambda: len(connection._rest) == 40)
    client.send(data[40:])


def test_a_message_in_pieces_and_those_behind_it_are_told_as_delayed(host: GatewayHost) -> None:
    with RawClient(host.address, host.key()) as client:
        client.log_in()
        in_pieces(client, host, 3)
        said = [client.expect(m.ExecutionReportNew).split_msg for _ in range(3)]
        assert said == [SplitMsg.SPLIT_MESSAGE_DELAYED] + [SplitMsg.COMPLETE_MESSAGE_DELAYED] * 2
        client.order(host.security_id, 1, PRICE, 1, b"WHOLE")
        assert client.expect(m.ExecutionReportNew).split_msg == m.UINT8_NULL
        client.terminate()


def test_50_delayed_messages_are_carried_out(host: GatewayHost) -> None:
    with RawClient(host.address, host.key()) as client:
        client.log_in()
        in_pieces(client, host, 50)
        assert [client.expect(m.ExecutionReportNew).seq_num for _ in range(50)] == list(range(1, 51))
        client.terminate()


def test_51_delayed_messages_are_terminate_29_none_is_applied_and_resting_orders_go(host: GatewayHost) -> None:
    with RawClient(host.address, host.key()) as client:
        client.log_in()
        client.order(host.security_id, 1, PRICE, 1, b"RESTS")
        client.expect(m.ExecutionReportNew)
        in_pieces(client, host, 51)
        assert client.expect(m.Terminate).error_codes == TerminateCode.EXCEEDED_MAX_NO_OF_SPLIT_MSGS_QUEUED
    with RawClient(host.address, host.key()) as back:
        back.uuid = client.uuid
        back.establish(2)
        assert back.expect(m.EstablishmentAck).next_seq_no == 3
        back.send(m.RetransmitRequest(uuid=back.uuid, request_timestamp=1, from_seq_no=2, msg_count=1).encode())
        back.expect(m.Retransmission)
        assert back.expect(m.ExecutionReportCancel).exec_restatement_reason == ExecReason.CANCEL_ON_DISCONNECT
        back.terminate()


def test_the_replay_says_the_same_of_delayed_messages(host: GatewayHost, tmp_path: Path) -> None:
    with RawClient(host.address, host.key()) as client:
        client.log_in()
        in_pieces(client, host, 3)
        for _ in range(3):
            client.expect(m.ExecutionReportNew)
        client.terminate()
    outbox: Outbox[tuple[str, int]] = Outbox(tmp_path / "again.bin")
    recover(Engine(40, SegmentPolicy()), host.journal, outbox)
    again = [m.decode(frame) for frame in outbox.read(("ABC", client.uuid), 1, 3)]
    outbox.close()
    assert [report.split_msg for report in again if isinstance(report, m.ExecutionReportNew)] == [0, 2, 2]


def test_without_the_safeguard_pieces_are_not_looked_at(tmp_path: Path) -> None:
    with GatewayHost(tmp_path) as host, RawClient(host.address, host.key()) as client:
        client.log_in()
        in_pieces(client, host, 60)
        assert {client.expect(m.ExecutionReportNew).split_msg for _ in range(60)} == {m.UINT8_NULL}
        client.terminate()
