"""UUIDs and sequence numbers, row by row (CME client wiki, Session Layer, Not Applied, Sequence)."""

import pytest

from ontherun.ilink import messages as m
from ontherun.ilink.codes import TerminateCode
from ontherun.ilink.messages import UINT64_NULL

from .conftest import Client, Connect


def test_a_new_uuid_must_be_greater_than_the_last_one(connect: Connect, established: Client) -> None:
    established.terminate()
    for uuid in (established.uuid, established.uuid - 1):
        other = connect()
        other.negotiate(uuid)
        other.expect_terminate(TerminateCode.INVALID_UUID)


def test_a_null_uuid_is_terminate_15(stranger: Client) -> None:
    stranger.negotiate(UINT64_NULL)
    stranger.expect_terminate(TerminateCode.REQUIRED_UUID_MISSING)


def test_a_uuid_beyond_the_signed_maximum_is_terminate_13(stranger: Client) -> None:
    stranger.negotiate(2**63)
    stranger.expect_terminate(TerminateCode.INVALID_UUID)


def test_a_uuid_outlives_the_connection(connect: Connect, established: Client) -> None:
    established.bids(2)
    established.terminate()
    again = connect(uuid=established.uuid)
    again.establish(3)
    assert again.expect(m.EstablishmentAck).next_seq_no == 3


def test_a_message_under_another_uuid_is_terminate_13(established: Client) -> None:
    established.sequence(1, uuid=established.uuid + 1)
    established.expect_terminate(TerminateCode.INVALID_UUID)


def test_a_new_uuid_resets_both_numbers_and_names_the_one_before(connect: Connect, established: Client) -> None:
    established.bids(3)
    established.terminate()
    again = connect()
    again.negotiate(established.uuid + 1)
    response = again.expect(m.NegotiationResponse)
    assert (response.previous_uuid, response.previous_seq_no) == (established.uuid, 3)
    again.establish(1)
    ack = again.expect(m.EstablishmentAck)
    assert (ack.next_seq_no, ack.previous_uuid, ack.previous_seq_no) == (1, established.uuid, 3)


def test_under_a_new_uuid_establish_with_another_number_than_1_is_terminate_10(negotiated: Client) -> None:
    negotiated.establish(2)
    negotiated.expect_terminate(TerminateCode.INVALID_NEXT_SEQ_NO)


@pytest.mark.parametrize("number", [0, 2])
def test_business_with_a_number_that_was_used_is_terminate_11(established: Client, number: int) -> None:
    established.bids(2)
    established.bid(number)
    established.expect_terminate(TerminateCode.INVALID_MSG_SEQ_NO)


def test_establish_with_a_number_that_was_used_is_terminate_10(connect: Connect, established: Client) -> None:
    established.bids(2)
    established.terminate()
    again = connect(uuid=established.uuid)
    again.establish(2)
    again.expect_terminate(TerminateCode.INVALID_NEXT_SEQ_NO)


def test_a_sequence_with_a_number_that_was_used_is_terminate_10(established: Client) -> None:
    established.bids(2)
    established.sequence(2)
    established.expect_terminate(TerminateCode.INVALID_NEXT_SEQ_NO)


def test_business_3_then_business_13_gives_not_applied_from_4_count_10(established: Client) -> None:
    established.bids(3)
    established.bid(13)
    established.expect_not_applied(4, 10)


def test_establish_3_then_business_13_gives_not_applied_from_3_count_11(connect: Connect, established: Client) -> None:
    established.bids(2)
    established.terminate()
    again = connect(uuid=established.uuid)
    again.establish(3)
    again.expect(m.EstablishmentAck)
    again.bid(13)
    again.expect_not_applied(3, 11)


def test_business_3_then_establish_13_gives_not_applied_from_4_count_10(connect: Connect, established: Client) -> None:
    established.bids(3)
    established.terminate()
    again = connect(uuid=established.uuid)
    again.establish(13)
    again.expect(m.EstablishmentAck)
    again.expect_not_applied(4, 10)


def test_establish_3_then_establish_13_gives_not_applied_from_3_count_11(connect: Connect, established: Client) -> None:
    established.bids(2)
    established.terminate()
    between = connect(uuid=established.uuid)
    between.establish(3)
    between.expect(m.EstablishmentAck)
    between.terminate()
    again = connect(uuid=established.uuid)
    again.establish(13)
    again.expect(m.EstablishmentAck)
    again.expect_not_applied(3, 11)


def test_after_not_applied_nothing_higher_is_applied_until_it_is_answered(established: Client) -> None:
    established.bid(5)
    established.expect_not_applied(1, 5)
    established.bid(6)
    established.bid(7)
    established.sequence(8)
    established.bid(8)
    assert established.expect(m.ExecutionReportNew).cl_ord_id == b"8"


def test_not_applied_is_answered_by_a_sequence_that_fills_the_gap(established: Client) -> None:
    established.bid(5)
    established.expect_not_applied(1, 5)
    established.sequence(6)
    established.bid(6)
    assert established.expect(m.ExecutionReportNew).seq_num == 1


def test_not_applied_is_answered_by_the_missing_messages(established: Client) -> None:
    established.bid(3)
    established.expect_not_applied(1, 3)
    established.next_seq_no = 1
    established.bids(3)
    established.bid(4)
    assert established.expect(m.ExecutionReportNew).cl_ord_id == b"4"


def test_a_message_that_is_refused_uses_its_number(established: Client) -> None:
    established.order(established.host.security_id, 1, -1, 0, b"WRONG")
    established.expect(m.ExecutionReportReject)
    established.bid(2)
    established.expect(m.ExecutionReportNew)


def test_session_messages_have_no_number_and_use_none(established: Client) -> None:
    established.bids(1)
    established.ask_again(1, 1)
    established.expect(m.Retransmission)
    established.expect_again(1, 1)
    established.sequence(2, lapsed=1)
    established.expect_sequence(2)
    established.bid(2)
    assert established.expect(m.ExecutionReportNew).seq_num == 2
