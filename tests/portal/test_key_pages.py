"""The pages about key pairs, as a browser without scripts sends and sees them."""

import io
import json
import re
import zipfile
from typing import Any

import pytest
from tests.support.people import enrol, make_user

from ontherun.keys import KeyPairState
from ontherun.keys.clock import DAY, SECOND
from ontherun.registry import LOCAL_OPERATOR, SYSTEM, Role

from .browser import Browser, hidden_fields, signed_in
from .conftest import Portal, done_so_far

PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VuAyEA3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=
-----END PUBLIC KEY-----"""


@pytest.fixture
async def browser(portal: Portal) -> Browser:
    return await signed_in(portal)


async def generated(portal: Portal, session_id: str = "A00", **options: Any) -> str:
    return (await portal.registry.pairs.generate(SYSTEM, session_id, **options)).pair.access_key_id


def state(portal: Portal, access_key_id: str) -> KeyPairState:
    stored = portal.registry.directory.pair(access_key_id)
    assert stored is not None
    return stored.state(portal.clock.now())


async def test_a_session_without_a_pair_says_what_a_pair_is_for(browser: Browser) -> None:
    page = await browser.get("/sessions/A00/keys")
    assert page.status_code == 200
    assert "cannot log in yet: it has no key pair" in page.text
    assert 'href="/sessions/A00/new-key"' in page.text


async def test_a_pair_is_generated_from_the_page_and_shown(browser: Browser, portal: Portal) -> None:
    page = await browser.get("/sessions/A00/new-key")
    assert "The session has no other key pair" in page.text
    done = await browser.send("/sessions/A00/new-key", page, when="now")
    assert done.status_code == 303
    (stored,) = portal.registry.pairs.list(SYSTEM, "A00")
    assert done.headers["location"] == f"/sessions/A00/keys/{stored.pair.access_key_id}"
    shown = await browser.get(done.headers["location"])
    assert f"Key pair {stored.pair.access_key_id} was generated." in shown.text
    assert "expiring" in shown.text  # what happens next
    assert "2026-12-31 13:00 CT" in shown.text  # an early close, New York 14:00


async def test_before_a_second_pair_is_made_the_page_says_when_the_older_one_ends(
    browser: Browser, portal: Portal
) -> None:
    older = await generated(portal)
    page = await browser.get("/sessions/A00/new-key")
    assert older in page.text
    assert "2026-01-28 16:30 CT" in page.text
    assert 'name="delete"' not in page.text


async def test_for_a_third_pair_the_page_asks_which_one_is_deleted(browser: Browser, portal: Portal) -> None:
    two = [await generated(portal), await generated(portal)]
    page = await browser.get("/sessions/A00/new-key")
    assert all(f'value="{access_key_id}"' in page.text for access_key_id in two)
    refused = await browser.send("/sessions/A00/new-key", page, when="now")
    assert refused.status_code == 409
    assert "already has 2 key pairs" in refused.text
    done = await browser.send("/sessions/A00/new-key", page, when="now", delete=two[1])
    assert done.status_code == 303
    assert [state(portal, each).living for each in two] == [True, False]


async def test_a_choice_that_somebody_else_has_taken_meanwhile_is_said_at_the_form(
    browser: Browser, portal: Portal
) -> None:
    two = [await generated(portal), await generated(portal)]
    page = await browser.get("/sessions/A00/new-key")
    await portal.registry.pairs.delete(SYSTEM, "A00", two[0])
    refused = await browser.send("/sessions/A00/new-key", page, when="now", delete=two[0])
    assert refused.status_code == 409
    assert "has room for another key pair" in refused.text


async def test_a_pair_is_made_for_a_cut_over_in_the_zone_that_was_chosen(browser: Browser, portal: Portal) -> None:
    old = await generated(portal)
    page = await browser.get("/sessions/A00/new-key")
    for wrong, words in (("", "is no date and time"), ("2025-01-01T09:00", "lies in the past")):
        refused = await browser.send("/sessions/A00/new-key", page, when="later", at=wrong, zone="America/New_York")
        assert refused.status_code in (409, 422)
        assert words in refused.text
    fields = {"when": "later", "at": "2026-01-12T09:00", "zone": "America/New_York"}
    done = await browser.send("/sessions/A00/new-key", page, **fields)
    shown = await browser.get(done.headers["location"])
    assert "not yet valid" in shown.text
    assert "2026-01-12 08:00 CT" in shown.text
    assert portal.registry.pairs.get(SYSTEM, "A00", old).pair.expires_at == 1_768_226_400 * 10**9


async def test_lives_are_a_picture_with_a_bar_for_each_pair(browser: Browser, portal: Portal) -> None:
    two = [await generated(portal), await generated(portal)]
    page = (await browser.get("/sessions/A00/keys")).text
    (picture,) = re.findall(r'<svg viewBox="0 0 960.*?</svg>', page, re.DOTALL)
    for access_key_id in two:
        assert f"{access_key_id}: expiring" in picture
    assert '<rect class="good"' in picture
    assert "style=" not in picture
    assert '<line class="now"' in picture


@pytest.mark.parametrize(
    ("form", "name", "words"),
    [
        ("json", "json", '"secret_key"'),
        ("env", "env", "ONTHERUN_SECRET_KEY="),
        ("text", "txt", "Secret Key:"),
        ("csv", "csv", "session_id,firm,"),
    ],
)
async def test_a_pair_is_downloaded_in_each_form(
    browser: Browser, portal: Portal, form: str, name: str, words: str
) -> None:
    key = await generated(portal)
    page = await browser.get(f"/sessions/A00/keys/{key}")
    answer = await browser.send(f"/sessions/A00/keys/{key}/download", page, form=form, reason="new host")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == f'attachment; filename="A00-{key}.{name}"'
    assert answer.headers["cache-control"] == "no-store"
    assert words in answer.text
    entry = (await portal.registry.audit_entries(SYSTEM, limit=1))[0]
    assert (entry.action, json.loads(entry.details)["reason"]) == ("key_pair.downloaded", "new host")


async def test_a_pair_is_downloaded_sealed_and_a_bad_public_key_is_said_at_the_field(
    browser: Browser, portal: Portal
) -> None:
    key = await generated(portal)
    path = f"/sessions/A00/keys/{key}/download"
    page = await browser.get(f"/sessions/A00/keys/{key}")
    before = await done_so_far(portal)
    refused = await browser.send(path, page, form="sealed", public_key="nothing")
    assert refused.status_code == 422
    assert "is not a public key that can be read" in refused.text
    assert ">nothing</textarea>" in refused.text  # what was typed is kept
    assert await done_so_far(portal) == before
    answer = await browser.send(path, page, form="sealed", public_key=PUBLIC_KEY)
    assert "sealed_secret_key" in answer.json()


async def test_with_a_second_factor_enrolled_each_download_asks_for_one_and_says_how_many_are_left(
    browser: Browser, portal: Portal
) -> None:
    key = await generated(portal)
    path = f"/sessions/A00/keys/{key}"
    assert "You have no second factor yet" in (await browser.get(path)).text
    app, _ = await enrol(portal.registry, LOCAL_OPERATOR)
    assert "10 of 10 are left today" in (await browser.get("/sessions/A00/revoke-keys")).text
    page = await browser.get(path)
    for wrong, words in (("", "second factor"), ("000000", "not right")):
        refused = await browser.send(f"{path}/download", page, form="env", second_factor=wrong, reason="new host")
        assert refused.status_code in (401, 403)
        assert words in refused.text
        assert 'value="new host"' in refused.text
        assert "ONTHERUN_SECRET_KEY" not in refused.text
    portal.clock.advance(60 * SECOND)
    code = app.code()
    answer = await browser.send(f"{path}/download", page, form="env", second_factor=code)
    assert "ONTHERUN_SECRET_KEY=" in answer.text
    assert "9 of 10 are left today" in (await browser.get(path)).text
    again = await browser.send(f"{path}/download", page, form="env", second_factor=code)
    assert again.status_code == 401  # a code is good once
    portal.clock.advance(60 * SECOND)  # and the page that stayed open behind the first download still is
    another = await browser.send(f"{path}/download", page, form="json", second_factor=app.code())
    assert "secret_key" in another.json()


async def test_the_only_valid_pair_is_deleted_only_when_the_session_id_is_typed(
    browser: Browser, portal: Portal
) -> None:
    key = await generated(portal)
    path = f"/sessions/A00/keys/{key}"
    page = await browser.get(path)
    assert "The session could not log in any more" in page.text
    for wrong in ("", "A01", "yes"):
        refused = await browser.send(f"{path}/delete", page, confirm=wrong)
        assert refused.status_code == 422
        assert "is not what was asked for" in refused.text
    assert state(portal, key).valid
    done = await browser.send(f"{path}/delete", page, confirm="A00")
    assert done.headers["location"] == "/sessions/A00/keys"
    assert state(portal, key) is KeyPairState.DELETED


async def test_one_of_two_pairs_is_deleted_by_a_button(browser: Browser, portal: Portal) -> None:
    key, _ = await generated(portal), await generated(portal)
    page = await browser.get(f"/sessions/A00/keys/{key}")
    assert "keeps 1 valid key pair." in page.text
    assert (await browser.send(f"/sessions/A00/keys/{key}/delete", page)).status_code == 303
    assert state(portal, key) is KeyPairState.DELETED
    gone = await browser.get(f"/sessions/A00/keys/{key}")
    assert f'action="/sessions/A00/keys/{key}/' not in gone.text  # nothing can be done with it any more
    assert key in (await browser.get("/sessions/A00/keys")).text


async def test_a_pair_is_deactivated_and_activated(browser: Browser, portal: Portal) -> None:
    key = await generated(portal)
    path = f"/sessions/A00/keys/{key}"
    await browser.send(f"{path}/deactivate", await browser.get(path))
    assert state(portal, key) is KeyPairState.DEACTIVATED
    await browser.send(f"{path}/activate", await browser.get(path))
    assert state(portal, key) is KeyPairState.ACTIVE


async def test_a_cut_over_between_two_pairs_is_scheduled(browser: Browser, portal: Portal) -> None:
    old, new = await generated(portal), await generated(portal)
    path = f"/sessions/A00/keys/{new}"
    page = await browser.get(path)
    late = await browser.send(f"{path}/cut-over", page, at="2026-06-01T09:00", zone="UTC")
    assert late.status_code == 409
    assert "too late" in late.text
    assert 'value="2026-06-01T09:00"' in late.text
    done = await browser.send(f"{path}/cut-over", page, at="2026-01-20T09:00", zone="UTC")
    assert done.status_code == 303
    assert "cut-over to its successor" in (await browser.get(f"/sessions/A00/keys/{old}")).text


async def test_revoking_asks_for_the_session_id_and_ends_the_live_login_when_asked(
    browser: Browser, portal: Portal
) -> None:
    portal.running.logged_in.add("A00")
    two = [await generated(portal), await generated(portal)]
    path = "/sessions/A00/revoke-keys"
    page = await browser.get(path)
    assert all(key in page.text for key in two)
    assert "is logged in at a gateway now" in page.text
    refused = await browser.send(path, page, confirm="A01", reason="lost", live="yes")
    assert refused.status_code == 422
    assert 'value="lost"' in refused.text
    done = await browser.send(path, page, confirm="A00", reason="lost", live="yes")
    assert done.status_code == 303
    assert [state(portal, key) for key in two] == [KeyPairState.DELETED] * 2
    assert portal.running.ended == [("A00", "key pairs revoked: lost")]
    after = await browser.get("/sessions/A00/keys")
    assert "2 key pairs are revoked. The live login was ended." in after.text
    assert "There is nothing to revoke" in (await browser.get(path)).text


async def test_all_pairs_are_listed_filtered_and_searched(browser: Browser, portal: Portal) -> None:
    ours, theirs = await generated(portal), await generated(portal, "A01")
    every = (await browser.get("/keys")).text
    assert ours in every
    assert theirs in every
    assert theirs not in (await browser.get("/keys", params={"q": "a00"})).text
    assert ours in (await browser.get("/keys", params={"q": "OURS1"})).text
    await portal.registry.pairs.delete(SYSTEM, "A00", ours)
    assert ours not in (await browser.get("/keys")).text
    assert ours in (await browser.get("/keys", params={"state": "deleted"})).text
    assert "No key pair is like that" in (await browser.get("/keys", params={"state": "expired"})).text
    assert (await browser.get("/keys", params={"state": "nonsense", "page": 9})).status_code == 200


async def test_what_is_not_well_is_shown_with_what_to_do(portal: Portal) -> None:
    key = await generated(portal)
    portal.clock.advance(9 * DAY)
    browser = await signed_in(portal)
    page = (await browser.get("/keys", params={"state": "not well"})).text
    assert key in page
    assert "85 of 100" not in page  # A01 has no key pair at all, which is not ill
    assert "Nobody has logged in with it." in page
    assert "Nobody has logged in with it." in (await browser.get("/sessions/A00/keys")).text


async def test_a_long_list_has_pages(browser: Browser, portal: Portal) -> None:
    for _ in range(51):
        session = await portal.registry.sessions.create(SYSTEM, ["OURS1"], [40])
        await generated(portal, session.session_id)
    first = (await browser.get("/keys")).text
    assert "1 to 50 of 51" in first
    assert "51 to 51 of 51" in (await browser.get("/keys?page=2")).text


async def test_pairs_are_made_for_many_sessions_at_once(browser: Browser, portal: Portal) -> None:
    page = await browser.get("/keys/new")
    assert page.text.count('name="sessions"') == 2
    assert (await browser.get("/keys/new", params={"q": "OURS1"})).text.count('name="sessions"') == 1
    assert "No session is like that." in (await browser.get("/keys/new", params={"q": "nobody"})).text
    hidden = {"csrf": browser.csrf}
    answer = await browser.client.post("/keys/new", data={**hidden, "sessions": ["A00", "A01", "ZZZ"]})
    assert answer.status_code == 200
    assert "There is no session ZZZ." in answer.text
    assert len(portal.registry.pairs.list(SYSTEM, "A00")) == len(portal.registry.pairs.list(SYSTEM, "A01")) == 1
    nothing = await browser.client.post("/keys/new", data=hidden)
    assert nothing.status_code == 422


async def test_chosen_pairs_are_downloaded_in_one_file_and_deleted(browser: Browser, portal: Portal) -> None:
    pairs = [f"A00 {await generated(portal)}", f"A01 {await generated(portal, 'A01')}"]
    page = await browser.get("/keys")
    hidden = hidden_fields(page.text, "/keys/chosen")
    asked = await browser.client.post("/keys/chosen", data={**hidden, "pairs": pairs, "do": "download"})
    assert "Download 2 key pairs" in asked.text
    csrf = {"csrf": browser.csrf}
    packed = await browser.client.post("/keys/download", data={**csrf, "pairs": pairs, "packing": "zip"})
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        assert len(archive.namelist()) == 2
    together = await browser.client.post("/keys/download", data={**csrf, "pairs": pairs, "packing": "json"})
    assert len(together.json()) == 2
    asked = await browser.client.post("/keys/chosen", data={**hidden, "pairs": pairs, "do": "delete"})
    assert "Type 2 to confirm" in asked.text
    wrong = await browser.client.post("/keys/delete", data={**csrf, "pairs": pairs, "confirm": "3"})
    assert wrong.status_code == 422
    done = await browser.client.post("/keys/delete", data={**csrf, "pairs": pairs, "confirm": "2"})
    assert done.text.count(">done<") == 2
    nothing = await browser.client.post("/keys/chosen", data={**hidden, "do": "download"})
    assert nothing.status_code == 303


async def test_the_calendar_shows_the_month_the_closes_and_what_expires(browser: Browser, portal: Portal) -> None:
    await generated(portal)
    page = (await browser.get("/keys/calendar", params={"month": "2026-12"})).text
    assert "December 2026" in page
    assert "closes 14:00 NY" in page
    assert "closed" in page
    assert ">A00</a>" in page
    assert "ends in another month" in (await browser.get("/keys/calendar")).text
    assert "December 2025" in (await browser.get("/keys/calendar", params={"month": "nonsen"})).text  # in Chicago


async def test_a_month_with_many_expiries_on_a_day_says_how_many_more(browser: Browser, portal: Portal) -> None:
    for _ in range(5):
        session = await portal.registry.sessions.create(SYSTEM, ["OURS1"], [40], label="<b>algo</b>")
        await generated(portal, session.session_id)
    page = (await browser.get("/keys/calendar", params={"month": "2026-12"})).text
    assert "and 2 more" in page
    assert "<b>algo" not in page


@pytest.mark.parametrize(
    "path", ["/keys", "/keys/new", "/keys/calendar", "/sessions/A00/keys", "/sessions/A00/new-key"]
)
async def test_nobody_sees_a_page_about_keys_without_signing_in(portal: Portal, path: str) -> None:
    answer = await Browser(portal).get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


async def test_a_form_about_keys_without_its_token_does_nothing(browser: Browser, portal: Portal) -> None:
    key = await generated(portal)
    for path in (f"/sessions/A00/keys/{key}/delete", "/sessions/A00/new-key", f"/sessions/A00/keys/{key}/download"):
        answer = await browser.client.post(path, data={"confirm": "A00", "when": "now"})
        assert answer.status_code == 403
    assert [stored.pair.access_key_id for stored in portal.registry.pairs.list(SYSTEM, "A00")] == [key]


async def test_no_page_shows_a_secret(browser: Browser, portal: Portal) -> None:
    key = await generated(portal)
    secret = (await portal.registry.pairs.download(SYSTEM, "A00", key, "test")).secret.text
    for path in ("/keys", "/keys/calendar", "/sessions/A00/keys", f"/sessions/A00/keys/{key}", "/sessions/A00/new-key"):
        assert secret not in (await browser.get(path)).text


async def member(portal: Portal, email: str, role: Role, entity_id: int) -> Browser:
    await make_user(portal.registry, email, {entity_id: role})
    return await signed_in(portal, email)


def pages_and_forms(key: str) -> list[tuple[str, dict[str, Any] | None]]:
    """Every page and form about one session's keys: path, and what its form sends."""
    path = f"/sessions/A00/keys/{key}"
    return [
        ("/sessions/A00/keys", None),
        ("/sessions/A00/new-key", None),
        ("/sessions/A00/revoke-keys", None),
        (path, None),
        ("/sessions/A00/new-key", {"when": "now"}),
        ("/sessions/A00/revoke-keys", {"confirm": "A00"}),
        (f"{path}/download", {"form": "json"}),
        (f"{path}/deactivate", {}),
        (f"{path}/activate", {}),
        (f"{path}/cut-over", {"at": "2026-02-01T09:00"}),
        (f"{path}/delete", {"confirm": "A00"}),
        ("/keys/chosen", {"pairs": [f"A00 {key}"], "do": "download"}),
        ("/keys/download", {"pairs": [f"A00 {key}"]}),
        ("/keys/delete", {"pairs": [f"A00 {key}"], "confirm": "1"}),
        ("/keys/new", {"sessions": ["A00"]}),
    ]


