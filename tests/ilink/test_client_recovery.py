"""The client's machine: each message of the gateway once and in order, by retransmission over all connections."""

import pytest

from ontherun.ilink import (
    BusinessMessage,
    ClientSession,
    Close,
    MessagesLost,
    Missed,
    Violation,
)
from ontherun.ilink.messages import (
    UINT32_NULL,
    UINT64_NULL,
    Message,
    Retransmission,
    RetransmitReject,
    RetransmitRequest,
    Terminate,
)

from .conftest import SECRET, START, UUID, sequence
from .test_client_session import INTERVAL, C, numbers, receive, sent
from .test_transition_tables import IDENTITY, Peer, business


@pytest.fixture
def peer() -> Peer:
    """Established; both numbers at 1."""
    return Peer(C.ESTABLISHED)


def test_messages_in_order_are_passed_on_at_once(peer: Peer) -> None:
    (message,) = receive(peer, business(1))
    assert message == BusinessMessage(521, UUID, 1, False, business(1).encode())
    assert peer.memory.next_inbound == 2


def test_a_gap_is_asked_for_and_later_messages_wait(peer: Peer) -> None:
    receive(peer, business(1))
    events = receive(peer, business(4))
    assert numbers(events) == []
    (request,) = sent(events)
    assert isinstance(request, RetransmitRequest)
    assert (request.uuid, request.last_uuid, request.from_seq_no, request.msg_count) == (UUID, UINT64_NULL, 2, 2)
    assert receive(peer, business(5)) == []
    assert receive(peer, retransmission_of(request)) == []
    assert numbers(receive(peer, business(2), again=True)) == [2]
    assert numbers(receive(peer, business(3), again=True)) == [3, 4, 5]


def retransmission_of(request: RetransmitRequest, count: int | None = None) -> Retransmission:
    return Retransmission(
        uuid=request.uuid,
        last_uuid=request.last_uuid,
        request_timestamp=request.request_timestamp,
        from_seq_no=request.from_seq_no,
        msg_count=request.msg_count if count is None else count,
    )


def test_a_sequence_shows_a_gap_too(peer: Peer) -> None:
    (request,) = sent(receive(peer, sequence(3)))
    assert isinstance(request, RetransmitRequest)
    assert (request.from_seq_no, request.msg_count) == (1, 2)


def test_more_than_2500_messages_are_asked_for_in_chunks(peer: Peer) -> None:
    (request,) = sent(receive(peer, sequence(5_002)))
    asked = []
    while True:
        assert isinstance(request, RetransmitRequest)
        asked.append((request.from_seq_no, request.msg_count))
        receive(peer, retransmission_of(request))
        requests: list[Message] = []
        for number in range(request.from_seq_no, request.from_seq_no + request.msg_count):
            assert not requests
            requests = sent(receive(peer, business(number), again=True))
        if not requests:
            break
        (request,) = requests
    assert asked == [(1, 2_500), (2_501, 2_500), (5_001, 1)]
    assert peer.memory.next_inbound == 5_002


def test_a_shorter_reply_under_the_current_uuid_is_followed_by_another_request(peer: Peer) -> None:
    (request,) = sent(receive(peer, sequence(4)))
    receive(peer, retransmission_of(request, 2))
    receive(peer, business(1), again=True)
    (request,) = sent(receive(peer, business(2), again=True))
    assert (request.from_seq_no, request.msg_count) == (3, 1)


def test_messages_of_the_earlier_uuid_come_first() -> None:
    peer = Peer(C.ESTABLISHING)
    peer.memory.uuid, peer.memory.next_inbound = UUID - 5, 3
    acknowledgment = peer.acknowledgment(1)
    acknowledgment.previous_uuid, acknowledgment.previous_seq_no = UUID - 5, 4
    (request,) = sent(receive(peer, acknowledgment))
    assert (request.last_uuid, request.from_seq_no, request.msg_count) == (UUID - 5, 3, 2)
    assert receive(peer, business(1)) == [], "the live one waits"
    receive(peer, retransmission_of(request))
    old = [business(number) for number in (3, 4)]
    for message in old:
        message.uuid = UUID - 5
    assert numbers(receive(peer, old[0], again=True)) == [3]
    assert numbers(receive(peer, old[1], again=True)) == [4, 1]


def test_start_of_week_messages_are_asked_for_under_uuid_0() -> None:
    peer = Peer(C.ESTABLISHING)
    acknowledgment = peer.acknowledgment(1)
    acknowledgment.previous_seq_no = 7
    (request,) = sent(receive(peer, acknowledgment))
    assert (request.last_uuid, request.from_seq_no, request.msg_count) == (0, 1, 7)


def test_what_was_not_fetched_is_remembered_over_connections() -> None:
    peer = Peer(C.ESTABLISHING)
    acknowledgment = peer.acknowledgment(1)
    acknowledgment.previous_seq_no = 7
    receive(peer, acknowledgment)
    assert peer.memory.missed == [Missed(0, 1, 7)]
    peer.session.lost()
    again = ClientSession(IDENTITY, SECRET, peer.memory, START)
    peer.session = again
    again.establish(START)
    (request,) = sent(receive(peer, peer.acknowledgment(1)))
    assert (request.last_uuid, request.from_seq_no, request.msg_count) == (0, 1, 7)


