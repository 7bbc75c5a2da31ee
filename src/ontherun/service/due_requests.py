"""Carries out requests when they are due."""

import asyncio
import contextlib
from typing import Protocol

from ontherun.registry import Registry

LONGEST_SLEEP = 60.0
"""Seconds after which the clock is looked at again, for the machine's may have been set."""

RETRY = 5.0
"""Seconds to wait after a fault, such as a database that cannot be written."""


class Log(Protocol):
    """What is written to the log."""

    def error(self, event: str, **values: object) -> None:
        """Write an error."""


class DueRequests:
    """A task that sleeps until the next request is due, or until something changes."""

    def __init__(self, registry: Registry, log: Log) -> None:
        self._registry = registry
        self._log = log
        self._changed = asyncio.Event()
        registry.requests.changed = self.wake
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Look at the clock and the requests again: one of them has moved."""
        self._changed.set()

    async def stop(self) -> None:
        """End after the request under way; the others stay due."""
        self._registry.requests.changed = lambda: None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            try:
                await self._registry.requests.run_due()
                pause = self._pause()
            except Exception as error:  # noqa: BLE001 - whatever it is, it must be seen, and tried again
                self._log.error("requests are not carried out", reason=repr(error))
                pause = RETRY
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), pause)

    def _pause(self) -> float:
        due = self._registry.requests.next_due()
        if due is None:
            return LONGEST_SLEEP
        return min(max((due - self._registry.clock.now()) / 1e9, 0.0), LONGEST_SLEEP)
