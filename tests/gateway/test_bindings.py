"""The kinds of binding (CME client wiki, Initialization and Binding), one step a line: what is sent, what answers."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.api import ask, new_key, new_session
from tests.support.raw_client import RawClient
from tests.support.venue_process import VenueProcess

from ontherun.ilink import messages as m
from ontherun.ilink.codes import TerminateCode

PRICE = 99 * 10**9


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path_factory.mktemp("venue") / "data", "--no-fsync", "--lab") as running:
        yield running


@pytest.fixture
def key(venue: VenueProcess) -> dict[str, Any]:
    return new_session(venue)


def buy(client: RawClient, venue: VenueProcess, name: bytes, **changes: Any) -> m.ExecutionReportNew:
    client.order(venue.security_id("UB10"), 1, PRICE, 1, name, **changes)
    return client.expect(m.ExecutionReportNew)


def fetched(client: RawClient, last_uuid: int, first: int, count: int) -> list[Any]:
    """Ask for messages of an earlier UUID, or of UUID 0, and read them."""
    request = m.RetransmitRequest(
        uuid=client.uuid, last_uuid=last_uuid, request_timestamp=time.time_ns(), from_seq_no=first, msg_count=count
    )
    client.send(request.encode())
    assert client.expect(m.Retransmission).last_uuid == last_uuid
    return [client.receive() for _ in range(count)]


def test_beginning_of_week_negotiate_and_establish_1(venue: VenueProcess, key: dict[str, Any]) -> None:
    with RawClient(venue.address, key) as client:
        asked = client.negotiate()
        response = client.expect(m.NegotiationResponse)
        assert (response.uuid, response.request_timestamp) == (client.uuid, asked)
        assert (response.previous_uuid, response.previous_seq_no) == (0, 0)
        assert response.fault_tolerance_indicator == 1
        assert 300 < response.secret_key_secure_id_expiration <= 366  # days left of twelve months
        asked = client.establish(1)
        ack = client.expect(m.EstablishmentAck)
        assert (ack.uuid, ack.request_timestamp, ack.next_seq_no) == (client.uuid, asked, 1)
        assert (ack.previous_uuid, ack.previous_seq_no, ack.keep_alive_interval) == (0, 0, 10_000)
        assert ack.secret_key_secure_id_expiration == response.secret_key_secure_id_expiration
        assert buy(client, venue, b"FIRST").seq_num == 1
        client.terminate()


def test_beginning_of_week_establish_with_another_number_is_terminate_10(
    venue: VenueProcess, key: dict[str, Any]
) -> None:
    with RawClient(venue.address, key) as client:
        client.negotiate()
        client.expect(m.NegotiationResponse)
        client.establish(2)
        assert client.expect(m.Terminate).error_codes == TerminateCode.INVALID_NEXT_SEQ_NO


def test_mid_week_same_uuid_establish_alone_goes_on(venue: VenueProcess, key: dict[str, Any]) -> None:
    with RawClient(venue.address, key) as client:
        client.log_in()
        buy(client, venue, b"ONE")
        client.terminate()
    with RawClient(venue.address, key) as back:
        back.uuid, back.next_seq_no = client.uuid, client.next_seq_no
        back.establish()
        ack = back.expect(m.EstablishmentAck)
        assert (ack.uuid, ack.next_seq_no, ack.previous_uuid, ack.previous_seq_no) == (client.uuid, 2, 0, 0)
        assert buy(back, venue, b"TWO").seq_num == 2
        back.terminate()


def test_mid_week_new_uuid_starts_at_1_and_the_earlier_one_stays_fetchable(
    venue: VenueProcess, key: dict[str, Any]
) -> None:
    with RawClient(venue.address, key) as client:
        client.log_in()
        one, two = buy(client, venue, b"ONE"), buy(client, venue, b"TWO")
        client.terminate()
    with RawClient(venue.address, key) as back:
        back.negotiate()
        response = back.expect(m.NegotiationResponse)
        assert (response.previous_uuid, response.previous_seq_no) == (client.uuid, 2)
        back.establish(1)
        ack = back.expect(m.EstablishmentAck)
        assert (ack.next_seq_no, ack.previous_uuid, ack.previous_seq_no) == (1, client.uuid, 2)
        again = fetched(back, client.uuid, 1, 2)
        assert [(message.uuid, message.seq_num, message.order_id) for message in again] == [
            (client.uuid, 1, one.order_id),
            (client.uuid, 2, two.order_id),
        ]
        assert buy(back, venue, b"THREE").seq_num == 1
        back.terminate()


def test_re_setting_the_uuid_on_one_connection_after_the_other(venue: VenueProcess, key: dict[str, Any]) -> None:
    with RawClient(venue.address, key) as client:
        client.log_in()
        buy(client, venue, b"ONE")
        client.terminate()
    with RawClient(venue.address, key) as back:
        back.uuid, back.next_seq_no = client.uuid, 2
        back.establish()
        back.expect(m.EstablishmentAck)
        back.terminate()
    with RawClient(venue.address, key) as reset:
        reset.negotiate(client.uuid)
        assert reset.expect(m.Terminate).error_codes == TerminateCode.INVALID_UUID  # it must be greater
    with RawClient(venue.address, key) as reset:
        assert reset.log_in().next_seq_no == 1
        reset.terminate()


def test_a_message_that_came_while_nobody_was_logged_in_is_fetched_under_the_last_uuid(
    venue: VenueProcess, key: dict[str, Any]
) -> None:
    with RawClient(venue.address, key) as client, RawClient(venue.address, venue.key(1)) as other:
        client.log_in()
        client.order(venue.security_id("UB02"), 1, PRICE, 1, b"RESTS")
        client.expect(m.ExecutionReportNew)
        client.terminate()
        other.log_in()
        other.order(venue.security_id("UB02"), 2, PRICE, 1, b"HITS")
        other.expect(m.ExecutionReportNew)
        other.expect(m.ExecutionReportTradeOutright)
        other.terminate()
        with RawClient(venue.address, key) as back:
            ack = back.log_in()
            assert (ack.previous_uuid, ack.previous_seq_no) == (client.uuid, 2)
            (fill,) = fetched(back, client.uuid, 2, 1)
            assert (type(fill), fill.uuid) == (m.ExecutionReportTradeOutright, client.uuid)
            back.terminate()


def test_key_rotation_mid_week_same_uuid_and_numbers(venue: VenueProcess, key: dict[str, Any]) -> None:
    with RawClient(venue.address, key) as client:
        client.log_in()
        buy(client, venue, b"OLD KEY")
        second = new_key(venue, key["session_id"])
        buy(client, venue, b"STILL OLD KEY")
        client.terminate()
    with RawClient(venue.address, second) as rotated:
        rotated.uuid, rotated.next_seq_no = client.uuid, client.next_seq_no
        rotated.establish()
        ack = rotated.expect(m.EstablishmentAck)
        assert (ack.next_seq_no, ack.previous_uuid) == (3, 0)
        assert 300 < ack.secret_key_secure_id_expiration <= 366
        rotated.terminate()
    with RawClient(venue.address, key) as back:  # the older pair is valid for four weeks more
        back.uuid, back.next_seq_no = client.uuid, client.next_seq_no
        back.establish()
        assert 20 < back.expect(m.EstablishmentAck).secret_key_secure_id_expiration <= 31
        back.terminate()


def test_a_new_week_ends_sessions_in_order_and_keeps_gtc_orders(venue: VenueProcess, key: dict[str, Any]) -> None:
    with RawClient(venue.address, key) as client, RawClient(venue.address, venue.key(1)) as other:
        client.log_in()
        ub05 = venue.security_id("UB05")
        day = buy(client, venue, b"DAY")
        client.order(ub05, 1, PRICE, 3, b"GTC", time_in_force=1)
        gtc = client.expect(m.ExecutionReportNew)
        weeks = ask(venue, "POST", "week")["segments"]
        assert {week["segment"] for week in weeks} >= {40}
        end = client.expect(m.Terminate)
        assert (end.error_codes, end.uuid) == (TerminateCode.FINISHED, client.uuid)

        other.log_in()  # meanwhile the GTC order is hit
        other.order(ub05, 2, PRICE, 1, b"HITS")
        other.expect(m.ExecutionReportNew)
        other.expect(m.ExecutionReportTradeOutright)
        other.terminate()

        with RawClient(venue.address, key) as old:
            old.uuid = client.uuid
            old.establish(3)
            assert old.expect(m.Terminate).error_codes == TerminateCode.UNNEGOTIATED  # no UUID yet this week
        with RawClient(venue.address, key) as back:
            back.negotiate()
            response = back.expect(m.NegotiationResponse)
            assert (response.previous_uuid, response.previous_seq_no) == (0, 2)
            back.establish(1)
            ack = back.expect(m.EstablishmentAck)
            assert (ack.next_seq_no, ack.previous_uuid, ack.previous_seq_no) == (1, 0, 2)
            eliminated, fill = fetched(back, 0, 1, 2)
            assert (type(eliminated), eliminated.order_id) == (m.ExecutionReportElimination, day.order_id)
            assert (type(fill), fill.order_id, fill.leaves_qty) == (m.ExecutionReportTradeOutright, gtc.order_id, 2)
            assert [(message.uuid, message.seq_num) for message in (eliminated, fill)] == [(0, 1), (0, 2)]
            back.send(
                m.RetransmitRequest(
                    uuid=back.uuid, last_uuid=client.uuid, request_timestamp=1, from_seq_no=1, msg_count=1
                ).encode()
            )
            back.expect(m.RetransmitReject)  # the last week's messages are gone
            back.terminate()


def test_the_lab_clock_brings_the_next_week_and_one_week_only(venue: VenueProcess, key: dict[str, Any]) -> None:
    before = ask(venue, "GET", "week")["segments"]
    with RawClient(venue.address, key) as client:
        client.log_in()
        ask(venue, "PUT", "lab/clock", {"advance": "3w"})
        assert client.expect(m.Terminate).error_codes == TerminateCode.FINISHED
    after = ask(venue, "GET", "week")["segments"]
    assert [week["began_at"] for week in after] > [week["next_at"] for week in before]
    ask(venue, "PUT", "lab/clock", {"reset": True})
    with RawClient(venue.address, key) as client:  # back in time, the week stays begun
        client.log_in()
        buy(client, venue, b"ON")
        client.terminate()
    assert ask(venue, "GET", "week")["segments"] == after


def test_a_week_that_came_while_the_venue_was_down_begins_at_its_start_and_once(tmp_path_factory: Any) -> None:
    data = tmp_path_factory.mktemp("down") / "data"
    with VenueProcess(data, "--no-fsync", "--lab") as venue, RawClient(venue.address, venue.key()) as client:
        client.log_in()
        client.order(venue.security_id("UB05"), 1, PRICE, 3, b"GTC", time_in_force=1)
        gtc = client.expect(m.ExecutionReportNew)
        buy(client, venue, b"DAY")
        ask(venue, "PUT", "lab/clock", {"advance": "2w"})
        assert client.expect(m.Terminate).error_codes == TerminateCode.FINISHED
        client.key = venue.key()
        venue.kill()
    for numbers in ((0, 1), (client.uuid, 0)):
        with VenueProcess(data, "--no-fsync", "--lab") as venue:
            with RawClient(venue.address, client.key) as back:
                back.negotiate()
                response = back.expect(m.NegotiationResponse)
                back.establish(1)
                back.expect(m.EstablishmentAck)
                if numbers[0] == 0:
                    assert (response.previous_uuid, response.previous_seq_no) == numbers
                    client.uuid = back.uuid
                else:
                    assert response.previous_uuid == client.uuid
                back.terminate()
            venue.kill()
    with VenueProcess(data, "--no-fsync", "--lab") as venue, RawClient(venue.address, client.key) as back:
        back.log_in()
        back.send(
            m.OrderCancelRequest(
                order_id=gtc.order_id,
                party_details_list_req_id=client.key["party_details_list_req_id"],
                manual_order_indicator=0,
                seq_num=1,
                sender_id=b"T",
                cl_ord_id=b"C",
                order_request_id=1,
                sending_time_epoch=1,
                location=b"US,NY",
                security_id=gtc.security_id,
                side=1,
            ).encode()
        )
        assert back.expect(m.ExecutionReportCancel).order_id == gtc.order_id
