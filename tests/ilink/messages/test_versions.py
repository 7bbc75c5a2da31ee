"""Peers on an older or newer schema version are understood; frames that fit no version are refused."""

import struct
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontherun.ilink import messages as m
from ontherun.sbe.errors import DecodeError, EncodeError
from ontherun.sbe.layout import Composite, Field, Set
from ontherun.sbe.message import Structure

EVERY = sorted(m.BY_TEMPLATE)
NEWER_FIELDS = [t for t in EVERY if any(f.since > m.BY_TEMPLATE[t].SINCE for f in m.BY_TEMPLATE[t].FIELDS)]
WITH_GROUPS = [t for t in EVERY if m.BY_TEMPLATE[t].GROUPS]


def reframed(frame: bytes, block: bytes, version: int = 9, rest: bytes | None = None) -> bytes:
    """Return the frame with another root block, its sizes set right."""
    old = struct.unpack_from("<H", frame, 4)[0]
    tail = frame[12 + old :] if rest is None else rest
    header = struct.pack("<H", 12 + len(block) + len(tail)) + frame[2:4] + struct.pack("<H", len(block)) + frame[6:10]
    return header + struct.pack("<H", version) + block + tail


def sample(message: type[m.Message], entries: int = 0) -> bytes:
    """Return a frame with a different value in each field, with so many entries in each group."""
    groups = [[entry.pack(*row(entry))] * entries for _, entry in message.GROUPS]
    return message.pack(*row(message), *groups, *(b"abc" for _ in message.DATA))


def row(structure: type[Structure]) -> list[Any]:
    values: list[Any] = []
    for number, field in enumerate(field for field in structure.FIELDS if field.constant is None):
        kind = field.type
        for part in kind.carried if isinstance(kind, Composite) else (kind,):
            size = struct.calcsize(f"<{part.code}")
            values.append(b"%03d" % number if part.code.endswith("s") else (number + 1) % (1 << 8 * size - 1))
    return values


def null_of(field: Field) -> Any:
    kind = field.type
    if field.is_text:
        return b""
    if isinstance(kind, Composite):
        nulls = tuple(member.null for member in kind.carried)
        return nulls if len(nulls) > 1 else nulls[0]
    return 0 if isinstance(kind, Set) else kind.null


@pytest.mark.parametrize("template_id", NEWER_FIELDS)
def test_a_block_of_any_earlier_version_leaves_newer_fields_null(template_id: int) -> None:
    message = m.BY_TEMPLATE[template_id]
    frame = sample(message)
    whole = message.decode(frame)
    for version in sorted({field.since for field in message.FIELDS if field.since > message.SINCE}):
        length = max(field.end for field in message.FIELDS if field.since < version)
        if any(field.since >= version and field.end <= length for field in message.FIELDS):
            continue  # the exchange put a newer field before an older one, so its file has no such block
        older = message.decode(reframed(frame, frame[12 : 12 + length], version - 1))
        for field in message.FIELDS:
            if field.constant is None:
                expected = getattr(whole, field.attribute) if field.end <= length else null_of(field)
                assert getattr(older, field.attribute) == expected


@pytest.mark.parametrize("template_id", EVERY)
def test_a_longer_block_is_read_as_far_as_it_is_known(template_id: int) -> None:
    message = m.BY_TEMPLATE[template_id]
    frame = sample(message)
    newer = reframed(frame, frame[12 : 12 + message.BLOCK_LENGTH] + b"\xee" * 5, version=10)
    assert m.decode(newer) == m.decode(frame)


@pytest.mark.parametrize("template_id", WITH_GROUPS)
def test_longer_entries_are_read_as_far_as_they_are_known(template_id: int) -> None:
    message = m.BY_TEMPLATE[template_id]
    block = sample(message)[12 : 12 + message.BLOCK_LENGTH]
    rest = b""
    for _, entry in message.GROUPS:
        one = entry.pack(*row(entry))
        rest += struct.pack("<HB", len(one) + 2, 3) + (one + b"\xee\xee") * 3
    frame = sample(message, entries=3)
    assert m.decode(reframed(frame, block, version=10, rest=rest)) == m.decode(frame)


@pytest.mark.parametrize("template_id", EVERY)
def test_a_block_that_lacks_fields_of_the_first_version_is_refused(template_id: int) -> None:
    message = m.BY_TEMPLATE[template_id]
    frame = sample(message)
    base = max(field.end for field in message.FIELDS if field.since <= message.SINCE)
    for length in range(base):
        with pytest.raises(DecodeError):
            message.decode(reframed(frame, frame[12 : 12 + length]))


@pytest.mark.parametrize("template_id", NEWER_FIELDS)
def test_a_block_that_cuts_a_field_is_refused(template_id: int) -> None:
    message = m.BY_TEMPLATE[template_id]
    frame = sample(message)
    for field in message.FIELDS:
        for length in range(field.offset + 1, field.end):
            with pytest.raises(DecodeError):
                message.decode(reframed(frame, frame[12 : 12 + length]))


@pytest.mark.parametrize("template_id", EVERY)
def test_bytes_after_the_end_are_refused(template_id: int) -> None:
    frame = sample(m.BY_TEMPLATE[template_id], entries=1)
    block = frame[12 : 12 + m.BY_TEMPLATE[template_id].BLOCK_LENGTH]
    with pytest.raises(DecodeError, match="after its end"):
        m.decode(reframed(frame, block, rest=frame[12 + len(block) :] + b"\0"))


