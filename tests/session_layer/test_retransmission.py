"""RetransmitRequest and its answers, row by row (CME client wiki, pages of these names)."""

import pytest

from ontherun.ilink import messages as m
from ontherun.ilink.codes import RetransmitRejectCode as Code
from ontherun.ilink.messages import UINT16_NULL, UINT32_NULL, UINT64_NULL

from .conftest import Client, Connect


@pytest.fixture
def client(established: Client) -> Client:
    """Five messages were said."""
    established.bids(5)
    return established


def test_the_request_is_echoed_and_then_the_messages_come_with_their_numbers(client: Client) -> None:
    client.ask_again(2, 3, request_timestamp=99)
    answer = client.expect(m.Retransmission)
    assert (answer.uuid, answer.last_uuid, answer.request_timestamp) == (client.uuid, UINT64_NULL, 99)
    assert (answer.from_seq_no, answer.msg_count) == (2, 3)
    client.expect_again(2, 3)


def test_count_0_asks_for_everything_from_there_on(client: Client) -> None:
    client.ask_again(3, 0)
    assert client.expect(m.Retransmission).msg_count == 3
    client.expect_again(3, 3)


def test_under_the_current_uuid_the_count_is_the_true_one(client: Client) -> None:
    client.ask_again(4, 100)
    assert client.expect(m.Retransmission).msg_count == 2
    client.expect_again(4, 2)


def test_under_an_earlier_uuid_the_count_asked_for_is_echoed(connect: Connect, client: Client) -> None:
    client.terminate()
    again = connect()
    again.negotiate(client.uuid + 1)
    again.expect(m.NegotiationResponse)
    again.establish(1)
    again.expect(m.EstablishmentAck)
    again.ask_again(4, 100, client.uuid)
    answer = again.expect(m.Retransmission)
    assert (answer.last_uuid, answer.msg_count) == (client.uuid, 100)
    again.expect_again(4, 2, client.uuid)


def test_live_messages_go_on_after_a_retransmission(client: Client) -> None:
    client.ask_again(1, 5)
    client.expect(m.Retransmission)
    client.expect_again(1, 5)
    client.bid(6)
    assert client.expect(m.ExecutionReportNew).poss_retrans_flag == 0


@pytest.mark.parametrize(
    ("code", "first", "count", "last_uuid", "changes"),
    [
        (Code.OUT_OF_RANGE, 6, 1, UINT64_NULL, {}),
        (Code.OUT_OF_RANGE, 1, 1, 0, {}),
        (Code.INVALID_UUID, 1, 1, 77, {}),
        (Code.INVALID_UUID, 1, 1, UINT64_NULL, {"uuid": 1}),
        (Code.REQUEST_LIMIT_EXCEEDED, 1, 2_501, UINT64_NULL, {}),
        (Code.INVALID_TIMESTAMP, 1, 1, UINT64_NULL, {"request_timestamp": 2**63}),
        (Code.INVALID_FROM_SEQ_NO, 0, 1, UINT64_NULL, {}),
        (Code.REQUIRED_UUID_MISSING, 1, 1, UINT64_NULL, {"uuid": UINT64_NULL}),
        (Code.REQUIRED_REQUEST_TIMESTAMP_MISSING, 1, 1, UINT64_NULL, {"request_timestamp": UINT64_NULL}),
        (Code.REQUIRED_FROM_SEQ_NO_MISSING, UINT32_NULL, 1, UINT64_NULL, {}),
        (Code.REQUIRED_MSG_COUNT_MISSING, 1, UINT16_NULL, UINT64_NULL, {}),
    ],
    ids=lambda value: f"{value.value} {value.name}" if isinstance(value, Code) else "",
)
def test_a_request_is_rejected_and_the_session_goes_on(
    client: Client, code: Code, first: int, count: int, last_uuid: int, changes: dict[str, int]
) -> None:
    client.ask_again(first, count, last_uuid, **changes)
    assert client.expect(m.RetransmitReject).error_codes == code
    client.bid(6)
    client.expect(m.ExecutionReportNew)


def test_3_while_one_is_in_progress(client: Client) -> None:
    request = m.RetransmitRequest(uuid=client.uuid, request_timestamp=1, from_seq_no=1, msg_count=5).encode()
    client.send(request + request)
    client.expect(m.Retransmission)
    client.expect_again(1, 5)
    assert client.expect(m.RetransmitReject).error_codes == Code.RETRANSMIT_ALREADY_IN_PROGRESS
