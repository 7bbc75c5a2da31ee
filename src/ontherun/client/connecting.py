"""connect: the way in, for asyncio."""

from collections.abc import Generator
from types import TracebackType
from typing import Unpack

from ontherun.client.login import Login
from ontherun.client.options import SessionOptions
from ontherun.client.session import Session


class Connecting:
    """What `connect` returns: await it for the session, or enter it with `async with`, which closes the session too."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __await__(self) -> Generator[object, None, Session]:
        return self._open().__await__()

    async def __aenter__(self) -> Session:
        return await self._open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def _open(self) -> Session:
        await self._session.open()
        return self._session


def connect(login: Login, **options: Unpack[SessionOptions]) -> Connecting:
    """Log in to a gateway: `async with connect(login) as session`, or `session = await connect(login)`.

    For the options see SessionOptions. Raises StateError for a state file that cannot be used; when awaited,
    LoginRefused or Disconnected.
    """
    return Connecting(Session(login, **options))
