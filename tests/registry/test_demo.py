"""The demo: ready at the first start, unchanged at the second, mended where somebody took it apart."""

import json
import stat

from ontherun.registry import SYSTEM, KeyFound, Registry

from .conftest import START


async def test_the_first_start_makes_two_firms_ready_to_trade(registry: Registry) -> None:
    demo = await registry.seed_demo()
    assert [(session.session_id, session.firm) for session in demo] == [("A00", "DEMO1"), ("A01", "DEMO2")]
    for session in demo:
        content = json.loads(session.key_file.read_text())
        assert content["session_id"] == session.session_id
        assert content["firm"] == session.firm
        assert content["access_key_id"] == session.access_key_id
        assert content["expires_at"] == "2026-12-31T19:00:00Z"
        assert content["environment"] == "LOCAL"
        assert len(content["secret_key"]) == 43
        assert stat.S_IMODE(session.key_file.stat().st_mode) == 0o600
        assert isinstance(registry.directory.key(session.access_key_id, session.session_id, START), KeyFound)
        assert registry.directory.allowed(session.session_id, session.firm, 40)
        details = registry.directory.party_details(session.session_id, session.firm)
        assert session.party_details_list_req_id in details


async def test_the_second_start_changes_nothing(registry: Registry) -> None:
    demo = await registry.seed_demo()
    before = await registry.verify_audit()
    contents = [session.key_file.read_bytes() for session in demo]
    assert await registry.seed_demo() == demo
    assert [session.key_file.read_bytes() for session in demo] == contents
    assert await registry.verify_audit() == before


async def test_a_key_file_that_is_gone_or_spoilt_is_written_again(registry: Registry) -> None:
    (first, _) = demo = await registry.seed_demo()
    content = first.key_file.read_bytes()
    for spoilt in (None, b"", b"[]", b"\xff\xfe", b'{"access_key_id": "other"}'):
        first.key_file.unlink()
        if spoilt is not None:
            first.key_file.write_bytes(spoilt)
        assert await registry.seed_demo() == demo
        assert first.key_file.read_bytes() == content


async def test_a_key_file_follows_a_rotation_only_when_its_own_pair_is_gone(registry: Registry) -> None:
    (first, _) = await registry.seed_demo()
    new = (await registry.pairs.generate(SYSTEM, "A00")).pair.access_key_id
    assert (await registry.seed_demo())[0].access_key_id == first.access_key_id
    await registry.pairs.delete(SYSTEM, "A00", first.access_key_id)
    assert (await registry.seed_demo())[0].access_key_id == new
    assert json.loads(first.key_file.read_text())["access_key_id"] == new


async def test_a_demo_session_without_a_valid_pair_gets_a_new_one(registry: Registry) -> None:
    (first, _) = await registry.seed_demo()
    await registry.pairs.delete(SYSTEM, "A00", first.access_key_id)
    (again, _) = await registry.seed_demo()
    assert again.access_key_id != first.access_key_id
    assert isinstance(registry.directory.key(again.access_key_id, "A00", START), KeyFound)
