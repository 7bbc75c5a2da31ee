"""Rotation of the master key, in a file, the environment, Vault and AWS KMS: nothing stops, nothing is lost."""

import asyncio
import json
import sqlite3
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert
from tests.support.venue_process import ROOT

from ontherun.keys import ManualClock, Secret
from ontherun.registry import (
    SYSTEM,
    ConflictError,
    ForbiddenError,
    KeyFound,
    MasterKeyError,
    Registry,
    UnavailableError,
)
from ontherun.registry.records_people import Totp
from ontherun.registry.sealed_columns import KEY_ID, SEALED_COLUMNS
from ontherun.registry.sealing import totp_identity
from ontherun.registry.tables import Base
from ontherun.registry.tables_people import TotpRow, UserRow

from .conftest import START, Venue
from .test_audit import tamper

ONE = urlsafe_b64encode(bytes([1] * 32)).decode().rstrip("=")
TWO = urlsafe_b64encode(bytes([2] * 32)).decode()
TOKEN = "transit-test-token"


async def opened(data_dir: Path, variables: dict[str, str] | None = None) -> Registry:
    return await Registry.open(data_dir, ManualClock(START), variables=variables or {})


async def with_pairs(registry: Registry, sessions: int = 3) -> dict[str, bytes]:
    """Make sessions with two key pairs each; return Access Key ID -> secret."""
    entity = await registry.entities.create(SYSTEM, "Ours")
    await registry.firms.create(SYSTEM, entity.entity_id, "OURS1", "Firm")
    secrets: dict[str, bytes] = {}
    for _ in range(sessions):
        session = await registry.sessions.create(SYSTEM, ["OURS1"], [40])
        for _ in range(2):
            pair = (await registry.pairs.generate(SYSTEM, session.session_id)).pair
            found = registry.directory.key(pair.access_key_id, session.session_id, START)
            assert isinstance(found, KeyFound)
            secrets[pair.access_key_id] = found.secret
    return secrets


def check_opens(registry: Registry, secrets: dict[str, bytes]) -> None:
    for access_key_id, secret in secrets.items():
        stored = registry.directory.pair(access_key_id)
        assert stored is not None
        found = registry.directory.key(access_key_id, stored.pair.session_id, START)
        assert isinstance(found, KeyFound)
        assert found.secret == secret


def key_ids(data_dir: Path) -> set[str]:
    with sqlite3.connect(data_dir / "registry.sqlite3") as database:
        return {name for (name,) in database.execute("SELECT DISTINCT master_key_id FROM key_pair")}


async def rotated(registry: Registry) -> str:
    """Rotate to the end; return the id of the key that seals now."""
    await registry.master_key.rotate(SYSTEM)
    await registry.master_key.wait()
    status = await registry.master_key.status(SYSTEM)
    assert status.problem == ""
    assert (status.done, set(status.sealed)) == (status.total, {status.current})
    return status.current


async def test_a_rotation_seals_everything_anew_and_forgets_the_old_key(tmp_path: Path) -> None:
    registry = await opened(tmp_path)
    secrets = await with_pairs(registry)
    old_file = (tmp_path / "master.key").read_text()
    old = (await registry.master_key.status(SYSTEM)).current
    new = await rotated(registry)
    assert new != old
    check_opens(registry, secrets)
    assert key_ids(tmp_path) == {new}
    assert old_file.strip() not in (tmp_path / "master.key").read_text()
    await registry.close()
    again = await opened(tmp_path)
    check_opens(again, secrets)
    await again.close()


async def test_a_rotation_is_audited_with_its_reason_and_no_key(tmp_path: Path) -> None:
    registry = await opened(tmp_path)
    await with_pairs(registry)
    await registry.master_key.rotate(SYSTEM, reason="yearly")
    await registry.master_key.wait()
    finished, started = await registry.audit_entries(SYSTEM, limit=2)
    assert (started.action, finished.action) == ("master_key.rotation_started", "master_key.rotated")
    assert json.loads(started.details)["reason"] == "yearly"
    assert json.loads(finished.details)["sealed_anew"] == 6
    for word in (tmp_path / "master.key").read_text().split():
        assert word not in started.details + finished.details
    await registry.close()


async def test_every_sealed_column_is_known_to_the_rotation() -> None:
    sealed = {table.name for table in Base.metadata.tables.values() if KEY_ID in table.c}
    assert sealed == {column.table.name for column in SEALED_COLUMNS}


