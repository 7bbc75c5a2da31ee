"""One run of the load client against one server, with what the server spent on it."""

import json
import os
import resource
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.native import program
from ontherun.ilink.messages import decode
from ontherun.sbe import SbeError


class LoadError(Exception):
    """The run is worth nothing: an answer was not the expected one, or none came."""


@dataclass(frozen=True)
class Result:
    """Counts and times of one run. Times in us."""

    count: int
    seconds: float
    p50: float
    p99: float
    cpu: float
    """CPU time of the server per order or login."""
    others: float
    """CPU time of everything else on the machine, as a share of one core."""

    @property
    def rate(self) -> float:
        """Orders or logins per second."""
        return self.count / self.seconds


def on_core(core: int | None) -> Callable[[], None]:
    """For subprocess's preexec_fn: keep the new process on one core."""
    return partial(os.sched_setaffinity, 0, {core} if core is not None else os.sched_getaffinity(0))


def cpu_ns(pid: int) -> int:
    """CPU time of all threads of a process so far, ns, as the scheduler counts it."""
    return sum(int(file.read_text().split()[0]) for file in Path(f"/proc/{pid}/task").glob("*/schedstat"))


def run_load(pid: int, port: int, script: bytes, core: int | None, **options: int | str) -> Result:
    """Run the load client on `core` with the options of load.c. Raises LoadError."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(script)
        file.flush()
        before = _children_ns()
        client = subprocess.Popen(
            [program("load"), f"port={port}", f"script={file.name}", *(f"{k}={v}" for k, v in options.items())],
            preexec_fn=on_core(core),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdout.readline()  # "ready", or nothing: then the next one is nothing too
        server, machine = cpu_ns(pid), machine_ns()
        with suppress(BrokenPipeError):
            client.stdin.write("go\n")
            client.stdin.flush()
        line = client.stdout.readline()
        server, machine = cpu_ns(pid) - server, machine_ns() - machine
        error = client.communicate()[1]
        if client.returncode:
            raise LoadError(explained(error))
    measured = json.loads(line)
    others = machine - server - (_children_ns() - before)
    return Result(
        count=measured["count"],
        seconds=measured["seconds"],
        p50=measured["p50"],
        p99=measured["p99"],
        cpu=server / 1000 / measured["count"],
        others=max(0.0, others / 1e9 / measured["seconds"]),
    )


def explained(error: str) -> str:
    """What the load client printed, with an unexpected frame in readable form."""
    if not error.startswith("unexpected "):
        return error.strip()
    frame = bytes.fromhex(error.split()[1])
    if frame.startswith(b"8=FIX"):
        return "unexpected " + frame.replace(b"\1", b"|").decode("ascii", "replace")
    try:
        return f"unexpected {decode(frame)!r}"
    except SbeError:
        return error.strip()


def _children_ns() -> int:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return int((usage.ru_utime + usage.ru_stime) * 1e9)


def machine_ns() -> int:
    """CPU time that was not idle, of all cores, in ns (10 ms steps)."""
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) * 10**9 // os.sysconf("SC_CLK_TCK")
