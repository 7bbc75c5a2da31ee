"""What several rooms' tests share. The web server is imported by the fixtures that need it: most tests do not."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ontherun.gateway.live import LastFrames, LiveStream
    from ontherun.ilink.controls import ControlPolicy
    from ontherun.keys import ManualClock
    from ontherun.portal import GatewayAddress, InstrumentSummary
    from ontherun.portal.measures import Measure
    from ontherun.portal.status import MarketSummary
    from ontherun.trace import TraceStore

START = 1_767_225_600 * 1_000_000_000  # 2026-01-01


@dataclass
class RunningVenue:
    """What a portal shows as running."""

    listening: list["GatewayAddress"]
    traded: list["InstrumentSummary"]
    logged_in: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    ended: list[tuple[str, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    standing: dict[str, list["LiveStream"]] = field(default_factory=dict)
    frames: dict[str, list["LastFrames"]] = field(default_factory=dict)
    promoted: list[int] = field(default_factory=list)
    state: int = 17
    commands: list[tuple[int, str, dict[str, int]]] = field(default_factory=list)
    api_url: str = "http://testserver"
    week: int = START
    controls: "ControlPolicy | None" = None
    kept_in: Path | None = None
    """Where its traces are kept; the running loop's thread opens them when they are first asked for."""
    _traces: "TraceStore | None" = None

    @property
    def traces(self) -> "TraceStore":
        from ontherun.trace import TraceStore

        if self._traces is None:
            assert self.kept_in is not None
            self._traces = TraceStore(self.kept_in / "traces.sqlite3")
        return self._traces

    async def close(self) -> None:
        if self._traces is not None:
            await self._traces.close()

    @property
    def public_url(self) -> str:
        return self.api_url

    def gateways(self) -> list["GatewayAddress"]:
        return self.listening

    def instruments(self) -> list["InstrumentSummary"]:
        return self.traded

    def connected(self) -> set[str]:
        return self.logged_in

    def closed_ports(self) -> set[str]:
        return self.closed

    def open_port(self, session_id: str) -> None:
        self.closed.remove(session_id)

    def weeks(self) -> dict[int, tuple[int, int]]:
        return {40: (self.week, self.week + 7 * 86_400 * 10**9)}

    def start_week(self) -> None:
        self.week += 1

    def messaging_controls(self) -> "ControlPolicy":
        from ontherun.ilink.controls import EXCHANGE_CONTROLS

        return self.controls or EXCHANGE_CONTROLS

    def set_messaging_controls(self, policy: "ControlPolicy") -> None:
        self.controls = policy

    async def unready(self) -> list[str]:
        return self.wrong

    async def measures(self) -> list["Measure"]:
        from ontherun.portal.measures import Measure

        return [Measure("orders_working", "gauge", "Working orders", [({"segment": "40"}, 3.0)])]

    def live(self, session_id: str) -> list["LiveStream"]:
        return self.standing.get(session_id, [])

    def last_frames(self, session_id: str, count: int) -> list["LastFrames"]:
        return self.frames.get(session_id, [])

    def markets(self) -> list["MarketSummary"]:
        from ontherun.portal.status import MarketSummary

        return [MarketSummary(40, self.state, 0, None)]

    def market_command(self, segment: int, name: str, **given: int) -> int:
        self.commands.append((segment, name, given))
        self.state = given.get("status", self.state)
        if given.get("order_id") == 404:
            raise LookupError
        return 1

    def change_trade(self, segment: int, trade: int, price: int | None, qty: int | None) -> int:
        self.commands.append((segment, "change_trade", {"trade": trade}))
        return trade + 1

    def promotable(self) -> list[int]:
        return [40]

    def promote(self, segment: int) -> int:
        self.promoted.append(segment)
        return len(self.logged_in)

    def end_session(self, session_id: str, reason: str) -> bool:
        self.ended.append((session_id, reason))
        there = session_id in self.logged_in
        self.logged_in.discard(session_id)
        return there


@dataclass
class LivePortal:
    """A portal over HTTP, with the demo seeded: two firms, sessions A00 and A01."""

    url: str
    data_dir: Path
    clock: "ManualClock"
    running: RunningVenue

    @property
    def token_file(self) -> Path:
        return self.data_dir / "admin.token"


def _running_venue(kept_in: Path) -> RunningVenue:
    from ontherun.portal import GatewayAddress, InstrumentSummary

    return RunningVenue(
        [GatewayAddress(40, "primary", "127.0.0.1", 9040)],
        [InstrumentSummary("UB10", 810, 40, "10-Year Note", "1/2 of 1/32")],
        kept_in=kept_in,
        standing={"A00": [_standing()]},
    )


def _standing() -> "LiveStream":
    """A session that logged in a minute ago."""
    from ontherun.gateway.live import LiveConnection, LiveRate, LiveStream

    then = START - 60 * 10**9
    uuid = START // 1000
    connection = LiveConnection(
        connection="40-mjvq8xs0-7",
        role="primary",
        peer="192.0.2.7:50312",
        state="ESTABLISHED",
        firm="OURS1",
        access_key_id="AK",
        key_expires_at=START + 10**17,
        uuid=uuid,
        keep_alive_interval=30_000,
        since=then,
        last_received=START,
        last_sent=START,
        unsent=0,
    )
    return LiveStream(
        segment=40,
        uuid=uuid,
        negotiated_uuid=uuid,
        previous_uuid=uuid - 1,
        previous_seq_no=12,
        next_inbound=31,
        next_outbound=52,
        gap_from=29,
        stored=(1, 52),
        missed_uuid=uuid,
        missed_from=40,
        missed=3,
        bad_logins=2,
        closes_at=5,
        port_closed=False,
        orders=4,
        rates=(LiveRate("COMMON", 412.0, 500, 750), LiveRate("CANCEL", 3.0, 1000, 1500)),
        connections=(connection,),
    )


@pytest.fixture
def running_venue(tmp_path: Path) -> RunningVenue:
    return _running_venue(tmp_path)


@pytest.fixture(scope="module")
def live_portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePortal]:
    import uvicorn

    from ontherun.keys import ManualClock
    from ontherun.portal import create_app
    from ontherun.registry import Registry

    data_dir = tmp_path_factory.mktemp("live")
    clock, running = ManualClock(START), _running_venue(data_dir)
    servers: list[uvicorn.Server] = []

    async def serve() -> None:
        registry = await Registry.open(data_dir, clock, variables={})
        await registry.seed_demo()
        await registry.local_token_file()
        app = create_app(registry, running)
        servers.append(uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off")))
        await servers[0].serve()
        await running.close()
        await registry.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    while not (servers and servers[0].started):
        assert thread.is_alive(), "the portal did not start"
        time.sleep(0.01)
    host, port = servers[0].servers[0].sockets[0].getsockname()
    running.api_url = f"http://{host}:{port}"
    yield LivePortal(running.api_url, data_dir, clock, running)
    servers[0].should_exit = True
    thread.join()
