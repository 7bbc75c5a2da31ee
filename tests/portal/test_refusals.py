"""Refused requests are in the log, with who asked and from where; and no more of them than a log can bear."""

import logging

import pytest

from ontherun.portal import refusals

from .browser import Browser, signed_in
from .conftest import Portal


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == refusals.__name__]


async def test_who_is_refused_is_in_the_log_with_the_route_and_no_secret(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    await portal.ask("reader", "POST", "/api/v1/sessions/A00/keys")
    await portal.ask(None, "GET", "/api/v1/status", headers={"Authorization": "Bearer otr_guessed"})
    browser = await signed_in(portal)
    await browser.client.post("/sign-out", data={"csrf": "forged"})
    await Browser(portal).client.post("/sign-in/link", data={"token": "guessed"})
    assert told(caplog) == [
        "refused: POST /api/v1/sessions/{session_id}/keys, 403, to token 3 (reader) from 127.0.0.1",
        "refused: GET /api/v1/status, 401, to nobody from 127.0.0.1",
        "refused: POST /sign-out, 403, to operator@localhost from 127.0.0.1",
        "refused: POST /sign-in/link, 403, to nobody from 127.0.0.1",
    ]


async def test_a_flood_of_refusals_leaves_few_lines(
    portal: Portal, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "MOST_A_SECOND", 0)
    caplog.set_level(logging.WARNING)
    for _ in range(5):
        await portal.ask(None, "GET", "/api/v1/status")
    assert told(caplog) == []
    monkeypatch.setattr(refusals, "MOST_A_SECOND", 1000)
    await portal.ask(None, "GET", "/api/v1/status")
    assert told(caplog) == ["refused: GET /api/v1/status, 401, to nobody from 127.0.0.1; 5 more were left out before"]
