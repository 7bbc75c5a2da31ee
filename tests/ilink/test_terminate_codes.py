"""Each code of Terminate that a message of the peer, or its absence, can cause."""

import pytest

from ontherun.ilink import GatewayState, LocalProtocolError, Role, SessionPolicy, Verdict
from ontherun.ilink.codes import TerminateCode
from ontherun.ilink.messages import (
    UINT8_NULL,
    UINT16_NULL,
    UINT32_NULL,
    UINT64_NULL,
    EstablishmentAck,
    Message,
    NewOrderSingle,
    NotApplied,
    RetransmitRequest,
    Sequence,
    Terminate,
)
from ontherun.ilink.transitions import GatewayEvent
from ontherun.sbe.errors import FramingError
from ontherun.sbe.framing import Framer

from .conftest import SECOND, START, UUID, Venue, Wire, establish, negotiate, sequence, terminate

RETRANSMIT_REQUEST = RetransmitRequest(uuid=UUID, request_timestamp=START, from_seq_no=1, msg_count=1)


def order(seq_num: int) -> NewOrderSingle:
    return NewOrderSingle(
        order_qty=1,
        security_id=1,
        side=1,
        seq_num=seq_num,
        sender_id=b"TRADER",
        cl_ord_id=b"1",
        party_details_list_req_id=1,
        order_request_id=1,
        sending_time_epoch=START,
        location=b"US",
        manual_order_indicator=0,
        ord_type=ord("2"),
        time_in_force=0,
        exec_inst=0,
        execution_mode=0,
    )


def only(sent: list[Message], code: TerminateCode, wire: Wire) -> Terminate:
    """The Terminate that was sent, which ended the connection."""
    assert [type(message) for message in sent] == [Terminate]
    terminated = sent[0]
    assert isinstance(terminated, Terminate)
    assert TerminateCode(terminated.error_codes) is code
    assert wire.session.state is GatewayState.TERMINATING
    assert wire.send(sequence(1)) == [], "after its Terminate a side sends nothing more"
    return terminated


def test_code_0_answers_a_clients_terminate_with_its_timestamp(established: Wire) -> None:
    (answer,) = established.send(terminate(established.venue.now, timestamp=123))
    assert isinstance(answer, Terminate)
    assert (answer.uuid, answer.request_timestamp, answer.error_codes, answer.reason) == (UUID, 123, 0, b"")
    assert established.session.state is GatewayState.TERMINATED
    assert not established.venue.stream().primary_bound


def test_a_session_that_its_client_has_terminated_is_not_terminated_again(established: Wire) -> None:
    established.send(terminate(START))
    assert established.session.state is GatewayState.TERMINATED
    assert established.session.end(TerminateCode.CME_ADMINISTERED_PORT_CLOSURE, "the port is closed", START) == []


def test_code_1_when_no_establish_comes_within_60_seconds_of_the_response(wire: Wire) -> None:
    wire.venue.now += 30 * SECOND
    wire.negotiate()
    assert wire.wait(60 * SECOND - 1) == []
    terminated = only(wire.wait(1), TerminateCode.ESTABLISHMENT_TIMEOUT, wire)
    assert (terminated.uuid, terminated.request_timestamp) == (UUID, wire.venue.now)


def test_code_1_when_nobody_logs_in_within_60_seconds(wire: Wire) -> None:
    only(wire.wait(60 * SECOND), TerminateCode.ESTABLISHMENT_TIMEOUT, wire)


@pytest.mark.parametrize(
    "message", [order(1), sequence(1), RETRANSMIT_REQUEST, terminate(START)], ids=lambda message: type(message).__name__
)
def test_code_2_for_a_message_before_negotiation(wire: Wire, message: Message) -> None:
    only(wire.send(message), TerminateCode.UNNEGOTIATED, wire)


def test_code_2_for_an_establish_of_a_session_that_has_not_negotiated(wire: Wire) -> None:
    only(wire.establish(), TerminateCode.UNNEGOTIATED, wire)
    assert wire.traces[-1].verdict is Verdict.TERMINATED