def test_the_end_of_an_earlier_uuid_that_was_not_told_is_probed() -> None:
    peer = Peer(C.ESTABLISHING)
    peer.memory.uuid, peer.memory.next_inbound = UUID - 5, 3
    acknowledgment = peer.acknowledgment(1)
    acknowledgment.previous_uuid, acknowledgment.previous_seq_no = UUID - 2, 1
    (request,) = sent(receive(peer, acknowledgment))
    assert (request.last_uuid, request.from_seq_no, request.msg_count) == (UUID - 5, 3, 1)
    (request,) = sent(receive(peer, reject_of(request, 0)))
    assert (request.last_uuid, request.from_seq_no, request.msg_count) == (UUID - 2, 1, 1)


def test_a_blank_memory_fetches_what_it_was_told_of_and_probes_nothing() -> None:
    peer = Peer(C.ESTABLISHING)
    acknowledgment = peer.acknowledgment(1)
    acknowledgment.previous_uuid, acknowledgment.previous_seq_no = UUID - 2, 3
    (request,) = sent(receive(peer, acknowledgment))
    assert (request.last_uuid, request.from_seq_no, request.msg_count) == (UUID - 2, 1, 3)


def reject_of(request: RetransmitRequest, code: int) -> RetransmitReject:
    return RetransmitReject(reason=b"", uuid=UUID, request_timestamp=request.request_timestamp, error_codes=code)


def test_a_refused_request_loses_its_messages_and_the_session_goes_on(peer: Peer) -> None:
    (request,) = sent(receive(peer, business(3)))
    events = receive(peer, reject_of(request, 0))
    assert events[0] == MessagesLost(UUID, 1, 2, "RetransmitReject 0")
    assert numbers(events) == [3]


def test_a_request_without_answer_is_repeated_once(peer: Peer) -> None:
    receive(peer, business(3))
    asked, events = 1, []
    while not any(isinstance(event, MessagesLost) for event in events):
        peer.now += INTERVAL // 2
        receive(peer, sequence(4))
        events = peer.session.tick(peer.now)
        asked += sum(isinstance(message, RetransmitRequest) for message in sent(events))
    assert asked == 2
    assert numbers(events) == [3]


def test_a_request_refused_as_already_in_progress_is_repeated_later(peer: Peer) -> None:
    (request,) = sent(receive(peer, business(3)))
    assert receive(peer, reject_of(request, 3)) == []
    peer.now += 2 * INTERVAL - 1
    receive(peer, sequence(4))
    peer.now += 1
    assert any(isinstance(message, RetransmitRequest) for message in sent(peer.session.tick(peer.now)))


def test_messages_left_out_of_a_reply_are_told(peer: Peer) -> None:
    (request,) = sent(receive(peer, sequence(4)))
    receive(peer, retransmission_of(request))
    events = receive(peer, business(3), again=True)
    assert events[0] == MessagesLost(UUID, 1, 2, "left out in the reply")
    assert numbers(events) == [3]


def test_what_was_passed_on_already_is_not_passed_on_again(peer: Peer) -> None:
    receive(peer, business(1))
    assert receive(peer, business(1), again=True) == []
    receive(peer, sequence(4))
    assert receive(peer, business(1), again=True) == []


def test_a_retransmission_of_other_messages_is_a_violation(peer: Peer) -> None:
    (request,) = sent(receive(peer, sequence(4)))
    request.from_seq_no += 1
    assert isinstance(receive(peer, retransmission_of(request))[0], Violation)


def test_answers_to_an_older_request_are_ignored(peer: Peer) -> None:
    (request,) = sent(receive(peer, sequence(4)))
    request.request_timestamp -= 1
    assert receive(peer, retransmission_of(request)) == []
    assert receive(peer, reject_of(request, 0)) == []


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (business(1), "used already"),
        (sequence(1), "less than the gateway has sent"),
        (sequence(0), "less than the gateway has sent"),
        (sequence(UINT32_NULL), "less than the gateway has sent"),
        (sequence(2, uuid=UUID + 1), "UUID"),
    ],
)
def test_what_breaks_the_numbers_is_a_violation(peer: Peer, message: Message, reason: str) -> None:
    receive(peer, business(1))
    violation, farewell, close = receive(peer, message)
    assert isinstance(violation, Violation)
    assert reason in violation.reason
    (said,) = sent([farewell])
    assert isinstance(said, Terminate)
    assert (said.error_codes, close) == (0, Close())


def test_a_live_message_under_another_uuid_is_a_violation(peer: Peer) -> None:
    message = business(1)
    message.uuid += 1
    assert isinstance(receive(peer, message)[0], Violation)


def test_a_gateway_that_counts_less_than_it_has_sent_is_a_violation(peer: Peer) -> None:
    receive(peer, business(1))
    peer.session.lost()
    peer.session = ClientSession(IDENTITY, SECRET, peer.memory, START)
    peer.session.establish(START)
    assert isinstance(receive(peer, peer.acknowledgment(1))[0], Violation)


def test_a_business_message_too_short_for_its_flag_is_a_violation(peer: Peer) -> None:
    frame = business(1).encode()
    short = (12 + 300).to_bytes(2, "little") + frame[2:4] + (300).to_bytes(2, "little") + frame[6:312]
    assert isinstance(peer.session.receive(short, START)[0], Violation)
