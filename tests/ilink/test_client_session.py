"""The client's machine: login, numbers, the backup, keep-alive and the end, call by call."""

import pytest

from ontherun.ilink import (
    BusinessMessage,
    ClientMemory,
    ClientSession,
    ClientState,
    Close,
    Ended,
    EstablishmentAccepted,
    Event,
    LocalProtocolError,
    LoginRejected,
    NegotiationAccepted,
    NumbersNotApplied,
    PromotedToPrimary,
    Send,
    Violation,
)
from ontherun.ilink.messages import (
    EstablishmentAck,
    EstablishmentReject,
    Message,
    NegotiationReject,
    NegotiationResponse,
    NotApplied,
    RetransmitRequest,
    Sequence,
    Terminate,
    decode,
)
from ontherun.sbe.errors import EncodeError

from .conftest import SECOND, SECRET, START, UUID, establish, negotiate, sequence, terminate
from .test_terminate_codes import order
from .test_transition_tables import IDENTITY, Peer, business

C = ClientState
INTERVAL = 10 * SECOND


@pytest.fixture
def peer() -> Peer:
    """Established; both numbers at 1."""
    return Peer(C.ESTABLISHED)


def sent(events: list[Event]) -> list[Message]:
    return [decode(event.frame) for event in events if isinstance(event, Send)]


def receive(peer: Peer, message: Message, *, again: bool = False) -> list[Event]:
    if again:
        message.poss_retrans_flag = 1
    return peer.session.receive(message.encode(), peer.now)


def numbers(events: list[Event]) -> list[int]:
    return [event.seq_num for event in events if isinstance(event, BusinessMessage)]


# Login


def test_negotiate_and_establish_are_signed_over_their_own_values() -> None:
    peer = Peer(C.CONNECTED)
    assert peer.session.negotiate(START, UUID) == negotiate(START).encode()
    assert receive(peer, peer.response()) == [NegotiationAccepted(0, 0, 65_535)]
    assert peer.session.establish(START + 5) == establish(START + 5).encode()
    assert receive(peer, peer.acknowledgment(1)) == [EstablishmentAccepted(False, 0, 0, 10_000, 65_535)]


def test_timestamps_grow_also_when_the_clock_goes_back() -> None:
    peer = Peer(C.NEGOTIATED)
    assert peer.session.establish(START - SECOND) == establish(START + 1).encode()


@pytest.mark.parametrize("interval", [0, 65_535])
def test_an_acknowledgment_without_keep_alive_interval_is_a_violation(interval: int) -> None:
    peer = Peer(C.ESTABLISHING)
    acknowledgment = peer.acknowledgment(1)
    acknowledgment.keep_alive_interval = interval
    assert isinstance(receive(peer, acknowledgment)[0], Violation)


def test_a_uuid_must_be_greater_than_the_last_one(peer: Peer) -> None:
    peer.session.lost()
    again = ClientSession(IDENTITY, SECRET, peer.memory, START)
    for uuid in (UUID, 0, 2**63):
        with pytest.raises(LocalProtocolError):
            again.negotiate(START, uuid)


def test_establish_needs_a_negotiated_uuid() -> None:
    with pytest.raises(LocalProtocolError):
        Peer(C.CONNECTED).session.establish(START)


def test_the_same_uuid_is_established_with_the_next_number(peer: Peer) -> None:
    for _ in range(3):
        peer.session.number(order(0), START)
    peer.session.lost()
    again = ClientSession(IDENTITY, SECRET, peer.memory, START)
    assert again.establish(START + 9) == establish(START + 9, next_seq_no=4).encode()


def test_a_reject_is_told_and_the_login_may_be_tried_again() -> None:
    peer = Peer(C.NEGOTIATING)
    reject = NegotiationReject(reason=b"why", uuid=UUID, request_timestamp=START, error_codes=0)
    assert receive(peer, reject) == [LoginRejected("Negotiate", 0, "HMAC_NOT_AUTHENTICATED", "why")]
    peer.session.negotiate(START, UUID)
    receive(peer, peer.response())
    peer.session.establish(START)
    reject_2 = EstablishmentReject(
        reason=b"", uuid=UUID, request_timestamp=peer.memory.request_timestamp, error_codes=99, next_seq_no=1
    )
    assert receive(peer, reject_2) == [LoginRejected("Establish", 99, "UNKNOWN", "")]
    assert peer.session.state is C.NEGOTIATED


