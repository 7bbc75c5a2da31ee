"""Where the master keys come from: ONTHERUN_MASTER_KEY, or DIR/master.key, which is made when nothing is sealed yet.

Both hold one word or several, divided by white space, the one to seal with first. A word is a master key itself, 32
bytes as base64url, or names a key that wraps the master keys, which then lie in the database: vault:MOUNT/KEY or
aws-kms:KEY-ID (see `key_wrappers`). With the variable set, the file's keys still open what they sealed.
"""

import os
import stat
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Executable, Row, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ontherun.registry.errors import ConflictError, MasterKeyError
from ontherun.registry.key_wrappers import is_wrapper, unwrap, wrap
from ontherun.registry.sealing import KEY_BYTES, MasterKeys, key_id, write_private
from ontherun.registry.tables_master_key import DataKeyRow

ENVIRONMENT_VARIABLE = "ONTHERUN_MASTER_KEY"
FILE_NAME = "master.key"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that is to seal from now on, and what writes it into the database, where it lies there."""

    key: bytes
    statements: tuple[Executable, ...]


class KeySource:
    """The places of the master keys of one data directory, and how a new one is put there."""

    def __init__(self, data_dir: Path, variables: Mapping[str, str], random_bytes: Callable[[int], bytes]) -> None:
        self._file = data_dir / FILE_NAME
        self._variables = variables
        self._random_bytes = random_bytes
        self._words: list[str] = []
        self._position = 0

    @property
    def name(self) -> str:
        """Where the key that seals comes from, for people; never a key itself."""
        if is_wrapper(self._words[0]):
            return self._words[0]
        return ENVIRONMENT_VARIABLE if self._from_environment else str(self._file)

    @property
    def _from_environment(self) -> bool:
        return bool(self._variables.get(ENVIRONMENT_VARIABLE))

    async def load(self, connection: AsyncConnection, in_use: set[str], now: int) -> MasterKeys:
        """Return the master keys. `in_use` are the ids of those that stored secrets need.

        MasterKeyError when one of those is missing, a vault does not give it, or others than its owner may read the
        file.
        """
        self._words = self._read(in_use)
        where = ENVIRONMENT_VARIABLE if self._from_environment else str(self._file)
        rows = (await connection.execute(select(DataKeyRow.__table__).order_by(DataKeyRow.position.desc()))).all()
        self._position = max((row.position for row in rows), default=0)
        keys: list[bytes] = []
        for place, word in enumerate(self._words):
            if not is_wrapper(word):
                keys.append(_parse(word, where))
                continue
            wrapped = [row for row in rows if row.wrapper == word]
            if not wrapped and place == 0:
                made = await self.make(now)
                for statement in made.statements:
                    await connection.execute(statement)
                keys.append(made.key)
            keys += [await self._unwrapped(row) for row in wrapped]
        found = MasterKeys(keys, self._random_bytes)
        if missing := sorted(name for name in in_use if name not in found):
            wrappers = sorted({row.wrapper for row in rows if row.data_key_id in missing})
            what = f"{wrappers[0]}, which wraps it," if wrappers else "that key"
            raise MasterKeyError(
                f"The stored secrets are sealed with master key {', '.join(missing)}, which is not in {where}. "
                f"Add {what} there, after the present one."
            )
        return found

    async def make(self, now: int) -> NewKey:
        """Make a key to take over. ConflictError where only a person can put it: in an environment variable."""
        key = self._random_bytes(KEY_BYTES)
        word = self._words[0]
        if is_wrapper(word):
            wrapped = await wrap(word, key, key_id(key), self._variables)
            self._position += 1
            row = {"data_key_id": key_id(key), "wrapper": word, "wrapped": wrapped, "created_at": now}
            return NewKey(key, (insert(DataKeyRow).values(position=self._position, **row),))
        if self._from_environment:
            raise ConflictError(
                f"The master key is in {ENVIRONMENT_VARIABLE}: put a new one in front of it there, divided by a space, "
                "and restart. The secrets are sealed anew then."
            )
        return NewKey(key, ())

    def add(self, made: NewKey) -> None:
        """Write a new key to the file, in front, durable on return; one of a vault is in the database already."""
        if not made.statements:
            self._words.insert(0, urlsafe_b64encode(made.key).decode("ascii"))
            self._write()

    def drop_newest(self, made: NewKey) -> None:
        """Take back what `add` did."""
        if not made.statements:
            del self._words[0]
            self._write()

    def drop_old(self, current: str) -> tuple[Executable, ...]:
        """Forget every key but the current one, for nothing is sealed with them; return what the database does.

        What stands in the environment variable, and a file beside it, are a person's to remove.
        """
        if not self._from_environment:
            self._words = self._words[:1]
            self._write()
        return (delete(DataKeyRow).where(DataKeyRow.data_key_id != current),)

    async def _unwrapped(self, row: Row[Any]) -> bytes:
        key = await unwrap(row.wrapper, row.wrapped, row.data_key_id, self._variables)
        if len(key) != KEY_BYTES or key_id(key) != row.data_key_id:
            raise MasterKeyError(f"Data key {row.data_key_id} was altered, or its wrapping key gives another one.")
        return key

    def _read(self, in_use: set[str]) -> list[str]:
        text = self._variables.get(ENVIRONMENT_VARIABLE, "")
        if self._file.exists():
            text = f"{text} {_read_private(self._file)}"
        elif not text and in_use:
            raise MasterKeyError(
                f"{self._file} is gone, and the stored secrets are sealed with master key {', '.join(sorted(in_use))}. "
                f"Put the file back, or give the key in {ENVIRONMENT_VARIABLE}."
            )
        elif not text:
            text = urlsafe_b64encode(self._random_bytes(KEY_BYTES)).decode("ascii")
            write_private(self._file, text + "\n")
        return text.split() or [""]

    def _write(self) -> None:
        """Replace the file whole or not at all."""
        draft = self._file.with_suffix(".new")
        draft.unlink(missing_ok=True)
        write_private(draft, "\n".join(self._words) + "\n")
        draft.replace(self._file)
        directory = os.open(self._file.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _read_private(path: Path) -> str:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise MasterKeyError(f"{path} may be read by others than its owner (mode {mode:04o}). Run: chmod 600 {path}")
    return path.read_text(encoding="ascii", errors="replace")


def _parse(word: str, where: str) -> bytes:
    try:
        key = b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise MasterKeyError(
            f"{where} does not hold a master key: each one is {KEY_BYTES} bytes as base64url (43 characters)."
        )
    return key
