"""A peer that does not read is let go, and finds everything when it comes back."""

import socket
from pathlib import Path

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
