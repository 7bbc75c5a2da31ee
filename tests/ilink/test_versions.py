"""A peer of schema version 8: its blocks are shorter, and it skips the byte it does not know."""

import pytest

from ontherun.ilink import SessionPolicy
from ontherun.ilink.messages import (
    UINT8_NULL,
    EstablishmentAck,
    EstablishmentReject,
    NegotiationReject,
    NegotiationResponse,
)

from .conftest import OTHER_SECRET, START, UUID, Venue, establish, negotiate


def as_version(frame: bytes, version: int) -> bytes:
    return frame[:10] + version.to_bytes(2, "little") + frame[12:]


def test_a_version_8_peer_logs_in_and_gets_version_9_blocks(venue: Venue) -> None:
    wire = venue.connect()
    actions = wire.session.receive(as_version(negotiate(START).encode(), 8), START)
    frames = [action.frame for action in actions if hasattr(action, "frame")]
    actions = wire.session.receive(as_version(establish(START + 1).encode(), 8), START + 1)
    frames += [action.frame for action in actions if hasattr(action, "frame")]
    assert [int.from_bytes(frame[4:6], "little") for frame in frames] == [33, 39]
    assert [int.from_bytes(frame[10:12], "little") for frame in frames] == [9, 9]


def test_what_a_version_8_peer_reads_is_the_same_without_the_last_byte(venue: Venue) -> None:
    wire = venue.connect()
    (response,) = wire.negotiate()
    block = response.encode()[12 : 12 + 32]
    shorter = (46).to_bytes(2, "little") + b"\xfe\xca" + (32).to_bytes(2, "little") + response.encode()[6:10]
    frame = shorter + (8).to_bytes(2, "little") + block + b"\0\0"
    decoded = NegotiationResponse.decode(frame)
    assert decoded.environment_indicator == UINT8_NULL
    assert (decoded.uuid, decoded.previous_uuid) == (UUID, 0)


def test_the_policy_names_the_versions_that_are_accepted() -> None:
    wire = Venue(SessionPolicy(versions=frozenset({9}))).connect()
    (answer,) = wire.send(as_version(negotiate(START).encode(), 8))
    assert answer.error_codes == 19


@pytest.mark.parametrize(
    ("message", "size"),
    [(NegotiationResponse, 47), (NegotiationReject, 81), (EstablishmentAck, 51), (EstablishmentReject, 85)],
)
def test_answers_have_the_sizes_of_version_9(venue: Venue, message: type, size: int) -> None:
    wire = venue.connect()
    answers = wire.negotiate(signed_with=OTHER_SECRET) + wire.negotiate()
    answers += wire.bind(signed_with=OTHER_SECRET) + wire.bind()
    (answer,) = [answer for answer in answers if type(answer) is message]
    assert len(answer.encode()) == size
