"""A registry on a real SQLite file, with a clock that stands still."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ontherun.keys import ManualClock
from ontherun.registry import (
    RIGHTS_OF,
    SYSTEM,
    Entity,
    OrderEntrySession,
    Principal,
    PrincipalKind,
    Registry,
    Role,
)

START = 1_767_225_600 * 1_000_000_000  # 2026-01-01


@dataclass
class Venue:
    """An open registry with two entities, a firm and a session for each, and who may ask."""

    registry: Registry
    clock: ManualClock
    ours: Entity
    theirs: Entity
    session: OrderEntrySession
    their_session: OrderEntrySession
    admin: Principal
    reader: Principal
    stranger: Principal


def principal(name: str, role: Role, entity_id: int, source: str | None = None) -> Principal:
    return Principal(name, PrincipalKind.TOKEN, {entity_id: RIGHTS_OF[role]}, source=source)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
async def registry(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Registry]:
    registry = await Registry.open(tmp_path / "data", clock, market_segments=(40, 41), variables={})
    yield registry
    await registry.close()


@pytest.fixture
async def venue(registry: Registry, clock: ManualClock) -> Venue:
    ours = await registry.entities.create(SYSTEM, "Ours")
    theirs = await registry.entities.create(SYSTEM, "Theirs")
    await registry.firms.create(SYSTEM, ours.entity_id, "OURS1", "Our first firm")
    await registry.firms.create(SYSTEM, theirs.entity_id, "THEI1", "Their first firm")
    return Venue(
        registry,
        clock,
        ours,
        theirs,
        await registry.sessions.create(SYSTEM, ["OURS1"], [40]),
        await registry.sessions.create(SYSTEM, ["THEI1"], [40]),
        principal("our admin", Role.ADMIN_MANAGER, ours.entity_id, "192.0.2.1"),
        principal("our reader", Role.READ_ONLY, ours.entity_id, "192.0.2.2"),
        principal("their admin", Role.ADMIN_MANAGER, theirs.entity_id, "192.0.2.3"),
    )


@contextmanager
def broken_audit(registry: Registry) -> Iterator[None]:
    """Have every change fail for a while, as on a full disk."""
    database = sqlite3.connect(registry.data_dir / "registry.sqlite3", isolation_level=None)
    database.execute(
        "CREATE TRIGGER broken BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
    )
    try:
        yield
    finally:
        database.execute("DROP TRIGGER broken")
        database.close()
