"""Numbers of the client's flow: NotApplied with its counts, gap fill, resend, and what survives a connection."""

from ontherun.ilink import SessionPolicy
from ontherun.ilink.messages import EstablishmentAck, Message, NotApplied
from ontherun.ilink.templates import MAX_SEQ_NUM

from .conftest import UUID, Venue, Wire, sequence


def up_to(wire: Wire, last: int) -> Wire:
    """The client's business messages up to this number are applied."""
    for number in range(wire.session.stream.next_inbound, last + 1):
        assert wire.business(number) is None
    return wire


def gap(sent: list[Message] | None) -> tuple[int, int]:
    """From and count of the only NotApplied."""
    assert sent is not None
    (answer,) = sent
    assert isinstance(answer, NotApplied)
    assert answer.uuid == UUID
    return answer.from_seq_no, answer.msg_count


def test_business_100_then_business_110(established: Wire) -> None:
    assert gap(up_to(established, 100).business(110)) == (101, 10)


def test_establish_100_then_business_110(venue: Venue) -> None:
    up_to(venue.connect().log_in(), 99).session.lost(venue.now)
    again = venue.connect()
    again.bind(next_seq_no=100)
    assert gap(again.business(110)) == (100, 11)


def test_business_100_then_establish_110(venue: Venue) -> None:
    up_to(venue.connect().log_in(), 100).session.lost(venue.now)
    acknowledgment, *rest = venue.connect().bind(next_seq_no=110)
    assert isinstance(acknowledgment, EstablishmentAck)
    assert gap(rest) == (101, 10)


def test_establish_100_then_establish_110(venue: Venue) -> None:
    up_to(venue.connect().log_in(), 99).session.lost(venue.now)
    first = venue.connect()
    first.bind(next_seq_no=100)
    first.session.lost(venue.now)
    _, *rest = venue.connect().bind(next_seq_no=110)
    assert gap(rest) == (100, 11)


def test_the_policy_may_send_not_applied_before_the_acknowledgment() -> None:
    venue = Venue(SessionPolicy(ack_before_not_applied=False))
    venue.connect().log_in().session.lost(venue.now)
    assert [type(message) for message in venue.connect().bind(next_seq_no=5)] == [NotApplied, EstablishmentAck]


def test_nothing_higher_is_applied_until_the_client_answers(established: Wire) -> None:
    assert gap(established.business(3)) == (1, 3)
    assert established.business(4) == []
    assert established.business(9) == []
    assert established.session.stream.next_inbound == 1


def test_a_sequence_fills_the_gap(established: Wire) -> None:
    established.business(3)
    assert established.send(sequence(4)) == []
    assert established.business(4) is None
    assert established.session.stream.next_inbound == 5


def test_the_missing_messages_may_be_sent_again(established: Wire) -> None:
    established.business(3)
    assert [established.business(number) for number in (1, 2, 3, 4)] == [None] * 4


def test_a_sequence_with_the_expected_number_answers_too(established: Wire) -> None:
    established.business(3)
    assert established.send(sequence(1)) == []
    assert gap(established.business(3)) == (1, 3), "a new gap is reported anew"


def test_after_a_resend_a_new_gap_is_reported_anew(established: Wire) -> None:
    established.business(3)
    established.business(1)
    assert gap(established.business(5)) == (2, 4)


def test_a_resend_that_the_gateway_counts_itself_closes_the_gap_too(established: Wire) -> None:
    established.business(3)
    established.session.stream.next_inbound += 1
    assert gap(established.business(5)) == (2, 4)


def test_a_sequence_that_jumps_ahead_is_answered_with_not_applied(established: Wire) -> None:
    assert gap(established.send(sequence(4))) == (1, 4)
    assert established.send(sequence(4)) == []
    assert established.session.stream.next_inbound == 4


def test_the_policy_may_take_a_sequence_ahead_as_a_gap_fill() -> None:
    wire = Venue(SessionPolicy(sequence_opens_gap=False)).connect().log_in()
    assert wire.send(sequence(4)) == []
    assert wire.session.stream.next_inbound == 4


