"""The stream decoder and every message's decoder."""

import random

from ontherun.ilink.messages import BY_TEMPLATE, decode
from ontherun.sbe import DecodeError, Framer, FramingError

from .breaking import broken, pieces, random_frame


def cut(parts: list[bytes]) -> tuple[list[bytes], tuple[str, int] | None]:
    """What a Framer makes of a stream that arrives in these parts: the frames, and the fault that ended it."""
    framer, frames = Framer(), []
    for part in parts:
        try:
            frames += framer.feed(part)
        except FramingError as fault:
            frames += fault.frames
            return frames, (fault.what, fault.value)
    return frames, None


def frames_do_not_depend_on_the_pieces(seed: int) -> None:
    """However the bytes are cut, the frames and the fault are the same, and the frames are the stream's beginning."""
    rng = random.Random(seed)
    stream = b"".join(
        broken(rng, frame) if rng.random() < 0.1 else frame
        for frame in (random_frame(rng) for _ in range(rng.randrange(1, 12)))
    )
    whole = cut([stream])
    assert cut(pieces(rng, stream)) == whole
    assert cut([stream[at : at + 1] for at in range(len(stream))]) == whole
    assert stream.startswith(b"".join(whole[0]))


def a_frame_is_a_message_or_a_decode_error(seed: int) -> None:
    """A decoder raises DecodeError or gives a message that says the same when it is encoded and decoded again."""
    rng = random.Random(seed)
    for _ in range(8):
        frame = random_frame(rng)
        if rng.random() < 0.5:
            frame = broken(rng, frame)
        try:
            message = decode(frame)
        except DecodeError:
            continue
        assert type(message) is BY_TEMPLATE[int.from_bytes(frame[6:8], "little")]
        again = decode(message.encode())
        assert again == message
        message.fault()
