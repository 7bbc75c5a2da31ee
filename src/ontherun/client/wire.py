"""Wire: one TCP connection with its session machine. Bytes and times in, events out."""

import asyncio
from collections.abc import Callable
from typing import Final

from ontherun.ilink.actions import Close, Send
from ontherun.ilink.client_events import Event
from ontherun.ilink.client_login import NEVER
from ontherun.ilink.client_session import ClientSession, Numbered
from ontherun.sbe import Framer, FramingError

Clock = Callable[[], int]
"""The time, ns since the epoch."""

Observer = Callable[[bool, bytes], None]
"""Sees every frame: True and the frame when it is sent, False and the frame when it was received."""

_SECOND: Final = 1_000_000_000


class Wire(asyncio.Protocol):
    """One connection. Frames of one turn of the event loop leave together, if `before_send` agrees.

    `on_event` gets every event of the machine but Send and Close; `on_lost` is called once, at the end, and
    `closed` is done then.
    """

    def __init__(
        self,
        machine: ClientSession,
        clock: Clock,
        on_event: Callable[[Event], None],
        on_lost: Callable[["Wire"], None],
        before_send: Callable[[], bool],
        observe: Observer | None,
    ) -> None:
        self.machine = machine
        self._clock = clock
        self._on_event = on_event
        self._on_lost = on_lost
        self._before_send = before_send
        self._observe = observe
        self._framer = Framer()
        self._loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._unsent: list[bytes] = []
        self._flushing = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = NEVER

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
        now = self._clock()
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
        self._on_lost(self)

    # What the session calls.

    def send_business(self, message: Numbered) -> int:
        """Number the message and send it; its number. Raises EncodeError or LocalProtocolError and sends nothing."""
        frame = self.machine.number(message, self._clock())
        self.send(frame)
        return message.seq_num

    def send(self, frame: bytes) -> None:
        """Send a frame that the machine made, at the end of this turn of the loop."""
        if self._observe is not None:
            self._observe(True, frame)
        self._unsent.append(frame)
        self._arm()
        self._flush_soon()

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
                self._on_event(event)

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
        self._timer = self._loop.call_later(max(deadline - self._clock(), 0) / _SECOND, self._ring)

    def _ring(self) -> None:
        self._timer_at = NEVER
        self._act(self.machine.tick(self._clock()))
        self._arm()
