"""A gateway of its own on real sockets, whose clock and key pairs a test moves."""

import asyncio
import base64
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import uvloop

from ontherun.gateway.engine import Engine, instruments_body
from ontherun.gateway.entries import Kind
from ontherun.gateway.gateway import Gateway
from ontherun.gateway.lane import PartyDetails
from ontherun.ilink.authority import KeyFound, KeyRefused
from ontherun.ilink.policy import SessionPolicy
from ontherun.ilink.records import Role
from ontherun.journal import MemoryJournal, Outbox
from ontherun.market.benchmarks import BENCHMARKS
from ontherun.market.policy import SegmentPolicy

T = TypeVar("T")
SECRET = bytes(range(32))
SECOND = 1_000_000_000
PATIENCE = 30.0


class Directory:
    """Every session of three letters, with firm DEMO1, party details 7, and key pairs by Access Key ID."""

    def __init__(self) -> None:
        self.valid = {"EXAMPLEKEYID00000001", "EXAMPLEKEYID00000002"}
        self.expires_at = 0
        self.elsewhere = False

    def session(self, session_id: str) -> object | None:
        return session_id or None

    def allowed(self, session: str, firm: str, segment: int) -> bool:
        return firm == "DEMO1"

    def source_allowed(self, session: str, source: str) -> bool:
        return not self.elsewhere

    def key(self, access_key_id: str, session: str, now: int) -> KeyFound | KeyRefused:
        if not self.key_is_valid(access_key_id, now):
            return KeyRefused("expired")
        return KeyFound(SECRET, self.expires_at)

    def key_is_valid(self, access_key_id: str, now: int) -> bool:
        return access_key_id in self.valid and (not self.expires_at or now < self.expires_at)

    def key_used(self, trace: object, source: str) -> None:
        pass

    def cancel_on_disconnect(self, session: str) -> bool:
        return True

    def party_details(self, session: str, firm: str) -> Mapping[int, PartyDetails]:
        return {7: PartyDetails(7)}


class Log:
    """Says nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


class GatewayHost:
    """Segment 40 in a thread of its own, its journal in memory. `ahead`: ns by which its clock is ahead of the
    machine's; timestamps may be as old as they like, since clients have the machine's."""

    def __init__(self, folder: Path, **policy: Any) -> None:
        self.directory = Directory()
        self.ahead = 0
        self.security_id = next(i.security_id for i in BENCHMARKS if i.symbol == "UB10")
        self._folder = folder
        self._policy = SessionPolicy(stale_after=2**62, **policy)
        self.journal = MemoryJournal()
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def key(self, session: str = "ABC", access_key_id: str = "EXAMPLEKEYID00000001") -> dict[str, Any]:
        """What `RawClient` logs in with."""
        return {
            "session_id": session,
            "firm": "DEMO1",
            "access_key_id": access_key_id,
            "secret_key": base64.urlsafe_b64encode(SECRET).decode().rstrip("="),
            "party_details_list_req_id": 7,
        }

    def advance(self, seconds: float) -> None:
        """Let time pass, as a clock that runs would: intervals end."""
        self.ahead += int(seconds * SECOND)

    def ask(self, question: Callable[[], T]) -> T:
        """The answer of the gateway's own thread."""

        async def answer() -> T:
            return question()

        return asyncio.run_coroutine_threadsafe(answer(), self._loop).result(PATIENCE)

    def until(self, test: Callable[[], bool]) -> None:
        """Wait until the test holds in the gateway's own thread."""
        end = time.monotonic() + PATIENCE
        while not self.ask(test):
            assert time.monotonic() < end, "it never came"
            time.sleep(0.01)

    async def _open(self) -> None:
        engine = Engine(40, SegmentPolicy())
        outbox: Outbox[tuple[str, int]] = Outbox(self._folder / "outbox.bin")
        self.gateway = Gateway(
            engine,
            self.journal,
            outbox,
            self.directory,
            self._policy,
            lambda: time.time_ns() + self.ahead,
            Log(),
            lambda error: None,
            lambda entry: None,
        )
        self.gateway.journal(Kind.MARKET, 0, self.gateway.now(), instruments_body(BENCHMARKS))
        engine.open_market(BENCHMARKS)
        self.address = ("127.0.0.1", await self.gateway.listen("127.0.0.1", 0, Role.PRIMARY))
        self.backup = ("127.0.0.1", await self.gateway.listen("127.0.0.1", 0, Role.BACKUP))

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(PATIENCE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self.gateway.close("the test is over"), self._loop).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self.gateway.outbox.close()
        self._loop.close()
