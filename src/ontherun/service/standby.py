"""The standby: a second process on the same data, warm, that takes over when the venue's process ends.

It follows the journals and the registry of the running venue without writing either, serves the backup gateways, and
waits for the venue's lock, which the kernel gives free when the process that holds it ends, however it ends. Then it is
the only writer: it reads the journals to their end, promotes the sessions that wait on the backups, and after that
opens what else a venue has. docs/fault-tolerance.md tells the whole story.
"""

import asyncio
import contextlib
import gc
import importlib
import os
from collections import deque
from collections.abc import Callable
from typing import Any, Self, cast

from ontherun.portal.status import GatewayAddress
from ontherun.registry import DataDirectoryInUseError, DirectoryLock, DirectoryReader, RegistryError
from ontherun.service import pair, ready
from ontherun.service.authority import RegistryAuthority
from ontherun.service.clock import SystemClock
from ontherun.service.log import JsonLog
from ontherun.service.segment_runtime import SegmentRuntime
from ontherun.service.settings import Settings
from ontherun.service.venue import Venue, Warm

GLANCE = 0.005
"""Seconds between two looks at the journals and at the venue's lock."""

BATCHES = 256
"""Batches that are carried out before clients are looked after again."""

REFRESH = 0.25
"""Seconds between two looks at the registry; more where reading it takes long."""

PATIENCE = 60.0
"""Seconds that a venue may take until it says in DIR/up.json that it runs."""

UNTOLD = 10_000
"""Uses of keys, and trace entries, that are kept until the registry is ours; the oldest go first."""


async def start(settings: Settings) -> "Venue | Standby":
    """Be the venue on the data, or the standby of the one that is. Raises what `Venue.start` raises, and PairError."""
    while True:
        with contextlib.suppress(DataDirectoryInUseError):
            return await Venue.start(settings)
        with contextlib.suppress(_VenueGone):
            return await Standby.start(settings)


