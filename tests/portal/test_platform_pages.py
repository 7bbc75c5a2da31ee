"""The pages /lab, /keys/test and /venue, as a browser without scripts sees them."""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from ontherun.ilink.signing import decode_secret, negotiate_text, sign
from ontherun.keys import ManualClock
from ontherun.portal import create_app
from ontherun.registry import SYSTEM, LabClock, Registry, Role

from .browser import Browser, signed_in
from .conftest import START, Portal, broken_database

DAY = 86_400 * 1_000_000_000


@pytest.fixture
async def browser(portal: Portal) -> Browser:
    return await signed_in(portal)


@pytest.fixture
async def lab(tmp_path: Path, running_venue: Any) -> AsyncIterator[Portal]:
    """A venue whose clock can be moved, with nobody in it but its operator."""
    machine = ManualClock(START)
    registry = await Registry.open(tmp_path / "lab", LabClock(machine), variables={})
    yield Portal(create_app(registry, running_venue), registry, machine, running_venue, {}, [])
    await registry.close()


async def test_the_lab_page_moves_the_clock_and_every_page_says_so(lab: Portal) -> None:
    browser = await signed_in(lab)
    assert 'moved">Lab clock' not in (await browser.get("/lab")).text
    assert (await browser.post("/lab", how="advance", span="1d")).status_code == 303
    assert lab.registry.clock.now() == START + DAY
    for path in ("/", "/lab", "/keys/test", "/venue", "/audit"):
        assert re.search(r"Lab clock (24 hours|1 day) ahead", (await browser.get(path)).text), path
    at = {"at": "2026-01-05T17:30", "zone": "America/New_York", "stand_still": "yes", "reason": "the close"}
    assert (await browser.post("/lab", how="set", **at)).status_code == 303
    assert "stands still" in (await browser.get("/lab")).text
    assert (await browser.post("/lab", how="reset")).status_code == 303
    assert lab.registry.clock.now() == START
    assert 'moved">Lab clock' not in (await browser.get("/")).text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"how": "advance", "span": "<b>soon"}, "is no span of time"),
        ({"how": "set", "at": "tomorrow"}, "is no date and time"),
        ({"how": "set", "at": "2026-03-08T02:30", "zone": "America/New_York"}, "clocks go forward"),
        ({"how": "set", "at": "2026-03-08T02:30", "zone": "Mars"}, "is no time zone"),
    ],
)
async def test_a_move_that_is_none_is_told_at_its_field_and_kept(
    lab: Portal, fields: dict[str, str], said: str
) -> None:
    browser = await signed_in(lab)
    answer = await browser.post("/lab", **fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert "<b>soon" not in answer.text
    assert fields.get("at", "") in answer.text
    assert lab.registry.clock.now() == START


async def test_outside_a_lab_the_page_says_how_to_have_one(portal: Portal, browser: Browser) -> None:
    assert "ontherun up --lab" in (await browser.get("/lab")).text
    assert (await browser.post("/lab", how="reset")).status_code == 409


async def test_the_key_test_page_judges_values_and_shows_the_signed_text(portal: Portal, browser: Browser) -> None:
    pair = (await portal.registry.pairs.generate(SYSTEM, "A00")).pair
    key_file = await portal.registry.pairs.download(SYSTEM, "A00", pair.access_key_id, "json")
    secret = key_file.fields()["secret_key"]
    text = negotiate_text(START, 7, b"A00", b"OURS1")
    values = {"session_id": "a00", "request_timestamp": str(START), "uuid": "7", "access_key_id": pair.access_key_id}
    right = await browser.post("/keys/test", **values, signature=sign(decode_secret(secret), text).hex())
    assert "The signature is right." in right.text
    assert f"<code>{START}</code>" in right.text
    wrong = await browser.post(
        "/keys/test", **values, signature=sign(secret.encode(), text).hex(), signed_text=f"{START}\r\n7\r\nA00\r\nours1"
    )
    assert "decode it with base64url first" in wrong.text
    assert "in Firm" in wrong.text
    assert secret not in right.text + wrong.text


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"session_id": "A00", "frame": "<script>"}, 200, "neither hexadecimal nor base64"),
        ({"session_id": "ZZZ", "frame": "00"}, 404, "There is no session ZZZ"),
        ({"session_id": "A00"}, 422, "Field required"),
        ({"session_id": "A00", "uuid": "-1", "request_timestamp": "x"}, 422, "valid integer"),
        ({"session_id": "A00", "message": "Establish", "uuid": "1"}, 422, "Field required"),
        ({"session_id": "A00", "frame": "00", "signed_text": "x" * 900}, 422, "at most 500"),
    ],
)
async def test_what_cannot_be_tested_is_told_and_kept(
    browser: Browser, fields: dict[str, str], status: int, said: str
) -> None:
    answer = await browser.post("/keys/test", **fields)
    assert (answer.status_code, said in unescape(answer.text)) == (status, True), answer.text[:3000]
    assert "<script>" not in answer.text.replace('<script src="', "")


