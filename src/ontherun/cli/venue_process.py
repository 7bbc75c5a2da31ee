"""A venue as a process of its own, for as long as it is needed."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_START: Final = 30.0
"""Seconds that a venue may take to start."""

_STOP: Final = 30.0
"""Seconds that a venue may take to stop."""

_GLANCE: Final = 0.02
"""Seconds between two looks for the ready file."""


class VenueProcessError(Exception):
    """The venue did not start, or did not stop in order; what it printed is part of the text."""


@contextlib.contextmanager
def venue_process(folder: Path) -> Iterator[Path]:
    """Run `ontherun up` on free ports with its data in `folder`; its ready file. Raises VenueProcessError."""
    ready, log = folder / "ready.json", folder / "venue.log"
    command = [sys.executable, "-m", "ontherun", "up", "--data", str(folder / "data"), "--ready-file", str(ready)]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [*command, "--portal-port", "0", "--gateway-port-base", "0"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment(),
        )
    try:
        _wait_until_ready(process, ready, log)
        yield ready
    finally:
        _stop(process)
    if process.returncode:
        raise VenueProcessError(f"the venue stopped with exit code {process.returncode}:\n{_said(log)}")


def _environment() -> dict[str, str]:
    """The child's environment: without what would move the venue elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ONTHERUN_")}


def _wait_until_ready(process: subprocess.Popen[bytes], ready: Path, log: Path) -> None:
    give_up = time.monotonic() + _START
    while not ready.exists():
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GLANCE)
            raise VenueProcessError(f"the venue did not start:\n{_said(log)}")
        if time.monotonic() > give_up:
            raise VenueProcessError(f"the venue was not ready after {_START:.0f} s:\n{_said(log)}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _said(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")
