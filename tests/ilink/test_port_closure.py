"""Automated port closure: the fifth bad login within 60 s, on any connection. Source: CME, Automated Port Closure."""

import pytest

from ontherun.ilink import Role, SessionPolicy, Verdict
from ontherun.ilink.codes import TerminateCode
from ontherun.ilink.messages import EstablishmentAck, Message, NegotiationReject, NegotiationResponse, Terminate
from ontherun.ilink.records import PortOpened

from .conftest import OTHER_SECRET, SECOND, SEGMENT, UUID, Venue, Wire, sequence


def fail(wire: Wire, **values: object) -> list[Message]:
    wire.venue.now += 1_000
    return wire.negotiate(**({"signed_with": OTHER_SECRET} | values))


def closes(sent: list[Message]) -> bool:
    (answer,) = sent
    return isinstance(answer, Terminate) and answer.error_codes == TerminateCode.CME_ADMINISTERED_PORT_CLOSURE


def test_the_fifth_bad_login_within_60_seconds_closes_the_port(venue: Venue) -> None:
    wire = venue.connect()
    assert [closes(fail(wire)) for _ in range(5)] == [False] * 4 + [True]
    assert venue.stream().port_closed
    assert wire.traces[-1].verdict is Verdict.TERMINATED
    assert "not what this key makes" in wire.traces[-1].reason


def test_the_count_spans_connections(venue: Venue) -> None:
    assert [closes(fail(venue.connect())) for _ in range(5)] == [False] * 4 + [True]


def test_failures_more_than_60_seconds_ago_do_not_count(venue: Venue) -> None:
    wire = venue.connect()
    fail(wire)
    venue.now += 60 * SECOND
    wire = venue.connect()
    assert not any(closes(fail(wire)) for _ in range(4))
    assert closes(fail(wire))


def test_five_in_just_less_than_60_seconds_close(venue: Venue) -> None:
    fail(venue.connect())
    start = venue.now
    assert not any(closes(fail(venue.connect())) for _ in range(3))
    venue.now = start + 60 * SECOND - 1_001
    assert closes(fail(venue.connect()))


def test_a_good_login_between_does_not_reset_the_count(venue: Venue) -> None:
    for _ in range(4):
        fail(venue.connect())
    wire = venue.connect().log_in()
    wire.session.lost(venue.now)
    assert closes(fail(venue.connect(), uuid=UUID + 1))


@pytest.mark.parametrize("role", list(Role))
def test_a_closed_port_refuses_every_login_on_primary_and_backup(venue: Venue, role: Role) -> None:
    for _ in range(5):
        fail(venue.connect())
    records = len(venue.journal)
    wire = venue.connect(role)
    venue.now += 1_000
    assert closes(wire.negotiate())
    assert wire.traces[-1].reason == "the port is closed"
    assert len(venue.journal) == records, "nothing more is stored for a closed port"


def test_an_administrator_opens_the_port_again(venue: Venue) -> None:
    for _ in range(5):
        fail(venue.connect())
    venue.apply(PortOpened("ABC", SEGMENT, venue.now))
    venue.now += 1_000
    wire = venue.connect()
    assert isinstance(wire.negotiate()[0], NegotiationResponse)
    assert isinstance(wire.bind()[0], EstablishmentAck)


def test_other_sessions_are_not_concerned(venue: Venue) -> None:
    for _ in range(5):
        fail(venue.connect())
    venue.now += 1_000
    who = {"session": b"XYZ", "access_key_id": b"XYZXYZXYZXYZXYZXYZXY"}
    assert isinstance(venue.connect().negotiate(**who)[0], NegotiationResponse)


@pytest.mark.parametrize(
    "values",
    [
        {"uuid": 2**64 - 1},
        {"uuid": 0},
        {"hmac_signature": bytes(32)},
        {"request_timestamp": 1},
        {"access_key_id": b""},
        {"access_key_id": b"EXAMPLEKEYID00000009"},
        {"firm": b""},
        {"firm": b"NOONE"},
    ],
    ids=str,
)
def test_every_kind_of_bad_negotiate_counts(venue: Venue, values: dict[str, object]) -> None:
    assert [closes(fail(venue.connect(), **values)) for _ in range(5)] == [False] * 4 + [True]


@pytest.mark.parametrize(
    "values",
    [
        {"next_seq_no": 9},
        {"next_seq_no": 2**32 - 1},
        {"keep_alive_interval": 1},
        {"trading_system_name": b""},
        {"uuid": UUID + 1},
    ],
    ids=str,
)
def test_every_kind_of_bad_establish_counts(venue: Venue, values: dict[str, object]) -> None:
    venue.connect().negotiate()
    answers = [closes(venue.connect().bind(**({"uuid": UUID} | values))) for _ in range(5)]
    assert answers == [False] * 4 + [True]


def test_redundant_logins_and_messages_before_the_login_count(venue: Venue) -> None:
    venue.policy = SessionPolicy(logins_per_window=0)
    first = venue.connect()
    first.negotiate()
    assert not closes(fail(first))
    second = venue.connect().log_in(UUID + 1)
    venue.now += 1_000
    assert not closes(second.establish(uuid=UUID + 1))
    third = venue.connect()
    venue.now += 1_000
    third.negotiate(uuid=UUID + 2)
    assert not closes(third.send(sequence(1)))
    assert len(venue.stream().failures) == 3


def test_unavailable_keys_and_wrong_roles_do_not_count(venue: Venue) -> None:
    venue.connect(Role.BACKUP).negotiate()
    venue.keys.available = False
    venue.connect().negotiate()
    assert venue.stream().failures == ()


def test_bad_logins_of_no_known_session_end_only_their_connection(venue: Venue) -> None:
    wire = venue.connect()
    assert [closes(fail(wire, session=b"QQQ")) for _ in range(5)] == [False] * 4 + [True]
    assert venue.journal == [], "strangers store nothing"
    assert isinstance(fail(venue.connect(), session=b"QQQ")[0], NegotiationReject)


def test_an_established_connection_is_left_alone(venue: Venue) -> None:
    wire = venue.connect().log_in()
    for _ in range(5):
        fail(venue.connect(), uuid=UUID + 1)
    assert venue.stream().port_closed
    assert wire.business(1) is None


def test_the_policy_may_leave_ports_open(venue: Venue) -> None:
    venue.policy = SessionPolicy(port_closure=False)
    wire = venue.connect()
    assert not any(closes(fail(wire)) for _ in range(20))
    assert venue.journal == []
