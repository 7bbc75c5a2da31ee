"""Several market segments in one process: each with its own journal, ports and numbers."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.raw_client import RawClient
from tests.support.venue_thread import VenueThread

from ontherun.ilink import messages as m
from ontherun.market.benchmarks import BENCHMARKS, US_TREASURY_ACTIVES

PRICE = 99 * 10**9
ACTIVES, REPO = US_TREASURY_ACTIVES, 42
NOTE, OTHER = BENCHMARKS[0], replace(BENCHMARKS[0], security_id=420_002, symbol="RP02", segment=REPO)
SEGMENTS = {ACTIVES: (NOTE,), REPO: (OTHER,)}


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[VenueThread]:
    with VenueThread(tmp_path / "data", segments=SEGMENTS) as running:
        yield running


def client(venue: VenueThread, segment: int, number: int = 0) -> RawClient:
    return RawClient(venue.address(segment), venue.key(number))


def test_a_session_is_on_two_segments_at_once_under_one_uuid_with_numbers_of_each(venue: VenueThread) -> None:
    uuid = time.time_ns() // 1000
    with client(venue, ACTIVES) as one, client(venue, REPO) as two:
        for log_in in (one, two):
            log_in.negotiate(uuid)
            log_in.expect(m.NegotiationResponse)
            log_in.establish()
            assert log_in.expect(m.EstablishmentAck).next_seq_no == 1
        for number in (1, 2, 3):
            one.order(NOTE.security_id, 1, PRICE, 1, b"A%d" % number)
            assert one.expect(m.ExecutionReportNew).seq_num == number
        two.order(OTHER.security_id, 1, PRICE, 1, b"A1")
        answer = two.expect(m.ExecutionReportNew)
        assert (answer.seq_num, answer.uuid) == (1, uuid)
        one.terminate()
        two.order(OTHER.security_id, 1, PRICE, 1, b"A2")
        assert two.expect(m.ExecutionReportNew).seq_num == 2


def test_an_order_for_another_segments_instrument_is_refused(venue: VenueThread) -> None:
    with client(venue, REPO) as other:
        other.log_in()
        other.order(NOTE.security_id, 1, PRICE, 1, b"A")
        refused = other.receive()
        assert not isinstance(refused, m.ExecutionReportNew)


def test_what_a_segment_says_while_the_session_is_only_on_the_other_can_be_fetched(venue: VenueThread) -> None:
    with client(venue, ACTIVES) as one, client(venue, REPO) as two, client(venue, REPO, 1) as buyer:
        one.log_in()
        two.log_in()
        two.order(OTHER.security_id, 2, PRICE, 5, b"SELL")
        two.expect(m.ExecutionReportNew)
        two.terminate()
        buyer.log_in()
        buyer.order(OTHER.security_id, 1, PRICE, 2, b"BUY")
        buyer.expect(m.ExecutionReportNew)
        buyer.expect(m.ExecutionReportTradeOutright)
        uuid = two.uuid
        one.order(NOTE.security_id, 1, PRICE, 1, b"STILL HERE")
        assert one.expect(m.ExecutionReportNew).seq_num == 1
    with client(venue, REPO) as again:
        again.uuid = uuid
        again.establish(2)
        assert again.expect(m.EstablishmentAck).next_seq_no == 3
        again.send(
            m.RetransmitRequest(uuid=uuid, request_timestamp=time.time_ns(), from_seq_no=2, msg_count=1).encode()
        )
        assert again.expect(m.Retransmission).msg_count == 1
        missed = again.expect(m.ExecutionReportTradeOutright)
        assert (missed.seq_num, missed.last_qty, missed.poss_retrans_flag) == (2, 2, 1)


def test_each_segment_is_recovered_from_its_own_journal(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with VenueThread(data, segments=SEGMENTS) as venue:
        with client(venue, ACTIVES) as one, client(venue, REPO) as two:
            one.log_in()
            two.log_in()
            two.order(OTHER.security_id, 1, PRICE, 1, b"KEPT")
            two.expect(m.ExecutionReportNew)
            uuids = one.uuid, two.uuid
            one.terminate()
            two.terminate()
        assert sorted(path.name for path in data.glob("*.bin")) == [
            "journal-40.bin",
            "journal-42.bin",
            "outbox-40.bin",
            "outbox-42.bin",
        ]
    with VenueThread(data, segments=SEGMENTS) as venue:
        for segment, uuid, number in ((ACTIVES, uuids[0], 1), (REPO, uuids[1], 2)):
            with client(venue, segment) as again:
                again.uuid = uuid
                again.establish(number)
                assert again.expect(m.EstablishmentAck).next_seq_no == number


def test_the_portal_sees_and_ends_a_session_on_every_segment(venue: VenueThread) -> None:
    with client(venue, ACTIVES) as one, client(venue, REPO) as two:
        one.log_in()
        two.log_in()
        session = one.key["session_id"]
        assert venue.call(venue.venue.connected) == {session}
        assert venue.call(lambda: venue.venue.end_session(session, "enough"))
        for ended in (one, two):
            assert ended.expect(m.Terminate).error_codes == 23
        assert venue.call(venue.venue.connected) == set()


def test_ports_closed_on_one_segment_are_open_on_the_other_and_opened_together(venue: VenueThread) -> None:
    session = venue.key()["session_id"]
    for _ in range(5):
        with client(venue, REPO) as bad:
            bad.negotiate(hmac_signature=b"\x01" * 32)
            bad.receive()
    assert venue.call(venue.venue.closed_ports) == {session}
    with client(venue, ACTIVES) as good:
        good.log_in()
    venue.call(lambda: venue.venue.open_port(session))
    with client(venue, REPO) as good:
        good.log_in()


def test_every_segment_has_a_primary_and_a_backup_in_the_ready_file(venue: VenueThread) -> None:
    listed = [(at["segment"], at["role"]) for at in venue.venue.ready["gateways"]]
    assert listed == [(ACTIVES, "primary"), (ACTIVES, "backup"), (REPO, "primary"), (REPO, "backup")]
    assert len({at["port"] for at in venue.venue.ready["gateways"]}) == 4


def test_a_journal_of_the_time_before_segments_is_refused_with_the_way_out(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / "journal.bin").write_bytes(b"")
    with pytest.raises(Exception, match=r"rename it to journal-40\.bin"), VenueThread(data):
        pass