async def test_the_keys_of_another_entity_do_not_exist_on_any_page(portal: Portal) -> None:
    key = await generated(portal)
    stranger = await member(portal, "eve@theirs.example", Role.ADMIN_MANAGER, 2)
    before = await done_so_far(portal)
    for path, form in pages_and_forms(key):
        answer = await (stranger.get(path) if form is None else stranger.post(path, **form))
        assert answer.status_code == 404, (path, answer.status_code)
    for path in ("/keys", "/keys/calendar?month=2026-12", "/keys/new"):
        page = await stranger.get(path)
        assert page.status_code == 200
        assert key not in page.text
        assert ">A00<" not in page.text
    assert await done_so_far(portal) == before


async def test_a_reader_sees_pairs_and_is_offered_nothing_to_do_with_them(portal: Portal) -> None:
    key = await generated(portal)
    reader = await member(portal, "ray@ours.example", Role.READ_ONLY, 1)
    before = await done_so_far(portal)
    for path in ("/sessions/A00/keys", f"/sessions/A00/keys/{key}"):
        page = (await reader.get(path)).text
        assert key in page
        assert re.findall(r'<form[^>]* action="(/sessions|/keys)[^"]*"', page) == []
        assert "new-key" not in page
    for path, form in pages_and_forms(key):
        if form is not None and path != "/keys/chosen":
            answer = await reader.post(path, **form)
            assert answer.status_code == 403, (path, answer.status_code)
    assert await done_so_far(portal) == before


async def test_a_key_pair_is_called_something(portal: Portal) -> None:
    browser = await signed_in(portal)
    made = await browser.post("/sessions/A00/new-key", label="<b>algo 7</b>")
    path = made.headers["location"]
    assert "&lt;b&gt;algo 7&lt;/b&gt;" in (await browser.get(path)).text
    assert "&lt;b&gt;algo 7&lt;/b&gt;" in (await browser.get("/sessions/A00/keys")).text
    assert (await browser.post(f"{path}/label", label="x")).status_code == 303
    assert "has its label" in (await browser.get(path)).text
    wrong = await browser.post(f"{path}/label", label="a  b")
    assert wrong.status_code == 422
    assert "visible characters" in wrong.text
    assert (await browser.post(f"{path}/label", label="x")).status_code == 409
