"""When what a turn brought is committed and leaves: an order that is alone at once, others together."""

import asyncio
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.support.raw_client import RawClient
from tests.support.venue_process import VenueProcess

from ontherun.gateway.connection import Connection
from ontherun.ilink import messages as m
from ontherun.ilink.records import Role
from ontherun.journal import FileJournal

PRICE = 99 * 10**9


def rows(venue: VenueProcess) -> int:
    """Rows of the journal of a venue that is stopped."""
    [path] = venue.data.glob("journal-40*")
    journal = FileJournal(path, fsync=False)
    try:
        return journal.last_row_id
    finally:
        journal.close()


def test_orders_that_come_one_by_one_are_committed_one_by_one_and_those_of_one_read_together(tmp_path: Path) -> None:
    venue = VenueProcess(tmp_path / "data", "--no-fsync")
    with venue, RawClient(venue.address, venue.key(0)) as client:
        client.log_in()
        ub10 = venue.security_id("UB10")
        for number in range(20):
            order = client.order(ub10, 1, PRICE, 1, b"%d" % number)
            assert client.expect(m.ExecutionReportNew).seq_num == number + 1
        joined = b""
        for number in range(20, 40):
            order.seq_num, order.cl_ord_id = number + 1, b"%d" % number
            joined += order.encode()
        client.send(joined)
        numbers = [client.expect(m.ExecutionReportNew).seq_num for _ in range(20)]
        assert numbers == list(range(21, 41))
    assert 20 < rows(venue) < 40


async def test_what_a_socket_does_not_take_at_once_follows_in_its_order() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        theirs = socket.create_connection(listening.getsockname())
        ours, _ = listening.accept()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    theirs.setblocking(False)
    loop = asyncio.get_running_loop()
    gateway: Any = SimpleNamespace(
        last_now=1,
        now=lambda: 1,
        connections=set(),
        new_session=lambda *_: SimpleNamespace(role=Role.PRIMARY, last_sent=0, lost=lambda now: []),
        new_witness=lambda *_: SimpleNamespace(lost=lambda *_: None, owner="", connection=""),
        log=SimpleNamespace(info=lambda *_, **__: None),
    )
    connection = Connection(gateway, Role.PRIMARY)
    transport, _ = await loop.connect_accepted_socket(lambda: connection, ours)
    sent = [bytes([number % 251]) * (1 + 977 * number) for number in range(100)]  # 5 MB: more than the sockets hold
    for frames in sent[:60]:
        connection.write(frames)
    assert transport.get_write_buffer_size() > 0
    received = b""
    while len(received) < 1_000_000:
        received += await loop.sock_recv(theirs, 1 << 16)
    for frames in sent[60:]:
        connection.write(frames)
    while len(received) < sum(map(len, sent)):
        received += await loop.sock_recv(theirs, 1 << 16)
    assert received == b"".join(sent)
    theirs.close()
    transport.abort()
    while gateway.connections:  # noqa: ASYNC110 -- its connection_lost is due in the next turn
        await asyncio.sleep(0)