@pytest.mark.parametrize("template_id", WITH_GROUPS)
def test_a_count_that_runs_past_the_frame_is_refused(template_id: int) -> None:
    message = m.BY_TEMPLATE[template_id]
    frame = bytearray(sample(message, entries=1))
    at = 12 + message.BLOCK_LENGTH
    for group, entry in message.GROUPS:
        assert frame[at + 2] == 1, group.name
        last = at + 3 + entry.BLOCK_LENGTH == len(frame)
        for count in (0, 2, 254, 255) if last else (254, 255):
            wrong = frame[: at + 2] + bytes([count]) + frame[at + 3 :]
            with pytest.raises(DecodeError):
                message.decode(bytes(wrong) + bytes(70000))
        at += 3 + entry.BLOCK_LENGTH


def test_a_group_that_the_peers_version_had_not_yet_is_empty() -> None:
    frame = sample(m.PartyDetailsDefinitionRequest)
    block = frame[12 : 12 + m.PartyDetailsDefinitionRequest.BLOCK_LENGTH]
    request = m.PartyDetailsDefinitionRequest.decode(reframed(frame, block, version=1, rest=frame[-6:-3]))
    assert (request.no_party_details, request.no_trd_reg_publications) == ([], [])
    with pytest.raises(DecodeError):
        m.PartyDetailsDefinitionRequest.decode(reframed(frame, block, version=2, rest=frame[-6:-3]))


def test_data_that_runs_past_the_frame_is_refused() -> None:
    frame = sample(m.Negotiate)
    for wrong in (frame[:-5] + b"\x04\x00" + frame[-3:], frame[:-5] + b"\xff\xff" + frame[-3:]):
        with pytest.raises(DecodeError, match="run past"):
            m.decode(wrong + bytes(70000))


def test_another_message_schema_or_encoding_is_refused() -> None:
    frame = sample(m.Sequence)
    with pytest.raises(DecodeError, match="template 506 of schema 8"):
        m.Terminate.decode(frame)
    with pytest.raises(DecodeError, match="template 506 of schema 1"):
        m.decode(frame[:8] + b"\1\0" + frame[10:])
    with pytest.raises(DecodeError, match="template 506 of schema 1"):
        m.Sequence.decode(frame[:8] + b"\1\0" + frame[10:])
    with pytest.raises(DecodeError, match="unknown template 511 of schema 8"):
        m.decode(frame[:6] + b"\xff\1" + frame[8:])
    with pytest.raises(DecodeError, match="encoding type 0xEB50"):
        m.decode(frame[:2] + b"\x50\xeb" + frame[4:])


def test_a_frame_is_found_inside_a_buffer() -> None:
    first, second = sample(m.Sequence), sample(m.ExecutionReportTradeOutright, entries=2)
    assert m.decode(first + second, len(first)) == m.decode(second)
    assert m.decode(first + second) == m.decode(first)


@pytest.mark.schema
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_a_version_8_peer_and_we_understand_each_other(
    generated_from: Callable[[int], ModuleType], data: st.DataObject
) -> None:
    version_8 = generated_from(8)
    template_id = data.draw(st.sampled_from(sorted(version_8.BY_TEMPLATE)))
    entries = data.draw(st.integers(0, 3))
    for source, target in ((version_8, m), (m, version_8)):
        sent = source.BY_TEMPLATE[template_id].decode(sample(source.BY_TEMPLATE[template_id], entries))
        received = target.decode(sent.encode())
        same_fields(sent, received)


def same_fields(sent: Any, received: Any) -> None:
    """Check that what both versions know is equal, and what only the receiver knows is null."""
    known = {field.attribute for field in sent.FIELDS}
    for field in received.FIELDS:
        if field.constant is None:
            expected = getattr(sent, field.attribute) if field.attribute in known else null_of(field)
            assert getattr(received, field.attribute) == expected
    for group, _ in getattr(received, "GROUPS", ()):
        pairs = zip(getattr(sent, group.attribute), getattr(received, group.attribute), strict=True)
        for one, other in pairs:
            same_fields(one, other)


@pytest.mark.schema
@pytest.mark.parametrize("version", [8, 9])
def test_the_exchanges_own_file_generates_working_classes(
    generated_from: Callable[[int], ModuleType], version: int
) -> None:
    package = generated_from(version)
    for message in package.BY_TEMPLATE.values():
        frame = sample(message, entries=2)
        assert package.decode(frame).encode() == frame
        assert frame[10] == version
    if version == 9:
        assert {t: sample(message) for t, message in package.BY_TEMPLATE.items()} == {
            t: sample(message) for t, message in m.BY_TEMPLATE.items()
        }


def test_more_entries_than_a_count_can_say_are_refused() -> None:
    report = m.ExecutionReportTradeOutright.decode(sample(m.ExecutionReportTradeOutright, entries=1))
    report.no_fills *= 254
    assert m.decode(report.encode()) == report
    report.no_fills *= 2
    with pytest.raises(EncodeError, match="508 entries in a group of at most 254"):
        report.encode()
