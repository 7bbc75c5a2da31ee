"""What a client's memory does over a week's end, and after bad logins."""

import pytest

from ontherun.ilink import (
    ClientMemory,
    ClientSession,
    ClientState,
    Event,
    MessagesLost,
    MessagesRecovered,
    MessagesRequested,
    Missed,
    NegotiationAccepted,
)
from ontherun.ilink.messages import EstablishmentReject, NegotiationReject, RetransmitRequest

from .conftest import SECOND, SECRET, START, UUID, sequence, terminate
from .test_client_session import numbers, receive, sent
from .test_transition_tables import IDENTITY, Peer, business

C = ClientState


def responses(peer: Peer, previous_uuid: int, previous_seq_no: int) -> list[Event]:
    """The NegotiationResponse that names this earlier UUID arrives."""
    response = peer.response()
    response.previous_uuid, response.previous_seq_no = previous_uuid, previous_seq_no
    return receive(peer, response)


def test_a_new_week_is_told_and_what_came_before_the_login_is_fetched_under_uuid_0() -> None:
    peer = Peer(C.NEGOTIATING)
    peer.memory.uuid, peer.memory.negotiated_uuid, peer.memory.next_inbound = UUID - 9, UUID - 9, 5
    (accepted,) = responses(peer, 0, 2)
    assert isinstance(accepted, NegotiationAccepted)
    assert accepted.new_week
    peer.session.establish(START)
    acknowledgment = peer.acknowledgment(1)
    acknowledgment.previous_seq_no = 3
    (request,) = sent(receive(peer, acknowledgment))
    assert isinstance(request, RetransmitRequest)
    assert (request.last_uuid, request.from_seq_no, request.msg_count) == (0, 1, 3)
    assert (peer.memory.uuid, peer.memory.next_inbound, peer.memory.next_outbound) == (UUID, 1, 1)


def test_a_new_week_whose_first_establishment_was_not_heard_still_leads_to_uuid_0() -> None:
    peer = Peer(C.NEGOTIATING)
    peer.memory.uuid, peer.memory.negotiated_uuid, peer.memory.next_inbound = UUID - 9, UUID - 9, 5
    responses(peer, 0, 2)
    peer.session.lost()
    peer.session = ClientSession(IDENTITY, SECRET, peer.memory, START)
    peer.session.negotiate(START, UUID + 1)
    response = peer.response()
    response.uuid, response.previous_uuid = UUID + 1, UUID
    receive(peer, response)
    peer.session.establish(START)
    acknowledgment = peer.acknowledgment(1)
    acknowledgment.uuid, acknowledgment.previous_uuid, acknowledgment.previous_seq_no = UUID + 1, UUID, 0
    (request,) = sent(receive(peer, acknowledgment))
    assert isinstance(request, RetransmitRequest)
    assert (request.last_uuid, request.from_seq_no) == (0, 1)


def test_what_a_new_week_takes_away_is_told() -> None:
    peer = Peer(C.NEGOTIATING)
    peer.memory.uuid, peer.memory.missed = UUID - 9, [Missed(UUID - 20, 2, 6), Missed(UUID - 15, 1, 0)]
    _, lost = responses(peer, 0, 0)
    assert lost == MessagesLost(UUID - 20, 2, 5, "a new trading week began")
    assert peer.memory.missed == []


@pytest.mark.parametrize(("known", "previous"), [(0, 0), (UUID - 9, UUID - 9)])
def test_the_first_login_ever_and_a_later_one_of_the_week_begin_no_week(known: int, previous: int) -> None:
    peer = Peer(C.NEGOTIATING)
    peer.memory.uuid = known
    accepted = responses(peer, previous, 0)[0]
    assert isinstance(accepted, NegotiationAccepted)
    assert not accepted.new_week


def test_a_gap_and_its_end_are_told() -> None:
    peer = Peer(C.ESTABLISHED)
    assert receive(peer, sequence(3))[0] == MessagesRequested(UUID, 1, 2)
    receive(peer, business(1), again=True)
    message, recovered = receive(peer, business(2), again=True)
    assert (numbers([message]), recovered) == ([2], MessagesRecovered(UUID, 1, 2))


def test_after_four_bad_logins_the_next_waits_until_a_minute_has_passed() -> None:
    memory = ClientMemory()
    for number in range(4):
        assert memory.login_at() == 0
        memory.refused(START + number * SECOND)
    assert START + 60 * SECOND < memory.login_at() <= START + 62 * SECOND
    memory.refused(START + 70 * SECOND)
    assert memory.login_at() > START + 61 * SECOND
    assert len(memory.bad_logins) == 4


@pytest.mark.parametrize(("code", "counts"), [(0, 1), (3, 1), (10, 1), (1, 0), (15, 0), (27, 0), (28, 0)])
def test_a_rejected_login_is_noted_if_it_counts(code: int, counts: int) -> None:
    for state, kind in ((C.NEGOTIATING, NegotiationReject), (C.ESTABLISHING, EstablishmentReject)):
        peer = Peer(state)
        values = {"uuid": UUID, "request_timestamp": peer.memory.request_timestamp, "error_codes": code, "reason": b""}
        if kind is EstablishmentReject:
            values["next_seq_no"] = 1
        receive(peer, kind(**values))  # type: ignore[arg-type]
        assert len(peer.memory.bad_logins) == counts


@pytest.mark.parametrize(("code", "counts"), [(13, 1), (10, 1), (2, 1), (0, 0), (8, 0), (9, 0), (26, 0)])
@pytest.mark.parametrize("state", [C.NEGOTIATING, C.BINDING, C.BINDING_BACKUP, C.ESTABLISHING])
def test_a_login_answered_by_terminate_is_noted_if_it_counts(state: ClientState, code: int, counts: int) -> None:
    peer = Peer(state)
    receive(peer, terminate(START, code=code))
    assert len(peer.memory.bad_logins) == counts


def test_a_terminate_that_answers_no_login_is_no_bad_login() -> None:
    for state in (C.ESTABLISHED, C.BACKUP, C.NEGOTIATED, C.TERMINATING):
        peer = Peer(state)
        receive(peer, terminate(START, code=13))
        assert peer.memory.bad_logins == []