async def test_the_key_test_page_holds_samples_that_are_served_as_files(browser: Browser) -> None:
    page = unescape((await browser.get("/keys/test")).text)
    for name in ("sign.py", "Sign.java", "sign.cpp", "sign.sh"):
        served = await browser.get(f"/static/samples/{name}")
        assert served.status_code == 200
        assert served.text.splitlines()[-1] in page


async def test_the_venue_page_rotates_the_master_key_once_the_word_is_typed(portal: Portal, browser: Browser) -> None:
    await portal.registry.pairs.generate(SYSTEM, "A00")
    before = (await portal.registry.master_key.status(SYSTEM)).current
    assert before in (await browser.get("/venue")).text
    assert (await browser.post("/venue/master-key", confirm="yes")).status_code == 422
    assert (await portal.registry.master_key.status(SYSTEM)).current == before
    assert (await browser.post("/venue/master-key", confirm="rotate", reason="yearly")).status_code == 303
    await portal.registry.master_key.wait()
    page = (await browser.get("/venue")).text
    assert before not in page
    assert "1 of 1 secrets were sealed anew" in page


async def test_without_audit_the_venue_page_says_that_nothing_was_done(portal: Portal, browser: Browser) -> None:
    with broken_database(portal.registry):
        answer = await browser.post("/venue/master-key", confirm="rotate")
    assert answer.status_code == 503
    assert "The master key was not rotated" in answer.text


async def test_the_venue_page_sets_policies(portal: Portal, browser: Browser) -> None:
    fields = {"timetable": "exchange", "four_eyes": "yes", "session_allowance": "7", "drop_copy_sources": "5000"}
    assert (await browser.post("/venue/policies", **fields)).status_code == 303
    current = portal.registry.policies.current
    assert (current.timetable.value, current.four_eyes, current.session_allowance) == ("exchange", True, 7)
    assert (await browser.post("/venue/policies", **fields)).status_code == 409
    assert (await browser.post("/venue/policies", **fields | {"session_allowance": "99999999"})).status_code == 422


async def test_only_the_operator_sees_the_venue_and_the_lab(portal: Portal) -> None:
    async with portal.registry._store.change(SYSTEM) as change:
        user = portal.registry.users.create(change, "anna@ours.example", "Anna")
        change.record("user.created", None, f"user {user.user_id}")
    await portal.registry.people.grant(SYSTEM, user.user_id, 1, Role.ADMIN_MANAGER, None)
    browser = await signed_in(portal, "anna@ours.example")
    for path in ("/venue", "/lab"):
        assert (await browser.get(path)).status_code == 403
        assert f'href="{path}"' not in (await browser.get("/keys/test")).text
    assert (await browser.post("/lab", how="reset")).status_code in (403, 409)
    assert (await browser.post("/venue/master-key", confirm="rotate")).status_code == 403
    fields = {"timetable": "exchange", "session_allowance": "7", "drop_copy_sources": "7"}
    assert (await browser.post("/venue/policies", **fields)).status_code == 403
