"""Single sign-on against an identity provider in a process of its own; and what comes back that should not."""

import asyncio
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from html import unescape

import httpx2
import pytest
from tests.support.people import book, make_user, person

from ontherun.portal import create_app
from ontherun.portal.single_sign_on import Provider, SingleSignOn
from ontherun.registry import SYSTEM, Role

from .browser import Browser
from .conftest import Portal

PEOPLE = {
    "ann": {"email": "ann@example.com", "email_verified": True, "name": "Ann"},
    "other-ann": {"email": "ann@example.com", "email_verified": True},
    "unverified": {"email": "ann@example.com", "email_verified": False},
    "silent": {"email": "ann@example.com"},
    "new": {"email": "new@example.com", "email_verified": True, "name": "Nina <b>New</b>"},
    "stranger": {"email": "stranger@example.com", "email_verified": True},
    "nameless": {},
}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    users = [word for sub, claims in PEOPLE.items() for word in ("--user-claims", json.dumps({"sub": sub, **claims}))]
    process = subprocess.Popen(
        [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "true", *users],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            httpx2.get(f"{url}/.well-known/openid-configuration", trust_env=False)
            break
        except httpx2.HTTPError:
            time.sleep(0.05)
    yield url
    process.terminate()
    process.wait()


@pytest.fixture
async def sso(portal: Portal, issuer: str) -> Portal:
    await make_user(portal.registry, "ann@example.com", {1: Role.READ_ONLY})
    single_sign_on = SingleSignOn(Provider(issuer, "ontherun", "client secret"), portal.clock.now)
    portal.app = create_app(portal.registry, portal.running, single_sign_on)
    return portal


def onward(page: httpx2.Response) -> str:
    """Return where a page sends the browser on to."""
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]*)"', page.text)
    assert found, page.text
    return unescape(found[1])


async def begin(browser: Browser, target: str = "/people") -> str:
    page = await browser.get("/sign-in", params={"next": target})
    return onward(await browser.send("/sign-in/sso", page))


def at_the_provider(way: str, subject: str) -> str:
    """Sign in at the provider as `subject`; return the path and query with which it sends the browser back."""
    answer = httpx2.post(way, data={"sub": subject}, trust_env=False)
    assert answer.status_code in (302, 303), answer.text
    return answer.headers["location"].removeprefix("http://testserver")


async def come_back(browser: Browser, subject: str) -> httpx2.Response:
    return await browser.get(at_the_provider(await begin(browser), subject))


async def test_a_user_is_found_by_the_verified_address_and_then_by_the_providers_name(sso: Portal) -> None:
    browser = Browser(sso)
    done = await come_back(browser, "ann")
    assert onward(done) == "/people"
    assert browser.session_cookie is not None
    assert (await browser.get("/people")).status_code == 200
    user = book(sso.registry).user_of_email("ann@example.com")
    assert user is not None
    assert str(user.subject).endswith(" ann")
    assert onward(await come_back(Browser(sso), "ann")) == "/people"


async def test_the_request_has_pkce_a_nonce_and_a_state_and_no_secret(sso: Portal) -> None:
    way = await begin(Browser(sso))
    for part in ("code_challenge=", "code_challenge_method=S256", "nonce=", "state=", "scope=openid"):
        assert part in way
    assert "client+secret" not in way
    assert "verifier" not in way


@pytest.mark.parametrize("subject", ["stranger", "unverified", "silent", "nameless", "new"])
async def test_who_is_not_invited_or_has_no_verified_address_is_not_let_in(sso: Portal, subject: str) -> None:
    browser = Browser(sso)
    answer = await come_back(browser, subject)
    assert answer.status_code == 401
    assert "nobody has invited you" in answer.text
    assert browser.session_cookie is None
    assert len(book(sso.registry).users) == 1


async def test_another_person_with_the_same_address_is_not_taken_for_the_first(sso: Portal) -> None:
    await come_back(Browser(sso), "ann")
    assert (await come_back(Browser(sso), "other-ann")).status_code == 401