@pytest.mark.parametrize(
    "message", [order(1), sequence(1), RETRANSMIT_REQUEST], ids=lambda message: type(message).__name__
)
def test_code_3_for_a_message_before_establishment(wire: Wire, message: Message) -> None:
    wire.negotiate()
    only(wire.send(message), TerminateCode.NOT_ESTABLISHED, wire)


def test_code_4_for_a_redundant_negotiate(wire: Wire) -> None:
    wire.negotiate()
    only(wire.send(negotiate(START + 1, uuid=UUID + 1)), TerminateCode.ALREADY_NEGOTIATED, wire)
    assert wire.traces[-1].code_name == "ALREADY_NEGOTIATED"


def test_code_4_for_a_negotiate_when_established(established: Wire) -> None:
    only(established.negotiate(uuid=UUID + 1), TerminateCode.ALREADY_NEGOTIATED, established)


def test_code_6_for_a_negotiate_when_established_where_the_policy_says_so() -> None:
    entry = (GatewayState.ESTABLISHED, GatewayEvent.NEGOTIATE)
    wire = Venue(SessionPolicy(violations={entry: TerminateCode.ALREADY_ESTABLISHED})).connect().log_in()
    only(wire.negotiate(uuid=UUID + 1), TerminateCode.ALREADY_ESTABLISHED, wire)


def test_code_4_for_a_second_connection_that_negotiates(established: Wire) -> None:
    second = established.venue.connect()
    established.venue.now += 1_000
    only(second.negotiate(uuid=UUID + 1), TerminateCode.ALREADY_NEGOTIATED, second)
    assert established.session.state is GatewayState.ESTABLISHED, "the first one stays"


def test_code_5_for_a_negotiate_while_one_is_being_checked(wire: Wire) -> None:
    wire.venue.keys.pending = True
    wire.negotiate()
    only(wire.send(negotiate(START + 1)), TerminateCode.NEGOTIATION_IN_PROGRESS, wire)
    assert [trace.verdict for trace in wire.traces] == [Verdict.IGNORED, Verdict.TERMINATED]


def test_code_6_for_a_redundant_establish(established: Wire) -> None:
    established.venue.now += 1_000
    only(established.establish(), TerminateCode.ALREADY_ESTABLISHED, established)


def test_code_6_for_a_second_connection_that_establishes(established: Wire) -> None:
    second = established.venue.connect()
    only(second.bind(), TerminateCode.ALREADY_ESTABLISHED, second)
    assert established.business(1) is None, "the first one stays"


@pytest.mark.parametrize("negotiated", [True, False])
def test_code_7_for_an_establish_while_one_is_being_checked(venue: Venue, negotiated: bool) -> None:
    wire = venue.connect()
    wire.negotiate()
    if not negotiated:
        wire.session.lost(venue.now)
        wire = venue.connect()
    venue.keys.pending = True
    assert wire.bind() == []
    only(wire.send(establish(venue.now + 1)), TerminateCode.ESTABLISH_IN_PROGRESS, wire)


@pytest.mark.parametrize("number", [0, 4, 1_000_000_000])
def test_code_10_for_an_establish_whose_next_seq_no_is_too_low_or_out_of_range(venue: Venue, number: int) -> None:
    wire = venue.connect().log_in()
    for seq_num in range(1, 5):
        assert wire.business(seq_num) is None
    wire.session.lost(venue.now)
    again = venue.connect()
    only(again.bind(next_seq_no=number), TerminateCode.INVALID_NEXT_SEQ_NO, again)


@pytest.mark.parametrize("number", [0, 2])
def test_code_10_for_another_next_seq_no_than_1_under_a_new_uuid(wire: Wire, number: int) -> None:
    wire.negotiate()
    wire.venue.now += 1
    only(wire.establish(next_seq_no=number), TerminateCode.INVALID_NEXT_SEQ_NO, wire)


