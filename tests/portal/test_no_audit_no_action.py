"""Walked over the whole route table: no action without its audit entry, and one effect for each Idempotency-Key."""

import json
import sqlite3

from .conftest import Portal, broken_database, check_problem
from .test_rights import body_of, path_to_ours, routes

NEEDS_NO_ENTRY = {
    ("POST", "/api/v1/mark-messages-read"),
    ("POST", "/api/v1/messages/{message_id}/read"),
    ("POST", "/api/v1/sessions/{session_id}/key-test"),  # what is sent here is no login: no secret is used
}
"""What changes nothing for anybody but the reader, and reads no secret; previews are like that too."""

LISTS = ("entities", "firms", "sessions", "keys", "tokens", "requests", "users", "drop-copy-groups", "policies")
READING_A_SECRET = ("GET", "/api/v1/sessions/{session_id}/keys/{access_key_id}/download")


def changing(portal: Portal) -> list[tuple[str, str]]:
    """Return (method, path) of everything that changes something or reads a secret, what deletes last."""
    found = [route for route in routes(portal) if route[0] != "GET" or route == READING_A_SECRET]
    return sorted(found, key=lambda route: (route[0] == "DELETE", "revocation" in route[1], "leavers" in route[1]))


def stored(portal: Portal) -> list[str]:
    """Return everything that is in the database."""
    with sqlite3.connect(portal.registry.data_dir / "registry.sqlite3") as database:
        return list(database.iterdump())


async def shown(portal: Portal) -> list[str]:
    """Return what the lists show."""
    return [(await portal.ask("operator", "GET", f"/api/v1/{name}")).text for name in LISTS]


async def test_where_the_audit_cannot_be_written_no_action_happens_and_the_answer_is_503(portal: Portal) -> None:
    refused = 0
    for method, path in changing(portal):
        target = await path_to_ours(portal, path)
        seen, before = await shown(portal), stored(portal)
        with broken_database(portal.registry):
            answer = await portal.ask("operator", method, target, **body_of(method, path))
        if (method, path) not in NEEDS_NO_ENTRY and "preview" not in path:
            assert answer.status_code >= 400, (method, path, answer.text)
            if answer.status_code >= 500:
                check_problem(answer, 503, "unavailable")
                refused += 1
            assert stored(portal) == before, (method, path)
        assert await shown(portal) == seen, (method, path)
    assert refused >= 25


async def test_each_route_has_one_effect_for_an_idempotency_key(portal: Portal) -> None:
    repeated = 0
    for number, (method, path) in enumerate(route for route in changing(portal) if route[0] != "GET"):
        target = await path_to_ours(portal, path)
        sent = body_of(method, path)
        sent["headers"] = sent.get("headers", {}) | {"Idempotency-Key": f"walk-{number}"}
        before = portal.registry.audit._store.head
        first = await portal.ask("operator", method, target, **sent)
        await portal.registry.master_key.wait()
        after = portal.registry.audit._store.head
        if not first.is_success or after == before:
            continue
        second = await portal.ask("operator", method, target, **sent)
        repeated += 1
        assert portal.registry.audit._store.head == after, (method, path)
        if second.status_code == 409:
            check_problem(second, 409, "done-before")
            assert any(word in json.dumps(first.text) for word in ("secret", "token", "link", "code", "ur")), path
        else:
            assert second.headers["idempotent-replayed"] == "true", (method, path)
            assert (second.status_code, second.content) == (first.status_code, first.content), (method, path)
    assert repeated >= 25


async def test_the_reason_of_any_request_stands_in_its_audit_entries(portal: Portal) -> None:
    body = {"entity_id": 1, "gfid": "OURS7", "name": "New"}
    headers = {"Audit-Reason": "ticket 4711, caf\u00e9".encode()}
    assert (await portal.ask("admin", "POST", "/api/v1/firms", json=body, headers=headers)).status_code == 201
    (entry, *_) = (await portal.ask("admin", "GET", "/api/v1/audit")).json()["items"]
    assert json.loads(entry["details"])["reason"] == "ticket 4711, caf\u00e9"
    assert (await portal.ask("admin", "POST", "/api/v1/sessions/A00/keys")).status_code == 201
    (entry, *_) = (await portal.ask("admin", "GET", "/api/v1/audit")).json()["items"]
    assert "reason" not in json.loads(entry["details"])
    for bad in ("x" * 101, "two  spaces", "tab\tstop"):
        answer = await portal.ask("admin", "POST", "/api/v1/firms", json=body, headers={"Audit-Reason": bad})
        check_problem(answer, 422, "invalid")
