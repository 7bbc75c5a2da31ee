"""Sessions, party details, entities, firms, tokens, audit and status through the API."""

import sqlite3

from .conftest import Portal, broken_database, check_problem


async def test_a_session_is_created_listed_and_shown(portal: Portal) -> None:
    body = {"firms": ["OURS1"], "market_segments": [40], "cancel_on_disconnect": False, "label": "algo 7"}
    request = await portal.ask("admin", "POST", "/api/v1/sessions", json=body)
    assert request.status_code == 201
    assert (request.json()["status"], request.json()["session_ids"]) == ("Completed", ["A02"])
    created = await portal.ask("reader", "GET", "/api/v1/sessions/A02")
    assert created.json() == {
        **body,
        "session_id": "A02",
        "addresses": [{"segment": 40, "role": "primary", "host": "127.0.0.1", "port": 9040, "tls": False}],
        "protocol": "FIXP",
        "notes": "",
        "front_end_system": "",
        "allowed_sources": [],
        "live_date": None,
        "entity_id": 1,
        "created_at": "2026-01-01T00:00:00Z",
        "valid_key_pairs": 0,
        "connected": False,
        "port_closed": False,
    }
    listed = (await portal.ask("reader", "GET", "/api/v1/sessions")).json()
    assert [session["session_id"] for session in listed["items"]] == ["A00", "A02"]


async def test_a_session_says_whether_it_is_logged_in_and_has_a_key(portal: Portal) -> None:
    await portal.ask("admin", "POST", "/api/v1/sessions/A00/keys")
    portal.running.logged_in.add("A00")
    session = (await portal.ask("reader", "GET", "/api/v1/sessions/A00")).json()
    assert (session["connected"], session["valid_key_pairs"]) == (True, 1)


async def test_the_operator_opens_a_port_that_bad_logins_closed_and_the_audit_has_it(portal: Portal) -> None:
    path = "/api/v1/sessions/A00/open-port"
    check_problem(await portal.ask("operator", "POST", path), 409, "conflict")
    portal.running.closed.add("A00")
    assert (await portal.ask("admin", "GET", "/api/v1/sessions/A00")).json()["port_closed"] is True
    check_problem(await portal.ask("admin", "POST", path), 403, "forbidden")
    check_problem(await portal.ask("stranger", "POST", path), 404, "not-found")
    assert portal.running.closed == {"A00"}
    opened = await portal.ask("operator", "POST", path)
    assert (opened.status_code, opened.json()["port_closed"]) == (200, False)
    assert portal.running.closed == set()
    (entry,) = (await portal.ask("operator", "GET", "/api/v1/audit", params={"limit": 1})).json()["items"]
    assert (entry["action"], entry["subject"]) == ("session.port_opened", "session A00")


async def test_a_port_that_cannot_be_audited_stays_closed(portal: Portal) -> None:
    portal.running.closed.add("A00")
    with broken_database(portal.registry):
        check_problem(await portal.ask("operator", "POST", "/api/v1/sessions/A00/open-port"), 503, "unavailable")
    assert portal.running.closed == {"A00"}


async def test_lists_come_in_pages_that_end(portal: Portal) -> None:
    for _ in range(4):
        await portal.ask("admin", "POST", "/api/v1/sessions", json={"firms": ["OURS1"], "market_segments": [40]})
    seen, after = [], {}
    for _ in range(3):
        page = (await portal.ask("reader", "GET", "/api/v1/sessions", params={"limit": 2, **after})).json()
        seen += [session["session_id"] for session in page["items"]]
        after = {"after": page["next"]}
    assert seen == ["A00", "A02", "A03", "A04", "A05"]
    assert page["next"] is None
    empty = (await portal.ask("reader", "GET", "/api/v1/sessions", params={"after": "ZZZ"})).json()
    assert empty == {"items": [], "next": None}


async def test_party_details_are_registered_and_listed(portal: Portal) -> None:
    body = {"firm": "OURS1", "party_details_list_req_id": 2**63 - 1, "account": "HOUSE", "self_match_prevention_id": 5}
    created = await portal.ask("admin", "POST", "/api/v1/sessions/A00/party-details", json=body)
    assert created.status_code == 201
    assert created.json() == {**body, "session_id": "A00", "created_at": "2026-01-01T00:00:00Z"}
    assert (await portal.ask("reader", "GET", "/api/v1/sessions/A00/party-details")).json()["items"] == [created.json()]
    again = await portal.ask("admin", "POST", "/api/v1/sessions/A00/party-details", json=body)
    check_problem(again, 409, "conflict")
    on_demand = await portal.ask(
        "admin", "POST", "/api/v1/sessions/A00/party-details", json={**body, "party_details_list_req_id": 2**32 - 1}
    )
    assert check_problem(on_demand, 422, "invalid")["errors"][0]["where"] == "body.party_details_list_req_id"


