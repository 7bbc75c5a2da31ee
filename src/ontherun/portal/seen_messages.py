"""The last messages of a session in words, decoded when somebody looks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ontherun.client.conversation import Mood, describe
from ontherun.client.instruments import Instruments
from ontherun.gateway.live import LastFrames
from ontherun.ilink.messages import decode
from ontherun.portal.status import Status
from ontherun.sbe import DecodeError
from ontherun.sbe.readable import to_dict

Tone = Literal["idle", "good", "bad", "busy"]
_TONES: Mapping[Mood, Tone] = {
    Mood.ASKS: "idle",
    Mood.AGREES: "good",
    Mood.TRADES: "busy",
    Mood.REFUSES: "bad",
    Mood.KEEPS_ALIVE: "idle",
}


@dataclass(frozen=True, slots=True)
class SeenMessage:
    """A message that went by. `received`: from the client; `at`: its SendingTimeEpoch, ns since the epoch, of the
    sender's clock; `number`: its SeqNum; `words`: what it says; `fields` by the standard's names."""

    segment: int
    received: bool
    at: int | None
    number: int | None
    name: str
    words: str
    tone: Tone
    fields: Mapping[str, Any]


def last_messages(status: Status, session_id: str, count: int) -> list[SeenMessage]:
    """Up to `count` messages each way and segment, the newest first."""
    instruments = Instruments({each.symbol: each.security_id for each in status.instruments()})
    seen = [message for frames in status.last_frames(session_id, count) for message in _read(frames, instruments)]
    seen.sort(key=lambda message: message.at or 0)
    return seen[::-1]


def _read(frames: LastFrames, instruments: Instruments) -> Iterator[SeenMessage]:
    for received, each in ((True, frames.received), (False, frames.sent)):
        for frame in each:
            yield _seen(frames.segment, frame, instruments, received=received)


def _seen(segment: int, frame: bytes, instruments: Instruments, *, received: bool) -> SeenMessage:
    try:
        message = decode(frame)
    except DecodeError as error:  # a client's message with a readable number alone
        return SeenMessage(segment, received, None, None, "not decoded", str(error), "bad", {})
    line = describe(message, instruments)
    at = getattr(message, "sending_time_epoch", None)
    return SeenMessage(
        segment, received, at, line.number, line.name, line.words, _TONES[line.mood], to_dict(message)["fields"]
    )
