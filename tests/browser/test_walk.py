"""A newcomer's way through the portal, from the first sign-in to the audit, over a venue in a process of its own.

One walk, in the order in which a person goes it; each step looks at its page at both widths and in both colours.
"""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pyotp
import pytest
from tests.support.mail_server import PASSWORD, USER, MailServer
from tests.support.venue_process import VenueProcess

from ontherun.client import KeyFile, Login, LoginRefused, Venue
from ontherun.client.blocking import connect

from .looking import Looker, looking

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]


class Walk:
    """Somebody at the portal, with the API at hand for what a person at another desk does."""

    def __init__(self, venue: VenueProcess, looker: Looker, folder: Path, mail: MailServer) -> None:
        self.venue = venue
        self.looker = looker
        self.page = looker.page
        self.folder = folder
        self.mail = mail
        self.last_step = 0
        token = Path(venue.ready["token_file"]).read_text().strip()
        self.api = httpx2.Client(
            base_url=f"{venue.ready['api_url']}/api/v1/", headers={"Authorization": f"Bearer {token}"}, timeout=60
        )

    def sign_in(self, name: str | None = None) -> None:
        self.looker.sign_in(self.ask("POST", "sign-in-links", json={})["url"], name)

    def ask(self, method: str, path: str, **arguments: Any) -> Any:
        answer = self.api.request(method, path, **arguments)
        assert answer.is_success, answer.text
        return answer.json()

    def has_mail(self, text: str, to: str) -> None:
        """Wait until the mail server has taken a message to `to` with `text` in its subject."""
        until = time.monotonic() + 60
        while not any(text in each["subject"] and to in each["to"] for each in self.mail.messages):
            assert time.monotonic() < until, [str(each["subject"]) for each in self.mail.messages]
            time.sleep(0.05)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        self.page.get_by_role("main").get_by_role("link", name=name, exact=True).click()

    def says(self, text: str) -> None:
        self.page.get_by_role("main").get_by_text(text).first.wait_for()

    def look(self, name: str) -> None:
        self.looker.look(f"walk-{name}")

    def enrol(self) -> None:
        """Enrol an authenticator app, as its page says."""
        self.looker.go("/profile", "walk-profile")
        self.follow("Set up an authenticator app")
        self.look("authenticator")
        secret = self.page.locator("details code").text_content()
        assert secret is not None
        self.app = pyotp.TOTP(secret.replace(" ", "").strip())
        self.page.get_by_label("The code that the app shows now").fill(self.code())
        self.press("Enrol")
        self.says("recovery codes")
        self.look("recovery-codes")

    def code(self) -> str:
        """Return a code of the app that was not used yet; the one before and the one after the present are good too."""
        while (step := max(self.last_step + 1, int(time.time()) // 30 - 1)) > int(time.time()) // 30 + 1:
            time.sleep(0.5)
        self.last_step = step
        return self.app.generate_otp(step)

    def generate(self, name: str) -> str:
        """Generate a key pair on the page of session A00; return its Access Key ID."""
        self.looker.go("/sessions/A00")
        self.follow("Generate a key pair")
        self.look(f"{name}-generate")
        delete = self.page.get_by_role("group", name=re.compile("Which one is deleted"))
        if delete.count():
            delete.get_by_role("radio").first.check()
        self.press("Generate")
        self.says("was generated")
        self.look(f"{name}-generated")
        return max(self.pairs("A00"), key=lambda pair: str(pair["created_at"]))["access_key_id"]

    def pairs(self, session_id: str) -> list[dict[str, Any]]:
        """Return the pairs of a session that are not deleted."""
        found: list[dict[str, Any]] = self.ask("GET", f"sessions/{session_id}/keys")["items"]
        return found

    def download(self, access_key_id: str) -> Path:
        """Download a pair on its page; return the key file."""
        self.looker.go(f"/sessions/A00/keys/{access_key_id}", f"walk-key-{len(self.pairs('A00'))}")
        self.page.get_by_label("Reason").first.fill("first login")
        self.page.get_by_label("Second factor").fill(self.code())
        with self.page.expect_download() as waiting:
            self.press("Download")
        file = self.folder / f"{access_key_id}.json"
        waiting.value.save_as(file)
        return file

    def log_in(self, key_file: Path) -> None:
        """Log in at the gateway with a key file, and out again."""
        gateway = Venue.load(self.venue.ready_file).gateway()
        with connect(Login(key=KeyFile.load(key_file), host=gateway.host, port=gateway.port)):
            pass

    def advance(self, span: str) -> None:
        """Move the clock, and begin a new visit."""
        self.ask("PUT", "lab/clock", json={"advance": span, "reason": "the walk"})
        self.page.context.clear_cookies()
        self.sign_in()


def mail_options(mail: MailServer, folder: Path) -> list[str]:
    """How the venue reaches a mail server that asks for STARTTLS and a password."""
    password = folder / "smtp-password"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    host = ["--smtp-host", "127.0.0.1", "--smtp-port", str(mail.port), "--smtp-ca-file", str(mail.ca_file)]
    who = ["--smtp-user", USER, "--smtp-password-file", str(password), "--mail-from", "ontherun@bank.example"]
    return host + who


@pytest.fixture
def walk(chromium: "Browser", tmp_path: Path, pictures: Path) -> Iterator[Walk]:
    with (
        MailServer(tmp_path / "mail") as mail,
        VenueProcess(tmp_path / "data", "--no-fsync", "--lab", *mail_options(mail, tmp_path)) as venue,
        looking(chromium, venue.ready["api_url"], pictures, accept_downloads=True) as looker,
    ):
        walk = Walk(venue, looker, tmp_path, mail)
        yield walk
        walk.api.close()


def test_from_the_first_sign_in_to_the_audit(walk: Walk, tmp_path: Path) -> None:
    walk.sign_in("walk-first-sign-in")
    walk.look("start")

    walk.enrol()
    walk.looker.go("/sessions/new")
    walk.page.get_by_label("Number of sessions").fill("2")
    walk.page.get_by_label("Label").fill("spread algo")
    walk.press("Review")
    walk.says("2 Session IDs will be assigned")
    walk.look("review")
    walk.press("Submit")
    walk.says("done.")
    walk.look("sessions")
    walk.looker.go("/requests", "walk-requests")

    walk.looker.go("/venue")
    walk.page.get_by_label("A second person approves each request").check()
    walk.press("Set policies")
    asked = walk.ask("POST", "sessions", json={"firms": ["DEMO2"], "market_segments": [40], "label": "hedger"})
    walk.looker.go("/to-do", "walk-to-do")
    walk.looker.go(f"/requests/{asked['request_id']}", "walk-decide")
    walk.press("Approve")
    walk.says("Completed")
    walk.look("approved")

    team = "keys-team@bank.example"
    walk.looker.go("/notices/addresses")
    walk.page.get_by_label("Mail address").fill(team)
    walk.press("Add")
    walk.says(team)
    walk.look("team-address")

    (first,) = (pair["access_key_id"] for pair in walk.pairs("A00"))
    key_file = walk.download(first)
    assert json.loads(key_file.read_text())["access_key_id"] == first
    walk.log_in(key_file)

    second = walk.generate("second")
    older = next(pair for pair in walk.pairs("A00") if pair["access_key_id"] == first)
    assert "sunset" not in older  # the file of the first pair still logs in while both are valid
    walk.log_in(key_file)
    third = walk.generate("third")
    assert {pair["access_key_id"] for pair in walk.pairs("A00")} >= {second, third} - {first}

    newest = tmp_path / "third.json"
    newest.write_text(walk.api.get(f"sessions/A00/keys/{third}/download").text)
    walk.log_in(newest)
    walk.looker.go("/sessions/A00", "walk-session")
    walk.looker.go("/keys/calendar?month=2026-12", "walk-calendar")
    walk.advance("1w")
    walk.looker.go("/", "walk-attention")
    walk.advance("2w3d")
    walk.looker.go("/sessions/A00", "walk-overlap")
    walk.looker.go("/notices")
    walk.says("expires")
    walk.look("expiry-mail")
    walk.has_mail("expire", team)
    walk.looker.go("/messages", "walk-messages")

    walk.looker.go("/sessions/A00")
    walk.follow("Revoke all")
    walk.page.get_by_label("Reason").fill("a host is not ours any more")
    walk.page.get_by_label("Type A00 to confirm").fill("A00")
    walk.look("revoke")
    walk.page.get_by_label("Second factor").fill(walk.code())
    walk.page.get_by_role("button", name=re.compile("^Revoke ")).click()
    walk.says("revoked")
    walk.look("revoked")
    with pytest.raises(LoginRefused):
        walk.log_in(key_file)

    walk.looker.go("/audit?subject=session+A00")
    for action in ("key_pair.generated", "key_pair.downloaded", "key_pair.revoked"):
        walk.says(action)
    walk.look("audit")
    walk.looker.go("/audit/verification")
    walk.says("The chain holds")