async def test_the_operator_registers_an_entity_and_its_firm(portal: Portal) -> None:
    entity = (await portal.ask("operator", "POST", "/api/v1/entities", json={"name": "Third"})).json()
    firm = await portal.ask(
        "operator", "POST", "/api/v1/firms", json={"entity_id": entity["entity_id"], "gfid": "THIR1", "name": "Firm"}
    )
    assert firm.status_code == 201
    assert (await portal.ask("operator", "GET", f"/api/v1/entities/{entity['entity_id']}")).json() == entity
    assert (await portal.ask("operator", "GET", "/api/v1/firms/THIR1")).json() == firm.json()
    page = (await portal.ask("operator", "GET", "/api/v1/entities", params={"limit": 2})).json()
    rest = (await portal.ask("operator", "GET", "/api/v1/entities", params={"after": page["next"]})).json()
    assert rest["items"] == [entity]
    check_problem(await portal.ask("admin", "POST", "/api/v1/entities", json={"name": "Fourth"}), 403, "forbidden")


async def test_a_token_works_until_it_is_revoked(portal: Portal) -> None:
    issued = await portal.ask(
        "admin", "POST", "/api/v1/tokens", json={"name": "ci", "scopes": "read-only", "entity_id": 1}
    )
    assert issued.status_code == 201
    portal.tokens["ci"] = issued.json()["token"]
    assert (await portal.ask("ci", "GET", "/api/v1/sessions/A00")).status_code == 200
    check_problem(await portal.ask("ci", "POST", "/api/v1/sessions/A00/keys"), 403, "forbidden")
    token_id = issued.json()["about"]["token_id"]
    assert (await portal.ask("admin", "DELETE", f"/api/v1/tokens/{token_id}")).status_code == 204
    check_problem(await portal.ask("ci", "GET", "/api/v1/sessions/A00"), 401, "unauthorized")
    listed = (await portal.ask("reader", "GET", "/api/v1/tokens")).json()["items"]
    assert [(token["name"], token["revoked_at"] is None) for token in listed] == [
        ("admin", True),
        ("reader", True),
        ("ci", False),
    ]


async def test_the_audit_is_read_in_pages_and_verified(portal: Portal) -> None:
    sequences, before = [], {}
    while True:
        page = (await portal.ask("operator", "GET", "/api/v1/audit", params={"limit": 4, **before})).json()
        sequences += [entry["sequence"] for entry in page["items"]]
        if page["next"] is None:
            break
        before = {"before": page["next"]}
    assert sequences == list(range(sequences[0], 0, -1))
    verdict = (await portal.ask("operator", "GET", "/api/v1/audit/verification")).json()
    assert (verdict["intact"], verdict["entries"]) == (True, sequences[0])
    check_problem(await portal.ask("admin", "GET", "/api/v1/audit/verification"), 403, "forbidden")


async def test_a_damaged_audit_is_reported_with_its_first_bad_entry(portal: Portal) -> None:
    with sqlite3.connect(portal.registry.data_dir / "registry.sqlite3") as database:
        database.execute("DROP TRIGGER audit_entry_no_update")
        database.execute("UPDATE audit_entry SET actor = 'nobody' WHERE sequence = 2")
    verdict = (await portal.ask("operator", "GET", "/api/v1/audit/verification")).json()
    assert (verdict["intact"], verdict["first_bad_entry"]) == (False, 2)


async def test_the_status_says_what_runs_and_shows_only_own_logins(portal: Portal) -> None:
    portal.running.logged_in |= {"A00", "A01"}
    status = (await portal.ask("reader", "GET", "/api/v1/status")).json()
    assert status["gateways"] == [{"segment": 40, "role": "primary", "host": "127.0.0.1", "port": 9040, "tls": False}]
    assert [instrument["symbol"] for instrument in status["instruments"]] == ["UB10"]
    assert status["connected_sessions"] == ["A00"]
    assert (status["environment"], status["now"]) == ("LOCAL", "2026-01-01T00:00:00Z")
    for part in ("gateways", "instruments"):
        assert (await portal.ask("reader", "GET", f"/api/v1/{part}")).json()["items"] == status[part]