def test_a_gap_outlives_the_connection(venue: Venue) -> None:
    wire = venue.connect().log_in()
    wire.business(5)
    wire.session.lost(venue.now)
    again = venue.connect()
    assert gap(again.bind(next_seq_no=6)[1:]) == (1, 6)
    again.send(sequence(6))
    assert again.business(6) is None


def test_the_last_number_is_999_999_999(established: Wire) -> None:
    established.send(sequence(MAX_SEQ_NUM))
    established.send(sequence(MAX_SEQ_NUM))
    assert established.business(MAX_SEQ_NUM) is None
    sent = established.business(MAX_SEQ_NUM + 1)
    assert sent is not None
    assert [message.error_codes for message in sent] == [11]


# Bindings: CME client wiki, Initialization and Binding


def test_beginning_of_week_binding_starts_both_numbers_at_1(venue: Venue) -> None:
    wire = venue.connect()
    (response,) = wire.negotiate()
    assert (response.previous_uuid, response.previous_seq_no) == (0, 0)
    (answer,) = wire.bind()
    assert (answer.next_seq_no, answer.previous_uuid, answer.previous_seq_no) == (1, 0, 0)
    assert wire.business(1) is None


def test_messages_before_the_first_login_are_told_under_uuid_0(venue: Venue) -> None:
    venue.stream().next_outbound = 4
    wire = venue.connect()
    (response,) = wire.negotiate()
    assert (response.previous_uuid, response.previous_seq_no) == (0, 3)
    (answer,) = wire.bind()
    assert (answer.next_seq_no, answer.previous_uuid, answer.previous_seq_no) == (1, 0, 3)


def test_binding_without_initialization_continues_both_numbers(venue: Venue) -> None:
    wire = up_to(venue.connect().log_in(), 7)
    venue.stream().next_outbound = 12
    wire.session.lost(venue.now)
    again = venue.connect()
    (answer,) = again.bind(next_seq_no=8)
    assert (answer.next_seq_no, answer.previous_uuid, answer.previous_seq_no) == (12, 0, 0)
    assert again.business(8) is None


def test_a_new_uuid_in_the_week_resets_both_numbers(venue: Venue) -> None:
    up_to(venue.connect().log_in(), 7).session.lost(venue.now)
    venue.stream().next_outbound = 12
    wire = venue.connect()
    venue.now += 1_000
    (response,) = wire.negotiate(uuid=UUID + 1)
    assert (response.previous_uuid, response.previous_seq_no) == (UUID, 11)
    venue.stream().next_outbound += 1  # published meanwhile, still under the UUID established last
    (answer,) = wire.bind(uuid=UUID + 1)
    assert (answer.next_seq_no, answer.previous_uuid, answer.previous_seq_no) == (1, UUID, 12)
    assert venue.stream().next_inbound == 1


def test_a_uuid_that_was_only_negotiated_may_be_established_on_the_next_connection(venue: Venue) -> None:
    venue.connect().negotiate()
    wire = venue.connect()
    (answer,) = wire.bind()
    assert isinstance(answer, EstablishmentAck)


def test_the_same_uuid_may_be_used_by_different_sessions(venue: Venue) -> None:
    venue.connect().log_in()
    other = venue.connect()
    who = {"session": b"XYZ", "access_key_id": b"XYZXYZXYZXYZXYZXYZXY"}
    other.negotiate(**who)
    (answer,) = other.bind(**who)
    assert isinstance(answer, EstablishmentAck)


def test_the_key_may_change_within_the_week(venue: Venue) -> None:
    up_to(venue.connect().log_in(), 3).session.lost(venue.now)
    wire = venue.connect()
    (answer,) = wire.bind(access_key_id=b"EXAMPLEKEYID00000002", signed_with=bytes(range(32, 64)), next_seq_no=4)
    assert isinstance(answer, EstablishmentAck)
    assert wire.session.access_key_id == "EXAMPLEKEYID00000002"


def test_one_session_may_carry_several_firms(venue: Venue) -> None:
    wire = venue.connect()
    wire.negotiate(firm=b"DEFGH")
    wire.bind(firm=b"DEFGH")
    assert wire.session.firm == "DEFGH"
