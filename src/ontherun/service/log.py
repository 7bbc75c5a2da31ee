"""The log: one JSON object a line, in DIR/ontherun.log, with nothing in it that opens a session."""

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

SECRETS = frozenset(
    {"authorization", "hmac_signature", "master_key", "password", "secret", "secret_key", "signature", "token"}
)
"""Names whose values are masked, should one ever be handed to the log."""

_SECOND = 1_000_000_000
_encode = json.JSONEncoder(separators=(",", ":"), default=str).encode


class JsonLog:
    """A log that appends to `path`, which is made with mode 0600. `clock` gives ns since the epoch.

    A warning or an error is written at the end of its turn of the loop, whatever else was logged within a quarter of a
    second: a storm of logins must not cost a write each. A disk that takes no more costs lines of the log; it does not
    stop the venue.
    """

    def __init__(self, path: Path, clock: Callable[[], int]) -> None:
        self._path = path
        self._file = _opened(path)
        self._clock = clock
        self.lost = 0
        """Lines that the disk did not take."""
        self._urgent = False
        self._second = -1
        self._second_text = ""

    def info(self, event: str, **facts: object) -> None:
        """Something that happened."""
        self._write("info", event, facts)

    def warning(self, event: str, **facts: object) -> None:
        """Something that its owner should look at."""
        self._write("warning", event, facts)
        self._urgent = True

    def error(self, event: str, **facts: object) -> None:
        """Something that stopped us."""
        self._write("error", event, facts)
        self._urgent = True

    def end_turn(self) -> None:
        """Write what was logged where somebody should look at it now."""
        if self._urgent:
            self.flush()

    def flush(self) -> None:
        """Write what was logged."""
        self._urgent = False
        with suppress(OSError):
            self._file.flush()

    def reopen(self) -> None:
        """Go on in a new file of the same name, where something has moved the old one away."""
        self.close()
        self._file = _opened(self._path)

    def go_on_in(self, path: Path) -> None:
        """Log to another file from here on."""
        self._path = path
        self.reopen()

    def close(self) -> None:
        """Write what was logged and close. Closing twice is harmless."""
        with suppress(OSError):
            self._file.close()

    def handler(self) -> logging.Handler:
        """Return what takes over the warnings and errors that libraries and rooms give to Python's own logging."""
        return _Handler(self)

    def _write(self, level: str, event: str, facts: dict[str, object]) -> None:
        for name in SECRETS & facts.keys():
            facts[name] = "***"
        second, rest = divmod(self._clock(), _SECOND)
        if second != self._second:
            self._second = second
            self._second_text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        line = {"at": f"{self._second_text}.{rest:09d}Z", "level": level, "event": event, **facts}
        try:
            self._file.write(_encode(line) + "\n")
        except OSError:
            self.lost += 1


class _Handler(logging.Handler):
    def __init__(self, log: JsonLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log
        self.setFormatter(logging.Formatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, with the traceback where it has one (a traceback holds no values)."""
        told = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        facts = {"logger": record.name}
        if record.exc_info and self.formatter is not None:
            facts["traceback"] = self.formatter.formatException(record.exc_info)
        told(record.getMessage(), **facts)
        self._log.flush()


def _opened(path: Path) -> TextIO:
    path.touch(mode=0o600)
    return path.open("a", encoding="utf-8")
