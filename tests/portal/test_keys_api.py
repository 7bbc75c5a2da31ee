"""Key pairs through the API, from generating to deleting."""

import io
import json
import zipfile

import pytest

from ontherun.portal import models_keys as keys

from .conftest import Portal, broken_database, check_problem

PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VuAyEA3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=
-----END PUBLIC KEY-----"""


async def generated(portal: Portal, session_id: str = "A00") -> str:
    answer = await portal.ask("operator", "POST", f"/api/v1/sessions/{session_id}/keys")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["access_key_id"])


async def test_generating_shows_the_pair_and_not_its_secret(portal: Portal) -> None:
    answer = await portal.ask("admin", "POST", "/api/v1/sessions/A00/keys")
    assert answer.status_code == 201
    pair = answer.json()
    assert len(pair.pop("access_key_id")) == 20
    assert set(pair.pop("use").values()) == {0, None, ""}
    assert pair == {
        "session_id": "A00",
        "label": "",
        "state": "active",
        "created_at": "2026-01-01T00:00:00Z",
        "valid_from": None,
        "expires_at": "2026-12-31T19:00:00Z",
        "ends_by": "end of its life",
        "deactivated_at": None,
        "deleted_at": None,
        "next_change": {"at": "2026-12-03T19:00:00Z", "state": "expiring"},
    }


@pytest.mark.parametrize(
    ("form", "media_type", "suffix"),
    [
        ("json", "application/json", "json"),
        ("text", "text/plain", "txt"),
        ("env", "text/plain", "env"),
        ("csv", "text/csv", "csv"),
    ],
)
async def test_a_pair_is_downloaded_in_each_form_and_kept_out_of_caches(
    portal: Portal, form: str, media_type: str, suffix: str
) -> None:
    key = await generated(portal)
    answer = await portal.ask("admin", "GET", f"/api/v1/sessions/A00/keys/{key}/download", params={"format": form})
    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] == media_type
    assert answer.headers["content-disposition"] == f'attachment; filename="A00-{key}.{suffix}"'
    assert answer.headers["cache-control"] == "no-store"
    secret = (await portal.registry.pairs.download(_operator(portal), "A00", key, "test")).secret
    assert secret.text in answer.text


async def test_the_downloaded_json_is_a_key_file(portal: Portal) -> None:
    key = await generated(portal)
    answer = await portal.ask("admin", "GET", f"/api/v1/sessions/A00/keys/{key}/download")
    content = json.loads(answer.text)
    assert len(content.pop("secret_key")) == 43
    assert content == {
        "session_id": "A00",
        "firm": "OURS1",
        "access_key_id": key,
        "created_at": "2026-01-01T00:00:00Z",
        "expires_at": "2026-12-31T19:00:00Z",
        "environment": "LOCAL",
    }


async def test_each_download_is_an_audit_entry_with_its_source(portal: Portal) -> None:
    key = await generated(portal)
    for form in ("json", "env"):
        await portal.ask("admin", "GET", f"/api/v1/sessions/A00/keys/{key}/download", params={"format": form})
    entries = (await portal.ask("admin", "GET", "/api/v1/audit", params={"limit": 2})).json()["items"]
    assert [entry["action"] for entry in entries] == ["key_pair.downloaded"] * 2
    assert [json.loads(entry["details"])["file_format"] for entry in entries] == ["env", "json"]
    assert entries[0]["actor"] == "token 2 (admin)"
    assert entries[0]["source"] == "127.0.0.1"


async def test_no_audit_no_secret(portal: Portal) -> None:
    key = await generated(portal)
    with broken_database(portal.registry):
        answer = await portal.ask("admin", "GET", f"/api/v1/sessions/A00/keys/{key}/download")
    problem = check_problem(answer, 503, "unavailable")
    assert "disk is full" in problem["detail"]
    assert (await portal.ask("admin", "GET", f"/api/v1/sessions/A00/keys/{key}/download")).status_code == 200


async def test_a_third_pair_is_a_conflict_that_names_the_two_and_the_way_out(portal: Portal) -> None:
    two = [await generated(portal), await generated(portal)]
    problem = check_problem(await portal.ask("admin", "POST", "/api/v1/sessions/A00/keys"), 409, "key-pair-limit")
    assert all(key in problem["detail"] for key in two)
    assert "Delete one of them" in problem["detail"]
    assert (await portal.ask("admin", "DELETE", f"/api/v1/sessions/A00/keys/{two[0]}")).status_code == 204
    await generated(portal)


async def test_a_third_pair_is_made_by_naming_the_one_to_delete(portal: Portal) -> None:
    two = [await generated(portal), await generated(portal)]
    answer = await portal.ask("admin", "POST", "/api/v1/sessions/A00/keys", json={"delete": two[0]})
    assert answer.status_code == 201
    listed = (await portal.ask("reader", "GET", "/api/v1/sessions/A00/keys")).json()["items"]
    assert [pair["access_key_id"] for pair in listed] == [two[1], answer.json()["access_key_id"]]
    assert listed[0]["ends_by"] == "four weeks after its successor"
    gone = await portal.ask("admin", "POST", "/api/v1/sessions/A00/keys", json={"delete": two[0]})
    check_problem(gone, 409, "key-rule")


async def test_a_pair_is_made_for_a_cut_over_and_the_cut_over_brought_forward(portal: Portal) -> None:
    old = await generated(portal)
    body = {"cut_over_at": "2026-01-12T09:00:00-05:00"}
    new = (await portal.ask("admin", "POST", "/api/v1/sessions/A00/keys", json=body)).json()
    assert (new["state"], new["valid_from"]) == ("not yet valid", "2026-01-12T14:00:00Z")
    assert new["next_change"] == {"at": "2026-01-12T14:00:00Z", "state": "active"}
    path = f"/api/v1/sessions/A00/keys/{new['access_key_id']}/cut-over"
    pairs = (await portal.ask("admin", "POST", path, json={"at": "2026-01-10T09:00:00-05:00"})).json()["items"]
    assert (pairs[0]["access_key_id"], pairs[0]["expires_at"]) == (old, "2026-01-10T14:00:00Z")
    assert pairs[1]["valid_from"] == "2026-01-10T14:00:00Z"
    check_problem(await portal.ask("admin", "POST", path, json={"at": "2026-01-20T00:00Z"}), 409, "key-rule")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"cut_over_at": "tomorrow"}, "body.cut_over_at"),
        ({"cut_over_at": "2026-02-30T12:00:00Z"}, "body.cut_over_at"),
        ({"delete": "no key id at all, and too long"}, "body.delete"),
    ],
)
async def test_a_generate_that_cannot_be_right_names_the_field(
    portal: Portal, body: dict[str, str], where: str
) -> None:
    answer = await portal.ask("admin", "POST", "/api/v1/sessions/A00/keys", json=body)
    assert [fault["where"] for fault in check_problem(answer, 422, "invalid")["errors"]] == [where]


async def test_a_pair_is_deactivated_and_activated(portal: Portal) -> None:
    path = f"/api/v1/sessions/A00/keys/{await generated(portal)}"
    off = (await portal.ask("admin", "POST", f"{path}/deactivate")).json()
    assert (off["state"], off["deactivated_at"]) == ("deactivated", "2026-01-01T00:00:00Z")
    check_problem(await portal.ask("admin", "POST", f"{path}/deactivate"), 409, "key-rule")
    assert (await portal.ask("admin", "POST", f"{path}/activate")).json()["state"] == "active"


async def test_revoking_deletes_every_pair_and_ends_live_sessions_only_when_asked(portal: Portal) -> None:
    portal.running.logged_in.add("A00")
    two = [await generated(portal), await generated(portal)]
    path = "/api/v1/sessions/A00/key-revocation"
    answer = (await portal.ask("admin", "POST", path, json={"reason": "lost"})).json()
    assert [pair["access_key_id"] for pair in answer["revoked"]] == two
    assert (answer["ended_sessions"], portal.running.ended) == ([], [])
    await generated(portal)
    body = {"reason": "lost again", "end_live_sessions": True}
    answer = (await portal.ask("admin", "POST", "/api/v1/firms/OURS1/key-revocation", json=body)).json()
    assert answer["ended_sessions"] == ["A00"]
    assert portal.running.ended == [("A00", "key pairs revoked: lost again")]
    check_problem(await portal.ask("admin", "POST", path, json=body), 409, "conflict")


async def test_a_sealed_key_file_holds_no_secret_in_the_clear(portal: Portal) -> None:
    key = await generated(portal)
    path = f"/api/v1/sessions/A00/keys/{key}/sealed-download"
    answer = await portal.ask("admin", "POST", path, json={"public_key": PUBLIC_KEY, "reason": "for the algo host"})
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="A00-{key}.sealed.json"'
    secret = (await portal.registry.pairs.download(_operator(portal), "A00", key, "test")).secret
    assert secret.text not in answer.text
    keys.SealedKeyFileView.model_validate_json(answer.text)
    refused = await portal.ask("admin", "POST", path, json={"public_key": "none"})
    assert check_problem(refused, 422, "invalid")["errors"][0]["where"] == "body.public_key"


async def test_how_a_key_was_used_is_shown_with_it(portal: Portal) -> None:
    key = await generated(portal)
    portal.registry.pairs.note_use(key, portal.clock.now(), "192.0.2.7", "40 primary", True)
    portal.registry.pairs.note_use(key, portal.clock.now(), "192.0.2.8", "40 primary", False)
    shown = (await portal.ask("reader", "GET", f"/api/v1/sessions/A00/keys/{key}")).json()["use"]
    assert (shown["successes"], shown["failures"]) == (1, 1)
    assert (shown["last_used_at"], shown["last_source"]) == ("2026-01-01T00:00:00Z", "192.0.2.7")
    assert (shown["last_failed_at"], shown["last_failed_source"]) == ("2026-01-01T00:00:00Z", "192.0.2.8")


async def test_all_pairs_are_listed_page_by_page_and_by_state(portal: Portal) -> None:
    ours = [await generated(portal), await generated(portal)]
    await generated(portal, "A01")
    page = (await portal.ask("reader", "GET", "/api/v1/keys", params={"limit": 1})).json()
    assert [pair["access_key_id"] for pair in page["items"]] == ours[:1]
    page = (await portal.ask("reader", "GET", "/api/v1/keys", params={"after": page["next"]})).json()
    assert ([pair["access_key_id"] for pair in page["items"]], page["next"]) == (ours[1:], None)
    await portal.ask("admin", "DELETE", f"/api/v1/sessions/A00/keys/{ours[0]}")
    for state, expected in (("active", ours[1:]), ("deleted", ours[:1]), ("expired", [])):
        found = (await portal.ask("reader", "GET", "/api/v1/keys", params={"state": state})).json()["items"]
        assert [pair["access_key_id"] for pair in found] == expected


async def test_the_calendar_lists_expiries_the_soonest_first_with_what_comes_after(portal: Portal) -> None:
    older, newer = await generated(portal), await generated(portal)
    found = (await portal.ask("reader", "GET", "/api/v1/keys/calendar")).json()["items"]
    assert [(each["access_key_id"], each["at"], each["has_successor"]) for each in found] == [
        (older, "2026-01-28T22:30:00Z", True),
        (newer, "2026-12-31T19:00:00Z", False),
    ]
    await portal.ask("admin", "DELETE", f"/api/v1/sessions/A00/keys/{newer}")
    (only,) = (await portal.ask("reader", "GET", "/api/v1/keys/calendar")).json()["items"]
    assert not only["has_successor"]


async def test_health_shows_what_is_not_well_first(portal: Portal) -> None:
    await generated(portal)
    portal.clock.advance(10 * 86_400 * 10**9)
    page = (await portal.ask("reader", "GET", "/api/v1/keys/health")).json()
    assert (page["score"], page["items"][0]["score"]) == (85, 85)
    (concern,) = page["items"][0]["concerns"]
    assert concern["finding"] == "never used"
    assert "Delete it" in concern["advice"]


async def test_pairs_are_made_downloaded_and_deleted_in_bulk(portal: Portal) -> None:
    body = {"firms": ["OURS1"], "market_segments": [40]}
    other = (await portal.ask("admin", "POST", "/api/v1/sessions", json=body)).json()["session_ids"][0]
    wanted = {"session_ids": ["A00", other, "A01"]}
    made = (await portal.ask("admin", "POST", "/api/v1/keys/bulk-generation", json=wanted)).json()["items"]
    assert [each["problem"] for each in made] == [None, None, "There is no session A01."]
    pairs = [{name: each[name] for name in ("session_id", "access_key_id")} for each in made[:2]]
    answer = await portal.ask("admin", "POST", "/api/v1/keys/bulk-download", json={"pairs": pairs})
    files = json.loads(answer.text)
    assert [{name: file[name] for name in ("session_id", "access_key_id")} for file in files] == pairs
    packed = {"pairs": pairs, "packing": "zip", "format": "env"}
    answer = await portal.ask("admin", "POST", "/api/v1/keys/bulk-download", json=packed)
    assert answer.headers["content-disposition"] == 'attachment; filename="keys.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == [f"{pair['session_id']}-{pair['access_key_id']}.env" for pair in pairs]
        assert f"ONTHERUN_SECRET_KEY={files[1]['secret_key']}\n" in archive.read(archive.namelist()[1]).decode()
    gone = (await portal.ask("admin", "POST", "/api/v1/keys/bulk-deletion", json={"pairs": pairs})).json()["items"]
    assert [each["problem"] for each in gone] == [None, None]
    answer = await portal.ask("admin", "POST", "/api/v1/keys/bulk-download", json={"pairs": pairs})
    check_problem(answer, 409, "key-rule")


async def test_a_deleted_pair_is_neither_downloaded_nor_deleted_again(portal: Portal) -> None:
    path = f"/api/v1/sessions/A00/keys/{await generated(portal)}"
    assert (await portal.ask("admin", "DELETE", path)).status_code == 204
    check_problem(await portal.ask("admin", "DELETE", path), 409, "key-rule")
    check_problem(await portal.ask("admin", "GET", f"{path}/download"), 409, "key-rule")
    assert (await portal.ask("reader", "GET", path)).json()["state"] == "deleted"


async def test_the_list_follows_the_clock(portal: Portal) -> None:
    await generated(portal)

    async def state() -> str:
        answer = await portal.ask("reader", "GET", "/api/v1/sessions/A00/keys")
        return str(answer.json()["items"][0]["state"])

    assert await state() == "active"
    portal.clock.advance(350 * 86_400 * 10**9)
    assert await state() == "expiring"
    portal.clock.advance(15 * 86_400 * 10**9)
    assert await state() == "expired"


async def test_deleted_pairs_are_listed_only_when_asked_for(portal: Portal) -> None:
    path = "/api/v1/sessions/A00/keys"
    await portal.ask("admin", "DELETE", f"{path}/{await generated(portal)}")
    assert (await portal.ask("reader", "GET", path)).json()["items"] == []
    (pair,) = (await portal.ask("reader", "GET", path, params={"deleted": True})).json()["items"]
    assert (pair["state"], pair["deleted_at"]) == ("deleted", "2026-01-01T00:00:00Z")


def _operator(portal: Portal):  # type: ignore[no-untyped-def]
    found = portal.registry.tokens.recognise(portal.tokens["operator"])
    assert found is not None
    return found
