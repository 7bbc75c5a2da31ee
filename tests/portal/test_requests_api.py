"""Requests, imports, exports, Drop Copy groups and Market Data sessions through the API."""

import csv
import io
import zipfile
from typing import Any

import pytest

from .conftest import Portal, broken_database, check_problem, done_so_far

SESSIONS = "/api/v1/sessions"
NEW = {"firms": ["OURS1"], "market_segments": [40]}
GROUP = {"name": "Risk", "firm": "OURS1", "market": "US", "sources": ["A00"], "messages": ["acks"]}
DATA = {"firm": "OURS1", "market": "EU", "products": ["eu-repo"]}


async def on_exchange_hours(portal: Portal, **more: Any) -> None:
    answer = await portal.ask("operator", "PATCH", "/api/v1/policies", json={"timetable": "exchange", **more})
    assert answer.status_code == 200


async def import_csv(portal: Portal, content: bytes, who: str = "admin", path: str = "import") -> Any:
    return await portal.ask(
        who, "POST", f"/api/v1/session-{path}", content=content, headers={"Content-Type": "text/csv"}
    )


async def test_what_waits_is_answered_with_202_and_a_countdown(portal: Portal) -> None:
    await on_exchange_hours(portal)
    answer = await portal.ask("admin", "POST", SESSIONS, json=NEW)
    assert answer.status_code == 202
    request = answer.json()
    assert (request["status"], request["session_ids"]) == ("In-Progress", [])
    assert request["effective_at"] == "2026-01-02T18:00:00Z"  # noon in Chicago, after New Year's Day
    assert request["seconds_left"] == 42 * 3600
    assert (await portal.ask("reader", "GET", "/api/v1/requests/1")).json()["may_decide"] is False
    cancelled = await portal.ask("admin", "POST", "/api/v1/requests/1/cancel", json={"reason": "later"})
    assert (cancelled.json()["status"], cancelled.json()["reason"]) == ("Cancelled", "later")
    check_problem(await portal.ask("admin", "POST", "/api/v1/requests/1/cancel"), 409, "conflict")


async def test_a_request_is_approved_by_another_one_from_the_to_do_list(portal: Portal) -> None:
    await portal.ask("operator", "PATCH", "/api/v1/policies", json={"four_eyes": True})
    request = (await portal.ask("admin", "POST", SESSIONS, json=NEW)).json()
    assert request["status"] == "Pending Approval"
    assert (await portal.ask("admin", "GET", "/api/v1/to-do")).json()["items"] == []
    (waiting,) = (await portal.ask("operator", "GET", "/api/v1/to-do")).json()["items"]
    assert waiting["may_decide"] is True
    path = f"/api/v1/requests/{waiting['request_id']}"
    check_problem(await portal.ask("admin", "POST", f"{path}/approve"), 403, "forbidden")
    check_problem(await portal.ask("operator", "POST", f"{path}/approve", json={"revision": 1}), 409, "conflict")
    check_problem(await portal.ask("operator", "POST", f"{path}/reject", json={"reason": ""}), 422, "invalid")
    check_problem(await portal.ask("operator", "POST", f"{path}/reject", json={}), 422, "invalid")
    done = await portal.ask("operator", "POST", f"{path}/approve", json={"revision": 0})
    assert (done.json()["status"], done.json()["session_ids"]) == ("Completed", ["A02"])


async def test_a_waiting_request_is_amended(portal: Portal) -> None:
    await on_exchange_hours(portal)
    await portal.ask("admin", "POST", SESSIONS, json=NEW)
    body = {"kind": "create-sessions", **NEW, "number_of_sessions": 3}
    amended = await portal.ask("admin", "PUT", "/api/v1/requests/1", params={"revision": 0}, json=body)
    assert (amended.json()["revision"], amended.json()["terms"]["number_of_sessions"]) == (1, 3)
    again = await portal.ask("admin", "PUT", "/api/v1/requests/1", params={"revision": 0}, json=body)
    check_problem(again, 409, "conflict")


