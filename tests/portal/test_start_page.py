"""The start page, and what holds for every response."""

import re
from pathlib import Path

import pytest

import ontherun.portal
from ontherun.registry import SYSTEM

from .conftest import Portal

ROOM = Path(ontherun.portal.__file__).parent


async def test_the_start_page_says_what_runs_and_where(portal: Portal) -> None:
    await portal.registry.pairs.generate(SYSTEM, "A00")
    portal.running.logged_in.add("A00")
    answer = await portal.ask(None, "GET", "/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for shown in (
        "LOCAL",
        "A00",
        "OURS1",
        "127.0.0.1:9040",
        "UB10",
        "2026-12-31",
        "logged in",
        "none: it cannot log in",
    ):
        assert shown in answer.text
    assert "ontherun key download A00" in answer.text


async def test_the_start_page_of_an_empty_venue_teaches(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    portal.running.listening.clear()
    portal.running.traded.clear()
    monkeypatch.setattr(portal.registry.directory, "_sessions", {})
    text = (await portal.ask(None, "GET", "/")).text
    for shown in (
        "There is no session yet",
        "No gateway listens",
        "Nothing can be traded yet",
        "0 sessions are set up",
    ):
        assert shown in text


async def test_the_start_page_shows_fifty_sessions_and_counts_the_rest(portal: Portal) -> None:
    for _ in range(50):
        await portal.registry.sessions.create(SYSTEM, ["OURS1"], [40])
    text = (await portal.ask(None, "GET", "/")).text
    assert "And 2 more" in text
    assert text.count('<th scope="row"><code>') == 50 + 1  # and one instrument


async def test_free_text_on_the_start_page_is_text(portal: Portal) -> None:
    await portal.registry.sessions.create(SYSTEM, ["OURS1"], [40], label="<script>alert('x')</script>")
    text = (await portal.ask(None, "GET", "/")).text
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


async def test_the_start_page_shows_no_secret_and_no_token(portal: Portal) -> None:
    await portal.ask("admin", "POST", "/api/v1/sessions/A00/keys")
    text = (await portal.ask(None, "GET", "/")).text
    assert not any(token in text for token in portal.tokens.values())
    assert "secret_key" not in text


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/api/v1/sessions", "/nothing", "/static/portal.css", "/api/v1/openapi.json"]
)
async def test_every_response_carries_the_protecting_headers(portal: Portal, path: str) -> None:
    headers = (await portal.ask(None, "GET", path)).headers
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert (headers.get("cache-control") == "no-store") is not path.startswith("/static/")


async def test_the_page_finds_its_files(portal: Portal) -> None:
    page = (await portal.ask(None, "GET", "/")).text
    for path in set(re.findall(r'"(/static/[^"]*)"', page)):
        assert (await portal.ask(None, "GET", path)).status_code == 200, path
    assert (await portal.ask(None, "GET", "/static/../app.py")).status_code == 404


async def test_health_and_the_head_of_the_start_page_need_no_token(portal: Portal) -> None:
    assert (await portal.ask(None, "GET", "/healthz")).json() == {"status": "ok"}
    assert (await portal.ask(None, "HEAD", "/")).status_code == 200


async def test_no_page_of_the_framework_loads_scripts_from_elsewhere(portal: Portal) -> None:
    for path in ("/docs", "/redoc"):
        assert (await portal.ask(None, "GET", path)).status_code == 404
