"""Binding: how a session logs in: when, at which address, under which UUID, with which key pair."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from ontherun.client.errors import ClientError, Disconnected, LoginRefused, StateError, Unreachable
from ontherun.client.keyfile import by_expiry
from ontherun.client.login import Login
from ontherun.client.reconnect import Reconnect, is_wrong_key, is_wrong_port, needs_new_uuid
from ontherun.client.recovery import KeyRefused, LoginPostponed, RecoveryEvent
from ontherun.client.state import StateFile
from ontherun.client.wire import Clock, Observer, Wire
from ontherun.ilink.client_events import BusinessMessage, Event, MessagesLost, NumbersNotApplied
from ontherun.ilink.client_inbound import ClientMemory
from ontherun.ilink.client_login import ClientIdentity
from ontherun.ilink.client_session import ClientSession, Numbered
from ontherun.ilink.transitions import ClientState

log = logging.getLogger("ontherun.client")
log.addHandler(logging.NullHandler())

SECOND: Final = 1_000_000_000

Resend = Callable[[Numbered], bool]
"""Whether a request that the venue never got is to be sent again."""


class Listener(Protocol):
    """What the link tells the session."""

    def on_business(self, event: BusinessMessage) -> None:
        """A business message, in order and once."""

    def on_not_applied(self, event: NumbersNotApplied, resent: Mapping[int, int]) -> None:
        """The venue never got these; `resent` has the new numbers of those sent again, the others are given up."""

    def on_messages_lost(self, event: MessagesLost) -> None:
        """The venue cannot send these again."""

    def on_new_uuid(self) -> None:
        """Numbers begin at 1 again."""

    def on_end(self, error: ClientError) -> None:
        """The session is over."""

    def unread(self, memory: ClientMemory) -> ClientMemory:
        """The memory without what nobody has read yet."""


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """How a link behaves; see SessionOptions."""

    clock: Clock
    uuid: int | None
    catch_up: bool
    reconnect: Reconnect | None
    standby: bool
    resend: Resend | None
    on_recovery: Callable[[RecoveryEvent], None] | None
    observe: Observer | None


class Binding(ABC):
    """The floor of Link: everything that a login takes, and the connection that came of it."""

    def __init__(self, login: Login, listener: Listener, state: StateFile | None, options: LinkOptions) -> None:
        self.memory = (state.read() if state else None) or ClientMemory()
        self._clock = options.clock
        self.login = self._by_expiry(login)
        self._listener = listener
        self._options = options
        self._state = state
        self._uuid = options.uuid
        self._wire: Wire | None = None
        self._lost = asyncio.Event()
        self._places = [(login.host, login.port), *([login.backup] if login.backup else [])]
        self._refused: dict[str, LoginRefused] = {}  # by Access Key ID: pairs that the venue did not accept

    @property
    def established(self) -> bool:
        """Whether business messages can be sent now."""
        return self._wire is not None and self._wire.machine.state is ClientState.ESTABLISHED

    def tell(self, event: RecoveryEvent) -> None:
        """Hand an event to `on_recovery`."""
        if self._options.on_recovery is not None:
            self._options.on_recovery(event)

    @abstractmethod
    def _on_event(self, wire: Wire, event: Event) -> None:
        """Something that the session machine tells of."""

    @abstractmethod
    def _on_lost(self, wire: Wire) -> None:
        """The connection is gone."""

    @abstractmethod
    def _unwritable(self, error: StateError) -> None:
        """The numbers cannot be stored: nothing more may be sent."""

    def _save(self) -> bool:
        """Store the numbers before what carries them leaves; False when they cannot be stored."""
        if self._state is None:
            return True
        try:
            self._state.write(self._listener.unread(self.memory))
        except OSError as error:
            self._unwritable(StateError(f"{self._state.path} cannot be written: {error}"))
            return False
        return True

    def _lead(self, place: tuple[str, int]) -> None:
        """Trade at this address, and keep the other one warm."""
        self._places.sort(key=lambda known: known != place)

    async def _log_in(self, *, new_uuid: bool) -> None:
        """Where the session was last, or at the other address when nobody is there, or only the designated backup."""
        failure: ClientError | None = None
        for place in list(self._places):
            try:
                await self._log_in_at(place, new_uuid=new_uuid)
            except (Unreachable, LoginRefused) as error:
                if isinstance(error, LoginRefused) and not is_wrong_port(error):
                    raise
                if failure is None or is_wrong_port(failure):
                    failure = error
                continue
            self._lead(place)
            return
        assert failure is not None
        raise failure

    async def _log_in_at(self, place: tuple[str, int], *, new_uuid: bool) -> None:
        while True:
            try:
                await self._attempt(place, new_uuid=new_uuid)
                return
            except LoginRefused as refused:
                self._save()
                if is_wrong_key(refused) and self._next_key(refused):
                    continue
                if new_uuid or not needs_new_uuid(refused):
                    raise
                log.warning("session %s: %s; a new UUID is negotiated", self.login.key.session_id, refused)
                new_uuid = True

    async def _attempt(self, place: tuple[str, int], *, new_uuid: bool) -> None:
        await self._until_safe()
        wire = await self.new_wire(*place)
        if self.established:
            wire.abort()
            raise Disconnected("the backup became the primary meanwhile")
        machine = wire.machine
        self._wire = wire
        self._lost.clear()
        try:
            if new_uuid:
                await wire.ask(machine.negotiate(self._clock(), self._new_uuid()))
                self._uuid = None
            await wire.ask(machine.establish(self._clock()))
        except BaseException:
            wire.abort()
            await wire.closed
            raise
        log.info("session %s: established under UUID %d", self.login.key.session_id, machine.uuid)

    async def new_wire(self, host: str, port: int) -> Wire:
        """Connect, with a machine that shares the session's numbers. Raises Unreachable."""
        identity, secret = self._identity(), self.login.key.secret
        gap_fill = self._options.resend is None
        machine = ClientSession(identity, secret, self.memory, self._clock(), gap_fill=gap_fill)
        wire = Wire(machine, self._clock, self._on_event, self._on_lost, self._save, self._options.observe)
        await wire.connect(host, port, 2 * self.login.keep_alive_interval / 1000, self.login.tls)
        return wire

    async def _until_safe(self) -> None:
        """Wait while another bad login could be the fifth within 60 s, which would close the session's ports."""
        wait = (self.memory.login_at() - self._clock()) / SECOND
        if wait > 0:
            log.warning("session %s: next login in %.0f s, after four bad ones", self.login.key.session_id, wait)
            self.tell(LoginPostponed(wait, None))
            await asyncio.sleep(wait)

    def _by_expiry(self, login: Login) -> Login:
        """The login with its pairs in the order in which they are tried: expired ones last."""
        if not login.spare_keys:
            return login
        now = datetime.fromtimestamp(self._clock() / SECOND, UTC)
        keys = by_expiry((login.key, *login.spare_keys))
        first, *others = sorted(keys, key=lambda key: key.expiry is not None and key.expiry <= now)
        return login.with_(key=first, spare_keys=tuple(others))

    def _next_key(self, refused: LoginRefused) -> bool:
        """Go on with a pair that was not refused yet; False when there is none."""
        key = self.login.key
        self._refused[key.access_key_id] = refused
        for other in self.login.spare_keys:
            if other.access_key_id not in self._refused:
                others = [spare for spare in (*self.login.spare_keys, key) if spare is not other]
                self.login = self.login.with_(key=other, spare_keys=tuple(others))
                log.warning("session %s: %s; the other key pair is tried", key.session_id, refused)
                self.tell(KeyRefused(key.access_key_id, other.access_key_id))
                return True
        return False

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