async def test_requests_are_listed_filtered_and_paged(portal: Portal) -> None:
    for number in range(4):
        await portal.ask("admin", "PATCH", f"{SESSIONS}/A00", json={"label": f"name {number}"})
    await portal.ask("operator", "POST", SESSIONS, json=NEW)
    page = (await portal.ask("reader", "GET", "/api/v1/requests", params={"limit": 3})).json()
    assert [request["request_id"] for request in page["items"]] == [5, 4, 3]
    rest = (await portal.ask("reader", "GET", "/api/v1/requests", params={"before": page["next"]})).json()
    assert ([request["request_id"] for request in rest["items"]], rest["next"]) == ([2, 1], None)
    for query, count in (
        ("status=Completed", 5),
        ("status=Failed&status=Rejected", 0),
        ("kind=change-session", 4),
        ("text=Create", 1),
    ):
        found = (await portal.ask("reader", "GET", f"/api/v1/requests?{query}")).json()["items"]
        assert len(found) == count, query
    assert len((await portal.ask("admin", "GET", "/api/v1/requests?mine=true")).json()["items"]) == 4
    for wrong in ("status=Done", "kind=x", "before=0", f"text={'x' * 101}"):
        check_problem(await portal.ask("reader", "GET", f"/api/v1/requests?{wrong}"), 422, "invalid")


async def test_a_session_is_changed_cloned_set_and_deleted(portal: Portal) -> None:
    change = {"notes": "a\nb", "allowed_sources": ["10.1.0.0/16"], "front_end_system": "OMS"}
    changed = await portal.ask("admin", "PATCH", f"{SESSIONS}/A00", json=change)
    assert (changed.status_code, changed.json()["status"]) == (200, "Completed")
    cloned = await portal.ask("admin", "POST", f"{SESSIONS}/A00/clone", json={"number_of_sessions": 2, "label": "b"})
    assert cloned.json()["session_ids"] == ["A02", "A03"]
    copy = (await portal.ask("reader", "GET", f"{SESSIONS}/A03")).json()
    assert (copy["notes"], copy["allowed_sources"], copy["label"]) == ("a\nb", ["10.1.0.0/16"], "b")
    await portal.ask("admin", "PUT", f"{SESSIONS}/A03/protocol", json={"protocol": "FIX"})
    assert (await portal.ask("reader", "GET", f"{SESSIONS}/A03")).json()["protocol"] == "FIX"
    deleted = await portal.ask("admin", "DELETE", f"{SESSIONS}/A03", params={"end_session": True})
    assert deleted.status_code == 200
    check_problem(await portal.ask("admin", "GET", f"{SESSIONS}/A03"), 404, "not-found")
    check_problem(await portal.ask("admin", "PATCH", f"{SESSIONS}/A00", json={}), 409, "conflict")


async def test_a_preview_shows_the_effect_and_asks_for_nothing(portal: Portal) -> None:
    before = await done_so_far(portal)
    body = {"kind": "delete-session", "session_id": "A00"}
    preview = (await portal.ask("admin", "POST", "/api/v1/request-preview", json=body)).json()
    assert preview["summary"] == "Delete session A00"
    assert "0 key pairs will be deleted, and the secrets erased." in preview["effects"]
    check_problem(await portal.ask("stranger", "POST", "/api/v1/request-preview", json=body), 404, "not-found")
    check_problem(await portal.ask("admin", "POST", "/api/v1/requests", json={"kind": "x"}), 422, "invalid")
    assert await done_so_far(portal) == before


async def test_a_csv_of_sessions_goes_out_and_in_again(portal: Portal) -> None:
    await portal.ask(
        "admin", "PATCH", f"{SESSIONS}/A00", json={"label": "=1+1", "notes": "-x\n'y", "allowed_sources": ["::/0"]}
    )
    exported = await portal.ask("reader", "GET", "/api/v1/session-export")
    assert exported.headers["content-disposition"] == 'attachment; filename="sessions.csv"'
    (row,) = csv.DictReader(io.StringIO(exported.text, newline=""))
    assert (row["session_id"], row["label"], row["notes"]) == ("A00", "'=1+1", "'-x\n'y")
    preview = await import_csv(portal, exported.content, path="import/preview")
    assert preview.json()["summary"] == "Import 1 Order Entry session from 1 line"
    imported = await import_csv(portal, exported.content)
    assert (imported.status_code, imported.json()["session_ids"]) == (201, ["A02"])
    ours, copy = [(await portal.ask("reader", "GET", f"{SESSIONS}/{one}")).json() for one in ("A00", "A02")]
    for field in ("firms", "market_segments", "label", "notes", "allowed_sources", "cancel_on_disconnect"):
        assert ours[field] == copy[field]


HEAD = b"firms,market_segments,label,number_of_sessions,allowed_sources\n"


