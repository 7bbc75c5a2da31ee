"""Keep-alive in both directions: CME client wiki, Sequence and Session Layer."""

from ontherun.ilink import GatewayState, Role
from ontherun.ilink.messages import Sequence, Terminate

from .conftest import SECOND, UUID, Venue, Wire, sequence

INTERVAL = 10 * SECOND


def test_a_side_that_sent_nothing_for_one_interval_sends_sequence(established: Wire) -> None:
    established.venue.stream().next_outbound = 5
    established.venue.now += 6 * SECOND
    established.send(sequence(1))
    (answer,) = established.wait(4 * SECOND)
    assert isinstance(answer, Sequence)
    assert (answer.uuid, answer.next_seq_no, answer.keep_alive_interval_lapsed) == (UUID, 5, 0)
    assert answer.fault_tolerance_indicator == 255


def test_whatever_the_gateway_sends_puts_the_sequence_off(established: Wire) -> None:
    established.venue.now += 9 * SECOND
    established.session.last_sent = established.session.last_received = established.venue.now
    assert established.wait(INTERVAL - 1) == []


def test_nothing_received_for_one_interval_is_answered_with_the_lapsed_flag(established: Wire) -> None:
    assert established.wait(INTERVAL - 1) == []
    (ping,) = established.wait(1)
    assert isinstance(ping, Sequence)
    assert ping.keep_alive_interval_lapsed == 1


def test_any_message_after_the_lapsed_flag_is_a_sign_of_life(established: Wire) -> None:
    established.wait(INTERVAL)
    established.venue.now += INTERVAL - 1
    assert established.business(1) is None
    sent = established.wait(INTERVAL - 1)
    assert [message.keep_alive_interval_lapsed for message in sent] == [0]
    (ping,) = established.wait(1)
    assert isinstance(ping, Sequence)
    assert ping.keep_alive_interval_lapsed == 1, "after another silent interval"


def test_a_second_silent_interval_ends_the_session_ungracefully(established: Wire) -> None:
    established.wait(INTERVAL)
    assert established.wait(INTERVAL - 1) == []
    (terminated,) = established.wait(1)
    assert isinstance(terminated, Terminate)
    assert established.venue.journal[-1].endswith(bytes([Role.PRIMARY, 0]))


def test_a_gateway_that_slept_asks_before_it_ends(established: Wire) -> None:
    established.venue.now += 10 * INTERVAL
    (ping,) = established.tick()
    assert isinstance(ping, Sequence)
    assert ping.keep_alive_interval_lapsed == 1
    assert established.wait(INTERVAL - 1) == []
    assert established.session.state is GatewayState.ESTABLISHED


def test_a_sequence_with_the_lapsed_flag_is_answered_at_once(established: Wire) -> None:
    (answer,) = established.send(sequence(1, lapsed=1))
    assert isinstance(answer, Sequence)
    assert answer.keep_alive_interval_lapsed == 0
    assert established.send(sequence(1)) == []


def test_the_interval_is_the_clients_own(venue: Venue) -> None:
    wire = venue.connect()
    wire.negotiate()
    (answer,) = wire.bind(keep_alive_interval=60_000)
    assert answer.keep_alive_interval == 60_000
    assert wire.wait(60 * SECOND - 1) == []
    assert len(wire.wait(1)) == 1


def test_a_backup_keeps_alive_with_number_0(venue: Venue) -> None:
    venue.connect().log_in()
    venue.stream().next_outbound = 9
    backup = venue.connect(Role.BACKUP)
    backup.bind(next_seq_no=0)
    (ping,) = backup.wait(INTERVAL)
    assert isinstance(ping, Sequence)
    assert ping.next_seq_no == 0
    assert backup.send(sequence(0)) == []


def test_tick_before_its_deadline_does_nothing(established: Wire) -> None:
    established.venue.now = established.session.deadline() - 1
    assert established.tick() == []


def test_a_closed_connection_needs_no_tick(established: Wire) -> None:
    established.session.lost(established.venue.now)
    assert established.wait(1_000 * SECOND) == []
