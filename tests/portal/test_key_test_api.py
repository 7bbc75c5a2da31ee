"""Test my key over the API: rights, the audit of the secrets' use, the rate limit, and no secret in any answer."""

import json

import pytest

from ontherun.ilink.messages import Negotiate
from ontherun.ilink.signing import decode_secret, negotiate_text, sign

from .conftest import START, Portal, broken_database, check_problem, done_so_far

PATH = "/api/v1/sessions/A00/key-test"


async def key(portal: Portal) -> dict[str, str]:
    made = (await portal.ask("admin", "POST", "/api/v1/sessions/A00/keys")).json()
    path = f"/api/v1/sessions/A00/keys/{made['access_key_id']}/download?format=json"
    pair: dict[str, str] = (await portal.ask("admin", "GET", path)).json()
    return pair


def values(pair: dict[str, str], secret: bytes | None = None) -> dict[str, object]:
    signature = sign(secret or decode_secret(pair["secret_key"]), negotiate_text(START, 1, b"A00", b"OURS1"))
    return {
        "request_timestamp": START,
        "uuid": 1,
        "access_key_id": pair["access_key_id"],
        "signature": signature.hex(),
    }


async def test_values_and_frames_are_judged_alike(portal: Portal) -> None:
    pair = await key(portal)
    asked = values(pair)
    frame = Negotiate(
        hmac_signature=bytes.fromhex(str(asked["signature"])),
        access_key_id=pair["access_key_id"].encode(),
        uuid=1,
        request_timestamp=START,
        session=b"A00",
        firm=b"OURS1",
    ).encode()
    for body in (asked, {"frame": frame.hex()}, {"frame": frame[4:].hex()}):
        found = (await portal.ask("admin", "POST", PATH, json=body)).json()
        assert (found["accepted"], found["verdict"]) == (True, "The signature is right.")
        assert found["canonical_text"] == f"{START}\n1\nA00\nOURS1"


async def test_the_mistake_is_named(portal: Portal) -> None:
    pair = await key(portal)
    found = (await portal.ask("admin", "POST", PATH, json=values(pair, pair["secret_key"].encode()))).json()
    assert not found["accepted"]
    assert "decode it with base64url first" in found["key_pairs"][0]["mistake"]


async def test_each_test_leaves_an_audit_entry_and_no_secret_anywhere(portal: Portal) -> None:
    pair = await key(portal)
    answer = await portal.ask("admin", "POST", PATH, json=values(pair))
    assert pair["secret_key"] not in answer.text
    (entry, *_) = (await portal.ask("admin", "GET", "/api/v1/audit")).json()["items"]
    assert (entry["action"], entry["subject"]) == ("key_pair.tested", "session A00")
    assert json.loads(entry["details"]) == {"access_key_ids": [pair["access_key_id"]], "message": "Negotiate"}


async def test_without_audit_no_secret_is_used(portal: Portal) -> None:
    body = values(await key(portal))
    with broken_database(portal.registry):
        check_problem(await portal.ask("admin", "POST", PATH, json=body), 503, "unavailable")


async def test_only_who_may_read_the_secret_may_have_it_used(portal: Portal) -> None:
    body = values(await key(portal))
    check_problem(await portal.ask("reader", "POST", PATH, json=body), 403, "forbidden")
    check_problem(await portal.ask("stranger", "POST", PATH, json=body), 404, "not-found")


async def test_the_thirty_first_test_within_a_minute_waits(portal: Portal) -> None:
    body = values(await key(portal))
    for _ in range(30):
        assert (await portal.ask("admin", "POST", PATH, json=body)).status_code == 200
    answer = await portal.ask("admin", "POST", PATH, json=body)
    check_problem(answer, 429, "too-many-requests")
    assert 1 <= int(answer.headers["retry-after"]) <= 61
    assert (await portal.ask("operator", "POST", PATH, json=body)).status_code == 200


@pytest.mark.parametrize("frame", ["zz", "00", "ff" * 4000, "4c00f401080009" + "00" * 10])
async def test_what_cannot_be_read_is_said_and_uses_no_secret(portal: Portal, frame: str) -> None:
    await key(portal)
    before = await done_so_far(portal)
    found = (await portal.ask("admin", "POST", PATH, json={"frame": frame})).json()
    assert (found["accepted"], found["key_pairs"]) == (False, [])
    assert found["verdict"].startswith("The frame ")
    assert await done_so_far(portal) == before


async def test_an_oversized_frame_is_refused_before_it_is_read(portal: Portal) -> None:
    check_problem(await portal.ask("admin", "POST", PATH, json={"frame": "f" * 8193}), 422, "invalid")
    check_problem(
        await portal.ask("admin", "POST", PATH, json={"frame": "f" * 70_000}), 413, "request-entity-too-large"
    )
