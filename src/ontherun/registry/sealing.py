"""Secrets at rest: AES-256-GCM under a master key that is kept outside the database.

Each secret is bound to its row (entity, session, access key id) as associated data, so that a sealed secret that is
copied to another row does not open. A master key is known by an id derived from it, stored with what it sealed: a new
key can take over while the old one still opens what it sealed.
"""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ontherun.keys import Secret
from ontherun.registry.errors import MasterKeyError
from ontherun.registry.records import SealedSecret

KEY_BYTES = 32
_NONCE_BYTES = 12


class MasterKeys:
    """The master keys at hand. The first one seals; each opens what it sealed."""

    __slots__ = ("_ciphers", "_current", "_random_bytes")

    def __init__(self, keys: list[bytes], random_bytes: Callable[[int], bytes]) -> None:
        self._ciphers = {key_id(key): AESGCM(key) for key in keys}
        self._current = next(iter(self._ciphers))
        self._random_bytes = random_bytes

    def __contains__(self, master_key_id: str) -> bool:
        return master_key_id in self._ciphers

    @property
    def current(self) -> str:
        """The id of the key that seals."""
        return self._current

    def take_over(self, key: bytes) -> None:
        """Have a new key seal from now on; the others still open what they sealed."""
        self._ciphers[key_id(key)] = AESGCM(key)
        self._current = key_id(key)

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


def totp_identity(user_id: int) -> bytes:
    """Return what the sealed secret of a user's authenticator app is bound to."""
    return f"ontherun totp|{user_id}".encode("ascii")


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


def key_id(key: bytes) -> str:
    """Return the id by which a master key is known; it tells nothing of the key."""
    return sha256(b"ontherun master key id" + key).hexdigest()[:16]
