"""Test my key: a pasted login judged with the session's own secrets, which stay here."""

from ontherun.ilink.key_test import Finding, Key, judge
from ontherun.ilink.messages import Establish, Negotiate
from ontherun.registry.principal import Principal, Right
from ontherun.registry.rates import RateLimit
from ontherun.registry.records import OrderEntrySession
from ontherun.registry.sealing import MasterKeys, row_identity
from ontherun.registry.sessions import Sessions
from ontherun.registry.store import Store

TESTS_A_MINUTE = 30
"""How many tests one principal may make within 60 s."""


class KeyTests:
    """Judges logins of sessions. Each test uses secrets, so it leaves an audit entry before it opens them."""

    def __init__(self, store: Store, sessions: Sessions, master_keys: MasterKeys) -> None:
        self._store = store
        self._sessions = sessions
        self._master_keys = master_keys
        self._rate = RateLimit(TESTS_A_MINUTE, 60)

    def check(self, by: Principal, session_id: str) -> OrderEntrySession:
        """Count one test of the principal. NotFoundError, ForbiddenError, TooManyError."""
        session = self._sessions.get(by, session_id)
        by.require(Right.DOWNLOAD_KEYS, session.entity_id)
        self._rate.take(by.name)
        return session

    async def judge(
        self, by: Principal, session_id: str, login: Negotiate | Establish, signed_text: bytes | None = None
    ) -> Finding:
        """Judge a login with every key pair of the session that is not deleted.

        Who may download the secret may have it used. The caller has asked `check`.
        """
        async with self._store.change(by) as change:
            session = self._sessions.get(by, session_id)
            by.require(Right.DOWNLOAD_KEYS, session.entity_id)
            stored = [pair for pair in self._store.directory.pairs_of(session_id) if pair.secret is not None]
            change.record(
                "key_pair.tested",
                session.entity_id,
                f"session {session_id}",
                message=type(login).__name__,
                access_key_ids=[pair.pair.access_key_id for pair in stored],
            )
        keys = []
        for pair in stored:
            assert pair.secret is not None
            access_key_id, state = pair.pair.access_key_id, pair.state(change.now)
            bound_to = row_identity(session.entity_id, session_id, access_key_id)
            secret = self._master_keys.open(pair.secret, bound_to)
            keys.append(Key(access_key_id, secret, state.value, valid=state.valid))
        return judge(login, session_id, keys, change.now, signed_text=signed_text)
