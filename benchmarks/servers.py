"""The servers that are measured, each a process of its own on the servers' core."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.client import on_core
from benchmarks.frames import TICK, Connection, Identity, fix_connections, ilink_connections
from benchmarks.native import HERE, program

PATIENCE = 60  # seconds for a server to start or stop


@dataclass
class Server:
    """A running server and how to speak to it."""

    process: "subprocess.Popen[str]"
    port: int
    connections: Callable[[int], list[Connection]]
    """Makes so many connections for the load client, freshly signed."""
    options: dict[str, int | str] = field(default_factory=dict)

    @property
    def pid(self) -> int:
        """Process id."""
        return self.process.pid

    def memory_mb(self) -> float:
        """Resident memory now, in units of 1,000,000 bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024 / 1e6


@contextmanager
def running(command: Sequence[str | Path], core: int | None, **options: object) -> Iterator["subprocess.Popen[str]"]:
    """Start a process on `core`, and end it with SIGTERM."""
    process = subprocess.Popen(
        command,
        preexec_fn=on_core(core),
        text=True,
        **options,  # type: ignore[call-overload]
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
        process.kill()
        process.communicate()


def anonymous(count: int) -> list[Connection]:
    """Logins for a floor: signed like the real ones, though nobody checks."""
    return ilink_connections([Identity()], count, 1)


@contextmanager
def floor(command: Sequence[str | Path], core: int | None) -> Iterator[Server]:
    """An echo server, which prints its port."""
    with running(command, core, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield Server(process, int(process.stdout.readline()), anonymous, {"wire": "ilink", "tick": TICK})


def c_floor(core: int | None) -> AbstractContextManager[Server]:
    """The C echo floor."""
    return floor([program("echo")], core)


def loop_floor(core: int | None) -> AbstractContextManager[Server]:
    """The event loop's own echo floor."""
    return floor([sys.executable, HERE / "echo_loop.py"], core)


@contextmanager
def quickfix_acceptor(python: str, core: int | None) -> Iterator[Server]:
    """The peer, in the interpreter that has quickfix."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [python, str(HERE / "quickfix_acceptor.py"), str(port), "100"]
    with running(command, core, stdout=subprocess.PIPE, env=dict(os.environ, PYTHONPATH="")) as process:
        assert process.stdout is not None
        if process.stdout.readline().strip() != str(port):
            raise SystemExit("the quickfix acceptor did not start")
        yield Server(process, port, fix_connections, {"wire": "fix"})


def has_quickfix(python: str) -> bool:
    """Whether this interpreter can import quickfix."""
    try:
        return subprocess.run([python, "-c", "import quickfix"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False
