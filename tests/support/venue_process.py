"""`ontherun up` as a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]


class VenueProcess:
    """A started venue on free ports; leaving the `with` block stops it as Ctrl-C would."""

    def __init__(
        self, data: Path, *options: str, name: str = "ready", program: Sequence[str] = ("-m", "ontherun")
    ) -> None:
        self.data = data
        self.ready_file = data.parent / f"{data.name}.{name}.json"
        self.ready_file.unlink(missing_ok=True)
        environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
        command = [sys.executable, *program, "up", "--data", str(data), "--ready-file", str(self.ready_file)]
        ports = ["--portal-port", "0", "--gateway-port-base", "0"]
        self.process = subprocess.Popen(
            [*command, *ports, *options], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.ready: dict[str, Any] = self._wait_until_ready()
        gateway = self.ready["gateways"][0]
        self.address = (gateway["host"], gateway["port"])

    def _wait_until_ready(self) -> dict[str, Any]:
        while not self.ready_file.exists():
            if self.process.poll() is not None:
                raise AssertionError(f"the venue ended at its start:\n{self.process.communicate()[0]}")
            time.sleep(0.01)
        ready: dict[str, Any] = json.loads(self.ready_file.read_text())
        return ready

    def key(self, number: int = 0) -> dict[str, Any]:
        """The key file of a demo session, with what else the ready file says of it."""
        demo = self.ready["demo"][number]
        return json.loads(Path(demo["key_file"]).read_text()) | demo

    def security_id(self, symbol: str) -> int:
        return next(i["security_id"] for i in self.ready["instruments"] if i["symbol"] == symbol)

    def kill(self) -> None:
        """SIGKILL: nothing is said, nothing is flushed."""
        self.process.kill()
        self.process.communicate()

    def stop(self) -> tuple[int, str]:
        """Ctrl-C; the exit code and everything it printed."""
        self.process.send_signal(signal.SIGINT)
        output = self.process.communicate(timeout=20)[0]
        return self.process.returncode, output

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.stop()
        elif self.process.stdout is not None and not self.process.stdout.closed:  # it ended by itself
            self.process.communicate()
