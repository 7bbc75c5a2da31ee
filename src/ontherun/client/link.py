"""Link: a session's login, and its way back after a loss."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final, Protocol

from ontherun.client.errors import ClientError, Disconnected, LoginRefused, StateError, Terminated
from ontherun.client.keyfile import KeyFile
from ontherun.client.login import Login
from ontherun.client.state import StateFile
from ontherun.client.values import member
from ontherun.client.wire import Clock, Observer, Wire
from ontherun.ilink.client_events import (
    BusinessMessage,
    Ended,
    EstablishmentAccepted,
    Event,
    LoginRejected,
    MessagesLost,
    NegotiationAccepted,
    NumbersNotApplied,
    Violation,
)
from ontherun.ilink.client_inbound import ClientMemory
from ontherun.ilink.client_login import ClientIdentity
from ontherun.ilink.client_session import ClientSession, Numbered
from ontherun.ilink.codes import EstablishmentRejectCode, NegotiationRejectCode, TerminateCode
from ontherun.ilink.transitions import ClientState

_log = logging.getLogger("ontherun.client")
_log.addHandler(logging.NullHandler())

_BEGIN_AGAIN: Final = frozenset(
    {TerminateCode.UNNEGOTIATED, TerminateCode.INVALID_NEXT_SEQ_NO, TerminateCode.INVALID_UUID}
)
"""A login under the old UUID that ends with one of these needs a new, greater UUID."""

_STILL_THERE: Final = frozenset({TerminateCode.ALREADY_NEGOTIATED, TerminateCode.ALREADY_ESTABLISHED})
"""The venue has not noticed yet that the lost connection is gone: it does after two keep-alive intervals."""

_STAY_AWAY: Final = frozenset({TerminateCode.CME_ADMINISTERED_PORT_CLOSURE, TerminateCode.VOLUME_CONTROLS})
"""An end that a person has to look at first."""

_PASSING: Final = frozenset({NegotiationRejectCode.HMAC_NOT_AVAILABLE, NegotiationRejectCode.VOLUME_CONTROLS})
"""Rejects that time heals. Every other refusal would be repeated, and the fifth within 60 s closes the ports."""


@dataclass(frozen=True, slots=True)
class Reconnect:
    """How to come back after a loss: wait `first_delay` s before the second try, twice as long before each next one.

    `greatest_delay`: s; `tries`: give up after so many, None: never.
    """

    first_delay: float = 0.1
    greatest_delay: float = 5.0
    tries: int | None = None


class Listener(Protocol):
    """What the link tells the session."""

    def on_business(self, event: BusinessMessage) -> None:
        """A business message, in order and once."""

    def on_not_applied(self, event: NumbersNotApplied) -> None:
        """The venue never got these; they are given up."""

    def on_messages_lost(self, event: MessagesLost) -> None:
        """The venue cannot send these again."""

    def on_new_uuid(self) -> None:
        """Numbers begin at 1 again."""

    def on_end(self, error: ClientError) -> None:
        """The session is over."""

    def unread(self, memory: ClientMemory) -> ClientMemory:
        """The memory without what nobody has read yet."""


class Link:
    """One session on one market segment, over as many connections as it takes."""

    def __init__(
        self,
        login: Login,
        listener: Listener,
        *,
        clock: Clock,
        uuid: int | None,
        state: StateFile | None,
        catch_up: bool,
        reconnect: Reconnect | None,
        observe: Observer | None,
    ) -> None:
        self.login = login
        self.memory = (state.read() if state else None) or ClientMemory()
        self.error: ClientError | None = None
        self._listener = listener
        self._clock = clock
        self._uuid = uuid
        self._numbered_under = self.memory.uuid
        self._state = state
        self._catch_up = catch_up
        self._reconnect = reconnect
        self._observe = observe
        self._wire: Wire | None = None
        self._answer: asyncio.Future[None] | None = None
        self._ended: Ended | Violation | None = None
        self._lost = asyncio.Event()
        self._settled = asyncio.Event()
        self._leaving = False
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def established(self) -> bool:
        """Whether business messages can be sent now."""
        return self._wire is not None and self._wire.machine.state is ClientState.ESTABLISHED

    async def open(self) -> None:
        """Log in: with a new UUID, or under the stored one. Raises LoginRefused or Disconnected."""
        await self._log_in(new_uuid=self._uuid is not None or not self.memory.negotiated_uuid)
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
        return self._wire.send_business(message)

    def rewind(self, seq_num: int) -> None:
        """The venue did not consume this number: use it again, unless others followed already."""
        if self._wire is not None and self.established and self.memory.next_outbound == seq_num + 1:
            self._wire.machine.rewind(seq_num)

    async def rotate(self, key: KeyFile) -> None:
        """Log out and in again with another key, under the same UUID. Raises LoginRefused or Disconnected."""
        await self.ready()
        self.login = self.login.with_(key=key)
        self._terminate()
        self._leaving = True
        await self.ready()

    async def close(self) -> None:
        """Log out with Terminate, take what still comes until the venue answers, and close."""
        if self.error is None:
            self._end(Disconnected("the session was closed"), tell=False)
            if self._wire is not None and self.established:
                self._terminate()
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

    def _terminate(self) -> None:
        assert self._wire is not None
        self._wire.send(self._wire.machine.terminate(self._clock()))

    def _end(self, error: ClientError, *, tell: bool = True) -> None:
        self.error = error
        self._settled.set()
        if tell:
            self._listener.on_end(error)

    def _save(self) -> bool:
        """Store the numbers before what carries them leaves; False when they cannot be stored."""
        if self._state is None:
            return True
        try:
            self._state.write(self._listener.unread(self.memory))
        except OSError as error:
            self._end(StateError(f"{self._state.path} cannot be written: {error}"))
            self.drop()
            return False
        return True

    # Logging in

    async def _log_in(self, *, new_uuid: bool) -> None:
        try:
            await self._attempt(new_uuid=new_uuid)
        except LoginRefused as refused:
            if new_uuid or refused.answer != "Terminate" or refused.code not in _BEGIN_AGAIN:
                raise
            _log.warning("session %s: %s; a new UUID is negotiated", self.login.key.session_id, refused)
            await self._attempt(new_uuid=True)

    async def _attempt(self, *, new_uuid: bool) -> None:
        machine = ClientSession(self._identity(), self.login.key.secret, self.memory, self._clock())
        wire = Wire(machine, self._clock, self._on_event, self._on_lost, self._save, self._observe)
        await self._connect(wire)
        self._wire, self._ended = wire, None
        self._lost.clear()
        try:
            if new_uuid:
                await self._ask(wire, machine.negotiate(self._clock(), self._new_uuid()))
                self._uuid = None
            await self._ask(wire, machine.establish(self._clock()))
        except BaseException:
            wire.abort()
            await wire.closed
            raise
        _log.info("session %s: established under UUID %d", self.login.key.session_id, machine.uuid)

    async def _connect(self, wire: Wire) -> None:
        login = self.login
        try:
            async with asyncio.timeout(2 * login.keep_alive_interval / 1000):
                await asyncio.get_running_loop().create_connection(lambda: wire, login.host, login.port, ssl=login.tls)
        except (OSError, TimeoutError) as error:
            raise Disconnected(f"cannot connect to {login.host}:{login.port}: {str(error) or 'no answer'}") from error

    async def _ask(self, wire: Wire, frame: bytes) -> None:
        self._answer = asyncio.get_running_loop().create_future()
        wire.send(frame)
        try:
            await self._answer
        finally:
            self._answer = None

    def _identity(self) -> ClientIdentity:
        login, key = self.login, self.login.key
        return ClientIdentity(
            key.session_id,
            key.firm,
            key.access_key_id,
            login.trading_system_name,
            login.trading_system_version,
            login.trading_system_vendor,
            login.keep_alive_interval,
        )

    def _new_uuid(self) -> int:
        if self._uuid is not None:
            return self._uuid
        return max(self._clock() // 1000, self.memory.uuid + 1, self.memory.negotiated_uuid + 1)

    # What the wire tells

    def _on_event(self, event: Event) -> None:
        match event:
            case BusinessMessage():
                self._listener.on_business(event)
            case NumbersNotApplied():
                self._listener.on_not_applied(event)
            case MessagesLost():
                self._listener.on_messages_lost(event)
            case NegotiationAccepted():
                self._forget_history(event)
                self._answered(None)
            case EstablishmentAccepted():
                if self.memory.uuid != self._numbered_under:
                    self._numbered_under = self.memory.uuid
                    self._listener.on_new_uuid()
                self._settled.set()
                self._answered(None)
            case LoginRejected():
                self._answered(_refusal(event))
            case Ended() | Violation():
                self._ended = event
                self._answered(self._why(login=True))

    def _forget_history(self, event: NegotiationAccepted) -> None:
        """Without a memory, what others were told under the UUID before is not ours to miss."""
        if not self._catch_up and not self.memory.uuid and event.previous_uuid:
            self.memory.uuid = event.previous_uuid
            self.memory.next_inbound = event.previous_seq_no + 1

    def _answered(self, error: ClientError | None) -> None:
        if self._answer is None or self._answer.done():
            return
        if error is None:
            self._answer.set_result(None)
        else:
            self._answer.set_exception(error)

    def _on_lost(self, wire: Wire) -> None:
        if wire is self._wire:
            self._wire = None
            self._lost.set()
            self._answered(self._why(login=True))

    def _why(self, *, login: bool = False) -> ClientError:
        """Why the connection ended; `login`: while logging in."""
        match self._ended:
            case Ended(code=-1) as ended:
                return Disconnected(ended.reason)
            case Ended() as ended:
                code = member(TerminateCode, ended.code)
                return LoginRefused("Terminate", code, ended.reason) if login else Terminated(code, ended.reason)
            case Violation() as violation:
                return Disconnected(f"the venue broke the protocol: {violation.reason}")
            case _:
                return Disconnected("the connection was lost")

    # The way back

    async def _supervise(self) -> None:
        while True:
            await self._lost.wait()
            if self.error is not None:
                return
            why = self._why()
            leaving, self._leaving = self._leaving, False
            if not leaving:
                _log.warning("session %s: %s", self.login.key.session_id, why)
            stay_away = isinstance(why, Terminated) and why.code in _STAY_AWAY
            if not leaving and (self._reconnect is None or stay_away):
                self._end(why)
                return
            try:
                await self._come_back(self._reconnect or Reconnect(tries=1))
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
                return
            except (Disconnected, LoginRefused) as error:
                pause = self._pause(error, delay)
                if pause is None or tries == how.tries:
                    raise
                _log.info("session %s: %s; next try in %.1f s", self.login.key.session_id, error, pause)
            await asyncio.sleep(pause)
            delay = min(2 * delay, how.greatest_delay)

    def _pause(self, error: ClientError, delay: float) -> float | None:
        """How long to wait before the next try, s; None when another try would be refused again."""
        if not isinstance(error, LoginRefused):
            return delay
        if error.answer != "Terminate":
            return delay if error.code in _PASSING else None
        if error.code in _STILL_THERE:
            return max(delay, 2 * self.login.keep_alive_interval / 1000)
        return delay if error.code == TerminateCode.FINISHED else None


def _refusal(event: LoginRejected) -> LoginRefused:
    if event.message == "Negotiate":
        return LoginRefused("NegotiationReject", member(NegotiationRejectCode, event.code), event.reason)
    return LoginRefused("EstablishmentReject", member(EstablishmentRejectCode, event.code), event.reason)
