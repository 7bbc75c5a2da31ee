"""Idempotency keys: one effect and one answer however often a request comes; durable, per principal, for 24 hours."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ontherun.portal import create_app
from ontherun.registry import Registry
from ontherun.registry import idempotency as room

from .conftest import Portal, broken_database, check_problem

DAY = 86_400 * 1_000_000_000
KEY = {"Idempotency-Key": "b3d1f6e0-0001"}
SESSIONS = "/api/v1/sessions"
NEW = {"firms": ["OURS1"], "market_segments": [40]}


async def create(portal: Portal, who: str = "admin", key: dict[str, str] = KEY, **body: Any) -> httpx2.Response:
    return await portal.ask(who, "POST", f"{SESSIONS}/A00/keys", headers=key, json=body or None)


async def pairs(portal: Portal) -> int:
    return len((await portal.ask("operator", "GET", f"{SESSIONS}/A00/keys")).json()["items"])


async def test_the_same_request_twice_has_one_effect_and_the_same_answer(portal: Portal) -> None:
    first, second = await create(portal), await create(portal)
    assert (first.status_code, first.content, first.headers["content-type"]) == (
        second.status_code,
        second.content,
        second.headers["content-type"],
    )
    assert first.status_code == 201
    assert (first.headers.get("idempotent-replayed"), second.headers["idempotent-replayed"]) == (None, "true")
    assert await pairs(portal) == 1


async def test_another_key_is_another_request(portal: Portal) -> None:
    await create(portal)
    assert (await create(portal, key={"Idempotency-Key": "another"})).status_code == 201
    assert await pairs(portal) == 2


async def test_the_same_key_with_another_request_is_refused(portal: Portal) -> None:
    await create(portal)
    for method, path, body in (
        ("POST", f"{SESSIONS}/A00/keys?", {"x": 1}),
        ("POST", "/api/v1/firms", {"entity_id": 1, "gfid": "OURS9", "name": "New"}),
        ("DELETE", f"{SESSIONS}/A00/keys", None),
    ):
        answer = await portal.ask("admin", method, path, headers=KEY, json=body)
        check_problem(answer, 422, "idempotency-key-reused")


async def test_a_key_belongs_to_the_principal_that_sent_it(portal: Portal) -> None:
    await create(portal)
    theirs = await portal.ask("stranger", "POST", f"{SESSIONS}/A00/keys", headers=KEY)
    check_problem(theirs, 404, "not-found")
    assert (await create(portal, "operator")).headers.get("idempotent-replayed") is None
    assert await pairs(portal) == 2


async def test_without_a_valid_token_nothing_is_replayed(portal: Portal) -> None:
    await create(portal)
    check_problem(await portal.ask(None, "POST", f"{SESSIONS}/A00/keys", headers=KEY), 401, "unauthorized")
    bad = {**KEY, "Authorization": "Bearer otr_unknown"}
    check_problem(await portal.ask(None, "POST", f"{SESSIONS}/A00/keys", headers=bad), 401, "unauthorized")


async def test_the_same_key_at_the_same_time_has_one_effect(portal: Portal) -> None:
    answers = await asyncio.gather(*(create(portal) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await pairs(portal) == 1
    assert portal.registry.idempotency._under_way == {}


async def test_it_survives_a_restart(portal: Portal, tmp_path: Path) -> None:
    first = await create(portal)
    await portal.registry.close()
    portal.registry = await Registry.open(tmp_path / "data", portal.clock, variables={})
    portal.app = create_app(portal.registry, portal.running)
    assert (await create(portal)).content == first.content
    await portal.registry.close()


async def test_an_answer_with_a_secret_is_not_kept_and_its_repetition_names_the_audit_entry(portal: Portal) -> None:
    body = {"name": "script", "scopes": "read-only", "entity_id": 1}
    first = await portal.ask("operator", "POST", "/api/v1/tokens", headers=KEY, json=body)
    assert first.status_code == 201, first.text
    (entry, *_) = (await portal.ask("operator", "GET", "/api/v1/audit")).json()["items"]
    again = await portal.ask("operator", "POST", "/api/v1/tokens", headers=KEY, json=body)
    problem = check_problem(again, 409, "done-before")
    assert f"audit entry {entry['sequence']}" in problem["detail"]
    assert (await portal.ask("operator", "GET", "/api/v1/tokens")).text.count('"script"') == 1
    for path in portal.registry.data_dir.iterdir():
        assert first.json()["token"].encode() not in path.read_bytes()


async def test_after_a_crash_between_effect_and_answer_the_repetition_is_told_that_it_was_done(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_: object) -> None:
        """The process ends before the answer is kept."""

    monkeypatch.setattr(room.Idempotency, "keep", crash)
    await create(portal)
    check_problem(await create(portal), 409, "done-before")
    assert await pairs(portal) == 1


async def test_a_refused_request_may_be_repeated_when_it_is_right(portal: Portal) -> None:
    path = "/api/v1/firms"
    body = {"entity_id": 1, "gfid": "OURS1", "name": "Taken"}
    for _ in range(2):
        check_problem(await portal.ask("admin", "POST", path, headers=KEY, json=body), 409, "conflict")
    assert (await portal.ask("admin", "POST", path, headers=KEY, json=body | {"gfid": "OURS9"})).status_code == 201


async def test_without_audit_there_is_no_effect_and_no_mark(portal: Portal) -> None:
    with broken_database(portal.registry):
        check_problem(await create(portal), 503, "unavailable")
    assert (await create(portal)).status_code == 201
    assert await pairs(portal) == 1


async def test_after_a_day_the_key_is_free_and_its_mark_is_forgotten(portal: Portal) -> None:
    await create(portal)
    portal.clock.advance(DAY - 1)
    assert (await create(portal)).headers["idempotent-replayed"] == "true"
    portal.clock.advance(1)
    assert (await create(portal)).headers.get("idempotent-replayed") is None
    with sqlite3.connect(portal.registry.data_dir / "registry.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM idempotency").fetchone() == (1,)


async def test_the_clock_moved_back_frees_no_key(portal: Portal) -> None:
    first = await create(portal)
    portal.clock.advance(-400 * DAY)
    assert (await create(portal)).content == first.content


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "caf\u00e9".encode("latin-1")])
async def test_a_key_that_is_none_is_refused(portal: Portal, key: str | bytes) -> None:
    answer = await portal.ask("admin", "POST", f"{SESSIONS}/A00/keys", headers={"Idempotency-Key": key})
    check_problem(answer, 422, "invalid")
    assert await pairs(portal) == 0


async def test_a_body_that_is_too_large_is_refused_with_a_key_too(portal: Portal) -> None:
    answer = await portal.ask("admin", "POST", "/api/v1/firms", headers=KEY, content=b"x" * 70_000)
    check_problem(answer, 413, "request-entity-too-large")


async def test_reading_takes_no_notice_of_a_key(portal: Portal) -> None:
    for path in (f"{SESSIONS}/A00", "/api/v1/firms"):
        assert (await portal.ask("admin", "GET", path, headers=KEY)).status_code == 200
