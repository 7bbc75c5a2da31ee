"""Who sees which page, walked over the routes of the pages: a new page is covered the day it is written."""

from fastapi.routing import APIRoute

from ontherun.portal.pages import ROUTERS

from .browser import Browser, signed_in
from .conftest import Portal, done_so_far

OPEN = ("/sign-in", "/new-password", "/invitation", "/api", "/display")
"""How the pages begin that are for people who are not signed in."""


def routes() -> list[tuple[str, str]]:
    """Return (method, path) of every page."""
    return [
        (method, route.path)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods - {"HEAD"})
    ]


def filled(path: str) -> str:
    """Fill a path with things that there are."""
    parts = {"session_id": "A00", "access_key_id": "AAAAAAAAAAAAAAAAAAAA"}
    segments = path.split("/")
    return "/".join(
        parts.get(segment.strip("{}").split(":")[0], "1") if segment.startswith("{") else segment
        for segment in segments
    )


def is_open(path: str) -> bool:
    return path.startswith(OPEN)


async def test_nobody_sees_a_page_without_being_signed_in(portal: Portal) -> None:
    walked = 0
    for method, path in routes():
        if is_open(path):
            continue
        walked += 1
        answer = await Browser(portal).client.request(method, filled(path))
        assert answer.status_code == 303, (method, path, answer.text[:300])
        assert answer.headers["location"].startswith("/sign-in"), (method, path)
    assert walked >= 5


async def test_no_form_is_taken_without_its_token(portal: Portal) -> None:
    browser = await signed_in(portal)
    before = await done_so_far(portal)
    for method, path in routes():
        if method == "POST" and path != "/display":
            for data in ({}, {"csrf": "wrong"}):
                answer = await browser.client.post(filled(path), data=data)
                assert answer.status_code == 403, (path, data, answer.status_code)
    assert await done_so_far(portal) == before


async def test_no_form_is_taken_from_another_site(portal: Portal) -> None:
    browser = await signed_in(portal)
    before = await done_so_far(portal)
    for method, path in routes():
        if method == "POST":
            for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
                answer = await browser.client.post(filled(path), data={"csrf": browser.csrf}, headers=headers)
                assert answer.status_code in (403, 422), (path, headers, answer.status_code)
    assert await done_so_far(portal) == before


async def test_no_page_changes_anything_by_being_looked_at(portal: Portal) -> None:
    browser = await signed_in(portal)
    before = await done_so_far(portal)
    for method, path in routes():
        if method == "GET":
            answer = await browser.get(filled(path))
            assert answer.status_code < 500, (path, answer.text[-2000:])
    assert await done_so_far(portal) == before
