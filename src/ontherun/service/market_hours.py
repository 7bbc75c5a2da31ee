"""Keeps the hours of the markets: wakes when the next phase of a trading day begins."""

import asyncio
import contextlib
from collections.abc import Callable, Collection

from ontherun.service.segment_runtime import SegmentRuntime

LONGEST_SLEEP = 60.0
"""Seconds after which the clock is looked at again, for the machine's may have been set."""


class MarketHours:
    """A task that brings every segment into its next phase when that begins."""

    def __init__(self, segments: Collection[SegmentRuntime], clock: Callable[[], int]) -> None:
        self._segments = segments
        self._clock = clock
        self._moved = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Look at the clock again: it was moved."""
        self._moved.set()

    async def stop(self) -> None:
        """End; the markets stay as they are."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        while True:
            self._moved.clear()
            for segment in self._segments:
                segment.keep_hours()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), self._pause())

    def _pause(self) -> float:
        begins = [phase.at for phase in map(SegmentRuntime.next_phase, self._segments) if phase is not None]
        return min([LONGEST_SLEEP, *(max((at - self._clock()) / 1e9, 0.0) for at in begins)])
