"""Five bad logins close a session's port; the operator opens it, and it is open after a restart too."""

import json
from pathlib import Path

import httpx2
from tests.support.raw_client import RawClient
from tests.support.venue_process import VenueProcess

from ontherun.ilink import messages as m
from ontherun.ilink.codes import NegotiationRejectCode, TerminateCode


def refused(venue: VenueProcess) -> int:
    """The code that answers a Negotiate of the demo session with a wrong signature."""
    with RawClient(venue.address, venue.key()) as client:
        client.negotiate(hmac_signature=b"\x01" * 32)
        answer = client.receive()
        assert isinstance(answer, m.NegotiationReject | m.Terminate)
        return answer.error_codes


def ask(venue: VenueProcess, method: str, path: str) -> httpx2.Response:
    token = Path(venue.ready["token_file"]).read_text().strip()
    url = f"{venue.ready['api_url']}/api/v1/sessions/{path}"
    return httpx2.request(method, url, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=60)


def test_a_closed_port_stays_closed_over_a_restart_until_the_operator_opens_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with VenueProcess(data, "--no-fsync") as venue:
        session_id = venue.ready["demo"][0]["session_id"]
        closed = TerminateCode.CME_ADMINISTERED_PORT_CLOSURE
        assert [refused(venue) for _ in range(6)] == [NegotiationRejectCode.HMAC_NOT_AUTHENTICATED] * 4 + [closed] * 2
        venue.kill()
    with VenueProcess(data, "--no-fsync") as venue:
        assert refused(venue) == closed
        assert ask(venue, "GET", session_id).json()["port_closed"] is True
        assert ask(venue, "POST", f"{session_id}/open-port").json()["port_closed"] is False
        venue.kill()
    with VenueProcess(data, "--no-fsync") as venue:
        assert ask(venue, "POST", f"{session_id}/open-port").status_code == 409
        with RawClient(venue.address, venue.key()) as client:
            client.log_in()
        log = [json.loads(line) for line in (data / "ontherun.log").read_text().splitlines()]
        assert [line["session"] for line in log if line["event"] == "port_opened"] == [session_id]
