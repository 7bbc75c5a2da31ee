"""What a logged-in peer can do to the venue, to the others and to itself, and what it must not."""

import os
import signal
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.raw_client import RawClient
from tests.support.venue_process import VenueProcess

from ontherun.ilink import messages as m
from ontherun.ilink.codes import RetransmitRejectCode, TerminateCode

PRICE = 99 * 10**9
TICK = 15_625_000


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path / "data", "--no-fsync") as running:
        yield running
        if running.process.poll() is None:
            code, output = running.stop()
            assert (code, "Traceback" in output, "Exception" in output) == (0, False, False), output


def restarted(venue: VenueProcess) -> VenueProcess:
    code, output = venue.stop()
    assert (code, "Traceback" in output) == (0, False), output
    return VenueProcess(venue.data, "--no-fsync")


def business_front(template: int, number_at: int, size: int) -> bytes:
    """A business frame of `size` bytes with SeqNum 1 at `number_at`, as much of it as there is room for."""
    frame = struct.pack("<HHHHHH", size, 0xCAFE, size - 12, template, 8, 9).ljust(number_at, b"\0")
    return (frame + struct.pack("<I", 1)).ljust(size, b"\0")[:size]


@pytest.mark.parametrize(
    ("template", "number_at", "size"),
    [
        (m.NewOrderSingle.TEMPLATE_ID, 29, 12),
        (m.NewOrderSingle.TEMPLATE_ID, 29, 32),
        (m.PartyDetailsListRequest.TEMPLATE_ID, 28, 31),
        (m.PartyDetailsListRequest.TEMPLATE_ID, 28, 32),
    ],
)
def test_a_business_message_too_short_for_its_number_is_terminate_19_and_uses_no_number(
    venue: VenueProcess, template: int, number_at: int, size: int
) -> None:
    with RawClient(venue.address, venue.key()) as client:
        client.log_in()
        client.send(business_front(template, number_at, size))
        assert client.expect(m.Terminate).error_codes == TerminateCode.DECODING_ERROR
        assert client.closed()
        uuid = client.uuid
    with RawClient(venue.address, venue.key()) as client:
        client.uuid = uuid
        client.establish(1)
        client.expect(m.EstablishmentAck)
        client.order(venue.security_id("UB10"), 1, PRICE, 1, b"NEXT")
        client.expect(m.ExecutionReportNew)
        client.terminate()
    with restarted(venue) as again, RawClient(again.address, again.key()) as client:
        client.uuid = uuid
        client.establish(2)
        assert client.expect(m.EstablishmentAck).next_seq_no == 2


def test_after_terminate_nothing_more_is_sent_and_the_fill_waits_for_the_next_login(venue: VenueProcess) -> None:
    ub10 = venue.security_id("UB10")
    with RawClient(venue.address, venue.key(0)) as resting, RawClient(venue.address, venue.key(1)) as other:
        resting.log_in()
        other.log_in()
        resting.order(ub10, 1, PRICE, 2, b"REST")
        resting.expect(m.ExecutionReportNew)
        resting.terminate()
        other.order(ub10, 2, PRICE, 2, b"HIT")
        other.expect(m.ExecutionReportNew)
        other.expect(m.ExecutionReportTradeOutright)
        with pytest.raises(EOFError):
            resting.receive()
        with RawClient(venue.address, venue.key(0)) as again:
            again.uuid = resting.uuid
            again.establish(2)
            assert again.expect(m.EstablishmentAck).next_seq_no == 3


def test_a_fill_in_the_turn_of_a_login_under_a_new_uuid_belongs_to_the_old_one(venue: VenueProcess) -> None:
    """Both arrive while the process is stopped, so that they are read in one turn; in which order is the kernel's to
    say, so it is tried until the fill was first."""
    ub10 = venue.security_id("UB10")
    fills_first = 0
    with RawClient(venue.address, venue.key(1)) as other:
        other.log_in()
        for attempt in range(40):
            with RawClient(venue.address, venue.key(0)) as old:
                old.log_in()
                old.order(ub10, 1, PRICE, 1, b"REST%d" % attempt)
                old.expect(m.ExecutionReportNew)
                old.terminate()
            with RawClient(venue.address, venue.key(0)) as new:
                new.negotiate()
                new.expect(m.NegotiationResponse)
                os.kill(venue.process.pid, signal.SIGSTOP)
                other.order(ub10, 2, PRICE, 1, b"HIT%d" % attempt)
                new.establish(1)
                os.kill(venue.process.pid, signal.SIGCONT)
                ack = new.expect(m.EstablishmentAck)
                assert ack.next_seq_no == 1
                other.expect(m.ExecutionReportNew)
                other.expect(m.ExecutionReportTradeOutright)
                new.next_seq_no = 1
                new.order(ub10, 1, PRICE - TICK, 1, b"AFTER%d" % attempt)
                said = [new.receive()]
                if ack.previous_seq_no == 1:  # the fill came after the login, under the new UUID
                    said.append(new.receive())
                assert [(message.uuid, message.seq_num) for message in said] == [
                    (new.uuid, number + 1) for number in range(len(said))
                ]
                new.terminate()
            fills_first += ack.previous_seq_no == 2
            if fills_first == 2:
                break
    with restarted(venue):
        pass


