"""A stream in any pieces gives its frames; the first bad header ends it, after all frames before."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontherun.sbe import Framer, FramingError


def frame(size: int = 12, encoding: int = 0xCAFE, fill: int = 0) -> bytes:
    return struct.pack("<HH", size, encoding) + bytes([fill]) * (max(size, 12) - 4)


FRAMES = st.lists(st.builds(frame, st.integers(12, 400), fill=st.integers(0, 255)), max_size=8)


def pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    at = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    return [stream[start:end] for start, end in pairwise(at)]


@given(FRAMES, st.lists(st.integers(0, 3200), max_size=12))
@settings(deadline=None)
def test_frames_arrive_whole_and_in_order_however_the_stream_is_cut(frames: list[bytes], cuts: list[int]) -> None:
    framer = Framer()
    received = [frame for piece in pieces(b"".join(frames), cuts) for frame in framer.feed(piece)]
    assert received == frames
    assert framer.pending == 0


def test_a_stream_of_single_bytes_gives_its_frames() -> None:
    framer = Framer()
    received = [framer.feed(bytes([byte])) for byte in frame(20) + frame(13)]
    assert [len(frames) for frames in received if frames] == [1, 1]
    assert [index for index, frames in enumerate(received) if frames] == [19, 32]


def test_an_unfinished_frame_waits() -> None:
    framer = Framer()
    assert framer.feed(frame(40)[:39]) == []
    assert framer.pending == 39
    assert framer.feed(frame(40)[39:]) == [frame(40)]


@pytest.mark.parametrize("size", [0, 1, 11])
def test_a_size_below_the_header_is_refused(size: int) -> None:
    with pytest.raises(FramingError, match=f"frame size is {size}") as caught:
        Framer().feed(frame(size))
    assert (caught.value.what, caught.value.value) == ("size", size)


def test_a_size_above_the_limit_is_refused() -> None:
    assert Framer(max_size=100).feed(frame(100)) == [frame(100)]
    with pytest.raises(FramingError) as caught:
        Framer(max_size=100).feed(frame(101))
    assert (caught.value.what, caught.value.value) == ("size", 101)


def test_another_encoding_type_is_refused() -> None:
    with pytest.raises(FramingError, match="frame encoding is 0xEB50") as caught:
        Framer().feed(frame(encoding=0xEB50))
    assert (caught.value.what, caught.value.value) == ("encoding", 0xEB50)


def test_a_tag_value_message_is_refused_by_its_first_bytes() -> None:
    with pytest.raises(FramingError) as caught:
        Framer().feed(b"8=FIX.4.2\x019=5\x01")
    assert caught.value.what == "encoding"


def test_four_bytes_are_enough_to_refuse() -> None:
    with pytest.raises(FramingError):
        Framer().feed(frame(11)[:4])


def test_frames_before_the_bad_one_come_with_the_error() -> None:
    framer = Framer()
    assert framer.feed(frame(12) + frame(30)[:5]) == [frame(12)]
    with pytest.raises(FramingError) as caught:
        framer.feed(frame(30)[5:] + frame(14) + frame(3) + frame(12))
    assert caught.value.frames == [frame(30), frame(14)]


def test_a_bad_stream_stays_bad() -> None:
    framer = Framer()
    with pytest.raises(FramingError):
        framer.feed(frame(12) + frame(3))
    with pytest.raises(FramingError) as caught:
        framer.feed(frame(12))
    assert caught.value.frames == []


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=6))
@settings(max_examples=200, deadline=None)
def test_random_bytes_raise_only_framing_errors(stream: bytes, cuts: list[int]) -> None:
    framer = Framer()
    try:
        for piece in pieces(stream, cuts):
            for received in framer.feed(piece):
                assert len(received) >= 12
    except FramingError:
        pass
