"""Both machines do what their tables say, for every (state, event) pair."""

from collections.abc import Callable
from itertools import product

import pytest

from ontherun.ilink import (
    ClientIdentity,
    ClientMemory,
    ClientSession,
    ClientState,
    Close,
    Event,
    GatewayState,
    LocalProtocolError,
    Role,
    Send,
    Violation,
)
from ontherun.ilink.codes import TerminateCode
from ontherun.ilink.messages import (
    BusinessReject,
    EstablishmentAck,
    EstablishmentReject,
    Message,
    NegotiationReject,
    NegotiationResponse,
    NotApplied,
    Retransmission,
    RetransmitReject,
    RetransmitRequest,
    Terminate,
    decode,
)
from ontherun.ilink.transitions import CLIENT, GATEWAY, ClientEvent, GatewayEvent, Outcome
from ontherun.sbe.errors import FramingError

from .conftest import KEY_ID, SECOND, SECRET, START, UUID, Venue, Wire, establish, negotiate, sequence, terminate
from .test_terminate_codes import order

S, E = GatewayState, GatewayEvent
WAITS = {S.NEGOTIATING: 5, S.BINDING: 5, S.ESTABLISHING: 5, S.ESTABLISHED: 20, S.BACKUP: 20}  # s


def bind(wire: Wire, *, pending: bool) -> None:
    """Establish on a new connection; the answer may be left open."""
    wire.venue.keys.pending = False
    first = wire.venue.connect()
    if not wire.venue.stream().negotiated_uuid:
        first.negotiate()
    first.session.lost(wire.venue.now)
    wire.venue.keys.pending = pending
    wire.bind()


def in_state(state: GatewayState) -> Wire:
    """A connection in this state; the authority answers later from here on."""
    venue = Venue()
    role = Role.BACKUP if state is S.BACKUP else Role.PRIMARY
    if state is S.BACKUP:
        venue.connect().log_in()
    wire = venue.connect(role)
    match state:
        case S.NEGOTIATING:
            venue.keys.pending = True
            wire.negotiate()
        case S.NEGOTIATED:
            wire.negotiate()
        case S.BINDING:
            bind(wire, pending=True)
        case S.ESTABLISHING:
            wire.negotiate()
            venue.keys.pending = True
            wire.bind()
        case S.ESTABLISHED | S.TERMINATING | S.TERMINATED | S.CLOSED:
            wire.log_in()
            if state is S.TERMINATING:
                wire.session.end(TerminateCode.OTHER, "", venue.now)
            elif state is S.TERMINATED:
                wire.send(terminate(venue.now))
            elif state is S.CLOSED:
                wire.session.lost(venue.now)
        case S.BACKUP:
            wire.bind(next_seq_no=0)
    venue.keys.pending = True
    venue.now += 1_000
    assert wire.session.state is state
    return wire


def cause(event: GatewayEvent, wire: Wire) -> list[Message]:
    """Make the event happen; what is sent because of it."""
    session, now = wire.session, wire.venue.now
    backup = session.state is S.BACKUP
    match event:
        case E.NEGOTIATE:
            return wire.send(negotiate(now, uuid=UUID + 1))
        case E.ESTABLISH:
            if session.state is S.UNNEGOTIATED:
                bind(wire, pending=True)
                return []
            return wire.send(establish(now))
        case E.TERMINATE:
            return wire.send(terminate(now))
        case E.GATEWAY_MESSAGE:
            return wire.send(NotApplied(uuid=UUID, from_seq_no=1, msg_count=1))
        case E.UNDECODABLE:
            return wire.send(b"not a message")
        case E.BAD_FRAME:
            return wire.carry_out(session.framing_fault(FramingError("size", 3, []), now))
        case E.SEQUENCE:
            return wire.send(sequence(0 if backup else 1))
        case E.RETRANSMIT_REQUEST:
            return wire.send(RetransmitRequest(uuid=UUID, request_timestamp=now, from_seq_no=1, msg_count=1))
        case E.BUSINESS:
            return wire.business(0 if backup else 1) or []
        case E.END:
            return wire.carry_out(session._end(TerminateCode.OTHER, "", session.uuid, now, now))
        case E.TIMEOUT:
            return wire.wait(WAITS.get(session.state, 60) * SECOND)
        case E.PROMOTE:
            session.stream.primary_bound = False
            return wire.carry_out(session.promote(now))
        case E.CLOSE:
            return wire.carry_out(session.lost(now))
        case _:  # a verdict, which follows from the answer about the key
            session._step(event)
            return []


