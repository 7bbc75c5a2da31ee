"""Opening a data directory: one process at a time, a schema that fits, and nothing imported that is not needed."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from ontherun.keys import ManualClock
from ontherun.registry import SYSTEM, DataDirectoryInUseError, Registry, SchemaError
from ontherun.registry.schema import HEAD, _migrate

from .conftest import START

HOLDER = """
import asyncio, sys
from pathlib import Path
from ontherun.keys import ManualClock
from ontherun.registry import Registry, RegistryError

async def main():
    try:
        registry = await Registry.open(Path(sys.argv[1]), ManualClock(1), variables={})
    except RegistryError as refused:
        print(refused, flush=True)
        return
    print("open", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await registry.close()

asyncio.run(main())
"""


def start(script: str, data_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, str(data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


async def opened(data_dir: Path) -> Registry:
    return await Registry.open(data_dir, ManualClock(START), variables={})


async def test_a_second_process_is_refused_and_told_who_has_the_directory(registry: Registry) -> None:
    with start(HOLDER, registry.data_dir) as second:
        said, _ = second.communicate()
    assert said == (
        f"{registry.data_dir} is in use by another ontherun (process {os.getpid()}). "
        "Stop that one first, or give this one a data directory of its own.\n"
    )


async def test_a_second_registry_in_the_same_process_is_refused_too(registry: Registry) -> None:
    with pytest.raises(DataDirectoryInUseError):
        await opened(registry.data_dir)
    await registry.entities.create(SYSTEM, "Still usable")


async def test_a_process_that_was_killed_leaves_the_directory_free(tmp_path: Path) -> None:
    with start(HOLDER, tmp_path) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(DataDirectoryInUseError, match=f"process {holder.pid}"):
            await opened(tmp_path)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    await (await opened(tmp_path)).close()


async def test_a_failed_opening_leaves_the_directory_free(tmp_path: Path) -> None:
    (tmp_path / "registry.sqlite3").write_bytes(b"this is no database, it is only text" * 100)
    for _ in range(2):
        with pytest.raises(SchemaError, match="is not a registry that can be used"):
            await opened(tmp_path)


async def test_a_data_directory_is_made_for_its_owner_only(tmp_path: Path) -> None:
    await (await opened(tmp_path / "deep" / "data")).close()
    assert (tmp_path / "deep" / "data").stat().st_mode & 0o077 == 0


def schema_of(path: Path) -> dict[str, object]:
    """Return columns, keys, indexes and triggers of every table, however they were written down."""
    with sqlite3.connect(path) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        triggers = database.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        schema: dict[str, object] = {
            table: [
                sorted(str(row[skipped:]) for row in database.execute(f"PRAGMA {part}({table})"))
                # The first column of the last two is a number in the order of writing.
                for part, skipped in (("table_info", 0), ("foreign_key_list", 1), ("index_list", 1))
            ]
            for table in tables
        }
    schema["triggers"] = sorted(triggers)
    return schema


async def test_a_new_database_and_a_migrated_one_have_the_same_schema(tmp_path: Path) -> None:
    await (await opened(tmp_path / "new")).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'migrated.sqlite3'}")
    with engine.begin() as connection:
        _migrate(connection)
    engine.dispose()
    assert schema_of(tmp_path / "migrated.sqlite3") == schema_of(tmp_path / "new" / "registry.sqlite3")


async def test_an_older_database_is_migrated_when_it_is_opened(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "registry.sqlite3") as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    registry = await opened(tmp_path)
    await registry.entities.create(SYSTEM, "Ours")
    await registry.close()
    with sqlite3.connect(tmp_path / "registry.sqlite3") as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]


def test_the_head_revision_is_the_last_migration() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    import ontherun.registry

    config = Config()
    config.set_main_option("script_location", str(Path(ontherun.registry.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


async def test_a_database_of_a_trial_version_is_refused(tmp_path: Path) -> None:
    await (await opened(tmp_path)).close()
    with sqlite3.connect(tmp_path / "registry.sqlite3") as database:
        database.execute("UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(SchemaError, match="was written by a trial version of ontherun"):
        await opened(tmp_path)


async def test_a_database_of_a_later_version_is_refused(tmp_path: Path) -> None:
    await (await opened(tmp_path)).close()
    with sqlite3.connect(tmp_path / "registry.sqlite3") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaError, match="written by a later version of ontherun"):
        await opened(tmp_path)


async def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "registry.sqlite3") as database:
        database.execute("CREATE TABLE recipe (name TEXT)")
    with pytest.raises(SchemaError, match="holds other tables"):
        await opened(tmp_path)
    with sqlite3.connect(tmp_path / "registry.sqlite3") as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("recipe",)]


def test_alembic_is_not_imported_where_nothing_is_to_be_migrated(tmp_path: Path) -> None:
    script = HOLDER.replace("await asyncio.to_thread(sys.stdin.read)", 'print("alembic" in sys.modules, flush=True)')
    for _ in range(2):
        run = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
        assert run.stdout == "open\nFalse\n"


WORKER = """
import asyncio, sys
from pathlib import Path
from ontherun.keys import ManualClock
from ontherun.registry import SYSTEM, Registry

async def main():
    registry = await Registry.open(Path(sys.argv[1]), ManualClock(1), variables={})
    while True:
        stored = await registry.pairs.generate(SYSTEM, "A00")
        print("generated", stored.pair.access_key_id, flush=True)
        await registry.pairs.delete(SYSTEM, "A00", stored.pair.access_key_id)
        print("deleted", stored.pair.access_key_id, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("lines", [1, 6, 17])
async def test_what_was_answered_before_a_kill_is_there_after_it(tmp_path: Path, lines: int) -> None:
    registry = await opened(tmp_path)
    entity = await registry.entities.create(SYSTEM, "Ours")
    await registry.firms.create(SYSTEM, entity.entity_id, "OURS1", "Firm")
    await registry.sessions.create(SYSTEM, ["OURS1"], [40])
    await registry.close()
    with start(WORKER, tmp_path) as worker:
        assert worker.stdout is not None
        answered = [worker.stdout.readline() for _ in range(lines)]
        worker.kill()
        answered += worker.stdout.readlines()
    registry = await opened(tmp_path)
    for line in answered:
        if not line.endswith("\n"):
            continue
        verb, access_key_id = line.split()
        stored = registry.directory.pair(access_key_id)
        assert stored is not None
        if verb == "deleted":
            assert stored.pair.deleted_at is not None
    pairs = registry.directory.pairs_of("A00")
    deleted = sum(stored.pair.deleted_at is not None for stored in pairs)
    assert await registry.verify_audit() == 3 + len(pairs) + deleted
    await registry.close()


async def test_a_file_with_a_damaged_page_is_opened_or_refused_in_words(tmp_path: Path) -> None:
    registry = await Registry.open(tmp_path, ManualClock(START), variables={})
    await registry.seed_demo()
    await registry.close()
    file = tmp_path / "registry.sqlite3"
    whole, refused = file.read_bytes(), 0
    for at in range(0, len(whole), 4096):
        leave(tmp_path, whole[:at] + b"\xff" * 4096 + whole[at + 4096 :])
        try:
            registry = await Registry.open(tmp_path, ManualClock(START), variables={})
        except SchemaError as error:
            assert "is not a registry that can be used" in str(error)  # noqa: PT017 -- some pages are not read
            refused += 1
        else:
            await registry.close()
    assert refused > 3


def leave(data_dir: Path, database: bytes) -> None:
    """Have the database hold these bytes and nothing else."""
    for file in data_dir.glob("registry.sqlite3*"):
        file.unlink()
    (data_dir / "registry.sqlite3").write_bytes(database)