def test_a_client_that_is_reset_and_comes_back_at_once_is_let_in(venue: VenueProcess) -> None:
    """The old connection's end and the new login are read in one turn; the login may come first."""
    uuid = 0
    for attempt in range(20):
        with RawClient(venue.address, venue.key()) as old, RawClient(venue.address, venue.key()) as new:
            old.log_in()
            for number in range(50):
                old.order(venue.security_id("UB10"), 1, PRICE, 1, b"%d-%d" % (attempt, number))
            new.uuid = uuid = old.uuid
            os.kill(venue.process.pid, signal.SIGSTOP)
            new.establish(999)
            old.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            old.close()
            os.kill(venue.process.pid, signal.SIGCONT)
            ack = new.expect(m.EstablishmentAck)
            applied = new.expect(m.NotApplied).from_seq_no - 1
            assert ack.next_seq_no == 2 * applied + 1  # each was accepted, and cancelled when the connection was lost
            new.terminate()
    with restarted(venue) as again, RawClient(again.address, again.key()) as client:
        client.uuid = uuid
        client.establish(999)
        client.expect(m.EstablishmentAck)


def test_a_second_connection_does_not_push_out_a_first_one_that_is_alive(venue: VenueProcess) -> None:
    with RawClient(venue.address, venue.key()) as first, RawClient(venue.address, venue.key()) as second:
        first.log_in()
        second.uuid = first.uuid
        second.establish(1)
        assert second.expect(m.Terminate).error_codes == TerminateCode.ALREADY_ESTABLISHED
        first.order(venue.security_id("UB10"), 1, PRICE, 1, b"ALIVE")
        first.expect(m.ExecutionReportNew)


def test_many_retransmit_requests_in_one_segment_get_one_answer_and_refusals(venue: VenueProcess) -> None:
    with RawClient(venue.address, venue.key()) as client:
        client.log_in()
        for number in range(50):
            client.order(venue.security_id("UB10"), 1, PRICE, 1, b"%d" % number)
            client.expect(m.ExecutionReportNew)
        request = m.RetransmitRequest(uuid=client.uuid, request_timestamp=1, from_seq_no=1, msg_count=50).encode()
        client.send(request * 20)
        answers = [client.receive() for _ in range(20 + 50)]
        assert isinstance(answers[0], m.Retransmission)
        assert [message.seq_num for message in answers[1:51]] == list(range(1, 51))
        assert {(type(message), message.error_codes) for message in answers[51:]} == {
            (m.RetransmitReject, RetransmitRejectCode.RETRANSMIT_ALREADY_IN_PROGRESS)
        }
        client.send(request)
        client.expect(m.Retransmission)


def test_a_whole_session_may_stand_in_one_segment(venue: VenueProcess) -> None:
    ub10 = venue.security_id("UB10")
    with RawClient(venue.address, venue.key()) as client:
        pieces: list[bytes] = []
        send, client.send = client.send, pieces.append  # type: ignore[method-assign]
        client.negotiate()
        client.establish(1)
        client.order(ub10, 1, PRICE, 1, b"ONE")
        client.order(ub10, 1, PRICE, 1, b"TWO")
        client.send(m.RetransmitRequest(uuid=client.uuid, request_timestamp=1, from_seq_no=1, msg_count=0).encode())
        client.order(ub10, 1, PRICE, 1, b"THREE")
        client.send(m.Terminate(uuid=client.uuid, request_timestamp=time.time_ns(), error_codes=0).encode())
        client.order(ub10, 1, PRICE, 1, b"TOO LATE")
        client.send(b"and no frame at all")
        send(b"".join(pieces))
        said = [client.receive() for _ in range(9)]
    assert [type(message).__name__ for message in said] == [
        "NegotiationResponse",
        "EstablishmentAck",
        "ExecutionReportNew",
        "ExecutionReportNew",
        "Retransmission",
        "ExecutionReportNew",
        "ExecutionReportNew",
        "ExecutionReportNew",
        "Terminate",
    ]
    assert [message.seq_num for message in said if isinstance(message, m.ExecutionReportNew)] == [1, 2, 1, 2, 3]


def test_connections_that_come_and_go_leave_no_descriptor_behind(venue: VenueProcess) -> None:
    descriptors = Path(f"/proc/{venue.process.pid}/fd")
    if not descriptors.is_dir():
        pytest.skip("counting another process's file descriptors takes /proc (Linux)")
    with RawClient(venue.address, venue.key(1)) as bystander:
        bystander.log_in()
        before = len(list(descriptors.iterdir()))
        for number in range(300):
            with RawClient(venue.address, venue.key()) as client:
                if number % 3 == 0:
                    client.send(b"\x16\x03\x01\x02\x00")
                elif number % 3 == 1:
                    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
                    client.negotiate()
        for _ in range(200):
            if len(list(descriptors.iterdir())) <= before:
                break
            time.sleep(0.01)
        assert len(list(descriptors.iterdir())) <= before
        bystander.order(venue.security_id("UB10"), 1, PRICE, 1, b"ON")
        bystander.expect(m.ExecutionReportNew)
