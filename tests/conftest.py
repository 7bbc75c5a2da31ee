"""What several rooms' tests share."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn

from ontherun.keys import ManualClock
from ontherun.portal import GatewayAddress, InstrumentSummary, create_app
from ontherun.registry import Registry

START = 1_767_225_600 * 1_000_000_000  # 2026-01-01


@dataclass
class RunningVenue:
    """What a portal shows as running."""

    api_url: str = "http://testserver"
    listening: list[GatewayAddress] = field(default_factory=lambda: [GatewayAddress(40, "primary", "127.0.0.1", 9040)])
    logged_in: set[str] = field(default_factory=set)

    def gateways(self) -> list[GatewayAddress]:
        return self.listening

    def instruments(self) -> list[InstrumentSummary]:
        return [InstrumentSummary("UB10", 810, 40, "10-Year Note", "1/2 of 1/32")] if self.listening else []

    def connected(self) -> set[str]:
        return self.logged_in


@pytest.fixture
def running_venue() -> RunningVenue:
    return RunningVenue()


class _Server(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = threading.Event()
        self.url = ""

    async def startup(self, sockets: list[object] | None = None) -> None:
        await super().startup(sockets)
        host, port = self.servers[0].sockets[0].getsockname()
        self.url = f"http://{host}:{port}"
        self.listens.set()


@dataclass
class LivePortal:
    """A portal over HTTP, with the demo seeded: two firms, sessions A00 and A01."""

    url: str
    data_dir: Path
    clock: ManualClock
    running: RunningVenue

    @property
    def token_file(self) -> Path:
        return self.data_dir / "admin.token"


@pytest.fixture(scope="module")
def live_portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePortal]:
    data_dir = tmp_path_factory.mktemp("live")
    clock, running = ManualClock(START), RunningVenue()
    started: list[_Server] = []
    ready = threading.Event()

    async def serve() -> None:
        registry = await Registry.open(data_dir, clock, variables={})
        await registry.seed_demo()
        await registry.local_token_file()
        app = create_app(registry, running)
        started.append(_Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off")))
        ready.set()
        await started[0].serve()
        await registry.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(30)
    assert started[0].listens.wait(30)
    running.api_url = started[0].url
    yield LivePortal(started[0].url, data_dir, clock, running)
    started[0].should_exit = True
    thread.join()
