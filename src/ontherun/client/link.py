"""Link: a session's login, and its way back after a loss."""

import asyncio
from typing import Final

from ontherun.client.binding import Binding, LinkOptions, Listener, log
from ontherun.client.errors import ClientError, Disconnected, LoginRefused, StateError, Terminated
from ontherun.client.keyfile import KeyFile
from ontherun.client.login import Login
from ontherun.client.reconnect import STAY_AWAY, Reconnect, pause
from ontherun.client.recovery import ConnectionLost, LoggedIn, LoginPostponed, Promoted, RequestsNotApplied
from ontherun.client.standby import Standby
from ontherun.client.state import StateFile
from ontherun.client.wire import Wire
from ontherun.ilink.client_events import (
    BusinessMessage,
    EstablishmentAccepted,
    Event,
    MessagesLost,
    MessagesRecovered,
    MessagesRequested,
    NegotiationAccepted,
    NumbersNotApplied,
)
from ontherun.ilink.client_session import Numbered

_PROMOTION: Final = 1.0
"""Seconds in which a venue whose primary is gone promotes the backup or ends it; then the session logs in by itself."""

_REMEMBERED: Final = 10_000
"""Requests kept for sending them again."""


class Link(Binding):
    """One session on one market segment, over as many connections as it takes."""

    def __init__(self, login: Login, listener: Listener, state: StateFile | None, options: LinkOptions) -> None:
        super().__init__(login, listener, state, options)
        self.error: ClientError | None = None
        self._numbered_under = self.memory.uuid
        self._new_week = False
        self._standby: Standby | None = None
        self._sent: dict[int, Numbered] = {}
        self._settled = asyncio.Event()
        self._leaving = False
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def backup_ready(self) -> bool:
        """Whether the connection to the designated backup is established."""
        return self._standby is not None and self._standby.warm

    async def open(self) -> None:
        """Log in: with a new UUID, or under the stored one. Raises LoginRefused or Disconnected."""
        await self._log_in(new_uuid=self._uuid is not None or not self.memory.negotiated_uuid)
        self._keep_standby()
        self._supervisor = asyncio.create_task(self._supervise())
        self._supervisor.add_done_callback(self._supervised)

    async def ready(self) -> None:
        """Wait until the session is established, again if need be. Raises what ended it."""
        while not self.established:
            if self.error is not None:
                raise self.error
            self._settled.clear()
            await self._settled.wait()

    def send(self, message: Numbered) -> int:
        """Send a business message; its number. Raises Disconnected when there is no established connection."""
        if self._wire is None or not self.established:
            raise self.error or Disconnected("not logged in now; wait for `ready()`")
        number = self._wire.send_business(message)
        if self._options.resend is not None:
            self._sent[number] = message
            if len(self._sent) > _REMEMBERED:
                del self._sent[next(iter(self._sent))]
        return number

    def rewind(self, seq_num: int) -> None:
        """The venue did not consume this number: use it again, unless others followed already."""
        if self._wire is not None and self.established and self.memory.next_outbound == seq_num + 1:
            self._wire.machine.rewind(seq_num)

    async def rotate(self, key: KeyFile) -> None:
        """Log out and in again with another key, under the same UUID.

        Raises LoginRefused, with the session logged in as before where the old pair is still accepted; Disconnected.
        """
        await self.ready()
        others = [other for other in (self.login.key, *self.login.spare_keys) if other != key]
        self.login = self.login.with_(key=key, spare_keys=tuple(others))
        self._refused.clear()
        self._leaving = True
        assert self._wire is not None
        self._wire.terminate()
        await self.ready()
        if key.access_key_id in self._refused:
            raise self._refused[key.access_key_id]

    async def close(self) -> None:
        """Log out with Terminate, take what still comes until the venue answers, and close."""
        if self._standby is not None:
            await self._standby.stop()
        if self.error is None:
            self._end(Disconnected("the session was closed"), tell=False)
            if self._wire is not None and self.established:
                self._wire.terminate()
                await self._wire.closed
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
        if self._wire is not None:
            self._wire.abort()
            await self._wire.closed
        self._save()
        if self.error is not None:
            self._listener.on_end(self.error)

    def drop(self) -> None:
        """Lose the connection at once, as a broken cable would."""
        if self._wire is not None:
            self._wire.abort()

    def _end(self, error: ClientError, *, tell: bool = True) -> None:
        self.error = error
        self._settled.set()
        if tell:
            self._listener.on_end(error)

    def _unwritable(self, error: StateError) -> None:
        self._end(error)
        self.drop()

    # What the wire tells

    def _on_event(self, wire: Wire, event: Event) -> None:
        match event:
            case BusinessMessage():
                self._listener.on_business(event)
            case NumbersNotApplied():
                self._not_applied(wire, event)
            case MessagesLost():
                self._listener.on_messages_lost(event)
                self.tell(event)
            case MessagesRequested() | MessagesRecovered():
                self.tell(event)
            case NegotiationAccepted():
                self._new_week = event.new_week or self._new_week
                self._forget_history(event)
            case EstablishmentAccepted():
                self._established(wire)

    def _established(self, wire: Wire) -> None:
        new_week, self._new_week = self._new_week, False
        new_uuid = self.memory.uuid != self._numbered_under
        if new_uuid:
            self._numbered_under = self.memory.uuid
            self._sent.clear()
            self._listener.on_new_uuid()
        self._settled.set()
        self.tell(LoggedIn(self.memory.uuid, new_uuid, new_week, self.login.key.access_key_id, *wire.address))

    def _not_applied(self, wire: Wire, event: NumbersNotApplied) -> None:
        """Send again what shall be sent again, under the numbers that are free again, or under new ones."""
        first, resent = event.from_seq_no, dict[int, int]()
        again = self._options.resend
        if again is not None and self.established:
            numbers = range(first, first + event.count)
            messages = {number: self._sent.pop(number) for number in numbers if number in self._sent}
            if not event.filled:
                wire.machine.rewind(first)
            for number, message in messages.items():
                if again(message):
                    resent[number] = self.send(message)
            if not event.filled and not resent:
                wire.send(wire.machine.sequence(self._clock()))
        self._listener.on_not_applied(event, resent)
        self.tell(RequestsNotApplied(first, event.count, len(resent)))

    def _forget_history(self, event: NegotiationAccepted) -> None:
        """Without a memory, what others were told under the UUID before is not ours to miss."""
        if not self._options.catch_up and not self.memory.uuid and event.previous_uuid:
            self.memory.uuid = event.previous_uuid
            self.memory.next_inbound = event.previous_seq_no + 1

    def _on_lost(self, wire: Wire) -> None:
        if wire is self._wire:
            self._lost.set()

    def _keep_standby(self) -> None:
        """Keep the address warm where the session does not trade."""
        options = self._options
        if not options.standby or options.reconnect is None or len(self._places) < 2:
            return
        place = self._places[1]
        if self._standby is None or not self._standby.serves(place):
            if self._standby is not None:
                self._standby.leave()
            self._standby = Standby(self, *place, options.reconnect, self.login.keep_alive_interval)

    def promoted(self, wire: Wire) -> None:
        """The backup is the primary now: trade there."""
        old, self._wire = self._wire, wire
        wire.on_event, wire.on_lost = self._on_event, self._on_lost
        if old is not None:
            old.abort()
        self._lead(wire.address)
        self._keep_standby()
        log.warning("session %s: the backup became the primary", self.login.key.session_id)
        self.tell(Promoted(*wire.address))
        self._lost.set()
        self._settled.set()

    # The way back

    async def _supervise(self) -> None:
        while True:
            await self._lost.wait()
            self._lost.clear()
            if self.error is not None:
                return
            leaving, self._leaving = self._leaving, False
            if self.established or self._wire is None:
                continue
            why = self._wire.why()
            if not leaving:
                log.warning("session %s: %s", self.login.key.session_id, why)
                self.tell(ConnectionLost(why))
                if self._options.reconnect is None or (isinstance(why, Terminated) and why.code in STAY_AWAY):
                    self._end(why)
                    return
                if self._standby is not None:
                    await self._standby.decided(_PROMOTION)
            try:
                if not self.established:  # the backup may have become the primary
                    await self._come_back(self._options.reconnect or Reconnect(tries=1))
            except ClientError as error:
                self._end(error)
                return

    def _supervised(self, supervisor: asyncio.Task[None]) -> None:
        """A mistake of ours must not leave anybody waiting."""
        error = None if supervisor.cancelled() else supervisor.exception()
        if error is not None:
            self._end(Disconnected(f"the session cannot go on: {error!r}"))

    async def _come_back(self, how: Reconnect) -> None:
        tries, delay = 0, how.first_delay
        while True:
            tries += 1
            try:
                await self._log_in(new_uuid=not self.memory.negotiated_uuid)
                self._keep_standby()
                return
            except (Disconnected, LoginRefused) as error:
                if self.established:  # the backup was promoted meanwhile
                    return
                wait = pause(error, delay, self.login.keep_alive_interval)
                if wait is None or tries == how.tries:
                    raise
                log.info("session %s: %s; next try in %.1f s", self.login.key.session_id, error, wait)
                self.tell(LoginPostponed(wait, error))
            if await self._established_within(wait):
                return
            delay = min(2 * delay, how.greatest_delay)

    async def _established_within(self, seconds: float) -> bool:
        """Sleep; whether the session trades then."""
        await asyncio.sleep(seconds)
        return self.established
