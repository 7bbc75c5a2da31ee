"""Wire: one TCP connection with its session machine. Bytes and times in, events out."""

import asyncio
from collections.abc import Callable
from ssl import SSLContext
from typing import Final

from ontherun.client.errors import ClientError, Disconnected, LoginRefused, Terminated, Unreachable
from ontherun.client.values import member
from ontherun.ilink.actions import Close, Send
from ontherun.ilink.client_events import (
    Ended,
    EstablishmentAccepted,
    Event,
    LoginRejected,
    NegotiationAccepted,
    Violation,
)
from ontherun.ilink.client_login import NEVER
from ontherun.ilink.client_session import ClientSession, Numbered
from ontherun.ilink.codes import EstablishmentRejectCode, NegotiationRejectCode, TerminateCode
from ontherun.sbe import Framer, FramingError

Clock = Callable[[], int]
"""The time, ns since the epoch."""

Observer = Callable[[bool, bytes], None]
"""Sees every frame: True and the frame when it is sent, False and the frame when it was received."""

_SECOND: Final = 1_000_000_000


class Wire(asyncio.Protocol):
    """One connection. Frames of one turn of the event loop leave together, if `before_send` agrees.

    `on_event` gets every event of the machine but Send and Close; `on_lost` is called once, at the end, and
    `closed` is done then. Both may be exchanged, for a backup that becomes the primary.
    """

    def __init__(
        self,
        machine: ClientSession,
        clock: Clock,
        on_event: Callable[["Wire", Event], None],
        on_lost: Callable[["Wire"], None],
        before_send: Callable[[], bool],
        observe: Observer | None,
    ) -> None:
        self.machine = machine
        self.address = ("", 0)
        self.now = clock
        self.on_event = on_event
        self.on_lost = on_lost
        self._before_send = before_send
        self._observe = observe
        self._framer = Framer()
        self._loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self._answer: asyncio.Future[None] | None = None
        self._ended: Ended | Violation | None = None
        self._transport: asyncio.Transport | None = None
        self._unsent: list[bytes] = []
        self._flushing = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = NEVER

    async def connect(self, host: str, port: int, patience: float, tls: SSLContext | None = None) -> None:
        """Make the TCP connection, with TLS where that is given, within `patience` s. Raises Unreachable."""
        self.address = (host, port)
        try:
            async with asyncio.timeout(patience):
                await self._loop.create_connection(lambda: self, host, port, ssl=tls)
        except (OSError, TimeoutError) as error:
            raise Unreachable(f"cannot connect to {host}:{port}: {str(error) or 'no answer'}") from error

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The TCP connection is there; nothing is sent yet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Hand every whole frame to the machine."""
        error: FramingError | None = None
        try:
            frames = self._framer.feed(data)
        except FramingError as fault:
            error, frames = fault, fault.frames
        now = self.now()
        for frame in frames:
            if self._observe is not None:
                self._observe(False, frame)
            self._act(self.machine.receive(frame, now))
        if error is not None:
            self._act(self.machine.framing_fault(error, now))
        self._arm()
        self._flush_soon()

    def connection_lost(self, _exc: Exception | None) -> None:
        """The connection is gone, by us or by them."""
        if self._timer is not None:
            self._timer.cancel()
        self.machine.lost()
        self._transport = None
        self._unsent.clear()
        self.closed.set_result(None)
        self._answered(self.why(login=True))
        self.on_lost(self)

    # What the session calls.

    async def ask(self, frame: bytes) -> None:
        """Send a login message and wait for its answer. Raises LoginRefused or Disconnected."""
        self._answer = self._loop.create_future()
        self.send(frame)
        try:
            await self._answer
        finally:
            self._answer = None

    def why(self, *, login: bool = False) -> ClientError:
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

    def send_business(self, message: Numbered) -> int:
        """Number the message and send it; its number. Raises EncodeError or LocalProtocolError and sends nothing."""
        frame = self.machine.number(message, self.now())
        self.send(frame)
        return message.seq_num

    def send(self, frame: bytes) -> None:
        """Send a frame that the machine made, at the end of this turn of the loop."""
        if self._observe is not None:
            self._observe(True, frame)
        self._unsent.append(frame)
        self._arm()
        self._flush_soon()

    def terminate(self) -> None:
        """Say Terminate; the connection closes when it is answered."""
        self.send(self.machine.terminate(self.now()))

    def close(self) -> None:
        """Close after what was sent."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Drop the connection at once, as a crash would."""
        self.machine.lost()
        if self._transport is not None:
            self._transport.abort()

    def _act(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Send):
                self.send(event.frame)
            elif isinstance(event, Close):
                self.close()
            else:
                if isinstance(event, Ended | Violation):
                    self._ended = event
                self.on_event(self, event)
                self._conclude(event)

    def _conclude(self, event: Event) -> None:
        """Let whoever asks know the answer."""
        match event:
            case NegotiationAccepted() | EstablishmentAccepted():
                self._answered(None)
            case LoginRejected():
                self._answered(_refusal(event))
            case Ended() | Violation():
                self._answered(self.why(login=True))

    def _answered(self, error: ClientError | None) -> None:
        if self._answer is None or self._answer.done():
            return
        if error is None:
            self._answer.set_result(None)
        else:
            self._answer.set_exception(error)

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if self._before_send() and self._unsent and self._transport is not None:
            self._transport.write(b"".join(self._unsent))
            self._unsent.clear()

    # Time

    def _arm(self) -> None:
        """Let the timer ring no later than the machine's deadline; a deadline that moved away is seen when it rings."""
        deadline = self.machine.deadline()
        if deadline >= self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = deadline
        self._timer = self._loop.call_later(max(deadline - self.now(), 0) / _SECOND, self._ring)

    def _ring(self) -> None:
        self._timer_at = NEVER
        self._act(self.machine.tick(self.now()))
        self._arm()


def _refusal(event: LoginRejected) -> LoginRefused:
    if event.message == "Negotiate":
        return LoginRefused("NegotiationReject", member(NegotiationRejectCode, event.code), event.reason)
    return LoginRefused("EstablishmentReject", member(EstablishmentRejectCode, event.code), event.reason)