async def test_authenticator_apps_are_sealed_anew_in_memory_and_on_disk(tmp_path: Path) -> None:
    registry = await opened(tmp_path)
    sealed = registry.master_key._keys.seal(Secret(b"t" * 20), totp_identity(1))
    table = UserRow.__table__
    values = {column.name: 1 if "INT" in str(column.type) else "x" for column in table.c if not column.nullable}
    values |= {column.name: False for column in table.c if str(column.type) == "BOOLEAN"}
    await registry._store.note(
        insert(table).values(values | {"user_id": 1}),
        insert(TotpRow).values(
            user_id=1, sealed_secret=sealed.sealed, master_key_id=sealed.master_key_id, created_at=1, last_step=0
        ),
    )
    registry.directory.people.totps[1] = Totp(sealed, 1, 0)
    current = await rotated(registry)
    held = registry.directory.people.totps[1].secret
    assert held.master_key_id == current
    assert registry.master_key._keys.open(held, totp_identity(1)) == b"t" * 20
    await registry.close()


async def test_logins_generations_and_deletions_go_on_while_it_runs(tmp_path: Path) -> None:
    registry = await opened(tmp_path)
    secrets = await with_pairs(registry, 100)
    await registry.master_key.rotate(SYSTEM)
    for number in range(40):
        access_key_id = list(secrets)[number]
        check_opens(registry, {access_key_id: secrets[access_key_id]})
        stored = registry.directory.pair(access_key_id)
        assert stored is not None
        await registry.pairs.delete(SYSTEM, stored.pair.session_id, access_key_id)
        del secrets[access_key_id]
        made = (await registry.pairs.generate(SYSTEM, stored.pair.session_id)).pair
        found = registry.directory.key(made.access_key_id, made.session_id, START)
        assert isinstance(found, KeyFound)
        secrets[made.access_key_id] = found.secret
    await registry.master_key.wait()
    check_opens(registry, secrets)
    await registry.close()
    again = await opened(tmp_path)
    check_opens(again, secrets)
    assert len((await again.master_key.status(SYSTEM)).sealed) == 1
    await again.close()


async def test_a_rotation_that_was_cut_off_goes_on_at_the_next_start_without_a_third_key(tmp_path: Path) -> None:
    registry = await opened(tmp_path)
    secrets = await with_pairs(registry, 100)
    await registry.master_key.rotate(SYSTEM)
    while (await registry.master_key.status(SYSTEM)).done == 0:  # noqa: ASYNC110 - one batch is enough
        await asyncio.sleep(0)
    await registry.close()
    assert len(key_ids(tmp_path)) == 2
    assert len((tmp_path / "master.key").read_text().split()) == 2
    again = await opened(tmp_path)
    check_opens(again, secrets)
    await again.master_key.resume()
    await again.master_key.wait()
    check_opens(again, secrets)
    assert len(key_ids(tmp_path)) == 1
    assert len((tmp_path / "master.key").read_text().split()) == 1
    await again.close()


async def test_without_audit_no_rotation_begins(venue: Venue) -> None:
    registry = venue.registry
    before = (registry.data_dir / "master.key").read_bytes()
    tamper(registry, "CREATE TRIGGER no_audit BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(ABORT, 'no room'); END")
    with pytest.raises(UnavailableError):
        await registry.master_key.rotate(SYSTEM)
    assert not registry.master_key.rotating
    assert (registry.data_dir / "master.key").read_bytes() == before


async def test_only_the_operator_rotates(venue: Venue) -> None:
    for who in (venue.admin, venue.reader):
        with pytest.raises(ForbiddenError):
            await venue.registry.master_key.rotate(who)
        with pytest.raises(ForbiddenError):
            await venue.registry.master_key.status(who)


async def test_a_secret_that_does_not_open_is_told_and_its_key_is_kept(tmp_path: Path) -> None:
    registry = await opened(tmp_path)
    secrets = await with_pairs(registry)
    await registry.close()
    with sqlite3.connect(tmp_path / "registry.sqlite3") as database:
        bad = min(secrets)
        database.execute("UPDATE key_pair SET sealed_secret = zeroblob(60) WHERE access_key_id = ?", (bad,))
    registry = await opened(tmp_path)
    await registry.master_key.rotate(SYSTEM)
    await registry.master_key.wait()
    status = await registry.master_key.status(SYSTEM)
    assert "stays under its old key" in status.problem
    assert (status.done, status.total, len(status.sealed)) == (5, 6, 2)
    assert len((tmp_path / "master.key").read_text().split()) == 2
    await registry.close()


async def test_a_new_key_in_front_in_the_environment_takes_over_at_the_next_start(tmp_path: Path) -> None:
    registry = await opened(tmp_path, {"ONTHERUN_MASTER_KEY": ONE})
    secrets = await with_pairs(registry)
    with pytest.raises(ConflictError, match="put a new one in front of it there"):
        await registry.master_key.rotate(SYSTEM)
    await registry.close()
    registry = await opened(tmp_path, {"ONTHERUN_MASTER_KEY": f"{TWO} {ONE}"})
    await registry.master_key.resume()
    await registry.master_key.wait()
    await registry.close()
    registry = await opened(tmp_path, {"ONTHERUN_MASTER_KEY": TWO})
    check_opens(registry, secrets)
    await registry.close()


