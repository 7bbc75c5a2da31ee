"""The venue carries out requests when they are due, and looks again when it is woken."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ontherun.keys import ManualClock
from ontherun.registry import SYSTEM, CreateSessions, Registry, RequestStatus, TimetableName
from ontherun.service import due_requests
from ontherun.service.due_requests import DueRequests

DAY = 86_400 * 10**9
START = 1_767_225_600 * 10**9
NEW = CreateSessions(firms=("OURS1",), market_segments=(40,))


class Log:
    def __init__(self) -> None:
        self.errors: list[object] = []

    def error(self, event: str, **facts: object) -> None:
        self.errors.append(facts["reason"])


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[Registry]:
    registry = await Registry.open(tmp_path, ManualClock(START), variables={})
    await registry.entities.create(SYSTEM, "Ours")
    await registry.firms.create(SYSTEM, 1, "OURS1", "First")
    await registry.policies.set(SYSTEM, timetable=TimetableName.EXCHANGE)
    yield registry
    await registry.close()


async def until(registry: Registry, request_id: int, status: RequestStatus) -> None:
    async with asyncio.timeout(5):
        while (await registry.requests.get(SYSTEM, request_id)).status is not status:  # noqa: ASYNC110 - it has none
            await asyncio.sleep(0.01)


async def test_a_request_is_carried_out_when_the_clock_is_moved_and_the_job_woken(registry: Registry) -> None:
    job = DueRequests(registry, Log())
    request = await registry.requests.submit(SYSTEM, NEW)
    await asyncio.sleep(0.05)
    assert (await registry.requests.get(SYSTEM, request.request_id)).status is RequestStatus.IN_PROGRESS
    assert isinstance(registry.clock, ManualClock)
    registry.clock.advance(4 * DAY)
    job.wake()
    await until(registry, request.request_id, RequestStatus.COMPLETED)
    await job.stop()


async def test_a_request_that_was_due_before_the_start_is_carried_out_at_the_start(registry: Registry) -> None:
    request = await registry.requests.submit(SYSTEM, NEW)
    assert isinstance(registry.clock, ManualClock)
    registry.clock.advance(4 * DAY)
    job = DueRequests(registry, Log())
    await until(registry, request.request_id, RequestStatus.COMPLETED)
    await job.stop()


async def test_a_database_that_cannot_be_written_is_logged_and_tried_again(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_requests, "RETRY", 0.01)
    request = await registry.requests.submit(SYSTEM, NEW)
    assert isinstance(registry.clock, ManualClock)
    registry.clock.advance(4 * DAY)
    database = sqlite3.connect(registry.data_dir / "registry.sqlite3", isolation_level=None)
    database.execute("CREATE TRIGGER full BEFORE INSERT ON session BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
    log = Log()
    job = DueRequests(registry, log)
    async with asyncio.timeout(5):
        while not log.errors:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    assert "disk is full" in str(log.errors[0])
    database.execute("DROP TRIGGER full")
    database.close()
    await until(registry, request.request_id, RequestStatus.COMPLETED)
    await job.stop()
