"""A Stream changes only by records, which have a byte form, and replaying them rebuilds it."""

import random

import pytest

from ontherun.ilink import RecordError, Role, Stream, StreamRecord, StreamTable
from ontherun.ilink.records import (
    Established,
    GapFilled,
    LoginFailed,
    Negotiated,
    PortClosed,
    PortOpened,
    Promoted,
    Unbound,
    WeekStarted,
    from_bytes,
)

from .conftest import OTHER_SECRET, SECOND, SEGMENT, START, UUID, Venue, sequence, terminate

RECORDS: list[tuple[StreamRecord, str]] = [
    (
        Negotiated("ABC", 40, START, "007", UUID, START + 1),
        "01414243280000faed51728618303037000000402046484706000100faed51728618",
    ),
    (
        Established("ABC", 40, START, "DEFGH", UUID, START + 2, Role.PRIMARY),
        "02414243280000faed51728618444546474800402046484706000200faed5172861801",
    ),
    (GapFilled("ABC", 40, START, 17), "03414243280000faed5172861811000000"),
    (LoginFailed("ABC", 40, START, 507, 13), "04414243280000faed51728618fb010d00"),
    (PortClosed("ABC", 40, START), "05414243280000faed51728618"),
    (PortOpened("ABC", 40, START), "06414243280000faed51728618"),
    (Unbound("ABC", 40, START, Role.BACKUP, graceful=True), "07414243280000faed517286180001"),
    (Promoted("ABC", 40, START), "08414243280000faed51728618"),
    (WeekStarted("ABC", 40, START), "09414243280000faed51728618"),
]
BY_KIND = pytest.mark.parametrize(("record", "expected"), RECORDS, ids=[type(record).__name__ for record, _ in RECORDS])


@BY_KIND
def test_a_record_has_the_same_bytes_for_ever(record: StreamRecord, expected: str) -> None:
    assert record.to_bytes().hex() == expected
    assert from_bytes(record.to_bytes()) == record


@BY_KIND
def test_other_bytes_are_no_record(record: StreamRecord, expected: str) -> None:
    data = bytes.fromhex(expected)
    for wrong in (data[:-1], data + b"\0", b"\x63" + data[1:], b"", data[:1] + b"\xff\xff\xff" + data[4:]):
        with pytest.raises(RecordError):
            from_bytes(wrong)


def test_a_role_that_does_not_exist_is_no_record() -> None:
    data = Unbound("ABC", 40, START, Role.BACKUP, graceful=True).to_bytes()
    with pytest.raises(RecordError):
        from_bytes(data[:-2] + b"\x07\x01")


def replay(venue: Venue) -> Stream:
    """The stream that the venue's journal rebuilds; business numbers are in it as text."""
    table = StreamTable(lambda session, segment: True)
    stream = table.get("ABC", SEGMENT)
    assert stream is not None
    for entry in venue.journal:
        if entry == b"in":
            stream.next_inbound += 1
        elif entry == b"out":
            stream.next_outbound += 1
        else:
            assert table.recover(from_bytes(entry)) is stream
    return stream


@pytest.mark.parametrize("seed", range(60))
def test_replaying_the_records_rebuilds_an_equal_stream(seed: int) -> None:
    rng = random.Random(seed)
    venue = Venue()
    wire, backup, uuid = venue.connect(), venue.connect(Role.BACKUP), UUID
    for _ in range(80):
        venue.now += rng.randrange(1, 4 * SECOND)
        stream = venue.stream()
        match rng.randrange(12):
            case 0:
                wire.carry_out(wire.session.lost(venue.now))
                wire = venue.connect()
            case 1:
                uuid += rng.randrange(2)
                wire.negotiate(uuid=uuid, signed_with=rng.choice([b"x", bytes(range(32))]))
            case 2 | 3:
                wire.establish(uuid=uuid, next_seq_no=max(1, stream.next_inbound + rng.randrange(-1, 3)))
            case 4 | 5 | 6:
                if wire.business(stream.next_inbound + rng.choice([0, 0, 0, 2])) is None:
                    venue.journal.append(b"in")
            case 7:
                stream.next_outbound += 1
                venue.journal.append(b"out")
            case 8:
                wire.send(sequence(stream.next_inbound + rng.choice([0, 0, 2, -1]), uuid=uuid))
            case 9:
                wire.send(terminate(venue.now, uuid=uuid))
            case 10:
                backup.carry_out(backup.session.lost(venue.now))
                backup = venue.connect(Role.BACKUP)
                backup.establish(uuid=uuid, next_seq_no=0)
            case 11 if stream.port_closed:
                venue.apply(PortOpened("ABC", SEGMENT, venue.now))
            case 11 if rng.random() < 0.3:
                venue.apply(WeekStarted("ABC", SEGMENT, venue.now))
        if venue.journal:
            assert replay(venue) == venue.stream()


def test_a_stopped_process_leaves_bindings_that_recovery_ends(venue: Venue) -> None:
    venue.connect().log_in()
    venue.connect(Role.BACKUP).bind(next_seq_no=0)
    stream = replay(venue)
    ends = stream.unbinding(START)
    assert ends == [
        Unbound("ABC", SEGMENT, START, Role.BACKUP, graceful=False),
        Unbound("ABC", SEGMENT, START, Role.PRIMARY, graceful=False),
    ]
    for record in ends:
        stream.apply(record)
    assert stream.unbinding(START) == []


def test_recovery_rebuilds_failures_and_port_closure(venue: Venue) -> None:
    for _ in range(5):
        venue.now += 1
        venue.connect().negotiate(signed_with=OTHER_SECRET)
    stream = replay(venue)
    assert stream.port_closed
    assert len(stream.failures) == 5


def test_a_new_week_starts_without_uuid_and_with_numbers_at_1(venue: Venue) -> None:
    wire = venue.connect().log_in()
    wire.business(1)
    venue.stream().next_outbound = 9
    wire.session.lost(venue.now)
    venue.apply(WeekStarted("ABC", SEGMENT, venue.now))
    stream = venue.stream()
    assert (stream.uuid, stream.negotiated_uuid, stream.previous_uuid, stream.previous_seq_no) == (0, 0, 0, 0)
    assert (stream.next_inbound, stream.next_outbound) == (1, 1)
    venue.now += 1_000
    assert venue.connect().negotiate(uuid=UUID)[0].previous_seq_no == 0, "last week's UUID may be used again"


def test_a_stream_is_made_for_a_known_session_only() -> None:
    table = StreamTable(lambda session, segment: session == "ABC")
    assert table.get("QQQ", 40) is None
    stream = table.get("ABC", 40)
    assert stream is table.get("ABC", 40)
    assert list(table) == [stream]


def test_streams_are_equal_when_all_their_state_is() -> None:
    one, other = Stream("ABC", 40), Stream("ABC", 40)
    assert one == other
    other.next_outbound += 1
    assert one != other
    assert one != "ABC"
    assert "next_outbound=2" in repr(other)