@pytest.mark.parametrize("number", [0, 2, 1_000_000_000])
def test_code_10_for_a_sequence_whose_next_seq_no_is_too_low_or_out_of_range(established: Wire, number: int) -> None:
    for seq_num in (1, 2):
        established.business(seq_num)
    only(established.send(sequence(number)), TerminateCode.INVALID_NEXT_SEQ_NO, established)


def test_code_10_for_a_number_on_a_backup(venue: Venue) -> None:
    venue.connect().log_in()
    backup = venue.connect(Role.BACKUP)
    only(backup.bind(next_seq_no=1), TerminateCode.INVALID_NEXT_SEQ_NO, backup)
    backup = venue.connect(Role.BACKUP)
    backup.bind(next_seq_no=0)
    only(backup.send(sequence(1)), TerminateCode.INVALID_NEXT_SEQ_NO, backup)


@pytest.mark.parametrize("number", [0, 2, 1_000_000_000, UINT32_NULL])
def test_code_11_for_a_business_number_that_is_too_low_or_out_of_range(established: Wire, number: int) -> None:
    for seq_num in (1, 2):
        established.business(seq_num)
    sent = established.business(number)
    assert sent is not None
    only(sent, TerminateCode.INVALID_MSG_SEQ_NO, established)


def test_code_11_for_a_number_on_a_backup(venue: Venue) -> None:
    venue.connect().log_in()
    backup = venue.connect(Role.BACKUP)
    backup.bind(next_seq_no=0)
    only(backup.send(order(1)), TerminateCode.INVALID_MSG_SEQ_NO, backup)


@pytest.mark.parametrize("uuid", [UUID, UUID - 1, 0])
def test_code_13_for_a_negotiate_whose_uuid_is_not_greater_than_the_last_one(venue: Venue, uuid: int) -> None:
    venue.connect().negotiate()
    venue.now += 1_000
    wire = venue.connect()
    only(wire.negotiate(uuid=uuid), TerminateCode.INVALID_UUID, wire)


@pytest.mark.parametrize("uuid", [UUID - 1, UUID + 1, 0, 2**63])
def test_code_13_for_an_establish_with_another_uuid_than_the_last_negotiated(venue: Venue, uuid: int) -> None:
    wire = venue.connect()
    wire.negotiate()
    only(wire.bind(uuid=uuid), TerminateCode.INVALID_UUID, wire)
    alone = venue.connect()
    only(alone.bind(uuid=uuid), TerminateCode.INVALID_UUID, alone)


def test_code_13_for_a_uuid_beyond_the_valid_range(wire: Wire) -> None:
    only(wire.negotiate(uuid=2**63), TerminateCode.INVALID_UUID, wire)


@pytest.mark.parametrize("message", [sequence(1, uuid=UUID + 1), terminate(START, uuid=UUID - 1)])
def test_code_13_for_a_message_with_another_uuid(established: Wire, message: Message) -> None:
    only(established.send(message), TerminateCode.INVALID_UUID, established)


def test_code_14_for_a_terminate_with_a_timestamp_out_of_range(established: Wire) -> None:
    only(established.send(terminate(0, timestamp=2**63)), TerminateCode.INVALID_TIMESTAMP, established)


@pytest.mark.parametrize("message", [negotiate(START, uuid=UINT64_NULL), establish(START, uuid=UINT64_NULL)])
def test_code_15_for_a_login_without_uuid(wire: Wire, message: Message) -> None:
    only(wire.send(message), TerminateCode.REQUIRED_UUID_MISSING, wire)


@pytest.mark.parametrize("message", [sequence(1, uuid=UINT64_NULL), terminate(START, uuid=UINT64_NULL)])
def test_code_15_for_a_message_without_uuid(established: Wire, message: Message) -> None:
    only(established.send(message), TerminateCode.REQUIRED_UUID_MISSING, established)