@pytest.fixture(scope="module")
def transit() -> Iterator[str]:
    """A transit engine in a process of its own; its address."""
    command = [sys.executable, str(ROOT / "tests" / "support" / "transit.py"), TOKEN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.terminate()


@pytest.fixture
def vault(transit: str) -> dict[str, str]:
    return {"ONTHERUN_MASTER_KEY": "vault:transit/venue", "VAULT_ADDR": transit, "VAULT_TOKEN": TOKEN}


@pytest.fixture
async def vaulted(tmp_path: Path, vault: dict[str, str]) -> AsyncIterator[Registry]:
    registry = await opened(tmp_path, vault)
    yield registry
    await registry.close()


async def test_vault_wraps_the_data_key_and_no_file_is_made(
    tmp_path: Path, vaulted: Registry, vault: dict[str, str]
) -> None:
    secrets = await with_pairs(vaulted)
    assert (await vaulted.master_key.status(SYSTEM)).source == "vault:transit/venue"
    await vaulted.close()
    assert not (tmp_path / "master.key").exists()
    again = await opened(tmp_path, vault)
    check_opens(again, secrets)
    await rotated(again)
    await again.close()
    with sqlite3.connect(tmp_path / "registry.sqlite3") as database:
        ((wrapped,),) = database.execute("SELECT wrapped FROM data_key").fetchall()
    assert wrapped.startswith(b"vault:v1:")
    again = await opened(tmp_path, vault)
    check_opens(again, secrets)
    await again.close()


async def test_a_venue_moves_from_its_file_to_vault(tmp_path: Path, vault: dict[str, str]) -> None:
    registry = await opened(tmp_path)
    secrets = await with_pairs(registry)
    await registry.close()
    registry = await opened(tmp_path, vault)
    check_opens(registry, secrets)
    await registry.master_key.resume()
    await registry.master_key.wait()
    await registry.close()
    (tmp_path / "master.key").unlink()
    registry = await opened(tmp_path, vault)
    check_opens(registry, secrets)
    await registry.close()
    with pytest.raises(MasterKeyError, match=r"master\.key is gone"):
        await opened(tmp_path)
    with pytest.raises(MasterKeyError, match=r"Add vault:transit/venue, which wraps it, there"):
        await opened(tmp_path, {"ONTHERUN_MASTER_KEY": ONE})


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"VAULT_TOKEN": "wrong-token-value"}, "permission denied"),
        ({"VAULT_ADDR": "http://127.0.0.1:1"}, "cannot be had from vault:transit/venue"),
        ({"VAULT_ADDR": ""}, "it takes vault:MOUNT/KEY, VAULT_ADDR"),
        ({"ONTHERUN_MASTER_KEY": "vault:transit/other"}, "encryption key not found"),
    ],
)
async def test_a_vault_that_gives_no_key_is_told_with_its_reason_and_no_token(
    tmp_path: Path, vaulted: Registry, vault: dict[str, str], change: dict[str, str], what: str
) -> None:
    await with_pairs(vaulted)
    await vaulted.close()
    with pytest.raises(MasterKeyError, match=what) as refused:
        await opened(tmp_path, vault | change)
    assert "wrong-token-value" not in str(refused.value)
    assert TOKEN not in str(refused.value)


async def test_a_rotation_without_its_vault_leaves_everything_as_it_is(vaulted: Registry) -> None:
    secrets = await with_pairs(vaulted)
    vaulted.master_key._source._variables = {**vaulted.master_key._source._variables, "VAULT_TOKEN": "expired"}
    with pytest.raises(MasterKeyError, match="permission denied"):
        await vaulted.master_key.rotate(SYSTEM)
    check_opens(vaulted, secrets)
    assert not vaulted.master_key.rotating


async def test_a_data_key_that_was_altered_is_refused(tmp_path: Path, vaulted: Registry, vault: dict[str, str]) -> None:
    await with_pairs(vaulted)
    await vaulted.close()
    with sqlite3.connect(tmp_path / "registry.sqlite3") as database:
        database.execute("UPDATE data_key SET data_key_id = '0000000000000000'")
    with pytest.raises(MasterKeyError, match="was altered, or its wrapping key gives another"):
        await opened(tmp_path, vault)


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
async def test_aws_kms_wraps_the_data_key_bound_to_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3
    from moto import mock_aws

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        kms = boto3.client("kms", region_name="us-east-1")
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName="alias/venue", TargetKeyId=key)
        variables = {"ONTHERUN_MASTER_KEY": "aws-kms:alias/venue", "AWS_REGION": "us-east-1"}
        registry = await opened(tmp_path, variables)
        secrets = await with_pairs(registry)
        await rotated(registry)
        await registry.close()
        registry = await opened(tmp_path, variables)
        check_opens(registry, secrets)
        await registry.close()
        with sqlite3.connect(tmp_path / "registry.sqlite3") as database:
            database.execute("UPDATE data_key SET data_key_id = '0000000000000000'")
        with pytest.raises(MasterKeyError, match="InvalidCiphertext"):
            await opened(tmp_path, variables)
