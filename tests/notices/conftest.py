"""A registry on a real SQLite file with a clock that stands still, and what sends its notices."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.mail_server import PASSWORD, USER, MailServer

from ontherun.keys import ManualClock, Secret
from ontherun.notices import LOOPBACK, MailSettings, NoticeJobs, NoticeSettings
from ontherun.registry import SYSTEM, Registry

START = 1_767_225_600 * 1_000_000_000  # 2026-01-01


class Log:
    """A log that a test can read."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def warning(self, event: str, **facts: object) -> None:
        self.lines.append({"event": event, **facts})


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
async def registry(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Registry]:
    registry = await Registry.open(tmp_path / "data", clock, variables={})
    entity = await registry.entities.create(SYSTEM, "Ours & Sons")
    await registry.firms.create(SYSTEM, entity.entity_id, "OURS1", "Our first firm")
    await registry.sessions.create(SYSTEM, ["OURS1"], [40])
    yield registry
    await registry.close()


@pytest.fixture
def mail_server(tmp_path: Path) -> Iterator[MailServer]:
    with MailServer(tmp_path / "mail") as server:
        yield server


def mail_settings(server: MailServer, **changes: Any) -> MailSettings:
    known: dict[str, Any] = {
        "host": "127.0.0.1",
        "mail_from": "ontherun@bank.example",
        "port": server.port,
        "user": USER,
        "password": Secret(PASSWORD.encode()),
        "ca_file": server.ca_file,
        "timeout": 5.0,
    }
    return MailSettings(**known | changes)


Jobs = Callable[..., NoticeJobs]


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def jobs_of(registry: Registry, log: Log) -> Jobs:
    """Make what sends the registry's notices."""

    def make(mail: MailSettings | None = None, networks: tuple[str, ...] = LOOPBACK) -> NoticeJobs:
        settings = NoticeSettings(mail, "https://keys.bank.example", networks)
        return NoticeJobs(registry, settings, log, lambda: settings.public_url)

    return make
