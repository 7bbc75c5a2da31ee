"""The REST API of a venue process, asked as its operator."""

from pathlib import Path
from typing import Any

import httpx2

from tests.support.venue_process import VenueProcess


def ask(venue: VenueProcess, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """The answer's JSON; AssertionError when the API refuses."""
    token = Path(venue.ready["token_file"]).read_text().strip()
    answer = httpx2.request(
        method,
        f"{venue.ready['api_url']}/api/v1/{path}",
        headers={"Authorization": f"Bearer {token}"},
        json=body,
        trust_env=False,
        timeout=60,
    )
    assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json()


def new_session(venue: VenueProcess, **terms: Any) -> dict[str, Any]:
    """A new session of firm DEMO1 on segment 40 with a key pair and party details 7, as a key of `RawClient`."""
    wanted = {"firms": ["DEMO1"], "market_segments": [40]} | terms
    session_id = ask(venue, "POST", "sessions", wanted)["session_ids"][0]
    ask(venue, "POST", f"sessions/{session_id}/party-details", {"firm": "DEMO1", "party_details_list_req_id": 7})
    return new_key(venue, session_id)


def new_key(venue: VenueProcess, session_id: str) -> dict[str, Any]:
    """A new key pair of a session that has party details 7, as a key of `RawClient`."""
    key_id = ask(venue, "POST", f"sessions/{session_id}/keys")["access_key_id"]
    key: dict[str, Any] = ask(venue, "GET", f"sessions/{session_id}/keys/{key_id}/download?format=json")
    return key | {"party_details_list_req_id": 7}
