"""The way in: one-time links, the cookie, the token of each form, and where somebody is sent."""

import re
from http.cookies import SimpleCookie
from typing import Any

import pytest

from ontherun.registry import LOCAL_OPERATOR, LinkPurpose

from .browser import Browser
from .conftest import Portal


@pytest.fixture
async def link(portal: Portal) -> str:
    user = await portal.registry.users.local_operator()
    assert user.email == LOCAL_OPERATOR
    answer = await portal.ask("operator", "POST", "/api/v1/sign-in-links", json={})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["url"]).removeprefix("http://testserver")


async def test_a_one_time_link_signs_in_by_a_button(portal: Portal, link: str) -> None:
    browser = Browser(portal)
    page = await browser.get(link)
    assert page.status_code == 200
    assert browser.session_cookie is None
    done = await browser.send("/sign-in/link", page)
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert browser.session_cookie is not None
    assert (await browser.get("/sign-in")).headers["location"] == "/"


async def test_the_address_of_a_link_is_in_no_referer(portal: Portal, link: str) -> None:
    for path in (link, "/new-password/abc"):
        assert (await Browser(portal).get(path)).headers["referrer-policy"] == "strict-origin"


async def test_a_one_time_link_is_good_once(portal: Portal, link: str) -> None:
    first, second = Browser(portal), Browser(portal)
    for browser, status in ((first, 303), (second, 401)):
        page = await browser.get(link)
        assert (await browser.send("/sign-in/link", page)).status_code == status
    assert second.session_cookie is None


async def test_looking_at_a_link_does_not_use_it_up(portal: Portal, link: str) -> None:
    for _ in range(3):
        await Browser(portal).get(link)
    assert (await Browser(portal).sign_in(link)).status_code == 303


async def test_a_link_is_good_for_a_quarter_of_an_hour(portal: Portal, link: str) -> None:
    portal.clock.advance(15 * 60 * 1_000_000_000)
    assert (await Browser(portal).sign_in(link)).status_code == 401


async def test_a_newer_link_replaces_the_older(portal: Portal, link: str) -> None:
    await portal.ask("operator", "POST", "/api/v1/sign-in-links", json={})
    assert (await Browser(portal).sign_in(link)).status_code == 401


async def test_only_the_operator_makes_links(portal: Portal) -> None:
    await portal.registry.users.local_operator()
    for who in ("admin", "reader", "stranger"):
        assert (await portal.ask(who, "POST", "/api/v1/sign-in-links", json={})).status_code == 403


async def test_the_cookie_is_kept_from_scripts_and_other_sites(portal: Portal, link: str) -> None:
    browser = Browser(portal)
    page = await browser.get(link)
    done = await browser.send("/sign-in/link", page)
    (header,) = [value for value in done.headers.get_list("set-cookie") if value.startswith("otr_session=")]
    cookie = SimpleCookie(header)["otr_session"]
    assert (cookie["httponly"], cookie["samesite"].lower(), cookie["path"]) == (True, "strict", "/")


async def test_over_https_the_cookie_is_secure_and_pinned_to_the_host(portal: Portal, link: str) -> None:
    portal.running.api_url = "https://testserver"
    browser = Browser(portal, "https://testserver")
    done = await browser.sign_in(link)
    (header,) = [value for value in done.headers.get_list("set-cookie") if value.startswith("__Host-otr_session=")]
    cookie = SimpleCookie(header)["__Host-otr_session"]
    assert (cookie["secure"], cookie["httponly"], cookie["domain"]) == (True, True, "")
    assert done.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"


async def test_a_cookie_that_a_browser_brings_is_never_taken_over(portal: Portal, link: str) -> None:
    """Session fixation: what an attacker planted before the sign-in is worth nothing after it."""
    browser = Browser(portal)
    browser.client.cookies.set("otr_session", "planted", domain="testserver.local")
    browser.client.cookies.set("otr_visitor", "planted too", domain="testserver.local")
    await browser.sign_in(link)
    assert browser.session_cookie not in (None, "planted", "planted too")
    for planted in ("planted", "planted too"):
        assert await portal.registry.web_sessions.recognise(planted, None) is None


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "/\t/evil"])
async def test_nobody_is_sent_on_to_another_site(portal: Portal, link: str, target: str) -> None:
    browser = Browser(portal)
    page = await browser.get("/sign-in", params={"next": target})
    assert 'name="next" value="/"' in page.text
    await browser.sign_in(link)
    assert (await browser.get("/sign-in", params={"next": target})).headers["location"] == "/"


