"""The web application over a registry on a real SQLite file, asked through its ASGI interface."""

import secrets
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from ontherun.keys import ManualClock
from ontherun.portal import create_app
from ontherun.registry import LOCAL_POLICY, SYSTEM, Registry, Role, token_text

START = 1_767_225_600 * 1_000_000_000  # 2026-01-01

LASTING_TOKENS = replace(LOCAL_POLICY, token_life=10**18, longest_token_life=10**18)
"""So that a test may move the clock by years and still ask."""


@dataclass
class Portal:
    """The application, what is behind it, and a client for each sort of caller."""

    app: FastAPI
    registry: Registry
    clock: ManualClock
    running: Any
    tokens: dict[str, str]
    made_random: list[bytes]
    of_notices: dict[str, Any] = field(default_factory=dict)

    async def ask(self, who: str | None, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """Send one request as "operator", "admin", "reader", "stranger" or, with None, as nobody."""
        headers = {} if who is None else {"Authorization": f"Bearer {self.tokens[who]}"}
        headers |= arguments.pop("headers", {})
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
            return await client.request(method, path, headers=headers, **arguments)


@pytest.fixture
async def portal(tmp_path: Path, running_venue: Any) -> AsyncIterator[Portal]:
    """Two entities, a firm and a session for each (A00 ours, A01 theirs), and a token for each sort of caller."""
    clock, made_random = ManualClock(START), []

    def random_bytes(count: int) -> bytes:
        made_random.append(secrets.token_bytes(count))
        return made_random[-1]

    registry = await Registry.open(
        tmp_path / "data", clock, variables={}, random_bytes=random_bytes, people_policy=LASTING_TOKENS
    )
    tokens = {"operator": (await registry.local_token_file()).read_text().strip()}
    for name, gfid in (("Ours", "OURS1"), ("Theirs", "THEI1")):
        entity = await registry.entities.create(SYSTEM, name)
        await registry.firms.create(SYSTEM, entity.entity_id, gfid, f"{name} first firm")
        await registry.sessions.create(SYSTEM, [gfid], [40])
    for who, role, entity_id in (
        ("admin", Role.ADMIN_MANAGER, 1),
        ("reader", Role.READ_ONLY, 1),
        ("stranger", Role.ADMIN_MANAGER, 2),
    ):
        _, secret = await registry.tokens.create(SYSTEM, who, role, entity_id)
        tokens[who] = token_text(secret)
    yield Portal(create_app(registry, running_venue), registry, clock, running_venue, tokens, made_random)
    await running_venue.close()
    await registry.close()


async def done_so_far(portal: Portal) -> int:
    """Return how many audit entries there are, but for those of refused attempts."""
    found = await portal.registry.audit_entries(SYSTEM, limit=1000)
    return sum(entry.action != "access.refused" for entry in found)


def check_problem(answer: httpx2.Response, status: int, kind: str) -> dict[str, Any]:
    """Check that an answer is a problem document of this sort, and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert (problem["type"], problem["status"]) == (f"urn:ontherun:problem:{kind}", status)
    assert problem["detail"]
    return problem


@contextmanager
def broken_database(registry: Registry) -> Iterator[None]:
    """Have every write to the registry fail for a while."""
    database = sqlite3.connect(registry.data_dir / "registry.sqlite3", isolation_level=None)
    database.execute(
        "CREATE TRIGGER broken BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
    )
    try:
        yield
    finally:
        database.execute("DROP TRIGGER broken")
        database.close()
