"""Refused attempts in the audit: who tried, what, and why it was refused; bounded, and without what was sent."""

import json
from typing import Any

from tests.support.people import enrol, make_user

from ontherun.registry import LOCAL_OPERATOR, SYSTEM, Role, TimetableName
from ontherun.registry.refusals import ENTRIES

from .browser import signed_in
from .conftest import Portal, broken_database


async def refused(portal: Portal) -> list[dict[str, Any]]:
    """Return the entries, oldest first."""
    found = [entry for entry in await portal.registry.audit_entries(SYSTEM, limit=1000) if "refused" in entry.action]
    return [
        {"actor": entry.actor, "entity": entry.entity_id, "subject": entry.subject, **json.loads(entry.details)}
        for entry in reversed(found)
    ]


async def test_a_missing_right_is_an_entry_of_the_entity(portal: Portal) -> None:
    await portal.registry.pairs.generate(SYSTEM, "A00")
    await portal.ask("reader", "POST", "/api/v1/sessions/A00/keys", json={"label": "what was sent"})
    (entry,) = await refused(portal)
    assert entry == {
        "actor": entry["actor"],
        "entity": 1,
        "subject": "entity 1",
        "attempt": "POST /api/v1/sessions/{session_id}/keys",
        "why": entry["why"],
    }
    assert entry["why"].startswith(f"{entry['actor']} may not generate keys here.")
    assert "what was sent" not in json.dumps(entry)


async def test_another_entitys_thing_is_an_entry_for_the_operator_alone(portal: Portal) -> None:
    await portal.ask("stranger", "GET", "/api/v1/sessions/A00")
    await portal.ask("stranger", "GET", "/api/v1/sessions/A00/keys/nokey/download")
    body = {"firms": ["THEI1", "OURS1"], "market_segments": [40]}
    await portal.ask("stranger", "POST", "/api/v1/sessions", json=body)
    found = await refused(portal)
    assert [(entry["entity"], entry["subject"]) for entry in found] == [
        (None, "session A00"),
        (None, "session A00"),
        (None, "Globex firm OURS1"),
    ]
    assert "It belongs to entity 1" in found[0]["why"]
    for who in ("admin", "stranger"):
        seen = (await portal.ask(who, "GET", "/api/v1/audit")).text
        assert "access.refused" not in seen


async def test_what_was_never_there_is_no_attempt(portal: Portal) -> None:
    for path in ("/api/v1/sessions/ZZZ", "/api/v1/firms/NONE1", "/api/v1/entities/77", "/api/v1/drop-copy-groups/9"):
        assert (await portal.ask("stranger", "GET", path)).status_code == 404
    await portal.registry.policies.set(SYSTEM, timetable=TimetableName.EXCHANGE)
    assert await refused(portal) == []


async def test_no_flood_fills_the_audit_and_the_next_entry_says_how_many_were_left_out(
    portal: Portal, monkeypatch: Any
) -> None:
    for _ in range(ENTRIES + 7):
        assert (await portal.ask("stranger", "GET", "/api/v1/sessions/A00")).status_code == 404
    assert len(await refused(portal)) == ENTRIES
    await portal.ask("reader", "DELETE", "/api/v1/sessions/A00")
    assert len(await refused(portal)) == ENTRIES + 1, "each principal has bounds of its own"
    monkeypatch.setattr(portal.registry.refusals, "_rate", type(portal.registry.refusals._rate)(ENTRIES, 3600.0))
    await portal.ask("stranger", "GET", "/api/v1/sessions/A00")
    assert (await refused(portal))[-1]["left_out_before"] == 7


async def test_a_page_that_lacks_a_right_or_a_second_factor_is_an_entry(portal: Portal) -> None:
    key = (await portal.registry.pairs.generate(SYSTEM, "A00")).pair.access_key_id
    await make_user(portal.registry, "reads@example.com", {1: Role.READ_ONLY})
    reader = await signed_in(portal, "reads@example.com")
    assert (await reader.post("/sessions/A00/delete", confirm="A00")).status_code == 403
    operator = await signed_in(portal)
    await enrol(portal.registry, LOCAL_OPERATOR)
    await operator.post(f"/sessions/A00/keys/{key}/download", form="json")
    right, factor = await refused(portal)
    assert (right["actor"], right["attempt"]) == ("reads@example.com", "POST /sessions/{session_id}/delete")
    assert (factor["actor"], factor["subject"]) == (LOCAL_OPERATOR, "venue")
    assert factor["attempt"] == "POST /sessions/{session_id}/keys/{access_key_id}/download"
    assert "fresh second factor" in factor["why"]


async def test_a_refusal_is_answered_even_where_the_audit_cannot_be_written(portal: Portal) -> None:
    with broken_database(portal.registry):
        assert (await portal.ask("reader", "DELETE", "/api/v1/sessions/A00")).status_code == 403
        assert (await portal.ask("stranger", "GET", "/api/v1/sessions/A00")).status_code == 404
    assert await refused(portal) == []


async def test_a_refused_request_may_be_sent_again_with_its_key(portal: Portal) -> None:
    key = {"Idempotency-Key": "once"}
    path = "/api/v1/sessions/A00"
    assert (await portal.ask("reader", "DELETE", path, headers=key)).status_code == 403
    again = await portal.ask("reader", "DELETE", path, headers=key)
    assert again.status_code == 403
    assert "Idempotent-Replayed" not in again.headers
