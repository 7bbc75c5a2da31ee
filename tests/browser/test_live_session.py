"""The live page of a session while a client comes, trades and goes; without a script by loading it again."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support.raw_client import RawClient
from tests.support.venue_process import VenueProcess

from ontherun.ilink import messages as m

from .looking import looking
from .test_signed_in_pages import sign_in_link

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path / "data", "--no-fsync") as running:
        yield running


def test_the_page_follows_a_client_by_itself(chromium: "Browser", venue: VenueProcess, pictures: Path) -> None:
    with looking(chromium, venue.ready["api_url"], pictures) as looker:
        looker.sign_in(sign_in_link(venue))
        looker.go("/sessions/A00/live")
        page = looker.page
        page.get_by_text("It never logged in").wait_for()
        with RawClient(venue.address, venue.key()) as bad:
            bad.negotiate(hmac_signature=b"\x01" * 32)
            bad.receive()
        page.get_by_text("HMACSignature is not what this key makes").first.wait_for()
        with RawClient(venue.address, venue.key()) as client:
            page.get_by_role("link", name="All logins and connections").focus()
            client.log_in()
            page.get_by_text(str(client.uuid)).wait_for()
            assert page.evaluate("() => document.activeElement.textContent") == "All logins and connections"
            client.order(venue.security_id("UB10"), 1, 99 * 10**9, 5, b"ONE")
            client.expect(m.ExecutionReportNew)
            page.get_by_text("buy 5 UB10 at 99-00").first.wait_for()
            looker.look("session-live-established")
            page.get_by_text("End its connections").click()
            page.get_by_label("Type A00 to confirm").fill("A00")
            page.get_by_role("button", name="End the connections").click()
            page.get_by_text("The connections of session A00 were ended.").wait_for()
            client.expect(m.Terminate)
        page.get_by_role("link", name="Negotiate rejected").first.click()
        page.get_by_role("heading", name="What was signed").wait_for()
        looker.look("session-trace")


def test_it_works_without_a_script_by_loading_it_again(chromium: "Browser", venue: VenueProcess) -> None:
    with looking(chromium, venue.ready["api_url"], Path(), java_script_enabled=False) as looker:
        looker.sign_in(sign_in_link(venue))
        looker.go("/sessions/A00/live")
        assert looker.page.get_by_text("It never logged in").is_visible()
        assert not looker.page.get_by_text("looked at again").is_visible()
        with RawClient(venue.address, venue.key()) as client:
            client.log_in()
            looker.go("/sessions/A00/live")
            assert looker.page.get_by_text(str(client.uuid)).first.is_visible()