class Standby:
    """Made by `Standby.start`. `ended` is done when the venue's process has ended: then `take_over` is due.

    `ready` is what the ready file says.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.segments = {segment: SegmentRuntime(segment, settings) for segment in sorted(settings.segments)}
        self.ended: asyncio.Task[DirectoryLock]
        self.ready: ready.Ready
        self._clock = SystemClock()
        self._failed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self._uses = _Untold()
        self._traces = _Untold()
        self._until_then = contextlib.AsyncExitStack()
        self._lasting = contextlib.AsyncExitStack()

    @classmethod
    async def start(cls, settings: Settings) -> Self:
        """Follow the venue that runs on the data, and listen for its backups.

        Raises RegistryError (PairError among them), JournalError, RecoveryError or OSError with a message for a person;
        nothing stays open then.
        """
        standby = cls(settings)
        try:
            await standby._open()
        except BaseException:
            await standby.stop()
            raise
        return standby

    async def stop(self) -> None:
        """Stand by no longer."""
        await self._until_then.aclose()
        await self._lasting.aclose()

    def gateways(self) -> list[GatewayAddress]:
        """The backups that listen here."""
        return [address for segment in self.segments.values() for address in segment.addresses()]

    async def take_over(self) -> Venue:
        """Be the venue: first for the sessions that wait, then for everybody. `ended` must be done.

        Raises what `Venue.start` raises; nothing stays open then.
        """
        try:
            lock = self.ended.result()
        except BaseException:
            await self.stop()
            raise
        try:
            for segment in self.segments.values():
                segment.take_over(self.settings.segments[segment.segment_id], self._log)
            gc.freeze()  # so that the venue's start collects only its own garbage
            await self._until_then.aclose()
            self._log.go_on_in(self.settings.data / "ontherun.log")
            warm = Warm(self._clock, self._log, self.segments, self._failed, self._lasting, self._hand_over)
            return await Venue.succeed(self.settings, lock, warm)
        except BaseException:
            await self.stop()
            lock.release()
            raise

    def _hand_over(self, venue: Venue) -> None:
        """Have the gateways ask and tell the venue, which has its registry and traces now."""
        self._authority.ask(venue.registry.directory, venue.registry.pairs.note_use)
        self._uses.tell(venue.registry.pairs.note_use)
        self._traces.tell(venue.traces.note)
        for segment in self.segments.values():
            for connection in segment.gateway.connections:
                connection.rebind()

    async def _open(self) -> None:
        settings = self.settings
        lock = pair.StandbyLock(settings.data)
        self._until_then.callback(lock.release)
        up = await self._venue()
        self._log = log = JsonLog(settings.data / "standby.log", self._clock.now)
        self._lasting.callback(log.close)
        reader = await DirectoryReader.open(settings.data, self._clock)
        self._until_then.push_async_callback(reader.close)
        self._authority = RegistryAuthority(reader.directory, self._uses)
        policy = settings.session_policy()
        for segment in self.segments.values():
            self._lasting.push_async_callback(segment.close)
            segment.follow(self._authority, policy, self._clock.now, log, self._broken, self._traces)
        taken = {gateway["port"] for gateway in up["gateways"] if gateway["role"] == "primary"}
        for segment in self.segments.values():
            await segment.stand_by(taken)
        lock.tell(self.gateways())
        self._say_so(up)
        refreshing = asyncio.create_task(self._refresh(reader))
        self._until_then.push_async_callback(_cancelled, refreshing)
        self.ended = asyncio.create_task(self._follow())
        self._until_then.push_async_callback(_cancelled, self.ended)
        importlib.import_module("ontherun.portal.app")  # a venue does so when it is asked: this one is to be warm
        gc.collect()
        gc.freeze()
        gc.disable()
        self._lasting.callback(gc.enable)
        log.info("standing_by", venue=up["pid"], gateways=[f"{a.segment}:{a.port}" for a in self.gateways()])

    async def _venue(self) -> dict[str, Any]:
        """What the venue says of itself, once it runs. Raises PairError or _VenueGone."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while True:
                    if (up := pair.running_venue(self.settings.data)) is not None:
                        return up
                    if (lock := pair.venue_lock(self.settings.data)) is not None:
                        lock.release()
                        raise _VenueGone
                    await asyncio.sleep(GLANCE)
        raise pair.PairError(f"another process has {self.settings.data} in use, and no venue runs there")

    def _say_so(self, up: dict[str, Any]) -> None:
        """Write the ready file, and the backups into the venue's."""
        primaries = [gateway for gateway in up["gateways"] if gateway["role"] == "primary"]
        both = up | {"gateways": [*primaries, *map(ready.address, self.gateways())]}
        self.ready = cast("ready.Ready", both | {"pid": os.getpid(), "standby": True})
        ready.write(self.settings.data / "up.json", cast("ready.Ready", both))
        if self.settings.ready_file is not None:
            ready.write(self.settings.ready_file, self.ready)

    async def _follow(self) -> DirectoryLock:
        while True:
            behind = [segment.following.catch_up(BATCHES) == BATCHES for segment in self.segments.values()]
            lock = pair.venue_lock(self.settings.data)
            if lock is not None:
                return lock
            await asyncio.sleep(0 if any(behind) else GLANCE)

    async def _refresh(self, reader: DirectoryReader) -> None:
        pause, clock = REFRESH, asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(pause)
            began = clock()
            try:
                if await reader.refresh():
                    self._authority.ask(reader.directory, self._uses)
            except RegistryError as error:  # what was read before still holds
                self._log.error("registry_not_read", reason=str(error))
            pause = max(REFRESH, 10 * (clock() - began))

    def _broken(self, error: Exception) -> None:
        if not self._failed.done():
            self._failed.set_result(error)


class _VenueGone(Exception):  # noqa: N818 - it names a condition, not a mistake
    """There is no venue to stand by for: be one."""


class _Untold:
    """Takes calls, and passes them on once there is somebody to take them."""

    def __init__(self) -> None:
        self._calls: deque[tuple[Any, ...]] = deque(maxlen=UNTOLD)
        self._to: Callable[..., object] = lambda *call: self._calls.append(call)

    def __call__(self, *call: Any) -> None:
        self._to(*call)

    def tell(self, to: Callable[..., object]) -> None:
        """Pass on what was kept, and from here on everything."""
        self._to = to
        while self._calls:
            to(*self._calls.popleft())


async def _cancelled(task: asyncio.Task[Any]) -> None:
    """Cancel a task, unless it has ended, and let it."""
    task.cancel()
    await asyncio.wait({task})
