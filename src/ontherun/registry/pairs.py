"""Secure key pairs: generated, listed, read and deleted, each with its audit entry."""

from collections.abc import Callable

from sqlalchemy import insert, update

from ontherun.keys import (
    ACCESS_KEY_ID_RANDOM_BYTES,
    SECRET_KEY_RANDOM_BYTES,
    KeyFile,
    KeyPolicy,
    PairDeletedError,
    Secret,
    delete,
    generate,
)
from ontherun.registry.errors import NotFoundError
from ontherun.registry.principal import Principal, Right
from ontherun.registry.records import StoredKeyPair
from ontherun.registry.sealing import MasterKeys, row_identity
from ontherun.registry.sessions import Sessions
from ontherun.registry.store import Store
from ontherun.registry.tables import KeyPairRow


class KeyPairs:
    """The key pairs of all sessions."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        master_keys: MasterKeys,
        policy: KeyPolicy,
        environment: str,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._directory = store.directory
        self._sessions = sessions
        self._master_keys = master_keys
        self._policy = policy
        self._environment = environment
        self._random_bytes = random_bytes

    async def generate(self, by: Principal, session_id: str) -> StoredKeyPair:
        """Generate a pair, usable for the next login. KeyRuleError when the session may have no more.

        The secret is not handed out here: `download` is the only way to read it, and leaves its own audit entry.
        """
        async with self._store.change(by) as change:
            session = self._sessions.get(by, session_id)
            by.require(Right.GENERATE_KEYS, session.entity_id)
            pair, secret = generate(
                session_id,
                [stored.pair for stored in self._directory.pairs_of(session_id)],
                access_key_id_random=self._random_bytes(ACCESS_KEY_ID_RANDOM_BYTES),
                secret_key_random=self._random_bytes(SECRET_KEY_RANDOM_BYTES),
                now=change.now,
                policy=self._policy,
            )
            bound_to = row_identity(session.entity_id, session_id, pair.access_key_id)
            sealed = self._master_keys.seal(secret, bound_to)
            stored = StoredKeyPair(pair, session.entity_id, sealed)
            change.write(
                insert(KeyPairRow).values(
                    access_key_id=pair.access_key_id,
                    session_id=session_id,
                    created_at=pair.created_at,
                    expires_at=pair.expires_at,
                    sealed_secret=sealed.sealed,
                    master_key_id=sealed.master_key_id,
                )
            )
            change.record(
                "key_pair.generated",
                session.entity_id,
                f"session {session_id}",
                access_key_id=pair.access_key_id,
                expires_at=pair.expires_at,
            )
            change.then(lambda: self._directory.put_pair(stored))
        return stored

    async def download(self, by: Principal, session_id: str, access_key_id: str, file_format: str) -> KeyFile:
        """Read a pair with its secret, as often as wanted while the pair exists (CME Customer Center help).

        The audit entry is committed before the secret is opened. PairDeletedError when the pair was deleted.
        `file_format` is what the caller makes of it, for the audit.
        """
        async with self._store.change(by) as change:
            session = self._sessions.get(by, session_id)
            by.require(Right.DOWNLOAD_KEYS, session.entity_id)
            stored = self.get(by, session_id, access_key_id)
            if stored.secret is None:
                raise PairDeletedError(stored.pair)
            change.record(
                "key_pair.downloaded",
                session.entity_id,
                f"session {session_id}",
                access_key_id=access_key_id,
                file_format=file_format,
            )
        bound_to = row_identity(session.entity_id, session_id, access_key_id)
        secret = Secret(self._master_keys.open(stored.secret, bound_to))
        return KeyFile(stored.pair, secret, session.firms[0], self._environment)

    async def delete(self, by: Principal, session_id: str, access_key_id: str) -> StoredKeyPair:
        """Delete a pair: the next login with it is refused, and its secret is erased.

        PairDeletedError when it already is.
        """
        async with self._store.change(by) as change:
            found = self.get(by, session_id, access_key_id)
            by.require(Right.DELETE_KEYS, found.entity_id)
            pair = delete(found.pair, change.now)
            stored = StoredKeyPair(pair, found.entity_id, None)
            change.write(
                update(KeyPairRow)
                .where(KeyPairRow.access_key_id == access_key_id)
                .values(deleted_at=pair.deleted_at, sealed_secret=None, master_key_id=None)
            )
            change.record("key_pair.deleted", found.entity_id, f"session {session_id}", access_key_id=access_key_id)
            change.then(lambda: self._directory.put_pair(stored))
        return stored

    def get(self, by: Principal, session_id: str, access_key_id: str) -> StoredKeyPair:
        """Return a pair of the session. NotFoundError when there is none for this principal."""
        self._sessions.get(by, session_id)
        stored = self._directory.pair(access_key_id)
        if stored is None or stored.pair.session_id != session_id:
            raise NotFoundError(f"key pair {access_key_id} of session {session_id}")
        return stored

    def list(self, by: Principal, session_id: str, *, deleted: bool = False) -> list[StoredKeyPair]:
        """Return a session's pairs, oldest first; deleted ones only when asked for."""
        self._sessions.get(by, session_id)
        pairs = self._directory.pairs_of(session_id)
        return [stored for stored in pairs if deleted or stored.pair.deleted_at is None]
