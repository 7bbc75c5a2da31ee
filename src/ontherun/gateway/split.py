"""The MSGW safeguards: business messages that arrive in pieces are delayed, and what queues up behind them is limited.

A frame is split here when one read of the socket ends inside it: TCP segments cannot be seen any closer. What came
behind it in the read that completes it had to wait for it. Answers say so in SplitMsg (9553). The exchange delays by
3 us at least, which every answer here takes anyway; nothing is held back any longer, so no queue outlives its read, and
Terminate 28 and the rejects 16 and 17 never come up. Source: CME client wiki, MSGW Safeguards.
"""

from typing import TYPE_CHECKING

from ontherun.gateway.lane import Lane
from ontherun.ilink.messages.enums import SplitMsg
from ontherun.ilink.templates import SPLIT_MSG
from ontherun.sbe.framing import HEADER_SIZE

if TYPE_CHECKING:
    from ontherun.gateway.engine import Engine


def delayed(engine: "Engine", data: bytes) -> int:
    """How many whole business messages stand in `data`, of which the first came in pieces; 0 when it is none, or not
    whole yet."""
    count = position = 0
    while len(data) - position >= HEADER_SIZE:
        size = int.from_bytes(data[position : position + 2], "little")
        if not HEADER_SIZE <= size <= len(data) - position or not engine.is_business(data[position : position + size]):
            break
        count += 1
        position += size
    return count


def take(engine: "Engine", lane: Lane, data: bytes, end: int, now: int) -> int:
    """`Engine.take`, from the beginning of `data`, whose first message came in pieces."""
    first = int.from_bytes(data[:2], "little")
    before = len(lane.out)
    stop = engine.take(lane, data, 0, first, now)
    _mark(lane, before, SplitMsg.SPLIT_MESSAGE_DELAYED)
    if stop == first:
        before = len(lane.out)
        stop = engine.take(lane, data, first, end, now)
        _mark(lane, before, SplitMsg.COMPLETE_MESSAGE_DELAYED)
    return stop


def _mark(lane: Lane, start: int, value: SplitMsg) -> None:
    """Say in this turn's answers from `start` on what was delayed."""
    for place in range(start, len(lane.out)):
        frame = lane.out[place]
        at = SPLIT_MSG.get(int.from_bytes(frame[6:8], "little"))
        if at is not None:
            lane.out[place] = frame[:at] + bytes([value]) + frame[at + 1 :]
