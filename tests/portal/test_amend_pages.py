"""Every kind of request that is still open can be amended on the form that asks for it."""

import re
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from ontherun.registry import (
    SYSTEM,
    AnyTerms,
    ChangeDropCopyGroup,
    ChangeMarketDataSession,
    ChangeSession,
    CopiedMessages,
    CreateDropCopyGroup,
    CreateMarketDataSessions,
    CreateSessions,
    DeleteDropCopyGroup,
    DeleteMarketDataSession,
    DeleteSession,
    ImportSessions,
    Market,
    RegisterFirm,
    RenameFirm,
    RequestKind,
    Role,
    SessionProtocol,
    SetProtocol,
    TimetableName,
    WithdrawFirm,
    token_text,
)

from .browser import Browser, signed_in
from .conftest import Portal

SESSIONS = CreateSessions(firms=("OURS1",), market_segments=(40,), cancel_on_disconnect=False, label="before")
GROUP = CreateDropCopyGroup(
    name="Desk", firm="OURS1", market=Market.US, sources=("A00",), messages=(CopiedMessages.ACKS,)
)
DATA = CreateMarketDataSessions(firm="OURS1", market=Market.US, products=("us-repo",))

KINDS: list[tuple[AnyTerms, dict[str, str], dict[str, object]]] = [
    (SESSIONS, {"label": "after"}, {"label": "after", "cancel_on_disconnect": False}),
    (
        ChangeSession(session_id="A00", label="before", front_end_system="OMS"),
        {"label": "after"},
        {"label": "after", "front_end_system": "OMS"},
    ),
    (
        SetProtocol(session_id="A00", protocol=SessionProtocol.FIX),
        {"live_date": "2026-02-02"},
        {"live_date": "2026-02-02"},
    ),
    (
        DeleteSession(session_id="A00", end_session=True),
        {"confirm": "A00", "live_date": "2026-02-02"},
        {"end_session": True, "live_date": "2026-02-02"},
    ),
    (replace(GROUP, name="Second"), {"name": "Risk"}, {"name": "Risk", "sources": ("A00",)}),
    (ChangeDropCopyGroup(group_id=1, name="Two"), {"name": "Three"}, {"name": "Three"}),
    (DeleteDropCopyGroup(group_id=1), {"confirm": "Desk", "live_date": "2026-02-02"}, {"live_date": "2026-02-02"}),
    (DATA, {"label": "after"}, {"label": "after", "products": ("us-repo",)}),
    (
        ChangeMarketDataSession(session_id="A03", front_end_system="before"),
        {"front_end_system": "after"},
        {"front_end_system": "after"},
    ),
    (
        DeleteMarketDataSession(session_id="A03"),
        {"confirm": "A03", "live_date": "2026-02-02"},
        {"live_date": "2026-02-02"},
    ),
    (RegisterFirm(entity_id=1, gfid="OURS2", name="before"), {"name": "after"}, {"gfid": "OURS2", "name": "after"}),
    (RenameFirm(gfid="OURS1", name="before"), {"name": "after"}, {"name": "after"}),
]


def test_every_kind_is_tried() -> None:
    # A withdrawal has nothing to amend, and a file has a test of its own.
    assert {terms.kind for terms, _, _ in KINDS} | {WithdrawFirm.kind, ImportSessions.kind} == set(RequestKind)


def filled(page: str, form: str) -> dict[str, Any]:
    """Return what the form of a page holds, as a browser would send it."""
    (text,) = [each for each in re.findall(r"<form\b.*?</form>", page, re.DOTALL) if f'action="{form}"' in each]
    values: dict[str, Any] = {}
    for tag in re.findall(r"<input\b[^>]*>", text):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if attributes.get("type") in ("checkbox", "radio") and " checked" not in tag:
            continue
        values.setdefault(attributes["name"], []).append(unescape(attributes.get("value", "")))
    for name, value in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', text, re.DOTALL):
        values[name] = [unescape(value)]
    for name, choices in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', text, re.DOTALL):
        chosen = re.findall(r'<option value="([^"]*)" selected', choices)
        values[name] = (chosen or re.findall(r'<option value="([^"]*)"', choices))[:1]
    return values


