"""The database file: how it is opened, created and brought up to date.

A new file is created from the tables; an older one is migrated by Alembic, which is imported only then (0.1 s). A test
proves that both ways end in the same schema.
"""

from pathlib import Path
from sqlite3 import Connection as SQLiteConnection
from typing import Any

from sqlalchemy import Connection, event, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ontherun.registry.errors import SchemaError
from ontherun.registry.tables import Base

FILE_NAME = "registry.sqlite3"
HEAD = "0003"
"""The revision that the tables have; revisions are four digits and grow."""

OLDEST = "0003"
"""The first revision that is carried over: earlier ones were never released."""


def open_engine(data_dir: Path, *, read_only: bool = False) -> AsyncEngine:
    """Open the registry's SQLite file with one connection, for one process.

    SQLite before 3.51.3 can lose WAL content when two connections write or checkpoint at once, hence the one. A commit
    is on the disk when it returns (synchronous=FULL). Only its owner may read it; SQLite gives its other files the same
    mode. With `read_only` it is another process's, and never written or checkpointed here.
    """
    path = data_dir / FILE_NAME
    if read_only:
        url, begin = f"sqlite+aiosqlite:///file:{path}?mode=ro&uri=true", "BEGIN"
        pragmas: tuple[str, ...] = ("busy_timeout=5000",)
    else:
        path.touch(mode=0o600)
        path.chmod(0o600)
        url, begin = f"sqlite+aiosqlite:///{path}", "BEGIN IMMEDIATE"
        pragmas = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000")
    engine = create_async_engine(url, pool_size=1, max_overflow=0, hide_parameters=True)

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: SQLiteConnection, _record: object) -> None:
        connection.isolation_level = None  # we begin transactions ourselves
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


async def prepare_schema(engine: AsyncEngine) -> None:
    """Create or migrate the tables. SchemaError when the file is not one that this version can use."""
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_prepare)
    except DBAPIError as error:
        raise SchemaError(f"{engine.url.database} is not a registry that can be used: {error.orig}") from None


def _prepare(connection: Connection) -> None:
    tables = inspect(connection).get_table_names()
    if not tables:
        Base.metadata.create_all(connection)
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})
        return
    if "alembic_version" not in tables:
        raise SchemaError(f"{connection.engine.url.database} holds other tables than a registry's.")
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""
    if revision > HEAD:
        raise SchemaError(
            f"{connection.engine.url.database} was written by a later version of ontherun (schema {revision}, this one "
            f"knows up to {HEAD}). Use that version."
        )
    if "" < revision < OLDEST:
        raise SchemaError(
            f"{connection.engine.url.database} was written by a trial version of ontherun (schema {revision}), from "
            "which nothing is carried over. Give this one a new data directory."
        )
    if revision < HEAD:
        _migrate(connection)


def _migrate(connection: Any) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
