"""Whatever a peer sends, each machine answers with what it is documented to answer, and raises nothing else."""

import dataclasses
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontherun.ilink import (
    ClientMemory,
    ClientSession,
    ClientState,
    Close,
    GatewayState,
    LocalProtocolError,
    LoginTrace,
    Record,
    Retransmit,
    Role,
    Send,
    Trace,
)
from ontherun.ilink import client_events as events
from ontherun.ilink.messages import BY_TEMPLATE, RetransmitRequest, Terminate, decode
from ontherun.ilink.records import from_bytes
from ontherun.ilink.templates import CLIENT_BUSINESS
from ontherun.sbe.framing import HEADER

from .conftest import SECOND, SECRET, START, UUID, Venue, Wire, establish, negotiate, sequence, terminate
from .test_terminate_codes import order
from .test_transition_tables import IDENTITY, Peer, business, not_applied, retransmission, retransmit_reject

Frame = Callable[[int], bytes]

CLIENT_FRAMES: list[Frame] = [
    lambda now: negotiate(now).encode(),
    lambda now: negotiate(now, uuid=UUID + now % 3).encode(),
    lambda now: negotiate(now, signed_with=b"wrong").encode(),
    lambda now: establish(now).encode(),
    lambda now: establish(now, next_seq_no=3).encode(),
    lambda now: establish(now, next_seq_no=0).encode(),
    lambda now: sequence(1).encode(),
    lambda now: sequence(4, lapsed=1).encode(),
    lambda now: order(1).encode(),
    lambda now: order(7).encode(),
    lambda now: RetransmitRequest(uuid=UUID, request_timestamp=now, from_seq_no=1, msg_count=0).encode(),
    lambda now: terminate(now).encode(),
]


@st.composite
def mutations(draw: st.DrawFn) -> Callable[[bytes], bytes]:
    """A change to a whole frame that its framing survives, or random bytes instead."""
    kind = draw(st.sampled_from(["same", "same", "byte", "number", "cut", "grow", "header", "template", "random"]))
    position = draw(st.integers(0, 400))
    value = draw(st.sampled_from([0, 1, 2, 127, 128, 254, 255, 65_535, 2**32 - 1, 2**63, 2**64 - 1]))
    noise = draw(st.binary(max_size=60))

    def mutate(frame: bytes) -> bytes:
        at = 12 + position % max(1, len(frame) - 12)
        match kind:
            case "byte":
                return frame[:at] + bytes([value & 255]) + frame[at + 1 :]
            case "number":
                return (frame[:at] + value.to_bytes(8, "little") + frame[at + 8 :])[: len(frame)]
            case "cut":
                return frame[: max(12, len(frame) - position % 100)]
            case "grow":
                return frame + noise
            case "header":
                field = 4 + 2 * (position % 4)
                return frame[:field] + (value & 65_535).to_bytes(2, "little") + frame[field + 2 :]
            case "template":
                templates = sorted(BY_TEMPLATE)
                return frame[:6] + templates[position % len(templates)].to_bytes(2, "little") + frame[8:]
            case "random":
                return noise
            case _:
                return frame

    return mutate


STEPS = st.lists(st.tuples(st.integers(0, 999), mutations(), st.integers(0, 12)), max_size=14)


