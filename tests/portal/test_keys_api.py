"""Key pairs through the API, from generating to deleting."""

import json

import pytest

from .conftest import Portal, broken_database, check_problem


async def generated(portal: Portal, session_id: str = "A00") -> str:
    answer = await portal.ask("operator", "POST", f"/api/v1/sessions/{session_id}/keys")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["access_key_id"])


async def test_generating_shows_the_pair_and_not_its_secret(portal: Portal) -> None:
    answer = await portal.ask("admin", "POST", "/api/v1/sessions/A00/keys")
    assert answer.status_code == 201
    pair = answer.json()
    assert len(pair.pop("access_key_id")) == 20
    assert pair == {
        "session_id": "A00",
        "state": "active",
        "created_at": "2026-01-01T00:00:00Z",
        "expires_at": "2026-12-31T19:00:00Z",
        "deleted_at": None,
    }


@pytest.mark.parametrize(
    ("form", "media_type", "suffix"),
    [("json", "application/json", "json"), ("text", "text/plain", "txt"), ("env", "text/plain", "env")],
)
async def test_a_pair_is_downloaded_in_three_forms_and_kept_out_of_caches(
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
    keys = [await generated(portal), await generated(portal)]
    problem = check_problem(await portal.ask("admin", "POST", "/api/v1/sessions/A00/keys"), 409, "key-pair-limit")
    assert all(key in problem["detail"] for key in keys)
    assert "Delete one of them" in problem["detail"]
    assert (await portal.ask("admin", "DELETE", f"/api/v1/sessions/A00/keys/{keys[0]}")).status_code == 204
    await generated(portal)


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
