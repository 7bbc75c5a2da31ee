"""After a lively day no secret stands in any file, log or mail, but where its owner is meant to find it."""

import base64
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.support.mail_server import PASSWORD, USER, MailServer
from tests.support.raw_client import RawClient
from tests.support.venue_process import VenueProcess

from ontherun.ilink import messages as m
from ontherun.ilink.signing import decode_secret

MEANT_FOR_SECRETS = ("keys", "admin.token", "master.key")
"""What holds secrets on purpose, for its owner's eyes only: the demo's key files, the local token, the master key."""


class Day:
    """One day at a venue, and every secret that came up."""

    def __init__(self, venue: VenueProcess) -> None:
        token = Path(venue.ready["token_file"]).read_text().strip()
        self.venue = venue
        self.secrets = {token: "the local token"}
        self.api = httpx2.Client(
            base_url=f"{venue.ready['api_url']}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=30,
        )

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self.api.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def keep(self, what: str, secret: str) -> str:
        assert len(secret) >= 16, what
        self.secrets[secret] = what
        return secret

    def new_key(self, session_id: str, **terms: object) -> dict[str, Any]:
        made = self.ask("POST", f"/sessions/{session_id}/keys", terms)["access_key_id"]
        key: dict[str, Any] = self.ask("GET", f"/sessions/{session_id}/keys/{made}/download?format=json")
        self.keep(f"key pair {made}", key["secret_key"])
        return key | {"party_details_list_req_id": 7}

    def traces(self) -> Iterator[tuple[bytes, str]]:
        """Every form in which a secret may have been written, and what it is."""
        for secret, what in self.secrets.items():
            yield secret.encode(), what
            if what.startswith("key pair"):
                raw = decode_secret(secret)
                for form in (raw, raw.hex().encode(), raw.hex().upper().encode(), base64.b64encode(raw).rstrip(b"=")):
                    yield form, what


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[MailServer]:
    with MailServer(tmp_path / "mail") as server:
        yield server


def test_a_lively_day_leaves_no_secret_in_any_file_log_or_mail(tmp_path: Path, mail: MailServer) -> None:
    password = tmp_path / "smtp.password"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    options = ["--smtp-host", "127.0.0.1", "--smtp-port", str(mail.port), "--smtp-user", USER, "--lab"]
    options += ["--smtp-password-file", str(password), "--smtp-ca-file", str(mail.ca_file)]
    with VenueProcess(tmp_path / "data", *options, "--mail-from", "ontherun@bank.example") as venue:
        day = Day(venue)
        day.keep("the mail server's password", PASSWORD)
        live_through(day)
        day.api.close()
        while len(mail.messages) < 5:
            time.sleep(0.05)
        _, printed = venue.stop()
    printed = re.sub(r"/sign-in/link/\S+", "", printed)  # what the person at this terminal is meant to open
    written = {"standard output": printed.encode()}
    for path in (tmp_path / "data").rglob("*"):
        if path.is_file() and path.relative_to(tmp_path / "data").parts[0] not in MEANT_FOR_SECRETS:
            written[str(path)] = path.read_bytes()
    written |= {f"mail {number}": content for number, content in enumerate(mail.raw())}
    found = [(where, what) for where, content in written.items() for form, what in day.traces() if form in content]
    assert not found
    assert len(written) >= 9
    assert len(day.secrets) == 9


def live_through(day: Day) -> None:
    """Do everything that has a secret in it, and some of it wrong."""
    venue = day.venue
    day.ask("POST", "/notices/addresses", {"address": "keys@bank.example", "topics": ["keys"]})
    hook = {"url": "http://127.0.0.1:9/hook", "topics": ["keys"]}
    day.keep("a webhook's secret", day.ask("POST", "/notices/webhooks", hook)["secret"])
    token = {"name": "rotation script", "scopes": "full-access", "entity_id": 1}
    day.keep("an API token", day.ask("POST", "/tokens", token)["token"])
    guest = {"email": "new@bank.example", "entity_id": 1, "roles": ["read-only"]}
    day.keep("an invitation's code", day.ask("POST", "/invitations", guest)["code"])
    link = day.ask("POST", "/sign-in-links", {})["url"]
    day.keep("a sign-in link", link.rsplit("/", 1)[1])

    (session_id,) = day.ask("POST", "/sessions", {"firms": ["DEMO1"], "market_segments": [40]})["session_ids"]
    day.ask("POST", f"/sessions/{session_id}/party-details", {"firm": "DEMO1", "party_details_list_req_id": 7})
    first, second = day.new_key(session_id), day.new_key(session_id)
    third = day.new_key(session_id, delete=first["access_key_id"])
    for form in ("text", "env", "csv"):
        path = f"/sessions/{session_id}/keys/{third['access_key_id']}/download?format={form}"
        assert third["secret_key"] in day.api.get(path).text
    for key in (second, third):
        with RawClient(venue.address, key) as client:
            client.log_in()
            client.terminate()
    with RawClient(venue.address, first) as client:
        client.negotiate()
        client.expect(m.NegotiationReject)

    for wrong in (
        ("POST", f"/sessions/{session_id}/key-test", {"frame": third["secret_key"]}),
        ("POST", "/tokens", {"name": third["secret_key"], "scopes": third["secret_key"]}),
        ("GET", f"/sessions/{session_id}/keys/{third['secret_key']}", None),
        ("POST", "/sessions", {third["secret_key"]: 1}),
    ):
        method, path, body = wrong
        assert day.api.request(method, path, json=body).status_code < 500
    httpx2.get(f"{venue.ready['api_url']}/api/v1/sessions", headers={"Authorization": f"Bearer {third['secret_key']}"})
    day.ask("PUT", "/lab/clock", {"advance": "3w3d"})
    day.ask("PUT", "/lab/clock", {"advance": "52w"})
