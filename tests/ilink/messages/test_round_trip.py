"""Every message survives every way out and back, and no bytes get anything but DecodeError out of the codec."""

import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontherun.ilink.messages import BY_TEMPLATE, Message, decode
from ontherun.sbe.errors import DecodeError
from ontherun.sbe.layout import Composite, Field, Type
from ontherun.sbe.message import Structure
from ontherun.sbe.readable import from_dict, from_json, to_dict, to_json

EVERY = sorted(BY_TEMPLATE)


def scalar(code: str) -> st.SearchStrategy[Any]:
    """Any value that `struct` can pack under this code, the limits more often."""
    if code.endswith("s"):
        return st.binary(max_size=int(code[:-1]))
    bits = 8 * struct.calcsize(f"<{code}")
    low, high = (0, (1 << bits) - 1) if code.isupper() else (-(1 << bits - 1), (1 << bits - 1) - 1)
    return st.integers(low, high) | st.sampled_from([low, high, 0, 1])


def values(fields: tuple[Field, ...]) -> list[st.SearchStrategy[Any]]:
    kinds = [field.type for field in fields if field.constant is None]
    codes = [[part.code for part in kind.carried] if isinstance(kind, Composite) else [kind.code] for kind in kinds]
    return [scalar(code) for block in codes for code in block]


def packed(structure: type[Structure], *after: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    return st.tuples(*values(structure.FIELDS), *after).map(lambda row: structure.pack(*row))


def frames(message: type[Message]) -> st.SearchStrategy[bytes]:
    groups = [st.lists(packed(entry), max_size=3) for _, entry in message.GROUPS]
    return packed(message, *groups, *(st.binary(max_size=9) for _ in message.DATA))


any_frame = st.sampled_from(EVERY).flatmap(lambda template_id: frames(BY_TEMPLATE[template_id]))


@pytest.mark.parametrize("template_id", EVERY)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_every_message_is_the_same_after_every_way_out_and_back(template_id: int, data: st.DataObject) -> None:
    frame = data.draw(frames(BY_TEMPLATE[template_id]))
    message = decode(frame)
    assert type(message) is BY_TEMPLATE[template_id]
    assert message.encode() == frame
    names: tuple[str, ...] = type(message).__slots__
    assert type(message)(**{name: getattr(message, name) for name in names}) == message
    assert from_dict(to_dict(message), BY_TEMPLATE) == message
    assert from_json(to_json(message), BY_TEMPLATE) == message


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(any_frame)
def test_a_long_run_of_frames_is_the_same_after_every_way_out_and_back(frame: bytes) -> None:
    message = decode(frame)
    assert message.encode() == frame
    assert from_json(to_json(message), BY_TEMPLATE) == message


@given(any_frame)
@settings(deadline=None)
def test_a_fault_names_a_tag_of_the_message(frame: bytes) -> None:
    message = decode(frame)
    fault = message.fault()
    blocks = [type(message), *(entry for _, entry in message.GROUPS)]
    assert fault is None or fault.tag in {field.tag for block in blocks for field in block.FIELDS}


@given(st.binary(max_size=200), any_frame, st.integers(0, 11))
@settings(deadline=None)
def test_random_bytes_after_a_header_raise_only_decode_errors(noise: bytes, frame: bytes, kept: int) -> None:
    read(noise)
    read(frame[:kept] + noise)
    read(frame[:12] + noise)


@given(any_frame, st.data())
@settings(max_examples=200, deadline=None)
def test_a_mutated_frame_raises_only_decode_errors(frame: bytes, data: st.DataObject) -> None:
    changed = bytearray(frame)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(changed) - 1))
        what = data.draw(st.sampled_from(["change", "cut", "insert"]))
        if what == "change":
            changed[at] = data.draw(st.integers(0, 255))
        elif what == "cut":
            del changed[at : at + data.draw(st.integers(1, 8))]
        else:
            changed[at:at] = data.draw(st.binary(min_size=1, max_size=8))
        if not changed:
            break
    read(bytes(changed))


@pytest.mark.slow
@given(any_frame, st.data())
@settings(max_examples=1000, deadline=None)
def test_any_length_in_a_header_raises_only_decode_errors(frame: bytes, data: st.DataObject) -> None:
    size, block = data.draw(st.integers(0, 65535)), data.draw(st.integers(0, 65535))
    read(struct.pack("<H", size) + frame[2:4] + struct.pack("<H", block) + frame[6:])


@pytest.mark.parametrize("template_id", EVERY)
def test_a_frame_cut_anywhere_is_refused(template_id: int) -> None:
    message = BY_TEMPLATE[template_id]
    frame = one_of_each(message)
    for size in range(len(frame)):
        with pytest.raises(DecodeError):
            decode(frame[:size])
        with pytest.raises(DecodeError):
            message.decode(b"\xaa" + frame[:size], 1)


def one_of_each(message: type[Message]) -> bytes:
    """A frame of zeros with an entry in each group and a byte in each data."""
    groups = [[zeros(entry)] for _, entry in message.GROUPS]
    return zeros(message, *groups, *(b"x" for _ in message.DATA))


def zeros(structure: type[Structure], *after: Any) -> bytes:
    kinds = [field.type for field in structure.FIELDS if field.constant is None]
    row: list[Any] = []
    for kind in kinds:
        text = isinstance(kind, Type) and kind.is_text
        row += [b"" if text else 0] * (len(kind.carried) if isinstance(kind, Composite) else 1)
    return structure.pack(*row, *after)


def read(data: bytes) -> None:
    """Decode as a gateway would: what is accepted must be usable in every way, what is not raises DecodeError."""
    try:
        message = decode(data)
    except DecodeError:
        return
    message.fault()
    assert decode(message.encode()) == message
    assert from_dict(to_dict(message), BY_TEMPLATE) == message
