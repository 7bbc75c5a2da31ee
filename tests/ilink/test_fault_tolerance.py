"""Designated primary and backup: CME client wiki, Fault Tolerance Scenarios."""

import pytest

from ontherun.ilink import GatewayState, LocalProtocolError, Role
from ontherun.ilink.codes import TerminateCode
from ontherun.ilink.messages import BusinessReject, EstablishmentAck, EstablishmentReject, Sequence

from .conftest import START, UUID, Venue, Wire, sequence, terminate
from .test_terminate_codes import order


@pytest.fixture
def primary(venue: Venue) -> Wire:
    return venue.connect().log_in()


@pytest.fixture
def backup(venue: Venue, primary: Wire) -> Wire:
    wire = venue.connect(Role.BACKUP)
    wire.bind(next_seq_no=0)
    return wire


def test_the_backup_is_bound_by_establish_alone_with_number_0(venue: Venue, primary: Wire) -> None:
    primary.business(1)
    venue.stream().next_outbound = 5
    (answer,) = venue.connect(Role.BACKUP).bind(next_seq_no=0)
    assert isinstance(answer, EstablishmentAck)
    assert (answer.next_seq_no, answer.fault_tolerance_indicator) == (0, Role.BACKUP)
    assert (venue.stream().next_inbound, venue.stream().next_outbound) == (2, 5)


def test_the_primary_is_told_its_role(venue: Venue) -> None:
    wire = venue.connect()
    assert wire.negotiate()[0].fault_tolerance_indicator == Role.PRIMARY
    assert wire.bind()[0].fault_tolerance_indicator == Role.PRIMARY


def test_business_on_the_backup_gets_business_reject_131(backup: Wire) -> None:
    (answer,) = backup.send(order(0))
    assert isinstance(answer, BusinessReject)
    assert (answer.business_reject_reason, answer.ref_msg_type, answer.ref_seq_num) == (131, b"D", 2**32 - 1)
    assert (answer.seq_num, answer.uuid, answer.poss_retrans_flag) == (0, UUID, 0)
    assert backup.session.state is GatewayState.BACKUP


def test_the_backup_ends_alone_and_may_come_again(venue: Venue, primary: Wire, backup: Wire) -> None:
    backup.send(terminate(START))
    assert primary.business(1) is None
    assert isinstance(venue.connect(Role.BACKUP).bind(next_seq_no=0)[0], EstablishmentAck)


def test_a_promoted_backup_says_so_and_carries_on_with_both_numbers(venue: Venue, primary: Wire, backup: Wire) -> None:
    primary.business(1)
    venue.stream().next_outbound = 5
    primary.session.lost(venue.now)
    (promotion,) = backup.carry_out(backup.session.promote(venue.now))
    assert isinstance(promotion, Sequence)
    assert (promotion.next_seq_no, promotion.fault_tolerance_indicator) == (5, Role.PRIMARY)
    assert backup.session.role is Role.PRIMARY
    assert backup.business(2) is None
    assert venue.stream().primary_bound
    assert not venue.stream().backup_bound
    assert backup.send(sequence(3)) == []


def test_a_sequence_of_the_backup_that_crosses_the_promotion_is_a_sign_of_life(
    venue: Venue, primary: Wire, backup: Wire
) -> None:
    """Found by a random world: the client sends NextSeqNo 0 until it has heard of the promotion."""
    primary.session.lost(venue.now)
    backup.carry_out(backup.session.promote(venue.now))
    assert backup.send(sequence(0)) == []
    (answer,) = backup.send(sequence(0, lapsed=1))
    assert answer.next_seq_no == 1
    assert backup.send(sequence(1)) == []
    (end,) = backup.send(sequence(0))
    assert end.error_codes == TerminateCode.INVALID_NEXT_SEQ_NO


def test_a_replaced_primary_says_and_ends_nothing_and_its_backup_goes_on(
    venue: Venue, primary: Wire, backup: Wire
) -> None:
    primary.session.replaced()
    assert primary.session.state is GatewayState.CLOSED
    assert primary.session.lost(START) == []
    (promotion,) = backup.carry_out(backup.session.promote(START))
    assert promotion.fault_tolerance_indicator == Role.PRIMARY
    assert (venue.stream().primary_bound, venue.stream().backup_bound) == (True, False)


def test_the_backup_before_the_primary_is_refused_with_27_under_any_uuid(venue: Venue, primary: Wire) -> None:
    primary.session.lost(venue.now)
    for uuid in (UUID, UUID + 1):
        (answer,) = venue.connect(Role.BACKUP).bind(uuid=uuid, next_seq_no=0)
        assert (type(answer), answer.error_codes) == (EstablishmentReject, 27)


def test_a_primary_is_not_promoted(venue: Venue) -> None:
    wire = venue.connect()
    with pytest.raises(LocalProtocolError):
        wire.session.promote(START)


def test_the_promoted_one_ends_as_primary(venue: Venue, primary: Wire, backup: Wire) -> None:
    primary.session.lost(venue.now)
    backup.session.promote(venue.now)
    backup.session.lost(venue.now)
    assert not venue.stream().primary_bound
