"""The pages of people and of one's own account, as a browser without script sees them; and attacks on them."""

import asyncio
import re
from html import unescape

import pytest
from tests.support.people import PASSWORD, App, book, make_user, person

from ontherun.registry import Right, Role, SecondFactorOwed, Visitor

from .browser import Browser, signed_in
from .conftest import Portal, broken_database, done_so_far

ANN, BEN, EVE = "ann@example.com", "ben@example.com", "eve@example.com"
MINUTE = 60 * 1_000_000_000


@pytest.fixture
async def people(portal: Portal) -> Portal:
    await make_user(portal.registry, ANN, {1: Role.ADMIN_MANAGER})
    await make_user(portal.registry, BEN, {1: Role.READ_ONLY})
    await make_user(portal.registry, EVE, {2: Role.ADMIN_MANAGER})
    return portal


def user_id(portal: Portal, email: str) -> int:
    user = book(portal.registry).user_of_email(email)
    assert user is not None
    return user.user_id


def shown(text: str, name: str) -> str:
    """Return what a page shows to be copied."""
    found = re.search(rf'<code id="{name}">([^<]*)</code>', text)
    assert found, text
    return unescape(found[1])


async def with_password(portal: Portal, email: str, password: str = PASSWORD) -> Browser:
    browser = Browser(portal)
    answer = await browser.send("/sign-in", await browser.get("/sign-in"), email=email, password=password)
    assert answer.status_code == 303, answer.text
    return browser


async def enrolled(portal: Portal, browser: Browser) -> tuple[App, list[str]]:
    page = await browser.get("/profile/authenticator")
    secret = re.search(r"<code id=\"[^\"]+\">([A-Z2-7 ]{39})</code>", page.text)
    assert secret
    app = App(portal.registry, secret[1].replace(" ", ""))
    done = await browser.post("/profile/authenticator", code=app.code())
    assert done.status_code == 200, done.text
    return app, shown(done.text, "recovery-codes").split()


async def test_nobody_is_sent_to_the_sign_in_page_and_comes_back(people: Portal) -> None:
    browser = Browser(people)
    answer = await browser.get("/people?tab=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/people%3Ftab%3D1")
    page = await browser.get(answer.headers["location"])
    done = await browser.send("/sign-in", page, email=ANN, password=PASSWORD)
    assert done.headers["location"] == "/people?tab=1"


