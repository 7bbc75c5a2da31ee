"""Secure key pairs: everything that may be done with them, each with its audit entry."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ontherun.calendar import MarketCalendar
from ontherun.keys import (
    Health,
    KeyFile,
    KeyPolicy,
    KeyUse,
    PairDeletedError,
    Secret,
    activate,
    cut_over,
    deactivate,
    health_of_session,
    score_of_entity,
)
from ontherun.registry.checks import checked_name
from ontherun.registry.errors import ConflictError, NotFoundError
from ontherun.registry.handover import fingerprint, read_public_key, sealed_file
from ontherun.registry.key_use import KeyUses
from ontherun.registry.pairs_changes import PairChanges
from ontherun.registry.principal import Principal, Right, SecondFactor
from ontherun.registry.records import LABEL_PATTERN, AnySession, StoredKeyPair
from ontherun.registry.sealing import MasterKeys, row_identity
from ontherun.registry.store import Change, Store


@dataclass(frozen=True, slots=True)
class Revoked:
    """What an emergency revocation did: the pairs it deleted, and the sessions whose live logins are to be ended."""

    pairs: tuple[StoredKeyPair, ...]
    end_live_sessions: tuple[str, ...]


class KeyPairs:
    """The key pairs of all sessions, of every service.

    NotFoundError for what the principal does not see, ForbiddenError without the right, KeyRuleError for what the rules
    of `ontherun.keys` refuse, UnavailableError when it could not be written: then nothing happened.
    """

    def __init__(
        self,
        store: Store,
        master_keys: MasterKeys,
        uses: KeyUses,
        policy: KeyPolicy,
        environment: str,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self.environment = environment
        self.uses = uses
        self._store = store
        self._directory = store.directory
        self._master_keys = master_keys
        self._changes = PairChanges(store.directory, master_keys, policy, random_bytes)

    async def generate(
        self,
        by: Principal,
        session_id: str,
        *,
        delete: str | None = None,
        cut_over_at: int | None = None,
        label: str = "",
    ) -> StoredKeyPair:
        """Generate a pair, usable for the next login, or from `cut_over_at` on, when the older one then ends.

        `label` is a name for people. `delete` is the Access Key ID of the pair that makes room for a third one:
        PairLimitError when it is missing. The secret is not handed out here: `download` is the only way to read it, and
        leaves its own audit entry.
        """
        label = checked_name("label", label, LABEL_PATTERN)
        async with self._store.change(by) as change:
            session = self.session(by, session_id)
            by.require(Right.GENERATE_KEYS, session.entity_id)
            if delete is not None:
                by.require(Right.DELETE_KEYS, session.entity_id)
            return self._changes.generate(change, session, delete, cut_over_at, label)

    async def label(self, by: Principal, session_id: str, access_key_id: str, label: str) -> StoredKeyPair:
        """Call a pair something else, or nothing. ConflictError when it is called that already.

        It takes the right to generate pairs: a label changes nothing about what a pair can do.
        """
        label = checked_name("label", label, LABEL_PATTERN)
        async with self._store.change(by) as change:
            found = self.get(by, session_id, access_key_id)
            by.require(Right.GENERATE_KEYS, found.entity_id)
            if found.label == label:
                raise ConflictError("Nothing would change: the key pair has this label already.")
            changed = replace(found, label=label)
            self._changes.put(change, changed)
            self._changes.record(
                change, "key_pair.labelled", found.pair, found.entity_id, label=label, before=found.label
            )
        return changed

    async def download(
        self,
        by: Principal,
        session_id: str,
        access_key_id: str,
        file_format: str,
        *,
        reason: str = "",
        second_factor: SecondFactor | None = None,
    ) -> KeyFile:
        """Read a pair with its secret, as often as wanted while the pair exists (CME Customer Center help).

        A person proves a second factor each time: SecondFactorRequiredError. The audit entry is committed before the
        secret is opened. PairDeletedError when the pair was deleted. `file_format` is what the caller makes of it, and
        `reason` why, both for the audit.
        """
        reason = checked_name("reason", reason, LABEL_PATTERN)
        async with self._store.change(by) as change:
            stored = self.readable(by, session_id, access_key_id)
            by.require_second_factor(second_factor, change.now)
            self.record_download(change, stored, file_format=file_format, reason=reason)
        return self.opened(stored)

    async def download_sealed(
        self,
        by: Principal,
        session_id: str,
        access_key_id: str,
        public_key: str,
        *,
        reason: str = "",
        second_factor: SecondFactor | None = None,
    ) -> str:
        """Read a pair with its secret sealed to the receiver's `public_key` (PEM), as JSON: see `handover`.

        InvalidError for a key that cannot be sealed to; otherwise as `download`. The audit names the key's fingerprint.
        """
        reason = checked_name("reason", reason, LABEL_PATTERN)
        async with self._store.change(by) as change:
            stored = self.readable(by, session_id, access_key_id)
            receiver = read_public_key(public_key)
            by.require_second_factor(second_factor, change.now)
            self.record_download(change, stored, file_format="sealed", receiver=fingerprint(receiver), reason=reason)
        return sealed_file(self.opened(stored), receiver)

    async def delete(self, by: Principal, session_id: str, access_key_id: str) -> StoredKeyPair:
        """Delete a pair: the next login with it is refused, and its secret is erased. It does not come back.

        PairDeletedError when it already is.
        """
        async with self._store.change(by) as change:
            found = self._removable(by, session_id, access_key_id)
            self._changes.delete(change, found)
        return self._now(access_key_id)

    async def deactivate(self, by: Principal, session_id: str, access_key_id: str) -> StoredKeyPair:
        """Take a pair out of use: the next login with it is refused, until it is activated. Its life goes on."""
        async with self._store.change(by) as change:
            found = self._removable(by, session_id, access_key_id)
            changed = replace(found, pair=deactivate(found.pair, change.now))
            self._changes.put(change, changed)
            self._changes.record(change, "key_pair.deactivated", found.pair, found.entity_id)
        return changed

    async def activate(self, by: Principal, session_id: str, access_key_id: str) -> StoredKeyPair:
        """Bring a deactivated pair back into use."""
        async with self._store.change(by) as change:
            found = self._removable(by, session_id, access_key_id)
            changed = replace(found, pair=activate(found.pair, change.now))
            self._changes.put(change, changed)
            self._changes.record(change, "key_pair.activated", found.pair, found.entity_id)
        return changed

    async def cut_over(self, by: Principal, session_id: str, access_key_id: str, at: int) -> Sequence[StoredKeyPair]:
        """Have every other pair of the session end at `at` (ns since 1970 UTC), when this one takes over.

        CutOverError when that would leave a gap. Returns the session's pairs that exist.
        """
        async with self._store.change(by) as change:
            to = self._removable(by, session_id, access_key_id)
            pairs = [stored.pair for stored in self._directory.pairs_of(session_id)]
            changed = cut_over(pairs, to.pair, at, change.now)
            for pair in changed:
                self._changes.put(change, replace(self._now(pair.access_key_id), pair=pair))
            self._changes.record_cut_over(change, to, at, changed)
        return self.list(by, session_id)

    async def revoke_session(
        self,
        by: Principal,
        session_id: str,
        *,
        reason: str,
        end_live_sessions: bool = False,
        second_factor: SecondFactor | None = None,
    ) -> Revoked:
        """In an emergency, delete every living pair of a session at once. A person proves a second factor.

        The caller ends the live logins that the result names. ConflictError when there is nothing to revoke.
        """
        return await self._revoke(by, [self.session(by, session_id)], reason, end_live_sessions, second_factor)

    async def revoke_firm(
        self,
        by: Principal,
        gfid: str,
        *,
        reason: str,
        end_live_sessions: bool = False,
        second_factor: SecondFactor | None = None,
    ) -> Revoked:
        """In an emergency, delete every living pair of every session that carries a firm; as `revoke_session`."""
        firm = self._directory.firm(gfid)
        if firm is None or not by.sees(firm.entity_id):
            raise NotFoundError(f"Globex firm {gfid}")
        sessions = [session for session in self.sessions(by) if gfid in session.firms]
        return await self._revoke(by, sessions, reason, end_live_sessions, second_factor)

    def note_use(self, access_key_id: str, at: int, source: str, gateway: str, ok: bool) -> None:
        """Note a login with a pair that a gateway accepted (`ok`) or refused: cheap, written later in batches."""
        self.uses.note(access_key_id, at, source, gateway, ok=ok)

    # What is there.

    def get(self, by: Principal, session_id: str, access_key_id: str) -> StoredKeyPair:
        """Return a pair of the session."""
        self.session(by, session_id)
        stored = self._directory.pair(access_key_id)
        if stored is None or stored.pair.session_id != session_id:
            raise NotFoundError(f"key pair {access_key_id} of session {session_id}")
        return stored

    def list(self, by: Principal, session_id: str, *, deleted: bool = False) -> Sequence[StoredKeyPair]:
        """Return a session's pairs, oldest first; deleted ones only when asked for."""
        self.session(by, session_id)
        pairs = self._directory.pairs_of(session_id)
        return [stored for stored in pairs if deleted or stored.pair.deleted_at is None]

    def every(self, by: Principal, *, deleted: bool = False) -> Sequence[StoredKeyPair]:
        """Return the pairs of every session that the principal sees, in the order of their making."""
        return [
            stored
            for stored in self._directory.pairs()
            if by.sees(stored.entity_id) and (deleted or stored.pair.deleted_at is None)
        ]

    def session(self, by: Principal, session_id: str) -> AnySession:
        """Return the session of any service that pairs are asked for."""
        session = self._directory.session(session_id)
        if session is None or session.deleted_at is not None or not by.sees(session.entity_id):
            raise NotFoundError(f"session {session_id}")
        return session

    def sessions(self, by: Principal) -> Sequence[AnySession]:
        """Return the sessions of every service that the principal sees, in the order of their creation."""
        return [
            session
            for session in self._directory.sessions()
            if session.deleted_at is None and by.sees(session.entity_id)
        ]

    def use_of(self, access_key_id: str) -> KeyUse:
        """Return how a pair was used."""
        return self.uses.of(access_key_id)

    @property
    def policy(self) -> KeyPolicy:
        """The rules as they are now."""
        return self._changes.policy

    def calendar_of(self, session: AnySession) -> MarketCalendar:
        """Return the calendar whose closes end the pairs of a session."""
        return self._changes.calendar_of(session)

    def health(self, session_id: str) -> Health:
        """Return how well the pairs of a session are looked after."""
        pairs = [stored.pair for stored in self._directory.pairs_of(session_id)]
        return health_of_session(pairs, self.uses.known, self._store.clock.now())

    def health_of_entity(self, by: Principal, entity_id: int) -> tuple[int, dict[str, Health]]:
        """Return the score of an entity, and the health of each of its sessions by Session ID."""
        if self._directory.entity(entity_id) is None or not by.sees(entity_id):
            raise NotFoundError(f"entity {entity_id}")
        found = {
            session.session_id: self.health(session.session_id)
            for session in self.sessions(by)
            if session.entity_id == entity_id
        }
        return score_of_entity(found.values()), found

    # What the bulk functions need.

    @property
    def changes(self) -> PairChanges:
        """What puts pairs into a change."""
        return self._changes

    def readable(self, by: Principal, session_id: str, access_key_id: str) -> StoredKeyPair:
        """Return a pair whose secret is there and may be read. PairDeletedError when it is erased."""
        stored = self.get(by, session_id, access_key_id)
        by.require(Right.DOWNLOAD_KEYS, stored.entity_id)
        if stored.secret is None:
            raise PairDeletedError(stored.pair)
        return stored

    def record_download(self, change: Change, stored: StoredKeyPair, **details: object) -> None:
        """Have the audit say that the secret of a pair is read; empty details are left out."""
        given = {name: value for name, value in details.items() if value}
        self._changes.record(change, "key_pair.downloaded", stored.pair, stored.entity_id, **given)

    def opened(self, stored: StoredKeyPair) -> KeyFile:
        """Open the secret of a pair, after the audit entry about it was committed."""
        pair = stored.pair
        session = self._directory.session(pair.session_id)
        assert session is not None  # a foreign key
        assert stored.secret is not None  # readable
        bound_to = row_identity(stored.entity_id, pair.session_id, pair.access_key_id)
        secret = Secret(self._master_keys.open(stored.secret, bound_to))
        return KeyFile(pair, secret, session.firms[0], self.environment, stored.label)

    async def _revoke(
        self,
        by: Principal,
        sessions: Sequence[AnySession],
        reason: str,
        end_live_sessions: bool,
        second_factor: SecondFactor | None,
    ) -> Revoked:
        reason = checked_name("reason", reason, LABEL_PATTERN)
        async with self._store.change(by) as change:
            for session in sessions:
                by.require(Right.DELETE_KEYS, session.entity_id)
            by.require_second_factor(second_factor, change.now)
            living = [
                stored
                for session in sessions
                for stored in self._directory.pairs_of(session.session_id)
                if stored.state(change.now).living
            ]
            if not living:
                raise ConflictError("No key pair is there to be revoked: none is valid or could become so.")
            for stored in living:
                self._changes.delete(
                    change, stored, "key_pair.revoked", reason=reason, end_live_sessions=end_live_sessions
                )
        ended = tuple(session.session_id for session in sessions) if end_live_sessions else ()
        return Revoked(tuple(self._now(stored.pair.access_key_id) for stored in living), ended)

    def _removable(self, by: Principal, session_id: str, access_key_id: str) -> StoredKeyPair:
        stored = self.get(by, session_id, access_key_id)
        by.require(Right.DELETE_KEYS, stored.entity_id)
        return stored

    def _now(self, access_key_id: str) -> StoredKeyPair:
        stored = self._directory.pair(access_key_id)
        assert stored is not None  # pairs are never forgotten
        return stored