@pytest.mark.parametrize(("state", "event"), list(product(GatewayState, GatewayEvent)), ids=lambda value: value.name)
def test_the_gateway_does_what_its_table_says(state: GatewayState, event: GatewayEvent) -> None:
    entry = GATEWAY[state][event]
    wire = in_state(state)
    session = wire.session
    if entry is Outcome.MISUSE:
        with pytest.raises(LocalProtocolError):
            cause(event, wire)
        assert session.state is state
        return
    sent = cause(event, wire)
    if entry is Outcome.IGNORE:
        assert sent == []
        assert session.state is state
    elif isinstance(entry, TerminateCode):
        assert isinstance(sent[-1], Terminate)
        assert sent[-1].error_codes == entry
        assert session.state is S.TERMINATING
    else:
        assert session.state is entry


IDENTITY = ClientIdentity("ABC", "007", KEY_ID.decode(), "DemoGateway", "1.0.0", "ExampleCo")
C = ClientState


class Peer:
    """A client session and the answers a gateway could give it."""

    def __init__(self, state: ClientState) -> None:
        self.memory = ClientMemory()
        self.session = ClientSession(IDENTITY, SECRET, self.memory, START)
        self.now = START
        session = self.session
        if state is C.CONNECTED:
            return
        if state in (C.BINDING, C.BINDING_BACKUP, C.BACKUP):
            self.memory.negotiated_uuid = UUID
            session.establish(START, backup=state is not C.BINDING)
            if state is C.BACKUP:
                session.receive(self.acknowledgment(0).encode(), START)
            return
        session.negotiate(START, UUID)
        if state is not C.NEGOTIATING:
            session.receive(self.response().encode(), START)
        if state in (C.ESTABLISHING, C.ESTABLISHED, C.TERMINATING, C.CLOSED):
            session.establish(START)
        if state in (C.ESTABLISHED, C.TERMINATING, C.CLOSED):
            session.receive(self.acknowledgment(1).encode(), START)
        if state is C.TERMINATING:
            session.terminate(START)
        if state is C.CLOSED:
            session.lost()

    def response(self) -> NegotiationResponse:
        timestamp = self.memory.request_timestamp
        return NegotiationResponse(uuid=UUID, request_timestamp=timestamp, previous_seq_no=0, previous_uuid=0)

    def acknowledgment(self, number: int) -> EstablishmentAck:
        return EstablishmentAck(
            uuid=UUID,
            request_timestamp=self.memory.request_timestamp,
            next_seq_no=number,
            previous_seq_no=0,
            previous_uuid=0,
            keep_alive_interval=10_000,
        )


def business(number: int) -> BusinessReject:
    return BusinessReject(
        seq_num=number,
        uuid=UUID,
        sending_time_epoch=START,
        business_reject_reason=0,
        ref_msg_type=b"D",
        poss_retrans_flag=0,
    )


F = ClientEvent
CLIENT_CAUSES: dict[ClientEvent, Callable[[Peer], list[Event] | bytes | None]] = {
    F.NEGOTIATION_RESPONSE: lambda peer: peer.session.receive(peer.response().encode(), peer.now),
    F.NEGOTIATION_REJECT: lambda peer: peer.session.receive(
        NegotiationReject(
            uuid=UUID, request_timestamp=peer.memory.request_timestamp, error_codes=0, reason=b""
        ).encode(),
        peer.now,
    ),
    F.ESTABLISHMENT_ACK: lambda peer: peer.session.receive(
        peer.acknowledgment(0 if peer.session.state is C.BINDING_BACKUP else 1).encode(), peer.now
    ),
    F.ESTABLISHMENT_REJECT: lambda peer: peer.session.receive(
        EstablishmentReject(
            uuid=UUID, request_timestamp=peer.memory.request_timestamp, error_codes=0, next_seq_no=1, reason=b""
        ).encode(),
        peer.now,
    ),
    F.SEQUENCE: lambda peer: peer.session.receive(
        sequence(0 if peer.session.state is C.BACKUP else 1).encode(), peer.now
    ),
    F.RETRANSMISSION: lambda peer: peer.session.receive(retransmission(peer), peer.now),
    F.RETRANSMIT_REJECT: lambda peer: peer.session.receive(retransmit_reject(peer), peer.now),
    F.NOT_APPLIED: lambda peer: peer.session.receive(not_applied(peer), peer.now),
    F.BUSINESS: lambda peer: peer.session.receive(
        business(0 if peer.session.state is C.BACKUP else 1).encode(), peer.now
    ),
    F.TERMINATE: lambda peer: peer.session.receive(terminate(START).encode(), peer.now),
    F.CLIENT_MESSAGE: lambda peer: peer.session.receive(order(1).encode(), peer.now),
    F.UNDECODABLE: lambda peer: peer.session.receive(b"not a message", peer.now),
    F.BAD_FRAME: lambda peer: peer.session.framing_fault(FramingError("size", 3, []), peer.now),
    F.SEND_NEGOTIATE: lambda peer: peer.session.negotiate(peer.now, UUID + 1),
    F.SEND_ESTABLISH: lambda peer: send_establish(peer, backup=False),
    F.SEND_BACKUP_ESTABLISH: lambda peer: send_establish(peer, backup=True),
    F.SEND_BUSINESS: lambda peer: peer.session.number(order(0), peer.now),
    F.SEND_TERMINATE: lambda peer: peer.session.terminate(peer.now),
    F.TIMEOUT: lambda peer: time_out(peer),
    F.PROMOTED: lambda peer: peer.session._step(F.PROMOTED),
    F.CLOSE: lambda peer: peer.session.lost(),
}