async def test_a_link_from_elsewhere_is_followed_once_more_from_here(people: Portal) -> None:
    answer = await Browser(people).get("/sign-in?next=/people", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert 'content="0; url=/people"' in answer.text
    assert "set-cookie" not in answer.headers


async def test_from_first_sign_in_to_second_factor_and_back(people: Portal) -> None:
    browser = await with_password(people, BEN)
    app, codes = await enrolled(people, browser)
    assert len(codes) == 10
    people.clock.advance(MINUTE)
    again = Browser(people)
    owed = await again.send("/sign-in", await again.get("/sign-in"), email=BEN, password=PASSWORD)
    assert owed.status_code == 200
    assert again.session_cookie is None
    wrong = await again.send("/sign-in/second", owed, answer="000000")
    assert wrong.status_code == 401
    done = await again.send("/sign-in/second", wrong, answer=app.code())
    assert (done.status_code, done.headers["location"]) == (303, "/")
    profile = (await again.get("/profile")).text
    assert "9 of 10 left today" in profile
    assert "password and authenticator" in profile


async def test_the_qr_code_is_a_picture_of_its_own(people: Portal) -> None:
    browser = await with_password(people, BEN)
    picture = await browser.get("/profile/authenticator/code.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.headers["cache-control"] == "no-store"
    assert "<svg" in picture.text
    assert (await Browser(people).get("/profile/authenticator/code.svg")).status_code == 303


async def test_invite_accept_grant_reset_and_leave(people: Portal) -> None:
    ann = await with_password(people, ANN)
    page = await ann.post("/people/invite", email="New@Example.com", entity_id="1", roles=["full-access"])
    code = shown(page.text, "invitation-code")
    assert code not in (await ann.get("/people")).text
    new = Browser(people)
    form = await new.get("/invitation")
    fields = {"email": "new@example.com", "name": "Nina", "password": "eight black crows", "again": "eight black crows"}
    assert (await new.send("/invitation", form, code="WRONG", **fields)).status_code == 401
    assert (await new.send("/invitation", form, code=code, **{**fields, "again": "other"})).status_code == 422
    assert (await new.send("/invitation", form, code=code, **fields)).headers["location"] == "/profile"
    number = user_id(people, "new@example.com")
    done = await ann.post(f"/people/{number}/roles", entity_id="1", role="auditor")
    assert done.status_code == 303
    assert person(people.registry, "new@example.com").may(Right.READ_AUDIT, 1)
    await ann.post(f"/people/{number}/roles/1/auditor/revoke")
    assert not person(people.registry, "new@example.com").may(Right.READ_AUDIT, 1)
    assert (await ann.post(f"/people/{number}/administrator", entity_id="1", marked="yes")).status_code == 303
    assert (await ann.post(f"/people/{number}/reset", confirm="someone else")).status_code == 422
    link = shown((await ann.post(f"/people/{number}/reset", confirm="new@example.com")).text, "reset-link")
    assert (await new.get("/profile")).status_code == 303  # signed out
    path = link.removeprefix("http://testserver")
    again = await new.send("/new-password", await new.get(path), password="nine red foxes", again="nine red foxes")
    assert again.headers["location"] == "/profile"
    gone = await ann.post(f"/people/{number}/leave", confirm="new@example.com")
    assert "closed" in gone.text
    assert (await new.get("/profile")).status_code == 303


async def test_a_token_of_ones_own_is_shown_once_and_works(people: Portal) -> None:
    ben = await with_password(people, BEN)
    page = await ben.post("/profile/tokens", name="ci", scopes=["view"], days="30")
    people.tokens["ben"] = shown(page.text, "api-token")
    assert (await people.ask("ben", "GET", "/api/v1/sessions/A00")).status_code == 200
    assert people.tokens["ben"] not in (await ben.get("/profile")).text
    assert (await ben.post("/profile/tokens", name="wide", scopes=["download keys"], days="30")).status_code == 403
    token_id = max(book(people.registry).tokens)
    assert (await ben.post(f"/profile/tokens/{token_id}/revoke")).status_code == 303
    assert (await people.ask("ben", "GET", "/api/v1/sessions/A00")).status_code == 401


async def test_a_changed_password_changes_the_cookie_and_signs_others_out(people: Portal) -> None:
    here, there = await with_password(people, BEN), await with_password(people, BEN)
    before = here.session_cookie
    done = await here.post(
        "/profile/password", current=PASSWORD, password="eight black crows", again="eight black crows"
    )
    assert done.status_code == 303
    assert here.session_cookie != before
    assert (await here.get("/profile")).status_code == 200
    assert (await there.get("/profile")).status_code == 303


async def test_name_and_zone_are_ones_own(people: Portal) -> None:
    ben = await with_password(people, BEN)
    assert (await ben.post("/profile", name="Ben B", zone="Europe/Berlin")).status_code == 303
    assert (await ben.post("/profile", name="Ben B", zone="Nowhere/Land")).status_code == 422
    page = (await ben.get("/profile")).text
    assert 'value="Europe/Berlin" selected' in page


XSS = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


async def test_what_people_type_is_text_on_every_page(people: Portal) -> None:
    ben, ann = await with_password(people, BEN), await with_password(people, ANN)
    assert (await ben.post("/profile", name=XSS, zone="UTC")).status_code == 303
    await ben.post("/profile/tokens", name=XSS, scopes=["view"], days="30")
    for browser, path in ((ben, "/profile"), (ann, "/people"), (ann, f"/people/{user_id(people, BEN)}")):
        page = await browser.get(path, headers={"User-Agent": XSS})
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
    again = Browser(people)
    page = await again.send("/sign-in", await again.get("/sign-in"), email=XSS, password="x", next=XSS)
    assert "<script>alert" not in page.text


def targets(portal: Portal) -> list[tuple[str, str]]:
    """Return (method, path) of every page, from the route table itself."""
    from ontherun.portal import pages

    return [
        (method, route.path)
        for router in pages.ROUTERS
        for route in router.routes
        for method in sorted(getattr(route, "methods", ()))
        if method in ("GET", "POST")
    ]


OPEN = {"/sign-in", "/sign-in/link/{token}", "/new-password/{token}", "/invitation", "/", "/api", "/theme", "/zone"}


async def test_no_form_of_a_page_is_taken_without_its_token(people: Portal) -> None:
    """CSRF, walked over the whole route table: a new page is covered the day it is written."""
    ann = await with_password(people, ANN)
    before = await done_so_far(people)
    walked = 0
    for method, path in targets(people):
        if method == "POST":
            filled = re.sub(r"\{[^}]+\}", "1", path)
            answer = await ann.client.post(filled, data={"email": ANN, "password": PASSWORD})
            assert answer.status_code in (403, 404, 422), path
            walked += 1
    assert walked > 20
    assert await done_so_far(people) == before


async def test_pages_of_people_do_not_exist_for_other_entities(people: Portal) -> None:
    eve, number = await with_password(people, EVE), user_id(people, BEN)
    assert BEN not in (await eve.get("/people")).text
    before = await done_so_far(people)
    for path, fields in (
        ("roles", {"entity_id": "1", "role": "auditor"}),
        ("roles", {"entity_id": "2", "role": "auditor"}),
        ("roles/1/read-only/revoke", {}),
        ("administrator", {"entity_id": "1", "marked": "yes"}),
        ("unlock", {}),
        ("reset", {"confirm": BEN}),
        ("leave", {"confirm": BEN}),
    ):
        assert (await eve.post(f"/people/{number}/{path}", **fields)).status_code == 404, path
    assert (await eve.get(f"/people/{number}")).status_code == 404
    assert await done_so_far(people) == before


async def test_a_large_form_is_refused(people: Portal) -> None:
    browser = Browser(people)
    page = await browser.get("/sign-in")
    assert (await browser.send("/sign-in", page, email="x" * 3000)).status_code == 422
    assert (await browser.send("/sign-in", page, email="x" * 70_000)).status_code == 413
    many = "&".join(f"field{number}=x" for number in range(1500))
    answer = await browser.client.post(
        "/sign-in", content=many, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code in (400, 403)


async def test_a_locked_account_is_told_until_when_and_unlocked_on_its_page(people: Portal) -> None:
    browser = Browser(people)
    page = await browser.get("/sign-in")
    for status in (401, 401, 401, 401, 401, 429):
        answer = await browser.send("/sign-in", page, email=BEN, password="not the password")
        assert answer.status_code == status
    assert "2026-01-01T03:00:00Z" in answer.text
    ann, number = await with_password(people, ANN), user_id(people, BEN)
    assert "Locked" in (await ann.get(f"/people/{number}")).text
    assert (await ann.post(f"/people/{number}/unlock")).status_code == 303
    assert (await browser.send("/sign-in", page, email=BEN, password=PASSWORD)).status_code == 303


async def test_while_the_database_cannot_be_written_nothing_is_half_done(people: Portal) -> None:
    ann, number = await with_password(people, ANN), user_id(people, BEN)
    with broken_database(people.registry):
        for path, fields in (
            (f"/people/{number}/roles", {"entity_id": "1", "role": "auditor"}),
            (f"/people/{number}/leave", {"confirm": BEN}),
            (f"/people/{number}/reset", {"confirm": BEN}),
            ("/people/invite", {"email": "x@example.com", "entity_id": "1", "roles": "auditor"}),
            ("/profile", {"name": "Other", "zone": "UTC"}),
        ):
            assert (await ann.post(path, **fields)).status_code == 503, path
        browser = Browser(people)
        page = await browser.get("/sign-in")
        assert (await browser.send("/sign-in", page, email=BEN, password=PASSWORD)).status_code == 503
        assert browser.session_cookie is None
    assert person(people.registry, BEN).grants.keys() == {1}
    assert (await ann.get("/people")).status_code == 200


async def test_two_leavers_of_the_same_person_at_once_are_one(people: Portal) -> None:
    ann, number = await with_password(people, ANN), user_id(people, BEN)
    said = await asyncio.gather(*(ann.post(f"/people/{number}/leave", confirm=BEN) for _ in range(3)))
    assert sorted(answer.status_code for answer in said) == [200, 404, 404]


async def test_a_proof_changes_the_cookie_and_the_forms_of_the_answer(people: Portal) -> None:
    ann, number = await with_password(people, ANN), user_id(people, BEN)
    app, _ = await enrolled(people, ann)
    people.clock.advance(MINUTE)
    before = ann.session_cookie
    page = await ann.post(
        "/people/invite", email="x@example.com", entity_id="1", roles="auditor", second_factor=app.code()
    )
    assert page.status_code == 200
    assert ann.session_cookie not in (None, before)
    assert f'name="csrf" value="{ann.csrf}"' in page.text
    assert await people.registry.web_sessions.recognise(str(before), None) is None
    assert (await ann.post(f"/people/{number}/unlock")).status_code == 303
    after = ann.session_cookie
    assert (await ann.post("/people/invite", email="y@example.com", second_factor="000000")).status_code == 403
    assert ann.session_cookie == after


async def test_the_operator_sees_everybody(people: Portal) -> None:
    operator = await signed_in(people)
    page = (await operator.get("/people")).text
    assert all(email in page for email in (ANN, BEN, EVE))
    assert (await operator.get(f"/people/{user_id(people, EVE)}")).status_code == 200


async def test_a_second_factor_is_asked_for_where_one_is_enrolled(people: Portal) -> None:
    ann, number = await with_password(people, ANN), user_id(people, BEN)
    app, codes = await enrolled(people, ann)
    people.clock.advance(MINUTE)
    refused = await ann.post(f"/people/{number}/roles", entity_id="1", role="auditor")
    assert refused.status_code == 403
    assert (
        await ann.post(f"/people/{number}/roles", entity_id="1", role="auditor", second_factor=app.code())
    ).status_code == 303
    done = await ann.post("/profile/recovery-codes", second_factor=codes[0])
    assert len(shown(done.text, "recovery-codes").split()) == 10
    people.clock.advance(MINUTE)
    assert (await ann.post("/profile/authenticator/remove", second_factor=app.code())).status_code == 303
    owed = await people.registry.sign_in.with_password(ANN, PASSWORD, Visitor())
    assert not isinstance(owed, SecondFactorOwed)
