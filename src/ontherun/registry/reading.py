"""The registry of another process, read and never written: what a standby judges logins by."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from ontherun.keys import Clock
from ontherun.registry.directory import Directory
from ontherun.registry.errors import SchemaError, UnavailableError
from ontherun.registry.key_source import KeySource
from ontherun.registry.loading import chain_head, fill
from ontherun.registry.schema import open_engine
from ontherun.registry.sealed_columns import sealed_with


class DirectoryReader:
    """The `directory` of a data directory that another process has open, as it was when `refresh` last looked."""

    def __init__(self, engine: AsyncEngine, data_dir: Path, clock: Clock, variables: Mapping[str, str]) -> None:
        self.directory: Directory
        self._engine = engine
        self._data_dir = data_dir
        self._clock = clock
        self._variables = variables
        self._sequence = -1

    @classmethod
    async def open(cls, data_dir: Path, clock: Clock, variables: Mapping[str, str] = os.environ) -> Self:
        """Read everything once. SchemaError or MasterKeyError when it cannot be read."""
        reader = cls(open_engine(data_dir, read_only=True), data_dir, clock, variables)
        try:
            await reader.refresh()
        except UnavailableError as error:
            await reader.close()
            raise SchemaError(str(error)) from None
        except BaseException:
            await reader.close()
            raise
        return reader

    async def refresh(self) -> bool:
        """Read everything again if there is a new audit entry, as every change has one; whether there was.

        UnavailableError when the database cannot be read now: the directory stays as it is.
        """
        try:
            async with self._engine.begin() as connection:
                head = await chain_head(connection)
                if head.sequence == self._sequence:
                    return False
                source = KeySource(self._data_dir, self._variables, os.urandom)
                in_use = set(await sealed_with(connection))
                directory = Directory(await source.load(connection, in_use, self._clock.now()))
                await fill(directory, connection)
        except DBAPIError as error:
            raise UnavailableError(f"The registry's database cannot be read now ({error.orig}).") from None
        self.directory, self._sequence = directory, head.sequence
        return True

    async def close(self) -> None:
        """Let the database go. A second time does nothing."""
        await self._engine.dispose()