def send_establish(peer: Peer, *, backup: bool) -> bytes:
    peer.memory.negotiated_uuid = UUID
    return peer.session.establish(peer.now, backup=backup)


def missing_one(peer: Peer) -> None:
    """The gateway's message 1 is missing and asked for."""
    if peer.session.state is C.ESTABLISHED:
        peer.session.receive(sequence(2).encode(), peer.now)


def retransmission(peer: Peer) -> bytes:
    missing_one(peer)
    timestamp = peer.memory.request_timestamp
    return Retransmission(uuid=UUID, request_timestamp=timestamp, from_seq_no=1, msg_count=1).encode()


def retransmit_reject(peer: Peer) -> bytes:
    missing_one(peer)
    timestamp = peer.memory.request_timestamp
    return RetransmitReject(uuid=UUID, request_timestamp=timestamp, error_codes=3, reason=b"").encode()


def not_applied(peer: Peer) -> bytes:
    peer.memory.next_outbound = 5
    return NotApplied(uuid=UUID, from_seq_no=3, msg_count=2).encode()


def time_out(peer: Peer) -> list[Event]:
    events: list[Event] = []
    for _ in range(3):
        if peer.session.deadline() < 2**63 - 1:
            peer.now = max(peer.now, peer.session.deadline())
        events += peer.session.tick(peer.now)
    return events


@pytest.mark.parametrize(("state", "event"), list(product(ClientState, ClientEvent)), ids=lambda value: value.name)
def test_the_client_does_what_its_table_says(state: ClientState, event: ClientEvent) -> None:
    entry = CLIENT[state][event]
    peer = Peer(state)
    assert peer.session.state is state
    if entry is Outcome.MISUSE:
        with pytest.raises(LocalProtocolError):
            CLIENT_CAUSES[event](peer)
        assert peer.session.state is state
        return
    result = CLIENT_CAUSES[event](peer)
    if entry is Outcome.IGNORE:
        assert not result
        assert peer.session.state is state
    elif entry is Outcome.VIOLATION:
        assert isinstance(result, list)
        assert any(isinstance(item, Violation) for item in result)
        assert isinstance(result[-1], Close)
        assert peer.session.state is C.CLOSED
        codes = [decode(item.frame).error_codes for item in result[-2:] if isinstance(item, Send)]
        assert set(codes) <= {0}, "a client always says code 0"
    else:
        assert peer.session.state is entry


def test_the_tables_have_an_entry_for_every_pair() -> None:
    assert {state: set(row) for state, row in GATEWAY.items()} == {state: set(E) for state in S}
    assert {state: set(row) for state, row in CLIENT.items()} == {state: set(F) for state in C}


def test_every_state_can_be_reached_and_left() -> None:
    for table, start, end in ((GATEWAY, S.UNNEGOTIATED, S.CLOSED), (CLIENT, C.CONNECTED, C.CLOSED)):
        reached, last = {start}, set()
        while reached != last:
            last = set(reached)
            reached |= {entry for state in last for entry in table[state].values() if entry in table}
        assert reached == set(table)
        for state in set(table) - {end}:
            assert end in set(table[state].values())
