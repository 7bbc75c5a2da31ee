"""Keys that wrap data keys and never leave their vault: HashiCorp Vault or OpenBao transit, and AWS KMS.

Asked when a venue starts and when the master key is rotated, never for a login. Both libraries are extras, imported
when they are needed; each call may wait for the network, so it runs in a thread.
"""

import asyncio
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from ontherun.registry.errors import MasterKeyError

_TIMEOUT = 10  # seconds


class KeyWrapper(Protocol):
    """A key in a vault."""

    def wrap(self, key: bytes, key_id: str) -> bytes:
        """Return the data key wrapped. Any exception: it did not work."""

    def unwrap(self, wrapped: bytes, key_id: str) -> bytes:
        """Return the data key. Any exception: it did not work."""


class VaultTransit:
    """vault:MOUNT/KEY, at VAULT_ADDR, with VAULT_TOKEN or the file VAULT_TOKEN_FILE; VAULT_NAMESPACE where needed."""

    def __init__(self, name: str, variables: Mapping[str, str]) -> None:
        self._mount, _, self._key = name.rpartition("/")
        address, token_file = variables.get("VAULT_ADDR"), variables.get("VAULT_TOKEN_FILE")
        token = variables.get("VAULT_TOKEN") or (Path(token_file).read_text("ascii").strip() if token_file else None)
        if not self._mount or not self._key or not address or not token:
            raise ValueError("it takes vault:MOUNT/KEY, VAULT_ADDR, and VAULT_TOKEN or VAULT_TOKEN_FILE")
        self._options = {"url": address, "token": token, "namespace": variables.get("VAULT_NAMESPACE")}

    def _transit(self) -> Any:
        import hvac  # type: ignore[import-untyped]

        return hvac.Client(timeout=_TIMEOUT, **self._options).secrets.transit

    def wrap(self, key: bytes, key_id: str) -> bytes:  # noqa: ARG002 -- transit binds to nothing; the id is a hash of the key
        """Encrypt with the newest version of the transit key."""
        answer = self._transit().encrypt_data(self._key, plaintext=b64encode(key).decode(), mount_point=self._mount)
        return str(answer["data"]["ciphertext"]).encode("ascii")

    def unwrap(self, wrapped: bytes, key_id: str) -> bytes:  # noqa: ARG002 -- see wrap
        """Decrypt with the version that the ciphertext names."""
        answer = self._transit().decrypt_data(self._key, ciphertext=wrapped.decode("ascii"), mount_point=self._mount)
        return b64decode(answer["data"]["plaintext"])


class AwsKms:
    """aws-kms:KEY-ID, an ARN or alias/NAME; region and credentials as the AWS tools find them."""

    def __init__(self, name: str, variables: Mapping[str, str]) -> None:
        if not name:
            raise ValueError("it takes aws-kms:KEY-ID, an ARN, or aws-kms:alias/NAME")
        self._key = name
        self._region = variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION")

    def _kms(self) -> Any:
        import boto3  # type: ignore[import-untyped]
        from botocore.config import Config  # type: ignore[import-untyped]

        config = Config(connect_timeout=_TIMEOUT, read_timeout=_TIMEOUT, retries={"total_max_attempts": 2})
        return boto3.client("kms", region_name=self._region, config=config)

    def wrap(self, key: bytes, key_id: str) -> bytes:
        """Encrypt, bound to the data key's id."""
        answer = self._kms().encrypt(KeyId=self._key, Plaintext=key, EncryptionContext=_context(key_id))
        return bytes(answer["CiphertextBlob"])

    def unwrap(self, wrapped: bytes, key_id: str) -> bytes:
        """Decrypt; fails for another data key's id."""
        answer = self._kms().decrypt(KeyId=self._key, CiphertextBlob=wrapped, EncryptionContext=_context(key_id))
        return bytes(answer["Plaintext"])


_WRAPPERS: dict[str, type[VaultTransit | AwsKms]] = {"vault": VaultTransit, "aws-kms": AwsKms}


def is_wrapper(word: str) -> bool:
    """Whether a word names a wrapping key, not a master key itself."""
    return word.partition(":")[0] in _WRAPPERS and ":" in word


async def wrap(word: str, key: bytes, key_id: str, variables: Mapping[str, str] = os.environ) -> bytes:
    """Wrap a data key with the key that `word` names. MasterKeyError with the reason when that does not work."""
    return await _ask(word, variables, lambda wrapper: wrapper.wrap(key, key_id))


async def unwrap(word: str, wrapped: bytes, key_id: str, variables: Mapping[str, str] = os.environ) -> bytes:
    """Unwrap a data key. MasterKeyError with the reason when that does not work."""
    return await _ask(word, variables, lambda wrapper: wrapper.unwrap(wrapped, key_id))


async def _ask(word: str, variables: Mapping[str, str], ask: Any) -> bytes:
    kind, _, name = word.partition(":")
    extra = "vault" if kind == "vault" else "aws"
    try:
        wrapper = _WRAPPERS[kind](name, variables)
        return bytes(await asyncio.to_thread(ask, wrapper))
    except ModuleNotFoundError as error:
        raise MasterKeyError(f"{word} needs {error.name}: pip install 'ontherun[{extra}]'") from None
    except Exception as error:  # noqa: BLE001 -- whatever their libraries raise: the venue cannot open its secrets
        reason = " ".join(str(error).split())[:300]
        raise MasterKeyError(f"The master key cannot be had from {word}: {type(error).__name__}: {reason}") from None


def _context(key_id: str) -> dict[str, str]:
    return {"ontherun-data-key": key_id}
