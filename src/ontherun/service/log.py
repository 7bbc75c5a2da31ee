"""The log: one JSON object a line, in DIR/ontherun.log, with nothing in it that opens a session."""

import logging
from pathlib import Path
from typing import cast

import structlog

from ontherun.gateway.gateway import Log

SECRETS = frozenset(
    {"authorization", "hmac_signature", "master_key", "password", "secret", "secret_key", "signature", "token"}
)
"""Names whose values are masked, should one ever be handed to the log."""


def open_log(path: Path, clock_text: structlog.typing.Processor) -> Log:
    """A log that appends to `path` (made with mode 0600)."""
    path.touch(mode=0o600)
    stream = path.open("a", encoding="utf-8", buffering=1)
    logger = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            clock_text,
            mask,
            structlog.processors.JSONRenderer(default=str),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    return cast("Log", logger)


def mask(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Mask what must not be read, by name."""
    for name in SECRETS & event.keys():
        event[name] = "***"
    return event
