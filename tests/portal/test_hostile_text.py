"""Free text from people and programs on every page: it is shown as text, and text that misleads the eye is refused."""

import re

import pytest

from ontherun.registry import SYSTEM, CreateSessions

from .browser import signed_in
from .conftest import Portal
from .test_page_rights import filled, routes

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}${7*7}"


async def test_hostile_text_is_text_on_every_page(portal: Portal) -> None:
    registry = portal.registry
    entity = await registry.entities.create(SYSTEM, f"Entity {HOSTILE}")
    await registry.firms.create(SYSTEM, entity.entity_id, "EVIL1", f"Firm {HOSTILE}")
    await registry.requests.submit(
        SYSTEM,
        CreateSessions(
            firms=("OURS1",),
            market_segments=(40,),
            label=f"Label {HOSTILE}",
            notes=f"Notes {HOSTILE}",
            front_end_system=f"Front {HOSTILE}",
        ),
    )
    pair = (await registry.pairs.generate(SYSTEM, "A02")).pair.access_key_id
    await registry.pairs.download(SYSTEM, "A02", pair, "json", reason=f"Reason {HOSTILE}", second_factor=None)
    registry.pairs.note_use(pair, portal.clock.now(), HOSTILE[:40], HOSTILE[:40], ok=True)
    browser = await signed_in(portal)
    answer = await browser.post("/profile", name=f"Name {HOSTILE}", zone="UTC")
    assert answer.status_code == 303
    shown = 0
    for method, path in routes():
        if method != "GET":
            continue
        place = filled(path).replace("A00", "A02").replace("AAAAAAAAAAAAAAAAAAAA", pair)
        for query in ("", f"?text={HOSTILE}&q={HOSTILE}&actor={HOSTILE}&subject={HOSTILE}"):
            page = await browser.get(place + query)
            if page.headers.get("content-type", "").startswith("text/html"):
                assert "<script>alert" not in page.text, place
                assert not re.search(r"<img[^>]*onerror", page.text), place
                assert "49" not in re.findall(r"alert\(2\)&gt;(\d*)", page.text), place
                shown += "&lt;script&gt;alert(1)" in page.text
    assert shown >= 10, "the hostile text was there to be shown"


@pytest.mark.parametrize(
    "text", ["\u202eright to left", "zero\u200bwidth", "tab\there", "line\nbreak", "\u2066isolated"]
)
async def test_text_that_misleads_the_eye_is_refused(portal: Portal, text: str) -> None:
    for path, body in (
        ("entities", {"name": text}),
        ("firms", {"entity_id": 1, "gfid": "OURS7", "name": text}),
    ):
        answer = await portal.ask("operator", "POST", f"/api/v1/{path}", json=body)
        assert answer.status_code == 422, path
    browser = await signed_in(portal)
    before = await portal.registry.verify_audit()
    answer = await browser.post("/profile", name=text, zone="UTC")
    assert answer.status_code in (400, 422)
    assert await portal.registry.verify_audit() == before