@pytest.mark.parametrize("field", ["uuid", "request_timestamp"])
@pytest.mark.parametrize("kind", [NegotiationResponse, NegotiationReject, EstablishmentAck, EstablishmentReject])
def test_an_answer_that_echoes_another_request_fails_the_login(kind: type[Message], field: str) -> None:
    peer = Peer(C.NEGOTIATING if kind.__name__.startswith("N") else C.ESTABLISHING)
    values = {
        "uuid": UUID,
        "request_timestamp": peer.memory.request_timestamp,
        "previous_seq_no": 0,
        "previous_uuid": 0,
        "next_seq_no": 1,
        "keep_alive_interval": 10_000,
        "error_codes": 0,
        "reason": b"",
    }
    values[field] += 1
    wanted = set(kind.__slots__)
    events = receive(peer, kind(**{name: value for name, value in values.items() if name in wanted}))
    assert isinstance(events[0], Violation)
    assert events[-1] == Close()


def test_a_login_without_answer_ends_after_two_intervals() -> None:
    peer = Peer(C.NEGOTIATING)
    assert peer.session.tick(START + 2 * INTERVAL - 1) == []
    assert peer.session.tick(START + 2 * INTERVAL) == [Ended(-1, "NO_ANSWER", "no answer to the login"), Close()]


def test_neither_secret_nor_signature_is_shown(peer: Peer) -> None:
    assert "secret" not in repr(peer.session)
    assert repr(SECRET)[2:-1] not in repr(peer.session)


# Numbers


def test_business_messages_are_numbered_from_1(peer: Peer) -> None:
    assert [order_of(peer.session.number(order(77), START)) for _ in range(3)] == [1, 2, 3]
    assert peer.memory.next_outbound == 4


def order_of(frame: bytes) -> int:
    message = decode(frame)
    return message.seq_num


def test_a_message_that_does_not_encode_leaves_its_number_unused(peer: Peer) -> None:
    bad = order(0)
    bad.sender_id = b"x" * 21
    with pytest.raises(EncodeError):
        peer.session.number(bad, START)
    assert order_of(peer.session.number(order(0), START)) == 1


def test_numbers_end_at_999_999_999(peer: Peer) -> None:
    peer.memory.next_outbound = 1_000_000_000
    with pytest.raises(LocalProtocolError):
        peer.session.number(order(0), START)


def sent_orders(peer: Peer, count: int) -> Peer:
    for _ in range(count):
        peer.session.number(order(0), START)
    return peer


def test_not_applied_is_answered_by_a_sequence(peer: Peer) -> None:
    sent_orders(peer, 6)
    told, answer = receive(peer, NotApplied(uuid=UUID, from_seq_no=3, msg_count=2))
    assert told == NumbersNotApplied(3, 4, filled=True)
    assert sent([answer]) == [sequence(7)]


def test_not_applied_may_be_answered_by_sending_again(peer: Peer) -> None:
    sent_orders(peer, 6).session.gap_fill = False
    assert receive(peer, NotApplied(uuid=UUID, from_seq_no=3, msg_count=2)) == [NumbersNotApplied(3, 4, filled=False)]
    peer.session.rewind(3)
    assert order_of(peer.session.number(order(0), START)) == 3
    with pytest.raises(LocalProtocolError):
        peer.session.rewind(9)


def test_a_sequence_on_its_way_has_filled_the_gap_already(peer: Peer) -> None:
    sent_orders(peer, 4)
    receive(peer, sequence(1, lapsed=1))  # answered with Sequence 5
    sent_orders(peer, 2).session.gap_fill = False
    told = receive(peer, NotApplied(uuid=UUID, from_seq_no=3, msg_count=2))
    assert told == [NumbersNotApplied(3, 2, filled=True)], "5 and 6 come after the Sequence and are applied"


def test_a_sequence_that_opened_the_gap_does_not_fill_it(peer: Peer) -> None:
    sent_orders(peer, 4)
    receive(peer, sequence(1, lapsed=1))
    told = receive(peer, NotApplied(uuid=UUID, from_seq_no=3, msg_count=3))
    assert told[0] == NumbersNotApplied(3, 2, filled=True)


def test_not_applied_before_the_acknowledgment_is_answered_after_it() -> None:
    peer = Peer(C.BINDING)
    peer.memory.uuid = UUID
    peer.memory.next_outbound = 5
    assert receive(peer, NotApplied(uuid=UUID, from_seq_no=3, msg_count=3)) == []
    events = receive(peer, peer.acknowledgment(1))
    assert NumbersNotApplied(3, 2, filled=True) in events
    assert sent(events) == [sequence(5)]


@pytest.mark.parametrize(("first", "uuid"), [(7, UUID), (0, UUID), (3, UUID + 1)])
def test_not_applied_for_what_was_not_sent_is_a_violation(peer: Peer, first: int, uuid: int) -> None:
    sent_orders(peer, 6)
    assert isinstance(receive(peer, NotApplied(uuid=uuid, from_seq_no=first, msg_count=1))[0], Violation)


# Backup


