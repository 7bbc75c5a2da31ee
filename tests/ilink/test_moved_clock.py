"""A lab moves the gateway's clock: no interval under way ends for it, and both clocks' timestamps log in."""

import pytest

from ontherun.ilink import GatewayState, SessionPolicy
from ontherun.ilink.messages import EstablishmentAck, NegotiationReject, NegotiationResponse, Sequence, Terminate

from .conftest import SECOND, UUID, Venue, Wire, negotiate, sequence

FOUR_WEEKS = 28 * 86_400 * SECOND
INTERVAL = 10 * SECOND


class Lab(Venue):
    """A venue whose clock is moved."""

    def __init__(self) -> None:
        self.offset = 0
        super().__init__(SessionPolicy(clock_offset=lambda: self.offset))

    def move(self, by: int, *wires: Wire) -> None:
        self.offset += by
        self.now += by
        for wire in wires:
            wire.session.shift(by)


@pytest.mark.parametrize("by", [FOUR_WEEKS, -FOUR_WEEKS])
def test_a_live_session_survives_the_journey_and_keeps_its_intervals(by: int) -> None:
    lab = Lab()
    wire = lab.connect().log_in()
    assert wire.wait(INTERVAL - 1) == []
    lab.move(by, wire)
    assert wire.tick() == []
    (ping,) = wire.wait(1)
    assert isinstance(ping, Sequence)
    assert ping.keep_alive_interval_lapsed == 1
    lab.move(by, wire)
    wire.send(sequence(1))
    assert len(wire.wait(INTERVAL)) == 1
    assert wire.session.state is GatewayState.ESTABLISHED


def test_a_connection_keeps_its_time_to_log_in() -> None:
    lab = Lab()
    wire = lab.connect()
    lab.move(FOUR_WEEKS, wire)
    assert wire.tick() == []
    assert wire.wait(60 * SECOND - 1) == []
    (ended,) = wire.wait(1)
    assert isinstance(ended, Terminate)


def test_a_client_on_the_machines_time_logs_in_to_a_moved_venue() -> None:
    lab = Lab()
    lab.move(FOUR_WEEKS)
    wire = lab.connect()
    (answer,) = wire.send(negotiate(lab.now - lab.offset))
    assert isinstance(answer, NegotiationResponse)


def test_a_client_on_the_lab_clock_logs_in_too() -> None:
    lab = Lab()
    lab.move(FOUR_WEEKS)
    (answer,) = lab.connect().negotiate()
    assert isinstance(answer, NegotiationResponse)


@pytest.mark.parametrize("away", [6 * SECOND, -6 * SECOND])
def test_a_timestamp_that_is_fresh_by_neither_clock_is_refused(away: int) -> None:
    lab = Lab()
    lab.move(FOUR_WEEKS)
    for now in (lab.now, lab.now - lab.offset):
        (answer,) = lab.connect().send(negotiate(now + away))
        assert isinstance(answer, NegotiationReject)
        assert answer.error_codes == 3


def test_a_last_timestamp_of_the_future_binds_nobody_after_the_way_back() -> None:
    lab = Lab()
    lab.move(FOUR_WEEKS)
    first = lab.connect().log_in()
    first.session.lost(lab.now)
    lab.move(-FOUR_WEEKS)
    wire = lab.connect()
    (answer,) = wire.negotiate(uuid=UUID + 1)
    assert isinstance(answer, NegotiationResponse)
    (answer,) = wire.bind(UUID + 1)
    assert isinstance(answer, EstablishmentAck)


def test_a_timestamp_may_still_not_be_used_twice_in_a_lab() -> None:
    lab = Lab()
    lab.connect().negotiate()
    (answer,) = lab.connect().negotiate(uuid=UUID + 1)
    assert isinstance(answer, NegotiationReject)


def test_bad_logins_of_the_future_do_not_close_the_port_of_the_past() -> None:
    lab = Lab()
    lab.move(FOUR_WEEKS)
    for _ in range(4):
        lab.now += 1
        lab.connect().negotiate(hmac_signature=b"x" * 32)
    lab.move(-FOUR_WEEKS)
    lab.connect().negotiate(hmac_signature=b"x" * 32)
    assert not lab.stream().port_closed
    assert lab.stream().logins_in_window(lab.now) == 1
