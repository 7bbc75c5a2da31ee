"""A gateway that says what a test tells it to: for answers that a well-behaved venue gives seldom or never."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Self, TypeVar

from ontherun.ilink import messages as m
from ontherun.sbe import Framer

Expected = TypeVar("Expected", bound=m.Message)


class ScriptedGateway:
    """Accepts every login, unless told otherwise, and then waits for its script. One connection at a time."""

    def __init__(self) -> None:
        self._arrived: asyncio.Queue[m.Message] = asyncio.Queue()
        self.uuid = 0
        self.logins: list[m.Message] = []
        """Every Negotiate and Establish."""
        self.refusals: list[int] = []
        """Codes of the rejects that answer the next logins."""
        self.next_seq_no = 1
        """NextSeqNo of the next EstablishmentAck, where the client does not establish a backup."""
        self.previous: tuple[int, int] = (0, 0)
        """PreviousUUID and PreviousSeqNo of the answers to a login."""

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls) -> AsyncIterator[Self]:
        gateway = cls()
        async with await asyncio.start_server(gateway._serve, "127.0.0.1", 0) as server:
            gateway.port: int = server.sockets[0].getsockname()[1]
            yield gateway

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        framer = Framer()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                for frame in framer.feed(data):
                    self._take(m.decode(frame))
        writer.close()

    def _take(self, message: Any) -> None:
        uuid, number = self.previous
        before = {"previous_uuid": uuid, "previous_seq_no": number}
        match message:
            case m.Negotiate() | m.Establish() if self.refusals:
                self.logins.append(message)
                kind: Any = m.NegotiationReject if isinstance(message, m.Negotiate) else m.EstablishmentReject
                number = {"next_seq_no": 1} if isinstance(message, m.Establish) else {}
                echo = {"uuid": message.uuid, "request_timestamp": message.request_timestamp, "reason": b""}
                self.send(kind(**echo, **number, error_codes=self.refusals.pop(0)))
            case m.Negotiate():
                self.logins.append(message)
                self.uuid = message.uuid
                at = message.request_timestamp
                self.send(m.NegotiationResponse(uuid=self.uuid, request_timestamp=at, credentials=b"", **before))
            case m.Establish():
                self.logins.append(message)
                self.uuid = message.uuid
                answer = m.EstablishmentAck(
                    uuid=self.uuid,
                    request_timestamp=message.request_timestamp,
                    next_seq_no=self.next_seq_no if message.next_seq_no else 0,
                    keep_alive_interval=message.keep_alive_interval,
                    **before,
                )
                self.send(answer)
            case m.Terminate():
                self.send(message)
            case _:
                self._arrived.put_nowait(message)

    async def expect(self, kind: type[Expected]) -> Expected:
        """The next message that is no part of the login."""
        message = await self._arrived.get()
        assert isinstance(message, kind), f"expected {kind.__name__}, got {message}"
        return message

    def cut(self) -> None:
        """Lose the connection."""
        self._writer.transport.abort()

    def send(self, *messages: m.Message) -> None:
        self._writer.write(b"".join(message.encode() for message in messages))
