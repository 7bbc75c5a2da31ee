"""Entities and firms on their pages: registered, renamed, withdrawn, authorised, and their allowances."""

import pytest

from ontherun.registry import SYSTEM

from .browser import Browser, signed_in
from .conftest import Portal
from .test_session_pages import flash, reviewed


@pytest.fixture
async def browser(portal: Portal) -> Browser:
    return await signed_in(portal)


async def test_a_firm_is_registered_renamed_and_withdrawn(portal: Portal, browser: Browser) -> None:
    page = (await browser.get("/firms")).text
    for part in ("Ours first firm", "THEI1", "1 of 100", "the venue&#39;s default"):
        assert part in page
    done = await reviewed(browser, "/firms/new", entity_id="1", gfid="ours2", name="Second", audit_reason="new desk")
    assert done.headers["location"] == "/firms/OURS2"
    assert "no session" in await flash(browser, done)
    wrong = await browser.post("/firms/new", entity_id="1", gfid="OURS", name="Third")
    assert wrong.status_code == 422
    assert "five characters" in wrong.text
    await reviewed(browser, "/firms/OURS2/rename", name="Renamed")
    assert portal.registry.firms.get(SYSTEM, "OURS2").name == "Renamed"
    assert "is not the Globex Firm ID" in (await browser.post("/firms/OURS2/withdraw", confirm="x")).text
    await reviewed(browser, "/firms/OURS2/withdraw", confirm="OURS2")
    assert (await browser.get("/firms/OURS2")).status_code == 404
    refused = await browser.post("/firms/OURS1/withdraw", confirm="OURS1")
    assert refused.status_code == 409
    assert "is carried by 1 session (A00)" in refused.text


async def test_the_operator_registers_entities_and_sets_their_allowances(portal: Portal, browser: Browser) -> None:
    done = await browser.post("/firms/entities", name="Third")
    assert "It has no Globex firm yet." in await flash(browser, done)
    assert "There is an entity Third already." in (await browser.post("/firms/entities", name="Third")).text
    assert (await browser.post("/firms/entities", name=" ")).status_code == 422
    page = await flash(browser, await browser.post("/firms/entities/1/allowance", sessions="7", audit_reason="paid"))
    assert "1 of 7" in page
    assert "an allowance of its own" in page
    wrong = await browser.post("/firms/entities/1/allowance", sessions="many")
    assert (wrong.status_code, "digits only" in wrong.text) == (422, True)
    assert "1 of 100" in await flash(browser, await browser.post("/firms/entities/1/allowance", sessions=""))
    shown = (await portal.ask("operator", "GET", "/api/v1/entities/1/session-allowance")).json()
    assert shown == {"entity_id": 1, "allowance": 100, "used": 1, "own": False}


async def test_a_firm_of_another_entity_is_authorised_carried_and_taken_back(portal: Portal, browser: Browser) -> None:
    assert "is no Globex firm of this venue" in (await browser.post("/firms/THEI1/authorise", primary="NONE1")).text
    page = await flash(browser, await browser.post("/firms/THEI1/authorise", primary="ours1"))
    assert "Sessions of OURS1 may carry THEI1." in page
    assert "Theirs first firm" in (await browser.get("/firms/OURS1")).text
    fields = {"primary": "OURS1", "secondary": "THEI1", "market_segments": "40", "number_of_sessions": "1"}
    await reviewed(browser, "/sessions/new", **fields)
    page = await flash(browser, await browser.post("/firms/THEI1/unauthorise", primary="OURS1"))
    assert "It was taken off A02." in page
    assert portal.registry.sessions.get(SYSTEM, "A02").firms == ("OURS1",)


async def test_every_key_pair_of_a_firms_sessions_is_revoked_on_one_page(portal: Portal, browser: Browser) -> None:
    await portal.registry.sessions.create(SYSTEM, ["OURS1"], [40])
    for session_id in ("A00", "A02"):
        await portal.registry.pairs.generate(SYSTEM, session_id)
        portal.running.logged_in.add(session_id)
    assert 'href="/firms/OURS1/revoke-keys"' in (await browser.get("/firms/OURS1")).text
    page = (await browser.get("/firms/OURS1/revoke-keys")).text
    assert "Revoke 2 key pairs" in page
    assert "Logged in at a gateway now: A00, A02." in page
    assert (await browser.post("/firms/OURS1/revoke-keys", confirm="A00")).status_code == 422
    done = await browser.post("/firms/OURS1/revoke-keys", confirm="OURS1", live="yes", reason="lost")
    assert "2 key pairs are revoked. 2 live logins were ended." in await flash(browser, done)
    assert "There is nothing to revoke" in (await browser.get("/firms/OURS1/revoke-keys")).text
