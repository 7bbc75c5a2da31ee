"""A peer that does not read is let go, and finds everything when it comes back."""

import socket
import time
from pathlib import Path

import pytest
from tests.support.raw_client import RawClient
from tests.support.venue_process import VenueProcess

from ontherun.ilink import messages as m

PRICE = 99 * 10**9


def test_a_peer_that_never_reads_is_disconnected_and_the_others_trade_on(tmp_path: Path) -> None:
    with (
        VenueProcess(tmp_path / "data", "--no-fsync", "--messaging-controls", "off") as venue,
        RawClient(venue.address, venue.key(0)) as deaf,
        RawClient(venue.address, venue.key(1)) as other,
    ):
        deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.log_in()
        other.log_in()
        ub10 = venue.security_id("UB10")
        try:
            for _ in range(400_000):
                deaf.order(ub10, 3, PRICE, 1, b"X")  # each is refused in 342 bytes that nobody reads
        except OSError:
            pass
        else:
            raise AssertionError("the gateway kept a peer that never reads")
        other.order(ub10, 1, PRICE, 1, b"ON")
        assert other.expect(m.ExecutionReportNew).cl_ord_id == b"ON"
        assert "slow_consumer" in (venue.data / "ontherun.log").read_text()
        with RawClient(venue.address, venue.key(0)) as back:
            back.uuid = deaf.uuid
            back.establish(999_999_999)
            ack = back.expect(m.EstablishmentAck)
            assert ack.next_seq_no > 1000


def peak(venue: VenueProcess) -> int:
    """The most memory that the venue ever had, MB."""
    status = Path(f"/proc/{venue.process.pid}/status")
    if not status.exists():
        pytest.skip("the peak of another process's memory takes /proc (Linux)")
    return int(status.read_text().split("VmHWM:")[1].split()[0]) // 1024


def test_a_peer_that_asks_for_everything_again_and_again_and_never_reads_costs_little_memory(tmp_path: Path) -> None:
    """Each order makes the gateway write, after which another retransmission may be asked for, in the same read."""
    with (
        VenueProcess(tmp_path / "data", "--no-fsync", "--messaging-controls", "off") as venue,
        RawClient(venue.address, venue.key(0)) as deaf,
    ):
        deaf.log_in()
        ub10 = venue.security_id("UB10")
        for number in range(2_500):
            deaf.order(ub10, 3, PRICE, 1, b"%d" % number)
        for _ in range(2_500):
            deaf.expect(m.BusinessReject)
        before = peak(venue)
        send, pieces = deaf.send, list[bytes]()
        deaf.send = pieces.append  # type: ignore[method-assign]
        request = m.RetransmitRequest(uuid=deaf.uuid, request_timestamp=1, from_seq_no=1, msg_count=2_500).encode()
        for _ in range(600):  # half a gigabyte of answers
            deaf.order(ub10, 3, PRICE, 1, b"X")
            deaf.send(request)
        send(b"".join(pieces))
        log = venue.data / "ontherun.log"
        end = time.monotonic() + 60
        while "slow_consumer" not in log.read_text():
            assert time.monotonic() < end, "the peer was kept"
            time.sleep(0.05)
        with RawClient(venue.address, venue.key(1)) as other:
            other.log_in()
            other.terminate()
        assert peak(venue) - before < 100
