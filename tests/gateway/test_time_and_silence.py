"""What time does to a connection: peers that say nothing or read nothing, and keys that end while somebody is there."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.gateway_host import SECOND, GatewayHost
from tests.support.raw_client import RawClient

from ontherun.ilink import messages as m
from ontherun.ilink.codes import NegotiationRejectCode, TerminateCode
from ontherun.ilink.messages.enums import ExecReason

PRICE = 99 * 10**9


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GatewayHost]:
    with GatewayHost(tmp_path) as running:
        yield running


def next_sequence(client: RawClient) -> m.Sequence:
    """The next message, which must be a Sequence."""
    passed_over = client.m.Sequence
    client.m.Sequence = m.Negotiate  # receive() passes over Sequence messages: not now
    try:
        message = client.receive()
    finally:
        client.m.Sequence = passed_over
    assert isinstance(message, m.Sequence), message
    return message


def test_a_peer_that_is_silent_for_two_intervals_is_let_go_and_loses_its_orders(host: GatewayHost) -> None:
    with RawClient(host.address, host.key()) as client:
        client.log_in()
        client.order(host.security_id, 1, PRICE, 1, b"RESTS")
        client.expect(m.ExecutionReportNew)
        host.advance(10.1)
        assert next_sequence(client).keep_alive_interval_lapsed == 1
        host.advance(10.1)
        assert client.expect(m.Terminate).error_codes == TerminateCode.KEEP_ALIVE_INTERVAL_LAPSED
        host.advance(1.1)
        assert client.closed()
    host.until(lambda: not host.gateway.connections)
    with RawClient(host.address, host.key()) as back:
        back.uuid = client.uuid
        back.establish(2)
        assert back.expect(m.EstablishmentAck).next_seq_no == 3
        back.send(m.RetransmitRequest(uuid=back.uuid, request_timestamp=1, from_seq_no=2, msg_count=1).encode())
        back.expect(m.Retransmission)
        cancelled = back.expect(m.ExecutionReportCancel)
        assert cancelled.exec_restatement_reason == ExecReason.CANCEL_ON_DISCONNECT


def test_a_peer_that_answers_the_flag_stays(host: GatewayHost) -> None:
    with RawClient(host.address, host.key()) as client:
        client.log_in()
        (connection,) = host.ask(lambda: list(host.gateway.connections))
        for _ in range(3):
            heard = connection.session.last_received
            host.advance(10.1)
            assert next_sequence(client).keep_alive_interval_lapsed == 1
            client.send(m.Sequence(uuid=client.uuid, next_seq_no=1, keep_alive_interval_lapsed=0).encode())
            host.until(lambda: connection.session.last_received > heard)  # noqa: B023 - it is asked at once
        client.terminate()


def test_a_peer_that_connects_and_says_nothing_is_let_go_after_60_s(host: GatewayHost) -> None:
    with RawClient(host.address, host.key()) as client:
        host.until(lambda: len(host.gateway.connections) == 1)
        host.advance(60.1)
        assert client.expect(m.Terminate).error_codes == TerminateCode.ESTABLISHMENT_TIMEOUT
        host.advance(1.1)
        assert client.closed()


def test_a_peer_that_reads_nothing_does_not_keep_a_connection_that_we_closed(host: GatewayHost) -> None:
    with RawClient(host.address, host.key()) as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.log_in()
        for number in range(600):
            client.order(host.security_id, 3, PRICE, 1, b"%d" % number)  # each is refused in 342 bytes
        request = m.RetransmitRequest(uuid=client.uuid, request_timestamp=1, from_seq_no=1, msg_count=600)
        (connection,) = host.ask(lambda: list(host.gateway.connections))
        while host.ask(connection.transport.get_write_buffer_size) < 1_000:  # until the kernel takes no more
            client.send(request.encode())
        client.send(b"\0" * 12)
        host.until(lambda: not host.gateway.connections)


def test_a_key_that_expires_leaves_the_live_session_and_is_refused_at_the_next_login(host: GatewayHost) -> None:
    host.directory.expires_at = host.ask(host.gateway.now) + 3 * 86_400 * SECOND
    with RawClient(host.address, host.key()) as client:
        client.negotiate()
        assert client.expect(m.NegotiationResponse).secret_key_secure_id_expiration == 2
        client.establish(1, keep_alive=60_000)
        client.expect(m.EstablishmentAck)
        host.directory.expires_at = host.ask(host.gateway.now)  # the market close has come
        client.order(host.security_id, 1, PRICE, 1, b"STILL")
        client.expect(m.ExecutionReportNew)
        client.terminate()
    with RawClient(host.address, host.key()) as client:
        client.negotiate()
        assert client.expect(m.NegotiationReject).error_codes == NegotiationRejectCode.HMAC_NOT_AUTHENTICATED


@pytest.mark.parametrize("how", ["expired", "deleted"])
def test_where_sessions_end_with_their_key_the_live_one_is_terminated(tmp_path: Path, how: str) -> None:
    with (
        GatewayHost(tmp_path, session_ends_with_key=True) as host,
        RawClient(host.address, host.key()) as client,
        RawClient(host.address, host.key("XYZ", "EXAMPLEKEYID00000002")) as other,
    ):
        client.log_in()
        other.log_in()
        if how == "deleted":
            host.directory.valid.remove("EXAMPLEKEYID00000001")
        else:
            host.directory.expires_at = 1
        end = client.expect(m.Terminate)
        assert (end.error_codes, end.reason) == (TerminateCode.OTHER, b"the key pair is no longer valid")
        if how == "deleted":
            other.order(host.security_id, 1, PRICE, 1, b"OTHER")
            other.expect(m.ExecutionReportNew)
