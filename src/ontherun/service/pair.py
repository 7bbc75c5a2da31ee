"""What the two processes of a pair know of each other: DIR/standby.lock, DIR/up.json and DIR/registry.lock."""

import fcntl
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ontherun.portal.status import GatewayAddress
from ontherun.registry import DataDirectoryInUseError, DirectoryLock, RegistryError

STANDBY = "standby.lock"


class PairError(RegistryError):
    """This process cannot be the standby; the text says why."""


class StandbyLock:
    """Held by the one standby of a data directory until `release`, or until its process ends, however it ends."""

    def __init__(self, data: Path) -> None:
        """Raises PairError when another process holds it."""
        self._descriptor = os.open(data / STANDBY, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise PairError(f"a venue and its standby run on {data} already: a pair is two processes") from None

    def tell(self, gateways: list[GatewayAddress]) -> None:
        """Write down where the standby listens."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps([asdict(gateway) for gateway in gateways]).encode(), 0)

    def release(self) -> None:
        """Let another process be the standby. A second time does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def standby_gateways(data: Path) -> list[GatewayAddress]:
    """Where the standby of a data directory listens; nothing where there is none."""
    try:
        with (data / STANDBY).open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return [GatewayAddress(**gateway) for gateway in json.loads(file.read() or "[]")]
    except FileNotFoundError:
        pass
    return []


def venue_lock(data: Path) -> DirectoryLock | None:
    """The venue's lock, held from here on; None while another process is the venue."""
    try:
        return DirectoryLock(data)
    except DataDirectoryInUseError:
        return None


def running_venue(data: Path) -> dict[str, Any] | None:
    """What DIR/up.json says of the process that holds the venue's lock; None before it has said so.

    Raises PairError when that process serves its backups itself.
    """
    try:
        up: dict[str, Any] = json.loads((data / "up.json").read_text(encoding="utf-8"))
        holder = (data / "registry.lock").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    if str(up["pid"]) != holder:
        return None  # of an earlier process, which was killed
    if not up["pair"]:
        raise PairError(f"the venue on {data} (process {holder}) serves its backups itself: start it with --pair too")
    return up