def check_gateway(wire: Wire, steps: list[tuple[int, Callable[[bytes], bytes], int]]) -> None:
    session, venue = wire.session, wire.venue
    ended = False
    for pick, mutate, seconds in steps:
        venue.now += seconds * SECOND + 1
        frame = mutate(CLIENT_FRAMES[pick % len(CLIENT_FRAMES)](venue.now))
        state = session.state
        try:
            actions = session.receive(frame, venue.now)
        except LocalProtocolError:
            assert state is GatewayState.ESTABLISHED
            assert frame[6:12] in BUSINESS_HEADERS
            actions = session.business(int.from_bytes(frame[29:33], "little"), venue.now) or []
        actions += session.tick(venue.now)
        for action in actions:
            match action:
                case Send(out):
                    assert not ended or state is GatewayState.TERMINATED, "nothing after our Terminate"
                    ended = isinstance(decode(out), Terminate)
                    assert HEADER.unpack_from(out)[0] == len(out)
                case Record(record):
                    assert from_bytes(record.to_bytes()) == record
                case Retransmit(uuid, first, count):
                    assert uuid == UUID or uuid == session.uuid
                    assert first >= 1
                    assert 1 <= count <= 2_500
                    session.retransmitted()
                case Trace(trace):
                    assert isinstance(trace, LoginTrace)
                    assert repr(SECRET)[2:-1] not in repr(trace)
                case Close():
                    assert session.state is GatewayState.CLOSED
        assert session.deadline() > venue.now
    assert (
        venue.stream().primary_bound == (session.state is GatewayState.ESTABLISHED) or wire.session.role is Role.BACKUP
    )


BUSINESS_HEADERS = {
    template.to_bytes(2, "little") + (8).to_bytes(2, "little") + version.to_bytes(2, "little")
    for template in CLIENT_BUSINESS
    for version in (8, 9)
}


@pytest.mark.parametrize("start", ["unnegotiated", "established", "backup"])
@settings(max_examples=120, deadline=None)
@given(steps=STEPS)
def test_the_gateway_answers_any_frames_as_documented(
    start: str, steps: list[tuple[int, Callable[[bytes], bytes], int]]
) -> None:
    venue = Venue()
    wire = venue.connect()
    if start == "established":
        wire.log_in()
        venue.stream().next_outbound = 9
    elif start == "backup":
        wire.log_in()
        wire = venue.connect(Role.BACKUP)
        wire.bind(next_seq_no=0)
    check_gateway(wire, steps)


GATEWAY_FRAMES: list[Callable[[Peer], bytes]] = [
    lambda peer: peer.response().encode(),
    lambda peer: peer.acknowledgment(1).encode(),
    lambda peer: peer.acknowledgment(4).encode(),
    lambda peer: sequence(1).encode(),
    lambda peer: sequence(5, lapsed=1).encode(),
    lambda peer: business(1).encode(),
    lambda peer: business(3).encode(),
    lambda peer: replayed(1),
    lambda peer: replayed(2),
    retransmission,
    retransmit_reject,
    not_applied,
    lambda peer: terminate(START).encode(),
]
EVENTS = tuple(
    kind for kind in (*vars(events).values(), Send, Close) if isinstance(kind, type) and dataclasses.is_dataclass(kind)
)


def replayed(number: int) -> bytes:
    message = business(number)
    message.poss_retrans_flag = 1
    return message.encode()


@pytest.mark.parametrize("state", list(ClientState), ids=lambda state: state.name)
@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_the_client_answers_any_frames_as_documented(
    state: ClientState, steps: list[tuple[int, Callable[[bytes], bytes], int]]
) -> None:
    peer = Peer(state)
    session = peer.session
    for pick, mutate, seconds in steps:
        peer.now += seconds * SECOND
        made = GATEWAY_FRAMES[pick % len(GATEWAY_FRAMES)](peer)
        was_closed = session.state is ClientState.CLOSED
        result = session.receive(mutate(made), peer.now) + session.tick(peer.now)
        assert not (was_closed and result)
        for event in result:
            assert isinstance(event, EVENTS)
            if isinstance(event, Send):
                decode(event.frame)
        assert session.deadline() > peer.now
        assert session.memory.next_inbound >= 1


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=80))
def test_random_bytes_are_never_more_than_undecodable(data: bytes) -> None:
    wire = Venue().connect()
    (answer,) = wire.send(data)
    assert isinstance(answer, Terminate)
    client = ClientSession(IDENTITY, SECRET, ClientMemory(), START)
    assert isinstance(client.receive(data, START)[0], events.Violation | events.Ended)