async def test_who_is_invited_becomes_a_user_with_the_roles_and_no_password(sso: Portal) -> None:
    await sso.registry.invitations.invite(SYSTEM, "new@example.com", 1, [Role.AUDITOR])
    browser = Browser(sso)
    assert (await come_back(browser, "new")).status_code == 200
    assert browser.session_cookie is not None
    user = book(sso.registry).user_of_email("new@example.com")
    assert user is not None
    assert (user.name, user.password_hash) == ("Nina <b>New</b>", None)
    assert person(sso.registry, "new@example.com").grants.keys() == {1}


async def test_who_left_is_not_let_in(sso: Portal) -> None:
    await come_back(Browser(sso), "ann")
    await sso.registry.people.leave(SYSTEM, "ann@example.com")
    assert (await come_back(Browser(sso), "ann")).status_code == 401


async def test_what_comes_back_twice_is_taken_once(sso: Portal) -> None:
    browser = Browser(sso)
    back = at_the_provider(await begin(browser), "ann")
    page = await browser.get("/sign-in")
    assert (await browser.get(back)).status_code == 200
    visitor = Browser(sso)
    visitor.client.cookies.update(browser.client.cookies)
    assert (await visitor.get(back)).status_code == 401
    assert page.status_code == 200


async def test_what_another_browser_began_is_not_taken(sso: Portal) -> None:
    """Login CSRF: a link that would sign the victim in as the attacker."""
    back = at_the_provider(await begin(Browser(sso)), "ann")
    victim = Browser(sso)
    assert (await victim.get(back)).status_code == 401
    await begin(victim)
    assert (await victim.get(back)).status_code == 401
    assert victim.session_cookie is None


@pytest.mark.parametrize(
    "query",
    ["", "code=x", "state=x", "code=x&state=x", "error=access_denied&error_description=%3Cb%3E", "code=&state="],
)
async def test_nonsense_from_the_provider_is_an_answer_and_no_fault(sso: Portal, query: str) -> None:
    browser = Browser(sso)
    await begin(browser)
    answer = await browser.get(f"/sign-in/sso/callback?{query}")
    assert answer.status_code == 401
    assert "<b>" not in answer.text.split("<main", 1)[1]


async def test_it_takes_ten_minutes_at_most(sso: Portal) -> None:
    browser = Browser(sso)
    back = at_the_provider(await begin(browser), "ann")
    sso.clock.advance(600 * 1_000_000_000)
    assert (await browser.get(back)).status_code == 401


async def test_a_provider_that_is_down_is_said_so(sso: Portal) -> None:
    single_sign_on = SingleSignOn(Provider("http://127.0.0.1:9", "ontherun"), sso.clock.now)
    sso.app = create_app(sso.registry, sso.running, single_sign_on)
    browser = Browser(sso)
    answer = await browser.send("/sign-in/sso", await browser.get("/sign-in"))
    assert answer.status_code == 401
    assert "cannot be reached now" in answer.text


async def test_a_provider_that_calls_itself_otherwise_is_not_believed(sso: Portal, issuer: str) -> None:
    metadata = httpx2.get(f"{issuer}/.well-known/openid-configuration", trust_env=False).content

    async def impostor(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + metadata)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(impostor, "127.0.0.1", 0)
    provider = Provider(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "ontherun", "client secret")
    sso.app = create_app(sso.registry, sso.running, SingleSignOn(provider, sso.clock.now))
    browser = Browser(sso)
    answer = await browser.send("/sign-in/sso", await browser.get("/sign-in"))
    assert answer.status_code == 401
    assert "says that it is another one" in unescape(answer.text)
    server.close()
    await server.wait_closed()


async def test_without_a_provider_there_is_no_such_way(portal: Portal) -> None:
    browser = Browser(portal)
    page = await browser.get("/sign-in")
    assert "/sign-in/sso" not in page.text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert csrf
    assert (await browser.client.post("/sign-in/sso", data={"csrf": csrf[1]})).status_code == 404
