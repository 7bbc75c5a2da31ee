"""A running venue: registry, market segments and portal, in one process and one event loop."""

import asyncio
import contextlib
import gc
import logging
import os
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Self

import ontherun
from ontherun.gateway.failover import promote
from ontherun.gateway.live import LastFrames, LiveStream, last_frames, live_stream
from ontherun.gateway.recovery import Recovered
from ontherun.ilink.controls import ControlPolicy
from ontherun.market.prices import format_32nds
from ontherun.notices import NoticeJobs
from ontherun.portal import create_app
from ontherun.portal.addresses import sign_in_url
from ontherun.portal.measures import Measure
from ontherun.portal.single_sign_on import SingleSignOn
from ontherun.portal.status import GatewayAddress, InstrumentSummary, MarketSummary
from ontherun.registry import (
    LOCAL_OPERATOR,
    SYSTEM,
    DemoSession,
    DirectoryLock,
    LabClock,
    LinkPurpose,
    Registry,
)
from ontherun.registry.lab_clock import machine_time
from ontherun.service import ready
from ontherun.service.authority import RegistryAuthority
from ontherun.service.clock import SystemClock
from ontherun.service.due_requests import DueRequests
from ontherun.service.environment import keep_environment
from ontherun.service.health import unready
from ontherun.service.log import JsonLog
from ontherun.service.market_hours import MarketHours
from ontherun.service.measures import measures
from ontherun.service.pair import standby_gateways
from ontherun.service.segment_runtime import GOING_DOWN, SegmentRuntime
from ontherun.service.settings import Settings
from ontherun.service.web import MadeWhenAsked, WebServer
from ontherun.trace import TraceStore