FORGERIES: dict[str, dict[str, Any]] = {
    "no token": {"data": {"token": "x"}},
    "another token": {"data": {"csrf": "A" * 43}},
    "another site": {"headers": {"Sec-Fetch-Site": "cross-site"}},
    "a sibling of this site": {"headers": {"Sec-Fetch-Site": "same-site"}},
    "another origin": {"headers": {"Origin": "http://evil.example"}},
    "a file": {"files": {"csrf": ("csrf", b"x")}},
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_form_is_refused(portal: Portal, link: str, forgery: str) -> None:
    browser = Browser(portal)
    await browser.sign_in(link)
    sent = {**FORGERIES[forgery]}
    if "data" not in sent and "files" not in sent:
        sent["data"] = {"csrf": browser.csrf}
    answer = await browser.client.post("/sign-out", **sent)
    assert answer.status_code == 403
    assert (await browser.get("/sign-in")).headers["location"] == "/"  # still signed in
    assert (await browser.client.post("/sign-out", data={"csrf": browser.csrf})).status_code == 303


async def test_a_sign_in_on_behalf_of_somebody_else_is_refused(portal: Portal, link: str) -> None:
    victim = Browser(portal)
    answer = await victim.client.post("/sign-in/link", data={"token": link.rsplit("/", 1)[1], "csrf": "A" * 43})
    assert answer.status_code == 403
    assert victim.session_cookie is None


async def test_a_session_ends_when_nothing_was_asked_for_half_an_hour(portal: Portal, link: str) -> None:
    browser = Browser(portal)
    await browser.sign_in(link)
    for _ in range(3):
        portal.clock.advance(29 * 60 * 1_000_000_000)
        assert (await browser.get("/sign-in")).status_code == 303
    portal.clock.advance(30 * 60 * 1_000_000_000)
    assert (await browser.get("/sign-in")).status_code == 200


async def test_a_session_ends_after_twelve_hours_and_no_clock_brings_it_back(portal: Portal, link: str) -> None:
    browser = Browser(portal)
    await browser.sign_in(link)
    for _ in range(24):
        assert (await browser.get("/sign-in")).status_code == 303
        portal.clock.advance(30 * 60 * 1_000_000_000 - 1)
    portal.clock.advance(24)
    assert (await browser.get("/sign-in")).status_code == 200
    portal.clock.advance(-6 * 3600 * 1_000_000_000)
    assert (await browser.get("/sign-in")).status_code == 200


async def test_signing_out_ends_the_session_at_once(portal: Portal, link: str) -> None:
    browser = Browser(portal)
    await browser.sign_in(link)
    cookie = browser.session_cookie
    assert cookie is not None
    assert (await browser.client.post("/sign-out", data={"csrf": browser.csrf})).headers["location"] == "/sign-in"
    assert browser.session_cookie is None
    assert await portal.registry.web_sessions.recognise(cookie, None) is None


async def test_neither_link_nor_cookie_is_kept_or_audited(portal: Portal, link: str) -> None:
    browser = Browser(portal)
    await browser.sign_in(link)
    secrets = [link.rsplit("/", 1)[1], str(browser.session_cookie), browser.csrf]
    files = b"".join(path.read_bytes() for path in portal.registry.data_dir.iterdir() if path.is_file())
    for secret in secrets:
        assert secret.encode() not in files


def test_a_link_has_no_other_purpose() -> None:
    assert set(LinkPurpose) == {"sign-in", "new-password"}


async def test_every_page_but_the_door_needs_a_session(portal: Portal) -> None:
    answer = await Browser(portal).get("/sign-in")
    assert answer.status_code == 200
    assert re.search(r'name="csrf" value="[\w-]{43}"', answer.text)
