"""`kill -9` of the venue while it sends: nothing is sent twice, and nothing is lost in silence."""

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.support.mail_server import PASSWORD, USER, MailServer
from tests.support.venue_process import VenueProcess

pytestmark = pytest.mark.slow


def ask(venue: VenueProcess, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    token = Path(venue.ready["token_file"]).read_text().strip()
    with httpx2.Client(trust_env=False) as client:
        answer = client.request(
            method, f"{venue.ready['api_url']}/api/v1/{path}", json=body, headers={"Authorization": f"Bearer {token}"}
        )
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def until(test: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not test():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def state_of(venue: VenueProcess, delivery_id: str) -> str:
    return str(ask(venue, "GET", f"notices/deliveries/{delivery_id}")["about"]["state"])


def options(tmp_path: Path, port: int, ca_file: Path | None) -> list[str]:
    """How a venue is told of a mail server; without certificates, of one that speaks no TLS and wants no password."""
    known = ["--smtp-host", "127.0.0.1", "--smtp-port", str(port), "--mail-from", "ontherun@bank.example"]
    if ca_file is None:
        return [*known, "--smtp-tls", "none"]
    password = tmp_path / "smtp.password"
    password.write_text(PASSWORD + "\n")
    return [*known, "--smtp-user", USER, "--smtp-password-file", str(password), "--smtp-ca-file", str(ca_file)]


def test_a_venue_that_is_killed_between_claim_and_sending_says_unconfirmed_and_sends_nothing_by_itself(
    tmp_path: Path,
) -> None:
    tarpit = socket.create_server(("127.0.0.1", 0))  # takes connections and never says a word
    with VenueProcess(tmp_path / "data", *options(tmp_path, tarpit.getsockname()[1], None)) as venue:
        ask(venue, "POST", "notices/addresses", {"entity_id": 1, "address": "keys@ours.example"})
        ask(venue, "POST", "notices/addresses/1/keys@ours.example/test")
        connection, _ = tarpit.accept()  # claimed, and nothing is sent
        (delivery, *_) = ask(venue, "GET", "notices/deliveries")["items"]
        assert delivery["state"] == "sending"
        venue.kill()
    connection.close()
    tarpit.close()
    with MailServer(tmp_path / "mail") as server:
        again = options(tmp_path, server.port, server.ca_file)
        with VenueProcess(tmp_path / "data", *again) as venue:
            delivery_id = delivery["delivery_id"]
            until(lambda: state_of(venue, delivery_id) == "unconfirmed")
            time.sleep(0.5)
            assert server.messages == []
            ask(venue, "POST", f"notices/deliveries/{delivery_id}/resend")
            until(lambda: state_of(venue, delivery_id) == "sent")
            entries = ask(venue, "GET", "audit?limit=100")["items"]
            actions = [entry["action"] for entry in entries if entry["subject"] == f"delivery {delivery_id}"]
            assert actions == ["notice.sent", "notice.resend_requested", "notice.unconfirmed"]
            assert ask(venue, "GET", "audit/verification")["intact"]
        assert [message["subject"] for message in server.messages] == ["[LOCAL] Test of your notices"]


@pytest.mark.parametrize("address", ["keys@slow.example", "keys@ours.example"])
def test_a_venue_that_is_killed_between_sending_and_its_confirmation_does_not_send_twice(
    tmp_path: Path, address: str
) -> None:
    with MailServer(tmp_path / "mail") as server:
        known = options(tmp_path, server.port, server.ca_file)
        with VenueProcess(tmp_path / "data", *known) as venue:
            ask(venue, "POST", "notices/addresses", {"entity_id": 1, "address": address})
            notice_id = ask(venue, "POST", f"notices/addresses/1/{address}/test")["notice_id"]
            until(lambda: len(server.messages) == 1)  # it has arrived; the confirmation may or may not be there
            venue.kill()
        with VenueProcess(tmp_path / "data", *known) as venue:
            until(lambda: state_of(venue, f"{notice_id}-1") in ("unconfirmed", "sent"))
            if "slow" in address:
                assert state_of(venue, f"{notice_id}-1") == "unconfirmed"
            time.sleep(0.5)
        assert len(server.messages) == 1


def test_what_was_committed_but_not_claimed_is_sent_once_after_a_kill(tmp_path: Path) -> None:
    with VenueProcess(tmp_path / "data", *options(tmp_path, 1, None)) as venue:
        ask(venue, "POST", "notices/addresses", {"entity_id": 1, "address": "keys@ours.example"})
        for _ in range(3):
            ask(venue, "POST", "notices/addresses/1/keys@ours.example/test")
        venue.kill()
    with MailServer(tmp_path / "mail") as server:
        with VenueProcess(tmp_path / "data", *options(tmp_path, server.port, server.ca_file)) as venue:
            found = [each["delivery_id"] for each in ask(venue, "GET", "notices/deliveries?limit=3")["items"]]
            for delivery_id in found:
                settled = ("sent", "failed", "unconfirmed")
                until(lambda: state_of(venue, delivery_id) in settled)  # noqa: B023
                if state_of(venue, delivery_id) != "sent":
                    ask(venue, "POST", f"notices/deliveries/{delivery_id}/resend")
            until(lambda: all(state_of(venue, each) == "sent" for each in found))
        assert len({message["message-id"] for message in server.messages}) == len(server.messages) == 3


def test_the_password_of_the_mail_server_is_in_no_file_of_the_venue_and_in_no_argument(tmp_path: Path) -> None:
    with MailServer(tmp_path / "mail") as server:
        known = options(tmp_path, server.port, server.ca_file)
        with VenueProcess(tmp_path / "data", *known) as venue:
            ask(venue, "POST", "notices/addresses", {"entity_id": 1, "address": "keys@ours.example"})
            ask(venue, "POST", "notices/addresses/1/keys@ours.example/test")
            until(lambda: len(server.messages) == 1)
            assert PASSWORD not in Path(f"/proc/{venue.process.pid}/cmdline").read_text()
            _, output = venue.stop()
        assert PASSWORD not in output
        for file in (tmp_path / "data").rglob("*"):
            assert file.is_dir() or PASSWORD.encode() not in file.read_bytes()


def test_on_a_lab_clock_that_is_moved_the_expiry_mail_arrives_at_once(tmp_path: Path) -> None:
    with MailServer(tmp_path / "mail") as server:
        known = options(tmp_path, server.port, server.ca_file)
        with VenueProcess(tmp_path / "data", "--lab", *known) as venue:
            body = {"entity_id": 1, "address": "keys@ours.example", "topics": ["expiry"]}
            ask(venue, "POST", "notices/addresses", body)
            for moves, subject in (("340d", "2 key pairs expire"), ("30d", "2 key pairs have expired")):
                arrived = len(server.messages)
                ask(venue, "PUT", "lab/clock", {"advance": moves})
                until(lambda: any(subject in str(message["subject"]) for message in server.messages[arrived:]))  # noqa: B023