class Venue:
    """Everything that `ontherun up` starts. Made by `Venue.start`, ended by `stop`.

    `segments` are the market segments by id. `failed` is set when a journal could not be written: the venue must stop,
    since nothing may be acknowledged any more.
    """

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        segments: dict[int, SegmentRuntime],
        failed: asyncio.Future[Exception],
    ) -> None:
        self.settings = settings
        self.registry = registry
        self.segments = segments
        self.failed = failed
        self.demo: list[DemoSession] = []
        self.log: JsonLog
        self.api_url = ""
        self.draining = False
        self._close = contextlib.AsyncExitStack()

    @classmethod
    async def start(cls, settings: Settings) -> Self:
        """Open what is stored, recover, listen, and say so in DIR/up.json and the ready file.

        Raises RegistryError, JournalError, RecoveryError, TraceError or OSError (a port that is taken) with a message
        for a person; nothing stays open then.
        """
        clock = LabClock(SystemClock()) if settings.lab else SystemClock()
        keep_environment(settings.data, settings.environment)
        registry = await Registry.open(
            settings.data, clock, environment=settings.environment, market_segments=settings.segments
        )
        segments = {segment: SegmentRuntime(segment, settings) for segment in sorted(settings.segments)}
        venue = cls(settings, registry, segments, asyncio.get_running_loop().create_future())
        try:
            venue._close.push_async_callback(registry.close)
            await venue._open(clock)
        except BaseException:
            await venue.stop()
            raise
        return venue

    async def drain(self) -> None:
        """Take no new client, and end every session in order; the portal goes on until `stop`, and says so."""
        self.draining = True
        self.log.info("draining", seconds=self.settings.drain_seconds)
        gateways = [segment.gateway for segment in self.segments.values()]
        await asyncio.gather(*(gateway.drain(GOING_DOWN, self.settings.drain_seconds) for gateway in gateways))

    @classmethod
    async def succeed(cls, settings: Settings, lock: DirectoryLock, warm: "Warm") -> Self:
        """Go on as the venue whose process has ended: its sessions trade already, at what a standby kept `warm`.

        Raises what `start` raises; nothing stays open then, the warm things neither.
        """
        keep_environment(settings.data, settings.environment)
        registry = await Registry.open(
            settings.data,
            warm.clock,
            environment=settings.environment,
            market_segments=settings.segments,
            lock=lock,
        )
        venue = cls(settings, registry, warm.segments, warm.failed)
        try:
            venue._close.push_async_callback(registry.close)
            venue.log = warm.log
            await venue._open_desk(warm.log)
            venue._close.push_async_callback(warm.close.aclose)
            warm.hand_over(venue)
            await venue._serve(warm.clock, warm.log)
        except BaseException:
            await venue.stop()
            raise
        return venue

    async def stop(self) -> None:
        """End the sessions in order, commit, and close everything; the reverse of the start."""
        await self._close.aclose()

    @property
    def ready(self) -> ready.Ready:
        """The venue as the ready file describes it."""
        return {
            "version": ontherun.__version__,
            "pid": os.getpid(),
            "data": str(self.settings.data.resolve()),
            "api_url": self.api_url,
            "portal_url": f"{self.public_url}/",
            "lab": self.settings.lab,
            "pair": self.settings.pair,
            "standby": False,
            "token_file": str((self.settings.data / "admin.token").resolve()),
            "gateways": [ready.address(gateway) for gateway in self.gateways()],
            "instruments": [
                {"symbol": i.symbol, "security_id": i.security_id, "segment": i.segment, "description": i.description}
                for i in self.instruments()
            ],
            "demo": [
                {
                    "session_id": demo.session_id,
                    "firm": demo.firm,
                    "access_key_id": demo.access_key_id,
                    "key_file": str(demo.key_file.resolve()),
                    "party_details_list_req_id": demo.party_details_list_req_id,
                }
                for demo in self.demo
            ],
        }

    async def sign_in_link(self) -> str | None:
        """Make a link that signs the person at this machine in, once; None where the venue is not LOCAL."""
        operator = self.registry.directory.people.user_of_email(LOCAL_OPERATOR)
        if operator is None:
            return None
        token = await self.registry.users.link(SYSTEM, operator.user_id, LinkPurpose.SIGN_IN)
        return sign_in_url(self.public_url, token.text)

    # What the portal shows.

    def gateways(self) -> list[GatewayAddress]:
        """The gateways that listen, those of a standby too."""
        here = [address for segment in self.segments.values() for address in segment.addresses()]
        return here + (standby_gateways(self.settings.data) if self.settings.pair else [])

    def instruments(self) -> list[InstrumentSummary]:
        """The instruments that can be traded."""
        return [
            InstrumentSummary(i.symbol, i.security_id, i.segment, i.description, format_32nds(i.tick))
            for segment in self.segments.values()
            for i in segment.engine.instruments
        ]

    def markets(self) -> list[MarketSummary]:
        """The market segments as they trade now."""
        return [
            MarketSummary(one, segment.engine.market.status, segment.engine.market.trade_date, segment.next_phase())
            for one, segment in self.segments.items()
        ]

    def market_command(self, segment: int, name: str, **given: int) -> int:
        """Do something to a market."""
        return self.segments[segment].gateway.command(name, **given)

    def change_trade(self, segment: int, trade: int, price: int | None, qty: int | None) -> int:
        """Cancel a trade, or correct it."""
        return self.segments[segment].gateway.change_trade(trade, price, qty)

    @property
    def recovered(self) -> Recovered:
        """What the start found in the journals of all segments."""
        found = [segment.recovered for segment in self.segments.values()]
        return Recovered(sum(one.batches for one in found), sum(one.messages for one in found))

    @property
    def public_url(self) -> str:
        """Where people reach the portal."""
        return (self.settings.notices.public_url or self.api_url).rstrip("/")

    def connected(self) -> set[str]:
        """The Session IDs that are logged in on some segment."""
        return {
            session
            for segment in self.segments.values()
            for session, lane in segment.engine.lanes.items()
            if lane.connection is not None
        }

    def closed_ports(self) -> set[str]:
        """The Session IDs that some segment accepts no login for until an administrator opens their ports."""
        return {session for segment in self.segments.values() for session in segment.gateway.closed_ports()}

    def open_port(self, session_id: str) -> None:
        """Open the ports of a session again, on every segment."""
        for segment in self.segments.values():
            if session_id in segment.gateway.closed_ports():
                segment.gateway.open_port(session_id)

    async def unready(self) -> list[str]:
        """Why clients cannot log in and trade now."""
        return await unready(self)

    async def measures(self) -> list[Measure]:
        """What the parts of the venue have counted."""
        return await measures(self)

    def live(self, session_id: str) -> list[LiveStream]:
        """How the session stands on each segment where it ever was."""
        found = (live_stream(segment.gateway, session_id) for segment in self.segments.values())
        return [stream for stream in found if stream is not None]

    def last_frames(self, session_id: str, count: int) -> list[LastFrames]:
        """The session's last business messages on each segment where it ever was."""
        found = (last_frames(segment.gateway, session_id, count) for segment in self.segments.values())
        return [frames for frames in found if frames is not None]

    def promotable(self) -> Collection[int]:
        """The market segments whose backup is here; that of a pair is the standby's."""
        return () if self.settings.pair else self.segments.keys()

    def promote(self, segment: int) -> int:
        """Have a segment's backup gateway take over from its primary; how many sessions go on there."""
        promoted = promote(self.segments[segment].gateway)
        self._tell_ready()
        return promoted

    def end_session(self, session_id: str, reason: str) -> bool:
        """End what a session has open at the gateways of all segments; whether there was anything."""
        ended = [segment.gateway.end_session(session_id, reason) for segment in self.segments.values()]
        return any(ended)

    def weeks(self) -> dict[int, tuple[int, int]]:
        """When the trading week of each segment began, and when the next one begins, ns since the epoch."""
        return {one: (segment.engine.week, segment.gateway.week_ends) for one, segment in self.segments.items()}

    def start_week(self) -> None:
        """Begin a new trading week on every segment now."""
        for segment in self.segments.values():
            segment.gateway.start_week(segment.gateway.now())

    def messaging_controls(self) -> ControlPolicy:
        """How much sessions may send; the same on every segment."""
        return next(iter(self.segments.values())).engine.controls

    def set_messaging_controls(self, policy: ControlPolicy) -> None:
        """Change how much sessions may send, on every segment."""
        for segment in self.segments.values():
            segment.gateway.set_controls(policy)

    # Starting.

    async def _open(self, clock: SystemClock | LabClock) -> None:
        settings, registry = self.settings, self.registry
        self.log = log = JsonLog(settings.data / "ontherun.log", clock.now)
        self._close.callback(log.close)
        await self._open_desk(log)
        authority = RegistryAuthority(registry.directory, registry.pairs.note_use)
        policy = settings.session_policy(clock.offset if isinstance(clock, LabClock) else None)
        for segment in self.segments.values():
            self._close.push_async_callback(segment.close)
            instruments = settings.segments[segment.segment_id]
            segment.open(instruments, authority, policy, clock.now, log, self._broken, self.traces.note)
            if isinstance(clock, LabClock):
                clock.listen(segment.gateway.follow_clock)
        for segment in self.segments.values():
            await segment.listen()
        await self._serve(clock, log)

    async def _open_desk(self, log: JsonLog) -> None:
        """Everything between the registry and the gateways."""
        settings, registry = self.settings, self.registry
        handler = log.handler()
        logging.getLogger().addHandler(handler)
        self._close.callback(logging.getLogger().removeHandler, handler)
        self.traces = TraceStore(settings.data / "traces.sqlite3")
        self._close.push_async_callback(self.traces.close)
        self.notices = NoticeJobs(registry, settings.notices, log, lambda: self.public_url)
        self.demo = await registry.seed_demo()
        await registry.local_token_file()
        if registry.environment == "LOCAL":
            await registry.seed_local_operator()

    async def _serve(self, clock: SystemClock | LabClock, log: JsonLog) -> None:
        """Everything beside the gateways, and say that the venue runs."""
        settings, registry = self.settings, self.registry
        hours = MarketHours(self.segments.values(), clock.now)
        self._close.push_async_callback(hours.stop)
        if isinstance(clock, LabClock):
            clock.listen(hours.wake)
        registry.requests.end_session = self.end_session
        due = DueRequests(registry, log)
        self._close.push_async_callback(due.stop)
        if isinstance(clock, LabClock):
            clock.listen(due.wake)
            clock.listen(self.notices.wake)
        await self._serve_portal()
        self.notices.start()
        self._close.push_async_callback(self.notices.stop)
        await self.registry.master_key.resume()
        self._collect_no_garbage()
        log.info(
            "ready",
            version=ontherun.__version__,
            recovered=self.recovered._asdict(),
            gateways=[f"{a.segment}:{a.port}" for a in self.gateways()],
        )
        self._tell_ready()
        self._close.callback((settings.data / "up.json").unlink, missing_ok=True)

    def _tell_ready(self) -> None:
        for path in (self.settings.data / "up.json", self.settings.ready_file):
            if path is not None:
                ready.write(path, self.ready)

    def _broken(self, error: Exception) -> None:
        if not self.failed.done():
            self.failed.set_result(error)

    async def _serve_portal(self) -> None:
        """Serve the portal."""
        settings = self.settings
        listening = socket.create_server((settings.host, settings.portal_port), reuse_port=False, backlog=256)
        host, port = listening.getsockname()[:2]
        self.api_url = f"http://{host}:{port}"
        provider = settings.identity_provider
        sso = None if provider is None else SingleSignOn(provider, machine_time(self.registry.clock))
        self.registry.passkeys.public_url = lambda: self.public_url
        server = WebServer(MadeWhenAsked(lambda: create_app(self.registry, self, sso)), listening)
        self._close.push_async_callback(server.stop)
        await server.ready()

    def _collect_no_garbage(self) -> None:
        """Nothing on the order path makes cycles; with the collector on, a growing book costs pauses of tens of
        milliseconds."""
        gc.freeze()
        gc.disable()
        self._close.callback(gc.enable)


@dataclass(frozen=True, slots=True)
class Warm:
    """What a standby has when it takes over: `close` closes the log and the segments; `hand_over` has the gateways use
    the venue's registry and traces."""

    clock: SystemClock
    log: JsonLog
    segments: dict[int, SegmentRuntime]
    failed: asyncio.Future[Exception]
    close: contextlib.AsyncExitStack
    hand_over: Callable[[Venue], None]
