"""RetransmitRequest, Retransmission and RetransmitReject: CME client wiki, pages of these names."""

import pytest

from ontherun.ilink import Retransmit, Role, SessionPolicy
from ontherun.ilink.codes import RetransmitRejectCode
from ontherun.ilink.messages import (
    UINT16_NULL,
    UINT32_NULL,
    UINT64_NULL,
    Message,
    Retransmission,
    RetransmitReject,
    RetransmitRequest,
)

from .conftest import START, UUID, Venue, Wire

OLD = UUID - 5


@pytest.fixture
def wire(venue: Venue) -> Wire:
    """Established; 3,000 messages under the current UUID, 7 under an earlier one, 2 under UUID 0."""
    wire = venue.connect().log_in()
    venue.stream().next_outbound = 3_001
    venue.sent = {("ABC", OLD): range(1, 8), ("ABC", 0): range(1, 3)}
    return wire


def request(**values: int) -> RetransmitRequest:
    fields = {"uuid": UUID, "last_uuid": UINT64_NULL, "request_timestamp": START, "from_seq_no": 5, "msg_count": 10}
    return RetransmitRequest(**(fields | values))


def accepted(sent: list[Message]) -> Retransmission:
    (answer,) = sent
    assert isinstance(answer, Retransmission)
    return answer


def rejected(sent: list[Message]) -> RetransmitRejectCode:
    (answer,) = sent
    assert isinstance(answer, RetransmitReject)
    assert (answer.uuid, answer.split_msg) == (UUID, 255)
    return RetransmitRejectCode(answer.error_codes)


def test_the_request_is_echoed_and_the_messages_follow(wire: Wire) -> None:
    answer = accepted(wire.send(request()))
    assert (answer.uuid, answer.last_uuid, answer.request_timestamp) == (UUID, UINT64_NULL, START)
    assert (answer.from_seq_no, answer.msg_count, answer.split_msg) == (5, 10, 255)
    assert wire.retransmits == [Retransmit(UUID, 5, 10)]


def test_the_current_uuid_may_be_named(wire: Wire) -> None:
    assert accepted(wire.send(request(last_uuid=UUID))).last_uuid == UUID
    assert wire.retransmits == [Retransmit(UUID, 5, 10)]


def test_count_0_asks_for_everything_up_to_2500(wire: Wire) -> None:
    assert accepted(wire.send(request(msg_count=0))).msg_count == 2_500
    assert wire.retransmits == [Retransmit(UUID, 5, 2_500)]


def test_under_the_current_uuid_the_count_is_the_true_one(wire: Wire) -> None:
    assert accepted(wire.send(request(from_seq_no=2_999, msg_count=50))).msg_count == 2
    assert wire.retransmits == [Retransmit(UUID, 2_999, 2)]


@pytest.mark.parametrize(("count", "echoed"), [(50, 50), (0, 2_500)])
def test_under_an_earlier_uuid_the_count_asked_for_is_echoed(wire: Wire, count: int, echoed: int) -> None:
    assert accepted(wire.send(request(last_uuid=OLD, msg_count=count))).msg_count == echoed
    assert wire.retransmits == [Retransmit(OLD, 5, 3)]


def test_uuid_0_fetches_what_came_before_the_first_login_of_the_week(wire: Wire) -> None:
    accepted(wire.send(request(last_uuid=0, from_seq_no=1, msg_count=2)))
    assert wire.retransmits == [Retransmit(0, 1, 2)]


def test_code_0_for_numbers_that_were_not_sent(wire: Wire) -> None:
    assert rejected(wire.send(request(from_seq_no=3_001))) is RetransmitRejectCode.OUT_OF_RANGE
    assert rejected(wire.send(request(last_uuid=OLD, from_seq_no=8))) is RetransmitRejectCode.OUT_OF_RANGE
    assert rejected(wire.send(request(last_uuid=0, from_seq_no=3))) is RetransmitRejectCode.OUT_OF_RANGE
    assert wire.retransmits == []


def test_code_0_for_uuid_0_when_nothing_was_sent_under_it(venue: Venue) -> None:
    wire = venue.connect().log_in()
    assert rejected(wire.send(request(last_uuid=0, from_seq_no=1))) is RetransmitRejectCode.OUT_OF_RANGE


def test_code_0_for_a_count_beyond_the_last_message_where_the_policy_says_so() -> None:
    wire = Venue(SessionPolicy(cut_retransmission=False)).connect().log_in()
    wire.session.stream.next_outbound = 11
    assert rejected(wire.send(request(from_seq_no=2))) is RetransmitRejectCode.OUT_OF_RANGE
    assert accepted(wire.send(request(from_seq_no=1))).msg_count == 10


def test_code_0_on_a_backup(venue: Venue) -> None:
    venue.connect().log_in()
    venue.stream().next_outbound = 10
    backup = venue.connect(Role.BACKUP)
    backup.bind(next_seq_no=0)
    assert rejected(backup.send(request())) is RetransmitRejectCode.OUT_OF_RANGE


def test_code_1_for_a_uuid_that_is_not_current_or_an_earlier_one_that_is_not_known(wire: Wire) -> None:
    assert rejected(wire.send(request(uuid=UUID + 1))) is RetransmitRejectCode.INVALID_UUID
    assert rejected(wire.send(request(last_uuid=OLD - 1))) is RetransmitRejectCode.INVALID_UUID
    assert rejected(wire.send(request(last_uuid=UUID + 1))) is RetransmitRejectCode.INVALID_UUID


def test_code_2_for_more_than_2500_messages(wire: Wire) -> None:
    assert rejected(wire.send(request(msg_count=2_501))) is RetransmitRejectCode.REQUEST_LIMIT_EXCEEDED
    accepted(wire.send(request(msg_count=2_500)))


def test_code_3_while_one_request_is_in_progress(wire: Wire) -> None:
    accepted(wire.send(request()))
    assert rejected(wire.send(request())) is RetransmitRejectCode.RETRANSMIT_ALREADY_IN_PROGRESS
    wire.session.retransmitted()
    accepted(wire.send(request()))


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("request_timestamp", 2**63, RetransmitRejectCode.INVALID_TIMESTAMP),
        ("from_seq_no", 0, RetransmitRejectCode.INVALID_FROM_SEQ_NO),
        ("from_seq_no", 1_000_000_000, RetransmitRejectCode.INVALID_FROM_SEQ_NO),
        ("uuid", UINT64_NULL, RetransmitRejectCode.REQUIRED_UUID_MISSING),
        ("request_timestamp", UINT64_NULL, RetransmitRejectCode.REQUIRED_REQUEST_TIMESTAMP_MISSING),
        ("from_seq_no", UINT32_NULL, RetransmitRejectCode.REQUIRED_FROM_SEQ_NO_MISSING),
        ("msg_count", UINT16_NULL, RetransmitRejectCode.REQUIRED_MSG_COUNT_MISSING),
    ],
)
def test_codes_4_to_9_for_a_field_that_is_wrong_or_missing(
    wire: Wire, field: str, value: int, code: RetransmitRejectCode
) -> None:
    (answer,) = wire.send(request(**{field: value}))
    assert isinstance(answer, RetransmitReject)
    assert RetransmitRejectCode(answer.error_codes) is code
    assert answer.request_timestamp == (value if field == "request_timestamp" else START)


def test_a_rejected_request_is_not_in_progress(wire: Wire) -> None:
    wire.send(request(from_seq_no=0))
    accepted(wire.send(request()))
