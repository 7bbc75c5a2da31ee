"""The start page, the page of a session, and what holds for every response."""

import re

import pytest

from ontherun.registry import SYSTEM

from .browser import Browser, signed_in
from .conftest import Portal

DAY = 86_400 * 1_000_000_000


@pytest.fixture
async def operator(portal: Portal) -> Browser:
    """A browser of the person at this machine."""
    return await signed_in(portal)


async def test_the_start_page_is_for_those_who_are_signed_in(portal: Portal) -> None:
    answer = await Browser(portal).get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


async def test_the_start_page_says_what_runs_and_where(portal: Portal, operator: Browser) -> None:
    await portal.registry.pairs.generate(SYSTEM, "A00")
    portal.running.logged_in.add("A00")
    answer = await operator.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for shown in ("LOCAL", "A00", "OURS1", "127.0.0.1:9040", "UB10", "2026-12-31", "logged in", "/sessions/A00"):
        assert shown in answer.text
    assert "The first four steps" not in answer.text


async def test_what_needs_attention_is_grouped_the_most_pressing_first(portal: Portal, operator: Browser) -> None:
    await portal.registry.pairs.generate(SYSTEM, "A00")
    portal.clock.advance(340 * DAY)
    portal.running.closed.add("A01")
    operator = await signed_in(portal)
    text = (await operator.get("/")).text
    titles = re.findall(r'<h2 id="need-\d+">.*?<span>(.*?)</span>', text, re.DOTALL)
    assert titles == [
        "1 port is closed",
        "1 session has no valid key pair",
        "1 key pair expires and has no successor",
        "1 key pair was never used",
        "1 key pair is older than half a year",
    ]


async def test_nothing_needs_attention_when_all_is_in_order(portal: Portal, operator: Browser) -> None:
    for session_id in ("A00", "A01"):
        await portal.registry.pairs.generate(SYSTEM, session_id)
    assert "Nothing does. It is all in order." in (await operator.get("/")).text


async def test_the_start_page_of_an_empty_venue_teaches_the_first_four_steps(
    portal: Portal, operator: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal.running.listening.clear()
    portal.running.traded.clear()
    monkeypatch.setattr(portal.registry.directory, "_sessions", {})
    text = (await operator.get("/")).text
    for shown in (
        "There is no session yet",
        "No gateway listens",
        "Nothing can be traded yet",
        "0 of 4 done",
        "ontherun session create --firm OURS1",
        "ontherun key generate A00",
        "ontherun key download A00 --out my-key.json",
        "ontherun order buy UB10",
    ):
        assert shown in text


async def test_the_start_page_shows_ten_sessions_and_counts_the_rest(portal: Portal, operator: Browser) -> None:
    for _ in range(10):
        await portal.registry.sessions.create(SYSTEM, ["OURS1"], [40])
    text = (await operator.get("/")).text
    assert "And 2 more" in text
    assert "and 7 more" in text, "of the sessions without a key pair, five are named"


async def test_free_text_on_the_pages_is_text(portal: Portal, operator: Browser) -> None:
    await portal.registry.sessions.create(SYSTEM, ["OURS1"], [40], label="<script>alert('x')</script>")
    for path in ("/", "/sessions/A02"):
        text = (await operator.get(path)).text
        assert "<script>" not in text
        assert "&lt;script&gt;" in text


async def test_the_pages_show_no_secret_and_no_token(portal: Portal, operator: Browser) -> None:
    await portal.ask("admin", "POST", "/api/v1/sessions/A00/keys")
    for path in ("/", "/sessions/A00"):
        text = (await operator.get(path)).text
        assert not any(token in text for token in portal.tokens.values())
        assert "secret_key" not in text


async def test_a_session_is_shown_with_where_it_logs_in(portal: Portal, operator: Browser) -> None:
    text = (await operator.get("/sessions/A00")).text
    for shown in ("A00OURS1", "Ours first firm", "127.0.0.1:9040", "It is not logged in", "no valid key pair"):
        assert shown in text
    assert (await operator.get("/sessions/Z99")).status_code == 404


async def test_a_session_of_another_entity_does_not_exist(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = await signed_in(portal)
    monkeypatch.setattr("ontherun.registry.Principal.sees", lambda _self, entity_id: entity_id == 1)
    assert (await browser.get("/sessions/A00")).status_code == 200
    for method, path in (("GET", "/sessions/A01"), ("POST", "/sessions/A01/open-port")):
        answer = await browser.client.request(method, path, data={"csrf": browser.csrf})
        assert answer.status_code == 404, path


async def test_the_operator_opens_a_closed_port_on_the_page(portal: Portal, operator: Browser) -> None:
    portal.running.closed.add("A00")
    page = await operator.get("/sessions/A00")
    assert "every login is refused" in page.text
    answer = await operator.send("/sessions/A00/open-port", page)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sessions/A00")
    assert portal.running.closed == set()
    assert "The ports of session A00 are open again." in (await operator.get("/sessions/A00")).text
    foreign = await operator.client.post("/sessions/A00/open-port", data={"csrf": "wrong"})
    assert foreign.status_code == 403


@pytest.mark.parametrize(
    "path",
    ["/", "/sign-in", "/health/live", "/api/v1/sessions", "/nothing", "/static/portal.css", "/api/v1/openapi.json"],
)
async def test_every_response_carries_the_protecting_headers(portal: Portal, path: str) -> None:
    headers = (await portal.ask(None, "GET", path)).headers
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert (headers.get("cache-control") == "no-store") is not path.startswith("/static/")


async def test_the_page_finds_its_files(portal: Portal, operator: Browser) -> None:
    page = (await operator.get("/")).text
    for path in set(re.findall(r'"(/static/[^"#]*)', page)):
        assert (await portal.ask(None, "GET", path)).status_code == 200, path
    assert (await portal.ask(None, "GET", "/static/../app.py")).status_code == 404


async def test_health_and_the_head_of_the_start_page_need_no_token(portal: Portal, operator: Browser) -> None:
    assert (await portal.ask(None, "GET", "/health/live")).json() == {"status": "ok"}
    assert (await operator.client.head("/")).status_code == 200


async def test_no_page_of_the_framework_loads_scripts_from_elsewhere(portal: Portal) -> None:
    for path in ("/docs", "/redoc"):
        assert (await portal.ask(None, "GET", path)).status_code == 404
