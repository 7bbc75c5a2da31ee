"""People at a real browser: an authenticator app, a passkey, an invitation; and how their pages look."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pyotp
import pytest
from tests.support.venue_process import ROOT, VenueProcess

from .looking import Looker, looking

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PASSWORD = "seven brown horses"


def with_authenticator(looker: Looker) -> None:
    """Give the browser a device that holds passkeys and verifies its user."""
    device = looker.context.new_cdp_session(looker.page)
    device.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    device.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def press(looker: Looker, name: str) -> None:
    looker.page.get_by_role("button", name=name, exact=True).click()


def sign_out(looker: Looker) -> None:
    looker.page.locator("details.account summary").click()
    press(looker, "Sign out")
    looker.page.get_by_text("You are signed out.").wait_for()


def test_a_passkey_is_enrolled_signs_in_and_proves(chromium: "Browser", tmp_path: Path, pictures: Path) -> None:
    with VenueProcess(tmp_path / "data", "--no-fsync") as venue:
        url = venue.ready["api_url"].replace("127.0.0.1", "localhost")
        with looking(chromium, url, pictures) as looker:
            with_authenticator(looker)
            looker.sign_in(sign_in_link(venue).replace("127.0.0.1", "localhost"))
            looker.go("/profile", "profile-new")
            looker.page.get_by_label("Name of the new passkey").fill("This machine")
            press(looker, "Add a passkey")
            looker.page.get_by_role("heading", name="Your recovery codes").wait_for()
            looker.look("recovery-codes")
            looker.page.get_by_role("link", name="I have kept them").click()
            looker.page.get_by_role("rowheader", name="This machine").wait_for()
            looker.look("profile-passkey")
            sign_out(looker)
            looker.look("sign-in")
            press(looker, "Sign in with a passkey")
            looker.page.wait_for_url(f"{url}/")
            looker.go("/people", "people")
            looker.page.get_by_label("E-mail address").fill("nina@example.com")
            looker.page.get_by_role("checkbox", name=re.compile("^full-access")).check()
            invite = looker.page.locator("form[action='/people/invite']")
            invite.get_by_role("button", name="Use a passkey instead").click()
            looker.page.get_by_text("The code is shown this once").wait_for()
            looker.look("invited")
            looker.go("/profile")
            looker.page.get_by_text("8 of 10 left today").wait_for()


def test_from_an_invitation_to_an_authenticator_app(chromium: "Browser", tmp_path: Path, pictures: Path) -> None:
    with VenueProcess(tmp_path / "data", "--no-fsync") as venue:
        code = run(venue, "people", "invite", "nina@example.com", "--entity", "1", "--role", "full-access")
        with looking(chromium, venue.ready["api_url"], pictures) as looker:
            looker.go("/invitation", "invitation")
            looker.page.get_by_label("E-mail address that was invited").fill("nina@example.com")
            looker.page.get_by_label("Invitation code").fill(re.findall(r"Code:\s+(\S+)", code)[0])
            looker.page.get_by_label("Your name").fill("Nina New")
            looker.page.get_by_label(re.compile("^Password")).fill(PASSWORD)
            looker.page.get_by_label("Once more").fill(PASSWORD)
            press(looker, "Accept and sign in")
            looker.page.wait_for_url("**/profile")
            looker.page.get_by_role("link", name="Set up an authenticator app").click()
            looker.look("authenticator")
            looker.page.get_by_text("I cannot scan it").click()
            app = pyotp.TOTP(looker.page.locator("pre code").first.inner_text().replace(" ", ""))
            looker.page.get_by_label("The code that the app shows now").fill(app.now())
            press(looker, "Enrol")
            looker.page.get_by_role("link", name="I have kept them").click()
            sign_out(looker)
            looker.page.get_by_label("E-mail address").fill("nina@example.com")
            looker.page.get_by_label("Password").fill(PASSWORD)
            press(looker, "Sign in")
            looker.page.get_by_role("heading", name="Second factor").wait_for()
            looker.look("second-factor")
            step = 30 - time.time() % 30
            time.sleep(step + 0.1)  # the code that enrolled the app is not taken again
            looker.page.get_by_label("Code").fill(app.now())
            press(looker, "Sign in")
            looker.page.wait_for_url(f"{venue.ready['api_url']}/")
            looker.go("/profile", "profile-full")
            looker.check_tabbing("profile-full")


def sign_in_link(venue: VenueProcess) -> str:
    return run(venue, "sign-in-link").strip()


def run(venue: VenueProcess, *words: str) -> str:
    """Run a command of ontherun on the venue; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "ontherun", *words, "--data", str(venue.data)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
