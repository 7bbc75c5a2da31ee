"""One process for each data directory."""

import fcntl
import os
from pathlib import Path

from ontherun.registry.errors import DataDirectoryInUseError

FILE_NAME = "registry.lock"


class DirectoryLock:
    """Holds a data directory for this process until `release`, or until the process ends, however it ends."""

    __slots__ = ("_descriptor",)

    def __init__(self, data_dir: Path) -> None:
        """Make the directory when it is not there, and hold it. DataDirectoryInUseError when another does."""
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(data_dir / FILE_NAME, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise DataDirectoryInUseError(data_dir, holder) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))
        self._descriptor = descriptor

    def release(self) -> None:
        """Let others have the directory. A second time does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
