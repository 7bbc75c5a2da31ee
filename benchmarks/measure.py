"""The rounds: every server is up at once, and each kind of load goes to one after the other, so that ratios hold."""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks import servers
from benchmarks.client import Result, machine_ns, run_load
from benchmarks.frames import Identity, script
from benchmarks.native import BUILD
from benchmarks.servers import Server
from benchmarks.venue import copied, prepare, venue

C_ECHO, LOOP_ECHO, VENUE, POLLING, FSYNC, QUICKFIX = "C echo", "loop echo", "ontherun", "polling", "fsync", "QuickFIX"
FLAGS = {
    VENUE: ("--no-fsync",),
    POLLING: ("--no-fsync", "--poll", "60"),
    FSYNC: ("--fsync",),
}
RESTING = 100_000
OPEN_LOOP = 50_000  # orders a second
IN_FLIGHT = 64
QUIET = 0.1  # of one core: what other programs may take before a run is taken again


@dataclass(frozen=True)
class Load:
    """One kind of load: so many connections with so many orders outstanding each."""

    title: str
    connections: int
    window: int


PING_PONG = Load("ping-pong, 1 order outstanding", 1, 1)
PIPELINED = Load("1 connection, 1,000 outstanding", 1, 1000)
HUNDRED = Load("100 connections, 1 outstanding each", 100, 1)
HUNDRED_DEEP = Load("100 connections, 16 outstanding each", 100, 16)
LOADS = (PING_PONG, PIPELINED, HUNDRED, HUNDRED_DEEP)


@dataclass(frozen=True)
class Plan:
    """How long to measure, and where."""

    rounds: int
    seconds: float
    logins: int
    tries: int
    server_core: int | None
    client_core: int | None
    quickfix_python: str | None


@dataclass
class Measured:
    """Everything that was measured: lists with one value for each round, by server and kind of load."""

    loads: dict[tuple[str, Load], list[Result]] = field(default_factory=dict)
    open_loop: dict[str, list[Result]] = field(default_factory=dict)
    logins: dict[str, list[Result]] = field(default_factory=dict)
    ready_first: list[float] = field(default_factory=list)
    """Seconds until ready, in an empty folder."""
    ready_again: list[float] = field(default_factory=list)
    """Seconds until ready, in a folder with a hundred sessions."""
    memory_ready: list[float] = field(default_factory=list)
    """MB when ready, in an empty folder."""
    memory_order: list[float] = field(default_factory=list)
    """Bytes that each resting order added."""
    micro: dict[str, float] = field(default_factory=dict)
    """ns of single steps."""

    def others(self) -> float:
        """How much of a core other programs took, in the median run."""
        results = [r for group in (self.loads, self.open_loop, self.logins) for runs in group.values() for r in runs]
        return median(result.others for result in results) if results else 0.0


def say(what: str) -> None:
    """Tell who waits what is being measured."""
    print(what, file=sys.stderr, flush=True)


def measure(plan: Plan) -> Measured:
    """Run all rounds. Raises LoadError when an answer is not the expected one."""
    measured = Measured()
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        prepared = Path(folder) / "prepared"
        say("making a hundred sessions with their keys")
        identities = prepare(prepared, plan.server_core)
        for number in range(plan.rounds):
            say(f"round {number + 1} of {plan.rounds}")
            first_start(plan, Path(folder) / "first", measured)
            with everything(plan, prepared, identities, measured) as running:
                one_round(plan, running, measured)
    return measured


def first_start(plan: Plan, folder: Path, measured: Measured) -> None:
    """Start a venue as a newcomer does, in an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    with venue(folder, [], plan.server_core) as server:
        measured.ready_first.append(server.ready_after)
        measured.memory_ready.append(server.memory_mb())


@contextmanager
def everything(
    plan: Plan, prepared: Path, identities: list[Identity], measured: Measured
) -> Iterator[dict[str, Server]]:
    """All servers, by column."""
    core, running = plan.server_core, dict[str, Server]()
    with ExitStack() as stack:
        running[C_ECHO] = stack.enter_context(servers.c_floor(core))
        running[LOOP_ECHO] = stack.enter_context(servers.loop_floor(core))
        for name, flags in FLAGS.items():
            folder = copied(prepared, name)
            started = stack.enter_context(venue(folder, identities, core, *flags))
            measured.ready_again.append(started.ready_after)
            running[name] = started
        if plan.quickfix_python:
            running[QUICKFIX] = stack.enter_context(servers.quickfix_acceptor(plan.quickfix_python, core))
        yield running


def one_round(plan: Plan, running: dict[str, Server], measured: Measured) -> None:
    """Put every kind of load on every server, one server after the other."""
    duration = int(plan.seconds * 1000)
    for name, server in running.items():
        result = run(plan, server, 1, window=1, seconds_ms=duration)
        measured.loads.setdefault((name, PING_PONG), []).append(result)
    for name, server in running.items():
        if name != QUICKFIX:  # it does not reach this rate, and keeps no book
            before = server.memory_mb()
            results = attempts(plan, server, 1, rate=OPEN_LOOP, preload=RESTING, seconds_ms=duration)
            measured.open_loop.setdefault(name, []).append(quietest(results))
            if name == VENUE:
                orders = sum(RESTING + result.count for result in results)
                measured.memory_order.append((server.memory_mb() - before) * 1e6 / orders)
    for load in LOADS[1:]:
        for name, server in running.items():
            result = run(plan, server, load.connections, window=load.window, seconds_ms=duration)
            measured.loads.setdefault((name, load), []).append(result)
    for name, server in running.items():
        if name != QUICKFIX:  # its logins are not signed
            result = run(plan, server, plan.logins, in_flight=IN_FLIGHT)
            measured.logins.setdefault(name, []).append(result)


def wait_for_quiet() -> None:
    """Until the whole machine has done next to nothing for 0.2 s, or for 3 s."""
    for _ in range(15):
        before = machine_ns()
        time.sleep(0.2)
        if machine_ns() - before <= QUIET * 0.2e9:
            return


def attempts(plan: Plan, server: Server, connections: int, **options: int) -> list[Result]:
    """Make fresh logins and put one load on one server; again when other programs disturb it."""
    results: list[Result] = []
    while len(results) < plan.tries and all(result.others > QUIET for result in results):
        if results:
            wait_for_quiet()
        made = script(server.connections(connections))
        results.append(run_load(server.pid, server.port, made, plan.client_core, **server.options, **options))
    return results


def quietest(results: list[Result]) -> Result:
    """The attempt that was disturbed least; its speed has no say."""
    return min(results, key=lambda result: result.others)


def run(plan: Plan, server: Server, connections: int, **options: int) -> Result:
    """The attempt that counts."""
    return quietest(attempts(plan, server, connections, **options))
