"""In which state a gateway takes which message (CME client wiki, Session Layer; which code where: SessionPolicy)."""

from ontherun.ilink import messages as m
from ontherun.ilink.codes import BusinessRejectReason, NegotiationRejectCode, TerminateCode

from .conftest import Client, Connect


def test_unnegotiated_takes_negotiate(stranger: Client) -> None:
    stranger.negotiate()
    stranger.expect(m.NegotiationResponse)


def test_unnegotiated_takes_an_establish_under_the_last_uuid(connect: Connect, negotiated: Client) -> None:
    other = connect(uuid=negotiated.uuid)
    other.establish(1)
    other.expect(m.EstablishmentAck)


def test_unnegotiated_an_establish_without_any_negotiation_is_terminate_2(stranger: Client) -> None:
    stranger.uuid = 5
    stranger.establish(1)
    stranger.expect_terminate(TerminateCode.UNNEGOTIATED)


def test_unnegotiated_business_is_terminate_2(stranger: Client) -> None:
    stranger.bid()
    stranger.expect_terminate(TerminateCode.UNNEGOTIATED)


def test_unnegotiated_a_sequence_is_terminate_2(stranger: Client) -> None:
    stranger.sequence(1)
    stranger.expect_terminate(TerminateCode.UNNEGOTIATED)


def test_unnegotiated_a_retransmit_request_is_terminate_2(stranger: Client) -> None:
    stranger.ask_again(1, 1)
    stranger.expect_terminate(TerminateCode.UNNEGOTIATED)


def test_negotiated_takes_establish(negotiated: Client) -> None:
    negotiated.establish(1)
    negotiated.expect(m.EstablishmentAck)


def test_negotiated_takes_terminate(negotiated: Client) -> None:
    assert negotiated.terminate().error_codes == TerminateCode.FINISHED


def test_negotiated_another_negotiate_is_terminate_4(negotiated: Client) -> None:
    negotiated.negotiate()
    negotiated.expect_terminate(TerminateCode.ALREADY_NEGOTIATED)


def test_negotiated_business_is_terminate_3(negotiated: Client) -> None:
    negotiated.bid()
    negotiated.expect_terminate(TerminateCode.NOT_ESTABLISHED)


def test_negotiated_a_sequence_is_terminate_3(negotiated: Client) -> None:
    negotiated.sequence(1)
    negotiated.expect_terminate(TerminateCode.NOT_ESTABLISHED)


def test_negotiated_a_retransmit_request_is_terminate_3(negotiated: Client) -> None:
    negotiated.ask_again(1, 1)
    negotiated.expect_terminate(TerminateCode.NOT_ESTABLISHED)


def test_established_takes_business(established: Client) -> None:
    established.bid()
    established.expect(m.ExecutionReportNew)


def test_established_takes_a_sequence_and_answers_only_the_lapsed_flag(established: Client) -> None:
    established.sequence(1)
    established.sequence(1, lapsed=1)
    established.expect_sequence(1)


def test_established_takes_a_retransmit_request(established: Client) -> None:
    established.bids(1)
    established.ask_again(1, 1)
    established.expect(m.Retransmission)


def test_established_takes_terminate(established: Client) -> None:
    assert established.terminate().error_codes == TerminateCode.FINISHED


def test_established_a_negotiate_is_terminate_4(established: Client) -> None:
    established.negotiate()
    established.expect_terminate(TerminateCode.ALREADY_NEGOTIATED)


def test_established_an_establish_is_terminate_6(established: Client) -> None:
    established.establish(1)
    established.expect_terminate(TerminateCode.ALREADY_ESTABLISHED)


def test_established_as_backup_takes_sequence_and_terminate(connect: Connect, established: Client) -> None:
    backup = connect(backup=True, uuid=established.uuid)
    backup.establish(0)
    assert backup.expect(m.EstablishmentAck).next_seq_no == 0
    backup.sequence(0, lapsed=1)
    backup.expect_sequence(0)
    assert backup.terminate().error_codes == TerminateCode.FINISHED


def test_established_as_backup_business_is_business_reject_131(connect: Connect, established: Client) -> None:
    backup = connect(backup=True, uuid=established.uuid)
    backup.establish(0)
    backup.expect(m.EstablishmentAck)
    backup.bid(0)
    reject = backup.expect(m.BusinessReject)
    assert reject.business_reject_reason == BusinessRejectReason.NOT_SUPPORTED_ON_BACKUP
    assert (reject.seq_num, reject.uuid) == (0, established.uuid)


def test_established_as_backup_a_negotiate_is_reject_28(connect: Connect, established: Client) -> None:
    backup = connect(backup=True, uuid=established.uuid)
    backup.establish(0)
    backup.expect(m.EstablishmentAck)
    backup.negotiate(established.uuid + 1)
    assert backup.expect(m.NegotiationReject).error_codes == NegotiationRejectCode.NEGOTIATE_NOT_ALLOWED


def test_terminating_a_second_terminate_is_24(established: Client) -> None:
    terminate = m.Terminate(uuid=established.uuid, request_timestamp=7, error_codes=0).encode()
    established.send(terminate + terminate)
    assert established.expect_terminate(TerminateCode.FINISHED).request_timestamp == 7
    established.expect_terminate(TerminateCode.TERMINATE_IN_PROGRESS)


def test_terminating_nothing_else_is_answered(established: Client) -> None:
    established.send(m.Terminate(uuid=established.uuid, request_timestamp=7, error_codes=0).encode())
    established.bid()
    established.sequence(2, lapsed=1)
    established.expect_terminate(TerminateCode.FINISHED)
    assert established.rest() == b""


def test_a_template_that_only_a_gateway_sends_is_terminate_23(established: Client) -> None:
    established.send(m.NotApplied(uuid=established.uuid, from_seq_no=1, msg_count=1).encode())
    established.expect_terminate(TerminateCode.OTHER)