@pytest.mark.parametrize(
    ("content", "where", "message"),
    [
        (b"", "body.line 1", "empty"),
        (b"firms\nOURS1\n", "body.line 1.market_segments", "missing"),
        (b"firms,market_segments,colour\nOURS1,40,red\n", "body.line 1.colour", "no such column"),
        (b"firms,firms,market_segments\nOURS1,OURS1,40\n", "body.line 1", "twice"),
        (HEAD, "body.line 2", "no line"),
        (HEAD + b"OURS1,40\n", "body.line 2", "2 cells"),
        (HEAD + b"OURS1,40,ok,,\nOURS1,99,ok,,\n", "body.line 3", "no market segment 99"),
        (HEAD + b"OURS1,x,ok,,\n", "body.line 2.market_segments", "numbers"),
        (HEAD + b"OURS1,\xc2\xb2,ok,,\n", "body.line 2.market_segments", "numbers"),
        (HEAD + b"OURS1,40,ok,99999999999999999999,\n", "body.line 2.number_of_sessions", "1 to 1000"),
        (HEAD + b"OURS1,40,ok,0,\n", "body.line 2", "number_of_sessions"),
        (HEAD + b",40,ok,,\n", "body.line 2.firms", "at least one"),
        (HEAD + b"THEI1,40,ok,,\n", "body.line 2", "no Globex firm THEI1"),
        (HEAD + b"OURS1,40,=cmd|' /C calc'!A0,,\n", "body.line 2.label", "formula"),
        (HEAD + b"OURS1,40,@SUM(1),,\n", "body.line 2.label", "formula"),
        (HEAD + "OURS1,40,\uff1d1+1,,\n".encode(), "body.line 2.label", "formula"),
        (HEAD + b"OURS1,40,ok,,10.0.0.1/8\n", "body.line 2", "10.0.0.0/8"),
        (HEAD + b"OURS1,40,a\x00b,,\n", "body.line 2", "NUL"),
        (HEAD + b"OURS1,40,\xe9,,\n", "body.line 2", "UTF-8"),
        ("firms".encode("utf-16"), "body.line 1", "UTF-8"),
        (HEAD + b'OURS1,40,"never closed,,\n', "body.line 2", "no CSV"),
        (HEAD + b"OURS1,40,ok,,\n" * 10_000, "body.line 1002", "more lines than 1000"),
    ],
)
async def test_a_csv_that_is_wrong_is_refused_with_the_line(
    portal: Portal, content: bytes, where: str, message: str
) -> None:
    before = await done_so_far(portal)
    for path in ("import", "import/preview"):
        problem = check_problem(await import_csv(portal, content, path=path), 422, "invalid")
        (fault,) = [fault for fault in problem["errors"] if fault["where"] == where]
        assert message in fault["message"]
    assert await done_so_far(portal) == before


async def test_a_csv_names_all_of_its_faults_up_to_fifty(portal: Portal) -> None:
    problem = check_problem(await import_csv(portal, HEAD + b"NONE1,40,ok,,\n" * 80), 422, "invalid")
    assert len(problem["errors"]) == 50


async def test_a_csv_of_2_mb_is_refused(portal: Portal) -> None:
    check_problem(await import_csv(portal, HEAD + b"x" * 2_000_000), 413, "request-entity-too-large")
    check_problem(await import_csv(portal, HEAD + b"OURS1,40,ok,,\n", who="reader"), 403, "forbidden")
    assert (await import_csv(portal, HEAD + b'OURS1,40,"' + b"x" * 200_000)).status_code == 422


async def test_an_import_is_bounded_by_the_allowance(portal: Portal) -> None:
    check_problem(await import_csv(portal, HEAD + b"OURS1,40,ok,50,\n" * 2), 409, "conflict")
    assert (await import_csv(portal, HEAD + b"OURS1,40,ok,49,\n" * 2)).status_code == 201


@pytest.mark.parametrize("path", ["session", "request"])
async def test_exports_are_files_that_open(portal: Portal, path: str) -> None:
    await portal.ask("admin", "PATCH", f"{SESSIONS}/A00", json={"label": "=HYPERLINK(1) 取引 é <b>"})
    csv_file = await portal.ask("reader", "GET", f"/api/v1/{path}-export?format=csv")
    assert csv_file.headers["content-type"] == "text/csv; charset=utf-8"
    assert "\n=" not in csv_file.text
    xlsx = await portal.ask("reader", "GET", f"/api/v1/{path}-export?format=xlsx")
    with zipfile.ZipFile(io.BytesIO(xlsx.content)) as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")
        if path == "session":
            assert "取引" in parts.read("xl/sharedStrings.xml").decode()
    pdf = await portal.ask("reader", "GET", f"/api/v1/{path}-export?format=pdf")
    assert pdf.content.startswith(b"%PDF-")
    empty = await portal.ask("stranger", "GET", f"/api/v1/{path}-export?format=pdf")
    assert empty.content.startswith(b"%PDF-")
    check_problem(await portal.ask("reader", "GET", f"/api/v1/{path}-export?format=doc"), 422, "invalid")