@pytest.fixture
async def browser(portal: Portal) -> Browser:
    await portal.registry.requests.submit(SYSTEM, GROUP)
    await portal.registry.requests.submit(SYSTEM, DATA)
    return await signed_in(portal)


@pytest.mark.parametrize(("terms", "typed", "expected"), KINDS, ids=lambda part: getattr(part, "kind", None))
async def test_an_open_request_is_amended_on_its_form(
    portal: Portal, browser: Browser, terms: AnyTerms, typed: dict[str, str], expected: dict[str, object]
) -> None:
    # Firms wait for nothing but approval, and the operator's own requests wait for a colleague.
    await portal.registry.policies.set(SYSTEM, timetable=TimetableName.EXCHANGE, four_eyes=True)
    asked = await browser_submits(portal, terms)
    page = (await browser.get(f"/requests/{asked}")).text
    (link,) = re.findall(r'<a class="button" href="([^"]+)">Amend</a>', page)
    form = await browser.get(unescape(link))
    assert f'name="amend" value="{asked}"' in form.text
    action = next(
        each for each in re.findall(r'<form[^>]* action="([^"]+)"', form.text) if "amend" in filled(form.text, each)
    )
    review = await browser.client.post(action, data={**filled(form.text, action), **typed})
    assert review.status_code == 200, review.text
    done = await browser.send(action, review, agreed="yes")
    assert done.status_code == 303, done.text
    amended = await portal.registry.requests.get(SYSTEM, asked)
    assert amended.revision == 1
    assert {name: getattr(amended.terms, name) for name in expected} == expected
    stale = await browser.client.post(action, data={**filled(form.text, action), **typed, "agreed": "yes"})
    assert stale.status_code == 409


async def browser_submits(portal: Portal, terms: AnyTerms) -> int:
    _, secret = await portal.registry.tokens.create(SYSTEM, "asks", Role.ADMIN_MANAGER, 1)
    by = portal.registry.tokens.recognise(token_text(secret))
    assert by is not None
    return (await portal.registry.requests.submit(by, terms)).request_id


async def test_a_file_is_amended_by_another_file(portal: Portal, browser: Browser) -> None:
    await portal.registry.policies.set(SYSTEM, timetable=TimetableName.EXCHANGE)
    asked = await browser_submits(portal, ImportSessions(sessions=(SESSIONS,)))
    form = await browser.get(f"/sessions/import?amend={asked}")
    hidden = {name: filled(form.text, "/sessions/import")[name][0] for name in ("csrf", "amend", "revision")}
    text = "firms,market_segments,label\nOURS1,40,after\nOURS1,40,more\n"
    review = await browser.client.post("/sessions/import", data={**hidden, "text": text})
    assert "Import 2 Order Entry sessions" in review.text
    done = await browser.client.post("/sessions/import", data={**hidden, "text": text, "agreed": "yes"})
    assert done.status_code == 303
    terms = (await portal.registry.requests.get(SYSTEM, asked)).terms
    assert isinstance(terms, ImportSessions)
    assert [line.label for line in terms.sessions] == ["after", "more"]


async def test_an_amendment_makes_room_for_itself_in_the_allowance(portal: Portal, browser: Browser) -> None:
    await portal.registry.policies.set(SYSTEM, timetable=TimetableName.EXCHANGE)
    await portal.registry.policies.set_allowance(SYSTEM, 1, 3)
    asked = await browser_submits(portal, CreateSessions(firms=("OURS1",), market_segments=(40,), number_of_sessions=2))
    form = await browser.get(f"/sessions/new?amend={asked}")
    review = await browser.client.post("/sessions/new", data={**filled(form.text, "/sessions/new"), "label": "x"})
    assert review.status_code == 200, review.text
    more = {"kind": "create-sessions", "firms": ["OURS1"], "market_segments": [40], "number_of_sessions": 2}
    path = "/api/v1/request-preview"
    assert (await portal.ask("admin", "POST", path, json=more)).status_code == 409
    assert (await portal.ask("admin", "POST", f"{path}?amends={asked}", json=more)).status_code == 200
    assert (await portal.ask("stranger", "POST", f"{path}?amends={asked}", json=more)).status_code == 404
