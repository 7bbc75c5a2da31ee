"""Secrets at rest: AES-256-GCM under a master key that is kept outside the database.

Each secret is bound to its row (entity, session, access key id) as associated data, so that a sealed secret that is
copied to another row does not open. A master key is known by an id derived from it, stored with what it sealed: a new
key can take over while the old one still opens what it sealed.
"""

import os
import stat
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ontherun.keys import Secret
from ontherun.registry.errors import MasterKeyError
from ontherun.registry.records import SealedSecret

ENVIRONMENT_VARIABLE = "ONTHERUN_MASTER_KEY"
FILE_NAME = "master.key"
_KEY_BYTES = 32
_NONCE_BYTES = 12


class MasterKeys:
    """The master keys at hand. The first one seals; each opens what it sealed."""

    __slots__ = ("_ciphers", "_current", "_random_bytes")

    def __init__(self, keys: list[bytes], random_bytes: Callable[[int], bytes]) -> None:
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}
        self._current = next(iter(self._ciphers))
        self._random_bytes = random_bytes

    def __contains__(self, master_key_id: str) -> bool:
        return master_key_id in self._ciphers

    def seal(self, secret: Secret, bound_to: bytes) -> SealedSecret:
        """Seal a secret so that it opens only together with `bound_to`."""
        nonce = self._random_bytes(_NONCE_BYTES)
        return SealedSecret(self._current, nonce + self._ciphers[self._current].encrypt(nonce, secret.raw, bound_to))

    def open(self, sealed: SealedSecret, bound_to: bytes) -> bytes:
        """Return the secret's bytes (about 2 us). MasterKeyError when it was altered or belongs to another row."""
        cipher = self._ciphers.get(sealed.master_key_id)
        if cipher is None:
            raise MasterKeyError(f"Master key {sealed.master_key_id} is not at hand.")
        data = sealed.sealed
        try:
            return cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], bound_to)
        except InvalidTag:
            raise MasterKeyError("A sealed secret was altered, or moved from the row that it belongs to.") from None


def row_identity(entity_id: int, session_id: str, access_key_id: str) -> bytes:
    """Return what a sealed secret is bound to."""
    return f"ontherun key pair|{entity_id}|{session_id}|{access_key_id}".encode("ascii")


def load_master_keys(
    data_dir: Path, environment: Mapping[str, str], in_use: set[str], random_bytes: Callable[[int], bytes]
) -> MasterKeys:
    """Take the master keys from ONTHERUN_MASTER_KEY or from DIR/master.key, which is made when nothing is sealed yet.

    Both hold one key or several, divided by white space: 32 bytes as base64url each, the one to seal with first.
    `in_use` are the ids of the keys that stored secrets need. MasterKeyError when one of those is missing, or others
    than its owner may read the file.
    """
    path = data_dir / FILE_NAME
    if text := environment.get(ENVIRONMENT_VARIABLE):
        where = ENVIRONMENT_VARIABLE
    elif path.exists():
        where, text = str(path), _read_private(path)
    elif in_use:
        raise MasterKeyError(
            f"{path} is gone, and the stored secrets are sealed with master key {', '.join(sorted(in_use))}. "
            f"Put the file back, or give the key in {ENVIRONMENT_VARIABLE}."
        )
    else:
        where, text = str(path), urlsafe_b64encode(random_bytes(_KEY_BYTES)).decode("ascii")
        write_private(path, text + "\n")
    keys = MasterKeys([_parse(word, where) for word in text.split()] or [_parse("", where)], random_bytes)
    if missing := sorted(master_key_id for master_key_id in in_use if master_key_id not in keys):
        raise MasterKeyError(
            f"The stored secrets are sealed with master key {', '.join(missing)}, which is not in {where}. "
            "Add that key there, after the present one."
        )
    return keys


def write_private(path: Path, text: str) -> None:
    """Create a file that only its owner may read, durable on return. FileExistsError when there is one already."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    directory = os.open(path.parent, os.O_RDONLY)
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
    if len(key) != _KEY_BYTES:
        raise MasterKeyError(
            f"{where} does not hold a master key: each one is {_KEY_BYTES} bytes as base64url (43 characters)."
        )
    return key


def _key_id(key: bytes) -> str:
    return sha256(b"ontherun master key id" + key).hexdigest()[:16]
