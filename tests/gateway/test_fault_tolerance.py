"""Primary and backup of one process over real sockets (CME client wiki, Fault Tolerance Scenarios)."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.support.raw_client import RawClient
from tests.support.venue_thread import VenueThread

from ontherun.ilink import messages as m
from ontherun.market.benchmarks import BENCHMARKS

PRICE = 99 * 10**9
UB02 = BENCHMARKS[0].security_id
BACKUP, PRIMARY = 0, 1


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[VenueThread]:
    with VenueThread(tmp_path / "data") as running:
        yield running


@pytest.fixture
def primary(venue: VenueThread) -> Iterator[RawClient]:
    with RawClient(venue.address(40), venue.key()) as client:
        client.log_in()
        yield client


@pytest.fixture
def backup(venue: VenueThread, primary: RawClient) -> Iterator[RawClient]:
    with on_backup(venue, primary.uuid) as client:
        client.establish(0)
        client.expect(m.EstablishmentAck)
        yield client


def on_backup(venue: VenueThread, uuid: int, number: int = 0) -> RawClient:
    client = RawClient(venue.address(40, "backup"), venue.key(number))
    client.uuid = uuid
    return client


def next_sequence(client: RawClient) -> m.Sequence:
    message = client.receive(sequences=True)
    assert isinstance(message, m.Sequence), message
    return message


def test_the_backup_takes_establish_alone_with_number_0_and_tells_its_role(
    venue: VenueThread, primary: RawClient
) -> None:
    with on_backup(venue, primary.uuid) as client:
        client.establish(0)
        ack = client.expect(m.EstablishmentAck)
        assert (ack.next_seq_no, ack.fault_tolerance_indicator, ack.uuid) == (0, BACKUP, primary.uuid)


def test_the_backup_before_the_primary_is_refused_with_27(venue: VenueThread) -> None:
    with on_backup(venue, time.time_ns() // 1000) as client:
        client.establish(0)
        refused = client.expect(m.EstablishmentReject)
        assert (refused.error_codes, refused.fault_tolerance_indicator) == (27, BACKUP)
        client.negotiate()
        assert client.expect(m.NegotiationReject).error_codes == 27


def test_the_backup_after_the_primary_has_gone_is_refused_with_27(venue: VenueThread, primary: RawClient) -> None:
    primary.terminate()
    with on_backup(venue, primary.uuid) as client:
        client.establish(0)
        assert client.expect(m.EstablishmentReject).error_codes == 27


def test_negotiate_on_the_backup_of_an_established_primary_is_refused_with_28(
    venue: VenueThread, primary: RawClient, backup: RawClient
) -> None:
    with on_backup(venue, 0, 0) as client:
        client.negotiate()
        assert client.expect(m.NegotiationReject).error_codes == 28
    backup.negotiate()
    assert backup.expect(m.NegotiationReject).error_codes == 28
    primary.order(UB02, 1, PRICE, 1, b"STILL")
    assert primary.expect(m.ExecutionReportNew).seq_num == 1


def test_establish_on_the_backup_with_a_number_ends_with_10(venue: VenueThread, primary: RawClient) -> None:
    with on_backup(venue, primary.uuid) as client:
        client.establish(1)
        assert client.expect(m.Terminate).error_codes == 10


def test_a_second_connection_to_the_backup_is_ended_and_the_first_one_stays(
    venue: VenueThread, primary: RawClient, backup: RawClient
) -> None:
    with on_backup(venue, primary.uuid) as second:
        second.establish(0)
        assert second.expect(m.Terminate).error_codes == 6
    venue.call(lambda: venue.venue.promote(40))
    assert next_sequence(backup).fault_tolerance_indicator == PRIMARY


def test_business_on_the_backup_gets_business_reject_131(backup: RawClient) -> None:
    backup.next_seq_no = 0
    backup.order(UB02, 1, PRICE, 1, b"NOT HERE")
    assert backup.expect(m.BusinessReject).business_reject_reason == 131


def test_a_sequence_on_the_backup_counts_nothing(backup: RawClient) -> None:
    backup.send(m.Sequence(uuid=backup.uuid, next_seq_no=0, keep_alive_interval_lapsed=1).encode())
    assert next_sequence(backup).next_seq_no == 0


@pytest.mark.parametrize("end", ["terminate", "close"])
def test_the_backup_ends_with_26_when_the_client_leaves_the_primary(
    primary: RawClient, backup: RawClient, end: str
) -> None:
    if end == "terminate":
        primary.terminate()
    else:
        primary.close()
    assert backup.expect(m.Terminate).error_codes == 26


def test_the_client_may_leave_the_backup_and_come_again(
    venue: VenueThread, primary: RawClient, backup: RawClient
) -> None:
    backup.terminate()
    primary.order(UB02, 1, PRICE, 1, b"A")
    primary.expect(m.ExecutionReportNew)
    with on_backup(venue, primary.uuid) as again:
        again.establish(0)
        assert again.expect(m.EstablishmentAck).next_seq_no == 0


def test_a_promoted_backup_goes_on_with_both_numbers_and_what_was_missed_can_be_fetched(
    venue: VenueThread, primary: RawClient, backup: RawClient
) -> None:
    for number in (1, 2):
        primary.order(UB02, 1, PRICE, 1, b"P%d" % number)
    assert venue.call(lambda: venue.venue.promote(40)) == 1
    said = next_sequence(backup)
    assert said.fault_tolerance_indicator == PRIMARY
    assert primary.closed()
    applied = said.next_seq_no - 1
    if applied:
        backup.send(
            m.RetransmitRequest(
                uuid=backup.uuid, request_timestamp=time.time_ns(), from_seq_no=1, msg_count=applied
            ).encode()
        )
        assert backup.expect(m.Retransmission).msg_count == applied
        for number in range(1, applied + 1):
            assert backup.expect(m.ExecutionReportNew).seq_num == number
    backup.next_seq_no = applied + 1
    backup.order(UB02, 1, PRICE, 1, b"AFTER")
    assert backup.expect(m.ExecutionReportNew).seq_num == applied + 1


def test_after_a_promotion_the_listeners_have_changed_their_roles(
    venue: VenueThread, primary: RawClient, backup: RawClient
) -> None:
    before = venue.address(40), venue.address(40, "backup")
    venue.call(lambda: venue.venue.promote(40))
    assert next_sequence(backup).fault_tolerance_indicator == PRIMARY
    assert (venue.address(40, "backup"), venue.address(40)) == before
    listed = json.loads((venue.settings.data / "up.json").read_text())["gateways"]
    assert [at["role"] for at in listed] == ["primary", "backup"]
    assert listed[0]["port"] == before[1][1]
    with on_backup(venue, backup.uuid) as again:
        again.establish(0)
        ack = again.expect(m.EstablishmentAck)
        assert (ack.fault_tolerance_indicator, ack.next_seq_no) == (BACKUP, 0)
        venue.call(lambda: venue.venue.promote(40))
        assert next_sequence(again).fault_tolerance_indicator == PRIMARY
        again.order(UB02, 1, PRICE, 1, b"TWICE PROMOTED")
        assert again.expect(m.ExecutionReportNew).seq_num == 1
    assert (venue.address(40), venue.address(40, "backup")) == before


def test_a_session_without_a_backup_loses_its_connection_and_comes_back_on_the_promoted_one(
    venue: VenueThread, primary: RawClient
) -> None:
    assert venue.call(lambda: venue.venue.promote(40)) == 0
    assert primary.closed()
    with RawClient(venue.address(40), venue.key()) as again:
        again.uuid = primary.uuid
        again.establish(1)
        assert again.expect(m.EstablishmentAck).fault_tolerance_indicator == PRIMARY


def test_whoever_has_not_logged_in_on_the_backup_yet_meets_the_primary_there(
    venue: VenueThread, primary: RawClient
) -> None:
    with on_backup(venue, 0) as early:
        early.negotiate()
        assert early.expect(m.NegotiationReject).error_codes == 28
        venue.call(lambda: venue.venue.promote(40))
        assert early.log_in().fault_tolerance_indicator == PRIMARY


def test_orders_stay_where_a_backup_takes_over_and_a_restart_finds_the_same(tmp_path: Path) -> None:
    with VenueThread(tmp_path / "data") as venue, RawClient(venue.address(40), venue.key()) as primary:
        primary.log_in()
        with on_backup(venue, primary.uuid) as backup:
            backup.establish(0)
            backup.expect(m.EstablishmentAck)
            primary.order(UB02, 1, PRICE, 3, b"KEPT")
            order_id = primary.expect(m.ExecutionReportNew).order_id
            venue.call(lambda: venue.venue.promote(40))
            assert next_sequence(backup).next_seq_no == 2
            backup.next_seq_no = 2
            backup.order(UB02, 2, PRICE, 3, b"FILLS IT")
            assert backup.expect(m.ExecutionReportNew).seq_num == 2
            traded = backup.expect(m.ExecutionReportTradeOutright)
            assert order_id in (traded.order_id, backup.expect(m.ExecutionReportTradeOutright).order_id)
            uuid = backup.uuid
    with VenueThread(tmp_path / "data") as venue, RawClient(venue.address(40), venue.key()) as again:
        again.uuid = uuid
        again.establish(3)
        assert again.expect(m.EstablishmentAck).next_seq_no == 5


def test_the_operator_promotes_by_the_api_and_the_audit_has_it(
    venue: VenueThread, primary: RawClient, backup: RawClient
) -> None:
    token = (venue.settings.data / "admin.token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=f"{venue.venue.api_url}/api/v1", headers=headers, trust_env=False, timeout=60) as api:
        assert api.post("/gateways/44/promote").status_code == 404
        answer = api.post("/gateways/40/promote")
        assert (answer.status_code, answer.json()["sessions"]) == (200, 1)
        entry = api.get("/audit", params={"limit": 1}).json()["items"][0]
        assert (entry["action"], entry["subject"]) == ("gateway.promoted", "market segment 40")
    assert next_sequence(backup).fault_tolerance_indicator == PRIMARY
