"""The audit page: what it finds, what it hands out, and what it says of the chain."""

import re
import sqlite3
from contextlib import closing

import pytest

from ontherun.portal.pages.words import said
from ontherun.registry import SYSTEM

from .browser import Browser, signed_in
from .conftest import Portal


@pytest.fixture
async def operator(portal: Portal) -> Browser:
    return await signed_in(portal)


def shown(text: str) -> list[str]:
    """Return the actions of the entries that a page shows, newest first."""
    return re.findall(r'<th scope="row"><code>([\w.]+)</code>', text)


async def test_the_audit_shows_who_did_what_newest_first(portal: Portal, operator: Browser) -> None:
    await portal.registry.sessions.create(SYSTEM, ["OURS1"], [40], label="<b>algo</b>")
    page = await operator.get("/audit")
    assert shown(page.text)[0] == "session.created"
    assert 'href="/sessions/A02"' in page.text
    assert "<b>algo" not in page.text
    assert "&lt;b&gt;algo" in page.text


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ({"action": "firm."}, {"firm.created"}),
        ({"subject": "session A01"}, {"session.created"}),
        ({"text": "OURS1"}, {"firm.created", "session.created"}),
        ({"actor": "nobody"}, set()),
        ({"until": "2025-12-30"}, set()),
        ({"since": "2026-01-01"}, set()),
        ({"since": "2025-12-31", "until": "2025-12-31", "action": "entity."}, {"entity.created"}),
        ({"entity": "2", "action": "entity."}, {"entity.created"}),
        ({"entity": "99999999999999999999"}, set()),
    ],
)
async def test_the_audit_is_searched(operator: Browser, search: dict[str, str], found: set[str]) -> None:
    page = await operator.get("/audit", params=search)
    assert page.status_code == 200
    assert set(shown(page.text)) == found
    for value in search.values():
        assert f'value="{value}"' in page.text, "what was searched for stays in the form"


async def test_a_day_that_is_none_is_named_at_its_field(operator: Browser) -> None:
    page = await operator.get("/audit", params={"since": "31.12.2025"})
    assert '<p class="error" id="field-since-error">That is no day.' in page.text


async def test_the_audit_is_read_page_by_page(portal: Portal, operator: Browser) -> None:
    for _ in range(60):
        await portal.registry.sessions.create(SYSTEM, ["OURS1"], [40])
    first = await operator.get("/audit", params={"action": "session."})
    assert len(shown(first.text)) == 50
    older = re.search(r'rel="next" href="(/audit\?[^"]*)"', first.text)
    assert older is not None
    assert "action=session." in older[1]
    assert len(shown((await operator.get(older[1].replace("&amp;", "&"))).text)) == 12


async def test_an_export_is_a_file_and_an_entry(operator: Browser) -> None:
    page = await operator.get("/audit", params={"action": "firm."})
    answer = await operator.send("/audit/export", page, file_format="csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    assert answer.text.count("firm.created") == 2
    assert "entity.created" not in answer.text
    assert shown((await operator.get("/audit")).text)[0] == "audit.exported"
    assert (await operator.client.post("/audit/export", data={"file_format": "csv"})).status_code == 403


async def test_the_chain_is_verified_on_the_page(portal: Portal, operator: Browser) -> None:
    assert "The chain holds" in (await operator.get("/audit/verification")).text
    with closing(sqlite3.connect(portal.registry.data_dir / "registry.sqlite3")) as database, database:
        database.execute("DROP TRIGGER audit_entry_no_update")
        database.execute("UPDATE audit_entry SET actor = 'somebody else' WHERE sequence = 2")
    page = (await operator.get("/audit/verification")).text
    assert "The chain is broken at entry 2." in page


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("expires_at", 1_798_000_200 * 10**9, "2026-12-22 22:30 CT"),
        ("firms", ["A", "B"], "A, B"),
        ("operator", True, "yes"),
        ("reason", "", "none"),
        ("count", 3, "3"),
        ("policy", {"oldest_only": False}, "oldest only no"),
    ],
)
def test_a_detail_is_said_in_words(name: str, value: object, text: str) -> None:
    assert said(name, value) == text