def test_code_16_for_a_terminate_without_timestamp(established: Wire) -> None:
    sent = established.send(terminate(0, timestamp=UINT64_NULL))
    only(sent, TerminateCode.REQUIRED_REQUEST_TIMESTAMP_MISSING, established)


def test_code_17_for_a_terminate_without_code(established: Wire) -> None:
    sent = established.send(terminate(START, code=UINT16_NULL))
    only(sent, TerminateCode.REQUIRED_CODE_MISSING, established)


@pytest.mark.parametrize("state", ["unnegotiated", "negotiated", "established"])
@pytest.mark.parametrize("start", ["0b00feca", "5a00fecb"], ids=["length", "encoding type"])
def test_code_18_for_a_bad_sofh(venue: Venue, state: str, start: str) -> None:
    wire = venue.connect()
    if state == "negotiated":
        wire.negotiate()
    elif state == "established":
        wire.log_in()
    with pytest.raises(FramingError) as caught:
        Framer().feed(bytes.fromhex(start) + bytes(8))
    sent = wire.carry_out(wire.session.framing_fault(caught.value, venue.now))
    assert only(sent, TerminateCode.INVALID_SOFH, wire).reason == str(caught.value).encode()


def edited(frame: bytes, offset: int, value: int) -> bytes:
    return frame[:offset] + value.to_bytes(2, "little") + frame[offset + 2 :]


@pytest.mark.parametrize(
    "frame",
    [
        edited(sequence(1).encode(), 6, 499),
        edited(sequence(1).encode(), 8, 9),
        edited(sequence(1).encode(), 10, 7),
        edited(sequence(1).encode(), 10, 10),
        edited(sequence(1).encode(), 4, 60_000),
        order(1).encode()[:32],
        edited(order(1).encode(), 4, 20),
        sequence(1).encode()[:11],
        b"",
    ],
    ids=[
        "unknown template",
        "schema",
        "older version",
        "newer version",
        "block length",
        "no number",
        "no block",
        "half a header",
        "nothing",
    ],
)
def test_code_19_for_what_does_not_decode(established: Wire, frame: bytes) -> None:
    only(established.send(frame), TerminateCode.DECODING_ERROR, established)


@pytest.mark.parametrize("message", [negotiate(START), establish(START)])
def test_code_19_for_a_login_that_does_not_decode(wire: Wire, message: Message) -> None:
    only(wire.send(message.encode()[:-2]), TerminateCode.DECODING_ERROR, wire)
    trace = wire.traces[-1]
    assert (trace.message, trace.code, trace.verdict) == (type(message).__name__, 19, Verdict.TERMINATED)


def test_code_19_for_a_lapsed_flag_that_is_neither_0_nor_1(established: Wire) -> None:
    only(established.send(sequence(1, lapsed=2)), TerminateCode.DECODING_ERROR, established)


def test_code_19_for_a_business_message_that_the_gateway_cannot_decode(established: Wire) -> None:
    sent = established.carry_out(established.session.undecodable("group count", START))
    assert only(sent, TerminateCode.DECODING_ERROR, established).reason == b"group count"


def test_code_20_after_a_second_silent_interval(established: Wire) -> None:
    sent = established.wait(20 * SECOND)
    assert [type(message) for message in sent] == [Sequence, Terminate]
    only(sent[-1:], TerminateCode.KEEP_ALIVE_INTERVAL_LAPSED, established)


def test_code_21_for_an_establish_without_next_seq_no(wire: Wire) -> None:
    wire.negotiate()
    wire.venue.now += 1
    sent = wire.establish(next_seq_no=UINT32_NULL)
    only(sent, TerminateCode.REQUIRED_NEXT_SEQ_NO_MISSING, wire)


def test_code_21_for_a_sequence_without_next_seq_no(established: Wire) -> None:
    only(established.send(sequence(UINT32_NULL)), TerminateCode.REQUIRED_NEXT_SEQ_NO_MISSING, established)


