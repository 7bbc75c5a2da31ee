"""Secrets at rest: where the master key comes from and what it opens."""

import sqlite3
import stat
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from ontherun.keys import ManualClock
from ontherun.registry import SYSTEM, KeyFound, MasterKeyError, Registry

from .conftest import START

ONE = urlsafe_b64encode(bytes([1] * 32)).decode().rstrip("=")
TWO = urlsafe_b64encode(bytes([2] * 32)).decode()


async def opened(data_dir: Path, variables: dict[str, str] | None = None) -> Registry:
    return await Registry.open(data_dir, ManualClock(START), variables=variables or {})


async def with_a_pair(data_dir: Path, variables: dict[str, str] | None = None) -> str:
    """Leave a registry with one key pair of session A00 behind; return its Access Key ID."""
    registry = await opened(data_dir, variables)
    entity = await registry.entities.create(SYSTEM, "Ours")
    await registry.firms.create(SYSTEM, entity.entity_id, "OURS1", "Firm")
    await registry.sessions.create(SYSTEM, ["OURS1"], [40])
    stored = await registry.pairs.generate(SYSTEM, "A00")
    await registry.close()
    return stored.pair.access_key_id


async def opens(data_dir: Path, access_key_id: str, variables: dict[str, str] | None = None) -> bool:
    registry = await opened(data_dir, variables)
    found = registry.directory.key(access_key_id, "A00", START)
    await registry.close()
    return isinstance(found, KeyFound)


async def test_a_master_key_is_made_once_for_its_owner_only_and_opens_what_it_sealed(tmp_path: Path) -> None:
    access_key_id = await with_a_pair(tmp_path)
    path = tmp_path / "master.key"
    content = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert await opens(tmp_path, access_key_id)
    assert path.read_bytes() == content


async def test_the_environment_gives_a_master_key_and_then_no_file_is_made(tmp_path: Path) -> None:
    access_key_id = await with_a_pair(tmp_path, {"ONTHERUN_MASTER_KEY": ONE})
    assert not (tmp_path / "master.key").exists()
    assert await opens(tmp_path, access_key_id, {"ONTHERUN_MASTER_KEY": ONE})


async def test_another_master_key_is_refused_at_the_start(tmp_path: Path) -> None:
    await with_a_pair(tmp_path, {"ONTHERUN_MASTER_KEY": ONE})
    with pytest.raises(MasterKeyError, match=r"which is not in ONTHERUN_MASTER_KEY. Add that key there"):
        await opened(tmp_path, {"ONTHERUN_MASTER_KEY": TWO})


async def test_a_lost_master_key_is_not_replaced_by_a_new_one(tmp_path: Path) -> None:
    await with_a_pair(tmp_path)
    (tmp_path / "master.key").unlink()
    with pytest.raises(MasterKeyError, match=r"master\.key is gone"):
        await opened(tmp_path)
    assert not (tmp_path / "master.key").exists()


async def test_a_new_master_key_seals_while_the_old_one_still_opens(tmp_path: Path) -> None:
    old = await with_a_pair(tmp_path, {"ONTHERUN_MASTER_KEY": ONE})
    both = {"ONTHERUN_MASTER_KEY": f"{TWO}\n{ONE}"}
    registry = await opened(tmp_path, both)
    new = (await registry.pairs.generate(SYSTEM, "A00")).pair.access_key_id
    await registry.close()
    assert await opens(tmp_path, old, both)
    assert await opens(tmp_path, new, both)
    with sqlite3.connect(tmp_path / "registry.sqlite3") as database:
        assert len(set(database.execute("SELECT master_key_id FROM key_pair"))) == 2
    with pytest.raises(MasterKeyError):
        await opened(tmp_path, {"ONTHERUN_MASTER_KEY": TWO})


@pytest.mark.parametrize("text", ["  ", "short", "!" * 43, ONE + "A", f"{ONE} short"])
async def test_what_is_no_master_key_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    with pytest.raises(MasterKeyError, match="does not hold a master key") as refused:
        await opened(tmp_path, {"ONTHERUN_MASTER_KEY": text})
    assert ONE not in str(refused.value)


async def test_a_master_key_that_others_may_read_is_refused_with_the_remedy(tmp_path: Path) -> None:
    await with_a_pair(tmp_path)
    (tmp_path / "master.key").chmod(0o644)
    with pytest.raises(MasterKeyError, match=r"mode 0644\). Run: chmod 600"):
        await opened(tmp_path)


async def test_a_sealed_secret_that_was_moved_to_another_row_does_not_open(tmp_path: Path) -> None:
    first = await with_a_pair(tmp_path)
    registry = await opened(tmp_path)
    second = (await registry.pairs.generate(SYSTEM, "A00")).pair.access_key_id
    await registry.close()
    with sqlite3.connect(tmp_path / "registry.sqlite3") as database:
        database.execute(
            "UPDATE key_pair SET sealed_secret = (SELECT sealed_secret FROM key_pair WHERE access_key_id = ?) "
            "WHERE access_key_id = ?",
            (first, second),
        )
    registry = await opened(tmp_path)
    assert isinstance(registry.directory.key(first, "A00", START), KeyFound)
    with pytest.raises(MasterKeyError, match="moved from the row"):
        registry.directory.key(second, "A00", START)
    with pytest.raises(MasterKeyError, match="moved from the row"):
        await registry.pairs.download(SYSTEM, "A00", second, "json")
    await registry.close()
