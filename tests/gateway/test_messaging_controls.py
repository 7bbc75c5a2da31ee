"""Messaging Controls over sockets: too much is refused, far too much ends the session and its orders; replay agrees."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.api import ask, new_session
from tests.support.raw_client import RawClient
from tests.support.venue_process import VenueProcess

from ontherun.ilink import messages as m
from ontherun.ilink.codes import BusinessRejectReason, TerminateCode
from ontherun.ilink.messages.enums import ExecReason

PRICE = 99 * 10**9
LIMITS = {"common": {"reject": 10, "logout": 20}, "cancel": {"reject": 20, "logout": 30}}


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path_factory.mktemp("venue") / "data", "--no-fsync") as running:
        yield running


@pytest.fixture
def limited(venue: VenueProcess) -> Iterator[VenueProcess]:
    before = ask(venue, "GET", "messaging-controls")
    ask(venue, "PUT", "messaging-controls", LIMITS)
    yield venue
    ask(venue, "PUT", "messaging-controls", before)


def at_once(client: RawClient, venue: VenueProcess, count: int) -> None:
    """Send so many orders in one segment, so that all of them are in one window whatever the machine does."""
    send, frames = client.send, list[bytes]()
    client.send = frames.append  # type: ignore[method-assign]
    try:
        for number in range(count):
            client.order(venue.security_id("UB10"), 1, PRICE, 1, b"%d-%d" % (client.next_seq_no, number))
    finally:
        client.send = send  # type: ignore[method-assign]
    client.send(b"".join(frames))


def test_a_new_venue_has_the_exchanges_limits(venue: VenueProcess) -> None:
    assert ask(venue, "GET", "messaging-controls") == {
        "common": {"reject": 500, "logout": 750},
        "common_closed": {"reject": 100, "logout": 150},
        "cancel": {"reject": 1000, "logout": 1500},
        "mass_quote": {"reject": 400, "logout": 750},
    }


def test_over_the_reject_limit_each_message_is_refused_with_8_and_uses_its_number(limited: VenueProcess) -> None:
    with RawClient(limited.address, new_session(limited)) as client:
        client.log_in()
        at_once(client, limited, 33)
        said = [client.receive() for _ in range(33)]
        assert [type(message) for message in said] == [m.ExecutionReportNew] * 30 + [m.BusinessReject] * 3
        for number, reject in enumerate(said[30:], 31):
            assert reject.business_reject_reason == BusinessRejectReason.THROTTLE_LIMIT_EXCEEDED
            assert (reject.ref_seq_num, reject.seq_num, reject.ref_msg_type) == (number, number, b"D")
        client.terminate()
    with RawClient(limited.address, client.key) as back:
        back.uuid = client.uuid
        back.establish(34)
        assert back.expect(m.EstablishmentAck).next_seq_no == 34
        back.terminate()


def test_over_the_logout_limit_the_session_ends_with_9_and_loses_its_orders(limited: VenueProcess) -> None:
    with RawClient(limited.address, new_session(limited)) as client:
        client.log_in()
        at_once(client, limited, 70)
        said = [client.receive() for _ in range(60)]
        assert [type(message) for message in said] == [m.ExecutionReportNew] * 30 + [m.BusinessReject] * 30
        assert client.expect(m.Terminate).error_codes == TerminateCode.VOLUME_CONTROLS
        assert client.closed()
    with RawClient(limited.address, client.key) as back:
        back.uuid = client.uuid
        back.establish(61)  # the message that was too much used no number
        assert back.expect(m.EstablishmentAck).next_seq_no == 91
        back.send(
            m.RetransmitRequest(uuid=back.uuid, request_timestamp=time.time_ns(), from_seq_no=61, msg_count=30).encode()
        )
        back.expect(m.Retransmission)
        cancels: list[Any] = [back.expect(m.ExecutionReportCancel) for _ in range(30)]
        assert {cancel.exec_restatement_reason for cancel in cancels} == {ExecReason.CANCEL_ON_DISCONNECT}
        back.terminate()


def test_sessions_are_counted_each_for_itself(limited: VenueProcess) -> None:
    keys = [new_session(limited) for _ in range(2)]
    with RawClient(limited.address, keys[0]) as one, RawClient(limited.address, keys[1]) as two:
        for client in (one, two):
            client.log_in()
            at_once(client, limited, 30)
        for client in (one, two):
            for _ in range(30):
                client.expect(m.ExecutionReportNew)
            client.terminate()


def test_limits_are_the_operators_and_a_wrong_one_is_refused(venue: VenueProcess) -> None:
    with pytest.raises(AssertionError, match=r"422 .*orders"):
        ask(venue, "PUT", "messaging-controls", {"orders": {"reject": 1, "logout": 2}})
    with pytest.raises(AssertionError, match="expected 1 <= reject <= logout"):
        ask(venue, "PUT", "messaging-controls", {"common": {"reject": 3, "logout": 2}})


def test_what_was_refused_is_refused_again_by_the_replay(tmp_path_factory: pytest.TempPathFactory) -> None:
    data = tmp_path_factory.mktemp("replay") / "data"
    with VenueProcess(data, "--no-fsync") as venue:
        ask(venue, "PUT", "messaging-controls", LIMITS)
        with RawClient(venue.address, venue.key()) as client:
            client.log_in()
            at_once(client, venue, 70)
            while not isinstance(client.receive(), m.Terminate):
                pass
        venue.kill()
    with VenueProcess(data, "--no-fsync") as venue:
        assert ask(venue, "GET", "messaging-controls")["common"] == LIMITS["common"]
        with RawClient(venue.address, venue.key()) as back:
            back.uuid = client.uuid
            back.establish(61)
            assert back.expect(m.EstablishmentAck).next_seq_no == 91
            back.terminate()