def test_code_22_for_a_sequence_without_lapsed_flag(established: Wire) -> None:
    sent = established.send(sequence(1, lapsed=UINT8_NULL))
    only(sent, TerminateCode.REQUIRED_KEEP_ALIVE_INTERVAL_LAPSED_MISSING, established)


def test_code_23_for_a_client_terminate_with_another_code_than_0(established: Wire) -> None:
    only(established.send(terminate(START, code=20)), TerminateCode.OTHER, established)
    assert not established.venue.stream().primary_bound


@pytest.mark.parametrize(
    "message",
    [
        NotApplied(uuid=UUID, from_seq_no=1, msg_count=1),
        EstablishmentAck(
            uuid=UUID,
            request_timestamp=START,
            next_seq_no=1,
            previous_seq_no=0,
            previous_uuid=0,
            keep_alive_interval=10_000,
        ),
    ],
    ids=lambda message: type(message).__name__,
)
def test_code_23_for_a_template_that_only_a_gateway_sends(established: Wire, message: Message) -> None:
    only(established.send(message), TerminateCode.OTHER, established)


def test_code_24_for_a_second_terminate(established: Wire) -> None:
    established.send(terminate(START))
    only(established.send(terminate(START)), TerminateCode.TERMINATE_IN_PROGRESS, established)


def test_a_second_terminate_is_ignored_where_the_policy_says_so() -> None:
    entry = (GatewayState.TERMINATED, GatewayEvent.TERMINATE)
    wire = Venue(SessionPolicy(violations={entry: None})).connect().log_in()
    wire.send(terminate(START))
    assert wire.send(terminate(START)) == []
    assert wire.session.state is GatewayState.TERMINATED


def test_code_26_ends_the_backup_when_the_primary_goes(venue: Venue) -> None:
    primary = venue.connect().log_in()
    backup = venue.connect(Role.BACKUP)
    backup.bind(next_seq_no=0)
    primary.session.lost(venue.now)
    sent = backup.carry_out(
        backup.session.end(TerminateCode.DISCONNECT_OR_TERMINATE_FROM_PRIMARY, "primary lost", venue.now)
    )
    only(sent, TerminateCode.DISCONNECT_OR_TERMINATE_FROM_PRIMARY, backup)


@pytest.mark.parametrize("code", [TerminateCode.CME_ADMINISTERED_PORT_CLOSURE, TerminateCode.VOLUME_CONTROLS])
def test_an_unprompted_terminate_carries_the_current_time(established: Wire, code: TerminateCode) -> None:
    established.venue.now += 12
    sent = established.carry_out(established.session.end(code, "by the operator", established.venue.now))
    terminated = only(sent, code, established)
    assert (terminated.request_timestamp, terminated.reason) == (established.venue.now, b"by the operator")


def test_a_terminate_caused_by_a_login_echoes_it(wire: Wire) -> None:
    terminated = only(wire.establish(request_timestamp=START + 3), TerminateCode.UNNEGOTIATED, wire)
    assert (terminated.uuid, terminated.request_timestamp) == (UUID, START + 3)


def test_the_echo_of_our_terminate_closes_the_connection(established: Wire) -> None:
    established.send(sequence(0))
    assert established.send(terminate(START, code=10)) == []
    assert established.closed


def test_without_an_echo_the_connection_closes_after_the_grace(established: Wire) -> None:
    established.send(sequence(0))
    assert established.wait(SECOND - 1) == []
    assert not established.closed
    established.wait(1)
    assert established.closed
    assert established.session.deadline() == 2**63 - 1


def test_business_messages_of_an_established_session_are_not_for_receive(established: Wire) -> None:
    with pytest.raises(LocalProtocolError):
        established.send(order(1))
    assert established.business(1) is None, "nothing changed"


def test_a_long_reason_is_cut_to_its_field(established: Wire) -> None:
    sent = established.carry_out(established.session.end(TerminateCode.OTHER, "é" + "x" * 60, START))
    assert only(sent, TerminateCode.OTHER, established).reason == b"?" + b"x" * 47