def test_the_backup_is_established_with_number_0() -> None:
    peer = Peer(C.CONNECTED)
    peer.memory.negotiated_uuid = UUID
    assert peer.session.establish(START, backup=True) == establish(START, next_seq_no=0).encode()


def test_on_the_backup_no_business_flows(peer: Peer) -> None:
    backup = Peer(C.BACKUP)
    with pytest.raises(LocalProtocolError):
        backup.session.number(order(0), START)
    assert numbers(receive(backup, business(0))) == [0], "BusinessReject 131"
    assert isinstance(receive(backup, business(1))[0], Violation)
    assert isinstance(receive(Peer(C.BACKUP), sequence(5))[0], Violation)


def test_a_promoted_backup_takes_over_both_numbers_and_recovers(peer: Peer) -> None:
    receive(peer, business(1))
    sent_orders(peer, 2)
    backup = ClientSession(IDENTITY, SECRET, peer.memory, START)
    backup.establish(START, backup=True)
    backup.receive(peer.acknowledgment(0).encode(), START)
    peer.session.lost()
    promotion = Sequence(uuid=UUID, next_seq_no=4, fault_tolerance_indicator=1, keep_alive_interval_lapsed=0)
    events = backup.receive(promotion.encode(), START)
    assert events[0] == PromotedToPrimary()
    shown, request = sent(events)
    assert shown == sequence(3), "so that the gateway says at once what the old primary did not apply"
    assert isinstance(request, RetransmitRequest)
    assert (request.from_seq_no, request.msg_count) == (2, 2)
    assert order_of(backup.number(order(0), START)) == 3


def test_a_not_applied_that_comes_after_our_terminate_is_told(peer: Peer) -> None:
    """Found by a random world: a Sequence had filled the gap, so no later login would hear of it again."""
    sent_orders(peer, 2)
    peer.session.terminate(peer.now)
    message = NotApplied(uuid=UUID, from_seq_no=1, msg_count=2)
    assert receive(peer, message) == [NumbersNotApplied(1, 2, filled=True)]


# Keep-alive and end


def test_a_client_that_sent_nothing_for_its_interval_sends_sequence(peer: Peer) -> None:
    sent_orders(peer, 2)
    peer.now += INTERVAL
    peer.session.last_received = peer.now
    assert sent(peer.session.tick(peer.now)) == [sequence(3)]


def test_a_lapsed_flag_is_answered_at_once(peer: Peer) -> None:
    assert sent(receive(peer, sequence(1, lapsed=1))) == [sequence(1)]


def test_silence_is_judged_by_the_gateways_interval() -> None:
    peer = Peer(C.ESTABLISHING)
    acknowledgment = peer.acknowledgment(1)
    acknowledgment.keep_alive_interval = 15_000
    receive(peer, acknowledgment)
    peer.session.last_sent = START + 14 * SECOND
    assert peer.session.tick(START + 15 * SECOND - 1) == []
    assert sent(peer.session.tick(START + 15 * SECOND)) == [sequence(1, lapsed=1)]
    peer.session.last_sent = START + 29 * SECOND
    assert peer.session.tick(START + 30 * SECOND - 1) == []
    assert isinstance(peer.session.tick(START + 30 * SECOND)[0], Violation)


def test_our_terminate_is_answered_and_we_close(peer: Peer) -> None:
    said = decode(peer.session.terminate(START, "done"))
    assert isinstance(said, Terminate)
    assert (said.error_codes, said.reason, said.uuid) == (0, b"done", UUID)
    assert numbers(receive(peer, business(1))) == [1], "what was on its way still counts"
    assert receive(peer, said) == [Ended(0, "FINISHED", "done"), Close()]
    assert peer.session.state is C.CLOSED


def test_our_terminate_without_answer_ends_after_one_interval(peer: Peer) -> None:
    peer.session.terminate(START)
    assert peer.session.tick(START + INTERVAL - 1) == []
    assert peer.session.tick(START + INTERVAL) == [Ended(-1, "NO_ANSWER", "no answer to Terminate"), Close()]


def test_the_gateways_orderly_terminate_is_answered(peer: Peer) -> None:
    answer, ended, close = receive(peer, terminate(START, timestamp=77))
    (said,) = sent([answer])
    assert isinstance(said, Terminate)
    assert (said.request_timestamp, said.error_codes) == (77, 0)
    assert (ended, close) == (Ended(0, "FINISHED", ""), Close())


def test_the_gateways_terminate_for_an_error_is_not_answered(peer: Peer) -> None:
    assert receive(peer, terminate(START, code=13)) == [Ended(13, "INVALID_UUID", ""), Close()]


def test_a_blank_memory_is_a_new_week() -> None:
    memory = ClientMemory()
    assert (memory.uuid, memory.next_outbound, memory.next_inbound, memory.missed) == (0, 1, 1, [])
