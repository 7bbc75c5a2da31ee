"""A browser without a screen: it keeps cookies, and sends a form as the page has it."""

import re
from html import unescape
from typing import Any

import httpx2

from ontherun.registry import SYSTEM, LinkPurpose, csrf_of

from .conftest import Portal


class Browser:
    """One browser of one person."""

    def __init__(self, portal: Portal, url: str = "http://testserver", source: str = "127.0.0.1") -> None:
        transport = httpx2.ASGITransport(app=portal.app, raise_app_exceptions=False, client=(source, 4711))
        self.portal = portal
        self.client = httpx2.AsyncClient(transport=transport, base_url=url, headers={"Accept": "text/html"})

    @property
    def session_cookie(self) -> str | None:
        return self.client.cookies.get("otr_session") or self.client.cookies.get("__Host-otr_session")

    @property
    def csrf(self) -> str:
        assert self.session_cookie is not None
        return csrf_of(self.session_cookie)

    async def get(self, path: str, **arguments: Any) -> httpx2.Response:
        return await self.client.get(path, **arguments)

    async def post(self, path: str, **fields: Any) -> httpx2.Response:
        """Send a form of somebody who is signed in."""
        return await self.client.post(path, data={"csrf": self.csrf, **fields})

    async def send(self, action: str, page: httpx2.Response, **fields: str) -> httpx2.Response:
        """Send the form of `page` that goes to `action`, its hidden fields as they are and `fields` filled in."""
        return await self.client.post(action, data={**hidden_fields(page.text, action), **fields})

    async def sign_in(self, link: str) -> httpx2.Response:
        return await self.send("/sign-in/link", await self.get(link))


def hidden_fields(page: str, action: str) -> dict[str, str]:
    """Return the hidden fields of the form that goes to `action`."""
    for form in re.findall(r"<form\b.*?</form>", page, re.DOTALL):
        if re.search(rf'<form[^>]* action="{re.escape(action)}"', form):
            fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form)
            return {name: unescape(value) for name, value in fields}
    return {}


async def signed_in(portal: Portal, email: str | None = None) -> Browser:
    """Return a browser of a user who is signed in; without an address the local operator's."""
    registry = portal.registry
    user = await registry.users.local_operator() if email is None else registry.directory.people.user_of_email(email)
    assert user is not None
    token = await registry.users.link(SYSTEM, user.user_id, LinkPurpose.SIGN_IN)
    browser = Browser(portal)
    answer = await browser.sign_in(f"/sign-in/link/{token.text}")
    assert answer.status_code == 303, answer.text
    return browser
