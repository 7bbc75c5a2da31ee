"""The pages of somebody who is signed in, over a venue in a process of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest
from tests.support.venue_process import VenueProcess

from .looking import looking

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = [
    ("/", "start"),
    ("/sessions", "sessions"),
    ("/sessions/new", "new-sessions"),
    ("/sessions/import", "import-sessions"),
    ("/sessions/A00", "session"),
    ("/sessions/A00/traces", "session-traces"),
    ("/sessions/A00/last-messages", "session-messages"),
    ("/sessions/A00/edit", "edit-session"),
    ("/sessions/A00/delete", "delete-session"),
    ("/sessions/A00/protocol", "protocol"),
    ("/firms", "firms"),
    ("/firms/new", "new-firm"),
    ("/firms/DEMO1", "firm"),
    ("/drop-copy", "drop-copy"),
    ("/drop-copy/new", "new-drop-copy-group"),
    ("/market-data", "market-data"),
    ("/market-data/new", "new-market-data-sessions"),
    ("/requests", "requests"),
    ("/to-do", "to-do"),
    ("/venue", "venue"),
    ("/lab", "lab"),
    ("/keys/test", "key-test"),
    ("/sessions/A00/new-key", "new-key"),
    ("/sessions/A00/revoke-keys", "revoke-keys"),
    ("/keys", "keys"),
    ("/keys/calendar", "key-calendar"),
    ("/messages", "messages"),
    ("/notices", "notices"),
    ("/notices/addresses", "notice-addresses"),
    ("/notices/webhooks", "webhooks"),
    ("/notices/calendar", "notice-calendar"),
    ("/profile", "profile"),
    ("/profile/authenticator", "authenticator"),
    ("/people", "people"),
    ("/people/1", "person"),
    ("/audit", "audit"),
    ("/audit/verification", "audit-verification"),
    ("/api", "api-signed-in"),
]


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path_factory.mktemp("pages") / "data", "--no-fsync", "--lab") as running:
        yield running


def sign_in_link(venue: VenueProcess) -> str:
    """Have the API make a one-time link, as `ontherun sign-in-link` does."""
    token = Path(venue.ready["token_file"]).read_text().strip()
    answer = httpx2.post(
        f"{venue.ready['api_url']}/api/v1/sign-in-links",
        json={},
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )
    return str(answer.json()["url"])


def test_pages_are_sound_at_both_widths_and_in_both_colours(
    chromium: "Browser", venue: VenueProcess, pictures: Path
) -> None:
    with looking(chromium, venue.ready["api_url"], pictures) as looker:
        looker.sign_in(sign_in_link(venue), "sign-in-link")
        for path, name in PAGES:
            looker.go(path, name)
            looker.check_tabbing(name)


def test_pages_have_the_same_parts_without_script(chromium: "Browser", venue: VenueProcess) -> None:
    parts: list[dict[str, list[str]]] = []
    for script in (True, False):
        with looking(chromium, venue.ready["api_url"], Path(), java_script_enabled=script) as looker:
            looker.sign_in(sign_in_link(venue))
            parts.append({})
            for path, _ in PAGES:
                looker.go(path)
                named = looker.page.locator("main").locator("h1, h2, h3, label, legend, th[scope=col]")
                parts[-1][path] = named.all_text_contents()
    assert parts[0] == parts[1]


def test_the_menu_of_a_phone_opens_and_closes_without_script(chromium: "Browser", venue: VenueProcess) -> None:
    with looking(chromium, venue.ready["api_url"], Path(), java_script_enabled=False) as looker:
        looker.sign_in(sign_in_link(venue))
        looker.page.set_viewport_size({"width": 390, "height": 844})
        menu = looker.page.get_by_role("navigation", name="Portal")
        assert not menu.is_visible()
        looker.page.get_by_role("button", name="Menu").click()
        assert menu.is_visible()
        menu.get_by_role("link", name="API").click()
        assert looker.page.url.endswith("/api")
        assert not menu.is_visible()


def test_the_audit_is_searched_while_typing_and_the_address_follows(chromium: "Browser", venue: VenueProcess) -> None:
    with looking(chromium, venue.ready["api_url"], Path()) as looker:
        looker.sign_in(sign_in_link(venue))
        looker.go("/audit")
        looker.page.get_by_role("cell", name="system").first.wait_for()
        looker.page.get_by_label("Text").press_sequentially("Demo Firm Two")
        looker.page.get_by_text("1 entry on this page").wait_for()
        looker.page.wait_for_url("**/audit?text=Demo*")
        looker.page.get_by_label("Action").select_option(label="clock")
        looker.page.get_by_text("Nothing was found.").wait_for()
        looker.page.go_back()
        looker.page.get_by_text("1 entry on this page").wait_for()


def test_an_id_is_copied_by_its_button(chromium: "Browser", venue: VenueProcess) -> None:
    with looking(chromium, venue.ready["api_url"], Path()) as looker:
        looker.context.grant_permissions(["clipboard-read", "clipboard-write"])
        looker.sign_in(sign_in_link(venue))
        looker.go("/sessions/A00")
        looker.page.get_by_role("button", name="Copy A00", exact=True).click()
        looker.page.get_by_text("Copied").wait_for()
        assert looker.page.evaluate("() => navigator.clipboard.readText()") == "A00"
