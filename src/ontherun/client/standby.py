"""Standby: the connection to the designated backup, kept warm while the session trades on the primary.

Source: CME client wiki, Fault Tolerance Scenarios: the backup is established with the primary's UUID and carries no
numbers; it ends with Terminate 26 when the client leaves the primary, and becomes the primary, by a Sequence with
FaultToleranceIndicator 1, when the primary fails.
"""

import asyncio
import logging
from typing import Final, Protocol

from ontherun.client.errors import Disconnected, LoginRefused
from ontherun.client.reconnect import Reconnect, pause
from ontherun.client.recovery import BackupLost, BackupReady, RecoveryEvent
from ontherun.client.wire import Wire
from ontherun.ilink.client_events import Event, PromotedToPrimary
from ontherun.ilink.transitions import ClientState

_log = logging.getLogger("ontherun.client")

_MOST_BAD_LOGINS: Final = 2
"""Bad logins, of the last ones remembered, beyond which the backup tries no more: the rest are left for the primary."""


class Primary(Protocol):
    """The link, as far as its standby knows it."""

    async def ready(self) -> None:
        """Wait until the session trades. Raises what ended it."""

    async def new_wire(self, host: str, port: int) -> Wire:
        """A connection whose machine shares the session's numbers. Raises Unreachable."""

    def promoted(self, wire: Wire) -> None:
        """This connection is the primary from now on."""

    def tell(self, event: RecoveryEvent) -> None:
        """Something for `on_recovery`."""


class Standby:
    """One warm connection to `host` and `port`, made again when it was lost and the primary is established."""

    def __init__(self, primary: Primary, host: str, port: int, how: Reconnect, keep_alive_interval: int) -> None:
        self._primary = primary
        self._host = host
        self._port = port
        self._how = how
        self._interval = keep_alive_interval
        self._wire: Wire | None = None
        self._over = asyncio.Event()
        self._task = asyncio.create_task(self._keep())

    @property
    def warm(self) -> bool:
        """Whether it is established."""
        return self._wire is not None and self._wire.machine.state is ClientState.BACKUP

    def serves(self, place: tuple[str, int]) -> bool:
        """Whether it still keeps a connection to this address."""
        return place == (self._host, self._port) and not self._task.done()

    def leave(self) -> None:
        """Go at once."""
        self._task.cancel()
        if self._wire is not None:
            self._wire.abort()

    async def stop(self) -> None:
        """End the connection by Terminate."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._wire is not None and self.warm:
            self._wire.terminate()
            await self._wire.closed

    async def decided(self, patience: float) -> None:
        """Wait until the connection is over or promoted, at most `patience` s."""
        if self.warm:
            try:
                async with asyncio.timeout(patience):
                    await self._over.wait()
            except TimeoutError:
                _log.info("the backup was neither promoted nor ended within %.1f s", patience)

    async def _keep(self) -> None:
        delay: float | None = self._how.first_delay
        while delay is not None:
            await self._primary.ready()
            try:
                await self._log_in()
            except (Disconnected, LoginRefused) as error:
                self._primary.tell(BackupLost(error))
                _log.info("no backup at %s:%d: %s", self._host, self._port, error)
                delay = pause(error, min(2 * delay, self._how.greatest_delay), self._interval)
            else:
                await self._over.wait()
                delay = self._how.first_delay
            await asyncio.sleep(delay or 0)

    async def _log_in(self) -> None:
        wire = await self._primary.new_wire(self._host, self._port)
        wire.on_event, wire.on_lost = self._on_event, self._on_lost
        try:
            if len(wire.machine.memory.bad_logins) > _MOST_BAD_LOGINS:
                raise Disconnected("further logins are left to the primary")
            await wire.ask(wire.machine.establish(wire.now(), backup=True))
        except BaseException:
            wire.abort()
            await wire.closed
            raise
        self._over.clear()
        self._wire = wire
        self._primary.tell(BackupReady(self._host, self._port))

    def _on_event(self, wire: Wire, event: Event) -> None:
        if isinstance(event, PromotedToPrimary):
            self._wire = None
            self._primary.promoted(wire)
            self._over.set()

    def _on_lost(self, wire: Wire) -> None:
        if wire is self._wire:
            self._wire = None
            self._primary.tell(BackupLost(wire.why()))
            self._over.set()
