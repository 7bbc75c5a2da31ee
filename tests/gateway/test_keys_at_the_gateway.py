"""How one key travels: made over the REST API, it logs in at once; deleted, it is refused at the next login."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.support.raw_client import RawClient
from tests.support.venue_process import VenueProcess

from ontherun.ilink import messages as m
from ontherun.ilink.codes import NegotiationRejectCode


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path_factory.mktemp("keys") / "data", "--no-fsync") as running:
        yield running


@pytest.fixture
def api(venue: VenueProcess) -> Iterator[httpx2.Client]:
    token = Path(venue.ready["token_file"]).read_text().strip()
    with httpx2.Client(
        base_url=venue.ready["api_url"] + "/api/v1",
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
        timeout=60,
    ) as client:
        yield client


def ask(api: httpx2.Client, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    answer = api.request(method, path, json=body)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def new_session(api: httpx2.Client, party_details: int = 7) -> str:
    body = {"firms": ["DEMO1"], "market_segments": [40]}
    session_id = str(ask(api, "POST", "/sessions", body)["session_ids"][0])
    details = {"firm": "DEMO1", "party_details_list_req_id": party_details}
    ask(api, "POST", f"/sessions/{session_id}/party-details", details)
    return session_id


def new_key(api: httpx2.Client, session_id: str) -> dict[str, Any]:
    key_id = ask(api, "POST", f"/sessions/{session_id}/keys")["access_key_id"]
    downloaded: dict[str, Any] = ask(api, "GET", f"/sessions/{session_id}/keys/{key_id}/download?format=json")
    return downloaded | {"party_details_list_req_id": 7}


def test_a_new_sessions_new_key_logs_in_and_trades_at_once(venue: VenueProcess, api: httpx2.Client) -> None:
    key = new_key(api, new_session(api))
    with RawClient(venue.address, key) as client:
        client.log_in()
        client.order(venue.security_id("UB30"), 1, 99 * 10**9, 1, b"FIRST")
        assert client.expect(m.ExecutionReportNew).party_details_list_req_id == 7


def test_a_deleted_key_is_refused_at_the_next_login(venue: VenueProcess, api: httpx2.Client) -> None:
    session_id = new_session(api)
    first, second = new_key(api, session_id), new_key(api, session_id)
    ask(api, "DELETE", f"/sessions/{session_id}/keys/{first['access_key_id']}")
    with RawClient(venue.address, first) as client:
        client.negotiate()
        assert client.expect(m.NegotiationReject).error_codes == NegotiationRejectCode.HMAC_NOT_AUTHENTICATED
    with RawClient(venue.address, second) as client:
        client.log_in()
    lines = [json.loads(line) for line in (venue.data / "ontherun.log").read_text().splitlines()]
    refused = next(line for line in lines if line.get("access_key_id") == first["access_key_id"])
    assert (refused["key_state"], refused["verdict"]) == ("deleted", "REJECTED")


def test_a_deactivated_key_is_refused_until_it_is_activated(venue: VenueProcess, api: httpx2.Client) -> None:
    session_id = new_session(api)
    key = new_key(api, session_id)
    path = f"/sessions/{session_id}/keys/{key['access_key_id']}"
    ask(api, "POST", f"{path}/deactivate")
    with RawClient(venue.address, key) as client:
        client.negotiate()
        assert client.expect(m.NegotiationReject).error_codes == NegotiationRejectCode.HMAC_NOT_AUTHENTICATED
    ask(api, "POST", f"{path}/activate")
    with RawClient(venue.address, key) as client:
        client.log_in()
        client.terminate()


def test_each_login_is_seen_with_its_key(venue: VenueProcess, api: httpx2.Client) -> None:
    session_id = new_session(api)
    key = new_key(api, session_id)
    path = f"/sessions/{session_id}/keys/{key['access_key_id']}"
    assert ask(api, "GET", path)["use"]["last_used_at"] is None
    with RawClient(venue.address, key) as client:
        client.log_in()
        use = ask(api, "GET", path)["use"]
        assert use["successes"] > 0
        assert use["failures"] == 0
        assert use["last_source"] == "127.0.0.1"
        assert "40" in use["last_gateway"]
        client.terminate()
    with RawClient(venue.address, key | {"secret_key": "A" * 43}) as client:
        client.negotiate()
        client.expect(m.NegotiationReject)
    assert ask(api, "GET", path)["use"]["failures"] == 1


def test_revoking_ends_the_live_session_when_that_was_asked_and_leaves_it_otherwise(
    venue: VenueProcess, api: httpx2.Client
) -> None:
    session_id = new_session(api)
    with RawClient(venue.address, new_key(api, session_id)) as client:
        client.log_in()
        ask(api, "POST", f"/sessions/{session_id}/key-revocation", {"reason": "lost"})
        client.order(venue.security_id("UB30"), 1, 99 * 10**9, 1, b"STILL")
        client.expect(m.ExecutionReportNew)
        new_key(api, session_id)
        body = {"reason": "lost again", "end_live_sessions": True}
        assert ask(api, "POST", f"/sessions/{session_id}/key-revocation", body)["ended_sessions"] == [session_id]
        client.expect(m.Terminate)


def test_party_details_registered_while_logged_in_may_be_named_at_once(venue: VenueProcess, api: httpx2.Client) -> None:
    session_id = new_session(api)
    with RawClient(venue.address, new_key(api, session_id)) as client:
        client.log_in()
        ub10 = venue.security_id("UB10")
        client.order(ub10, 1, 99 * 10**9, 1, b"UNKNOWN", party_details_list_req_id=8)
        assert client.expect(m.BusinessReject).ref_tag_id == 1505
        details = {"firm": "DEMO1", "party_details_list_req_id": 8}
        ask(api, "POST", f"/sessions/{session_id}/party-details", details)
        client.order(ub10, 1, 99 * 10**9, 1, b"KNOWN", party_details_list_req_id=8)
        assert client.expect(m.ExecutionReportNew).party_details_list_req_id == 8


def test_the_api_says_who_is_logged_in(venue: VenueProcess, api: httpx2.Client) -> None:
    session_id = new_session(api)
    with RawClient(venue.address, new_key(api, session_id)) as client:
        assert ask(api, "GET", f"/sessions/{session_id}")["connected"] is False
        client.log_in()
        assert ask(api, "GET", f"/sessions/{session_id}")["connected"] is True
        client.terminate()


def test_no_secret_stands_in_any_file_but_the_key_files(venue: VenueProcess, api: httpx2.Client) -> None:
    key = new_key(api, new_session(api))
    secrets = [key["secret_key"], *(venue.key(number)["secret_key"] for number in range(2))]
    with RawClient(venue.address, key) as client:
        client.log_in()
    for path in venue.data.rglob("*"):
        if path.is_file() and path.parent.name != "keys":
            content = path.read_bytes()
            assert not any(secret.encode() in content for secret in secrets), path