async def test_a_drop_copy_group_lives_through_the_api(portal: Portal) -> None:
    created = await portal.ask("admin", "POST", "/api/v1/drop-copy-groups", json=GROUP)
    (target,) = created.json()["session_ids"]
    group = (await portal.ask("reader", "GET", "/api/v1/drop-copy-groups/1")).json()
    assert (group["target"], group["sources"], group["firm"]) == (target, ["A00"], "OURS1")
    key = await portal.ask("admin", "POST", f"{SESSIONS}/{target}/keys")
    assert key.status_code == 201
    listed = (await portal.ask("reader", "GET", "/api/v1/drop-copy-groups")).json()["items"]
    assert [one["valid_key_pairs"] for one in listed] == [1]
    check_problem(await portal.ask("admin", "DELETE", f"{SESSIONS}/{target}"), 404, "not-found")
    changed = await portal.ask("admin", "PATCH", "/api/v1/drop-copy-groups/1", json={"messages": ["rejects"]})
    assert changed.json()["status"] == "Completed"
    assert (await portal.ask("admin", "DELETE", "/api/v1/drop-copy-groups/1")).json()["status"] == "Completed"
    check_problem(await portal.ask("admin", "GET", "/api/v1/drop-copy-groups/1"), 404, "not-found")


async def test_market_data_sessions_live_through_the_api(portal: Portal) -> None:
    created = await portal.ask("admin", "POST", "/api/v1/market-data-sessions", json={**DATA, "number_of_sessions": 2})
    first, second = created.json()["session_ids"]
    body = {"products": ["eu-government-bonds"]}
    await portal.ask("admin", "PATCH", f"/api/v1/market-data-sessions/{first}", json=body)
    shown = (await portal.ask("reader", "GET", f"/api/v1/market-data-sessions/{first}")).json()
    assert (shown["products"], shown["market"]) == (["eu-government-bonds"], "EU")
    wrong = await portal.ask("admin", "PATCH", f"/api/v1/market-data-sessions/{first}", json={"products": ["us-repo"]})
    check_problem(wrong, 422, "invalid")
    assert (await portal.ask("admin", "DELETE", f"/api/v1/market-data-sessions/{second}")).status_code == 200
    listed = (await portal.ask("reader", "GET", "/api/v1/market-data-sessions")).json()["items"]
    assert [session["session_id"] for session in listed] == [first]


async def test_a_firm_is_asked_for_like_anything_else(portal: Portal) -> None:
    await portal.ask("operator", "PATCH", "/api/v1/policies", json={"four_eyes": True})
    body = {"entity_id": 1, "gfid": "OURS2", "name": "Second"}
    answer = await portal.ask("admin", "POST", "/api/v1/firms", json=body)
    assert (answer.status_code, answer.json()["status"]) == (202, "Pending Approval")
    check_problem(await portal.ask("admin", "GET", "/api/v1/firms/OURS2"), 404, "not-found")
    await portal.ask("operator", "POST", f"/api/v1/requests/{answer.json()['request_id']}/approve")
    assert (await portal.ask("admin", "GET", "/api/v1/firms/OURS2")).json()["name"] == "Second"


async def test_a_database_that_is_full_is_a_503_and_nothing_half_done(portal: Portal) -> None:
    before = await done_so_far(portal)
    with broken_database(portal.registry):
        for method, path, body in (
            ("POST", SESSIONS, {**NEW, "number_of_sessions": 5}),
            ("PATCH", f"{SESSIONS}/A00", {"label": "x"}),
            ("DELETE", f"{SESSIONS}/A00", None),
            ("POST", "/api/v1/drop-copy-groups", GROUP),
            ("POST", "/api/v1/market-data-sessions", DATA),
            ("PATCH", "/api/v1/policies", {"four_eyes": True}),
        ):
            who = "operator" if "policies" in path else "admin"
            check_problem(await portal.ask(who, method, path, json=body), 503, "unavailable")
    assert await done_so_far(portal) == before
    assert [one["session_id"] for one in (await portal.ask("reader", "GET", SESSIONS)).json()["items"]] == ["A00"]
    assert (await portal.ask("reader", "GET", "/api/v1/requests")).json()["items"] == []


async def test_the_timetable_counts_down(portal: Portal) -> None:
    assert (await portal.ask("reader", "GET", "/api/v1/timetable")).json()["runs"] == []
    await on_exchange_hours(portal)
    runs = {run["kind"]: run for run in (await portal.ask("reader", "GET", "/api/v1/timetable")).json()["runs"]}
    assert runs["order-entry-session"]["effective_at"] == "2026-01-02T18:00:00Z"
    assert runs["session-protocol"]["effective_at"] == "2026-01-02T22:00:00Z"
