"""The session layer over real sockets, one call a step, by a client that is not the SDK."""

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support.gateway_host import GatewayHost
from tests.support.raw_client import RawClient

from ontherun.ilink import messages as m
from ontherun.ilink.codes import TerminateCode
from ontherun.ilink.messages import UINT64_NULL

PRICE = 99 * 10**9
_SESSIONS = ("".join(letters) for letters in itertools.product("ABCDEFGHIJKLMNOPQRSTUVWXYZ", repeat=3))


class Client(RawClient):
    """RawClient with the session's own vocabulary."""

    def __init__(self, host: GatewayHost, session: str, *, backup: bool = False) -> None:
        super().__init__(host.backup if backup else host.address, host.key(session))
        self.host = host

    def bid(self, seq_num: int | None = None) -> None:
        """A new order with this number, or with the next one."""
        self.next_seq_no = self.next_seq_no if seq_num is None else seq_num
        self.order(self.host.security_id, 1, PRICE, 1, b"%d" % self.next_seq_no)

    def bids(self, count: int) -> None:
        """Orders 1 to `count`, each accepted."""
        for _ in range(count):
            self.bid()
            self.expect(m.ExecutionReportNew)

    def sequence(self, next_seq_no: int, *, lapsed: int = 0, uuid: int | None = None) -> None:
        uuid = self.uuid if uuid is None else uuid
        self.send(m.Sequence(uuid=uuid, next_seq_no=next_seq_no, keep_alive_interval_lapsed=lapsed).encode())

    def expect_sequence(self, next_seq_no: int) -> None:
        message = self.receive(sequences=True)
        assert isinstance(message, m.Sequence), message
        assert (message.uuid, message.next_seq_no) == (self.uuid, next_seq_no)

    def expect_not_applied(self, from_seq_no: int, msg_count: int) -> None:
        message = self.expect(m.NotApplied)
        assert (message.uuid, message.from_seq_no, message.msg_count) == (self.uuid, from_seq_no, msg_count)

    def expect_terminate(self, code: TerminateCode) -> m.Terminate:
        message = self.expect(m.Terminate)
        assert message.error_codes == code, message
        return message

    def ask_again(self, first: int, count: int, last_uuid: int = UINT64_NULL, **changes: int) -> None:
        fields = {"uuid": self.uuid, "request_timestamp": time.time_ns()} | changes
        self.send(m.RetransmitRequest(**fields, last_uuid=last_uuid, from_seq_no=first, msg_count=count).encode())

    def expect_again(self, first: int, count: int, uuid: int | None = None) -> None:
        """These messages, with PossRetransFlag 1."""
        uuid = self.uuid if uuid is None else uuid
        for number in range(first, first + count):
            message: Any = self.receive()
            assert (message.uuid, message.seq_num, message.poss_retrans_flag) == (uuid, number, 1)


Connect = Callable[..., Client]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayHost]:
    with GatewayHost(tmp_path_factory.mktemp("host")) as running:
        yield running


@pytest.fixture
def connect(host: GatewayHost) -> Iterator[Connect]:
    """Connects to one session, which no other test uses; to its backup if asked."""
    session = next(_SESSIONS)
    opened: list[Client] = []

    def open_one(*, backup: bool = False, uuid: int = 0) -> Client:
        client = Client(host, session, backup=backup)
        client.uuid = uuid
        opened.append(client)
        return client

    yield open_one
    for client in opened:
        client.close()


@pytest.fixture
def stranger(connect: Connect) -> Client:
    """A connection on which nothing was said."""
    return connect()


@pytest.fixture
def negotiated(connect: Connect) -> Client:
    client = connect()
    client.negotiate()
    client.expect(m.NegotiationResponse)
    return client


@pytest.fixture
def established(connect: Connect) -> Client:
    """Numbers at 1."""
    client = connect()
    client.log_in()
    return client
