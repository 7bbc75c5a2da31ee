"""The load client measures what it says: each order is numbered, each answer counted, and a wrong one stops the run."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from benchmarks.client import LoadError, Result, run_load
from benchmarks.frames import TICK, Connection, Identity, fix_connections, fix_frame, ilink_connections, script
from benchmarks.native import COMPILER
from benchmarks.servers import Server, c_floor, loop_floor

from ontherun.ilink.messages import Establish, Negotiate, NewOrderSingle, decode
from ontherun.ilink.signing import negotiate_text, sign

pytestmark = [
    pytest.mark.cc,
    pytest.mark.skipif(COMPILER is None, reason="needs a C compiler (Debian: apt-get install gcc libc6-dev)"),
]
ILINK = {"wire": "ilink", "tick": TICK}


def frame(size: int, template_id: int) -> bytes:
    return b"".join(n.to_bytes(2, "little") for n in (size, 0xCAFE, size - 12, template_id, 8, 9)) + bytes(size - 12)


REPORT = frame(238, 522)
LOGIN = {500: frame(47, 501), 503: frame(51, 504)}


def ilink_frame(stream: bytes) -> bytes:
    size = int.from_bytes(stream[:2], "little")
    return stream[:size] if 12 <= size <= len(stream) else b""


def fix_message(stream: bytes) -> bytes:
    end = stream.find(b"\00110=")
    return stream[: end + 8] if end >= 0 and len(stream) >= end + 8 else b""


@contextmanager
def answering(answer: Callable[[bytes], bytes], cut: Callable[[bytes], bytes] = ilink_frame) -> Iterator[int]:
    """A server for one connection that answers each frame with what `answer` returns; b"" closes. Yields its port."""

    def serve() -> None:
        connection, stream = listener.accept()[0], b""
        with connection:
            while data := connection.recv(65536):
                stream += data
                while one := cut(stream):
                    stream = stream[len(one) :]
                    reply = answer(one)
                    if not reply:
                        return
                    connection.sendall(reply)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def load(port: int, connections: list[Connection], **options: int | str) -> Result:
    return run_load(os.getpid(), port, script(connections), None, **options)


@pytest.fixture(params=[c_floor, loop_floor])
def floor(request: pytest.FixtureRequest) -> Iterator[Server]:
    with request.param(None) as server:
        yield server


@pytest.mark.parametrize(("connections", "window"), [(1, 1), (1, 1000), (100, 1), (100, 16)])
def test_every_order_is_answered_and_counted(floor: Server, connections: int, window: int) -> None:
    result = load(floor.port, floor.connections(connections), window=window, max_orders=5_000, **ILINK)
    assert result.count == 5_000
    assert 0 < result.p50 <= result.p99


def test_the_open_loop_sends_at_its_rate_after_the_resting_orders(floor: Server) -> None:
    result = load(floor.port, floor.connections(1), rate=5_000, seconds_ms=200, preload=2_000, **ILINK)
    assert result.count == 1_000


def test_every_login_of_the_script_is_made(floor: Server) -> None:
    assert load(floor.port, floor.connections(300), in_flight=64, **ILINK).count == 300


def test_logins_are_signed_and_never_older_than_the_last() -> None:
    identities = [Identity(b"A%02d" % n, b"DEMO1", b"K" * 20, bytes([n] * 32)) for n in range(3)]
    last = 0
    for n, connection in enumerate(ilink_connections(identities, 9, 1)):
        identity, (first, second) = identities[n % 3], connection.login
        negotiate, establish = decode(first), decode(second)
        assert isinstance(negotiate, Negotiate)
        assert isinstance(establish, Establish)
        text = negotiate_text(negotiate.request_timestamp, negotiate.uuid, identity.session, identity.firm)
        assert negotiate.hmac_signature == sign(identity.secret, text)
        assert last < negotiate.request_timestamp < establish.request_timestamp
        assert establish.uuid == negotiate.uuid > last
        last = establish.request_timestamp


def test_orders_are_numbered_and_named_and_rest_on_many_levels() -> None:
    orders: list[NewOrderSingle] = []

    def answer(received: bytes) -> bytes:
        message = decode(received)
        if isinstance(message, NewOrderSingle):
            assert message.fault() is None
            orders.append(message)
        return LOGIN.get(message.TEMPLATE_ID, REPORT)

    with answering(answer) as port:
        assert load(port, ilink_connections([Identity()], 1, 400_010), window=16, max_orders=500, **ILINK).count == 500
    assert [order.seq_num for order in orders] == list(range(1, 501))
    assert len({order.cl_ord_id for order in orders}) == 500
    assert sorted({order.price for order in orders}) == [100 * 10**9 - n * TICK for n in reversed(range(200))]


def test_fix_orders_are_numbered_with_a_true_checksum() -> None:
    numbers: list[tuple[int, int]] = []

    def answer(message: bytes) -> bytes:
        assert int(message[-4:-1]) == sum(message[:-7]) % 256
        fields = dict(part.split(b"=", 1) for part in message.split(b"\1")[:-1])
        if fields[b"35"] == b"A":
            return fix_frame("35=A|34=1|")
        numbers.append((int(fields[b"34"]), int(fields[b"11"])))
        return fix_frame("35=0|34=2|") + fix_frame("35=8|34=3|39=0|")

    with answering(answer, fix_message) as port:
        assert load(port, fix_connections(1), wire="fix", window=16, max_orders=300).count == 300
    assert numbers == [(n + 1, n) for n in range(1, 301)]


def test_a_reject_stops_the_run_and_is_shown() -> None:
    with answering(lambda received: LOGIN.get(received[6] | received[7] << 8, frame(342, 521))) as port:  # noqa: SIM117
        with pytest.raises(LoadError, match=r"unexpected BusinessReject\(seq_num=0, "):
            load(port, ilink_connections([Identity()], 1, 1), **ILINK)


def test_a_refused_login_stops_the_run_and_is_shown() -> None:
    with answering(lambda _: frame(81, 502)) as port:  # noqa: SIM117
        with pytest.raises(LoadError, match=r"unexpected NegotiationReject\("):
            load(port, ilink_connections([Identity()], 1, 1), **ILINK)


def test_a_fix_reject_stops_the_run_and_is_shown() -> None:
    with answering(lambda _: fix_frame("35=5|58=no|"), fix_message) as port:  # noqa: SIM117
        with pytest.raises(LoadError, match=r"unexpected 8=FIX\.4\.4\|.*58=no"):
            load(port, fix_connections(1), wire="fix")


def test_a_lost_connection_stops_the_run() -> None:
    with answering(lambda received: LOGIN.get(received[6] | received[7] << 8, b"")) as port:  # noqa: SIM117
        with pytest.raises(LoadError, match="the server closed the connection"):
            load(port, ilink_connections([Identity()], 1, 1), **ILINK)


def test_more_reports_than_orders_stop_the_run() -> None:
    with answering(lambda received: LOGIN.get(received[6] | received[7] << 8, REPORT * 2)) as port:  # noqa: SIM117
        with pytest.raises(LoadError, match="more reports than orders"):
            load(port, ilink_connections([Identity()], 1, 1), **ILINK)
