"""What is done to key pairs inside one change: statements, audit entries, and what the directory then knows.

Every function puts its part into a `Change` that the caller commits, so that one transaction may hold many of them.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from sqlalchemy import insert, update

from ontherun.calendar import EU, US_ACTIVES, MarketCalendar, calendar_of_segment
from ontherun.keys import (
    ACCESS_KEY_ID_RANDOM_BYTES,
    SECRET_KEY_RANDOM_BYTES,
    EndReason,
    Generated,
    KeyPair,
    KeyPolicy,
    base64url,
    delete,
    generate,
)
from ontherun.registry.directory import Directory
from ontherun.registry.records import AnySession, Market, OrderEntrySession, StoredKeyPair
from ontherun.registry.sealing import MasterKeys, row_identity
from ontherun.registry.store import Change
from ontherun.registry.tables import KeyPairRow


class PairChanges:
    """Puts what happens to key pairs into changes."""

    def __init__(
        self,
        directory: Directory,
        master_keys: MasterKeys,
        policy: KeyPolicy,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._policy = policy
        self._directory = directory
        self._master_keys = master_keys
        self._random_bytes = random_bytes

    @property
    def policy(self) -> KeyPolicy:
        """The rules as they are now: the venue's, with what its operator has set."""
        venue, own = self._directory.desk.policies, self._policy
        return replace(
            own,
            near_expiry_only=own.near_expiry_only or venue.second_key_near_expiry_only,
            oldest_only=own.oldest_only or venue.third_key_deletes_oldest,
        )

    def calendar_of(self, session: AnySession) -> MarketCalendar:
        """Return whose market closes end the pairs of a session: those of its market, or of its first segment."""
        if isinstance(session, OrderEntrySession):
            name = calendar_of_segment(session.market_segments[0]).name
        else:
            name = (US_ACTIVES if session.market is Market.US else EU).name
        return self._policy.calendars[name]

    def generate(
        self, change: Change, session: AnySession, chosen: str | None, cut_over_at: int | None, label: str = ""
    ) -> StoredKeyPair:
        """Make a pair, and change the older ones as the rules say. KeyRuleError when they do not allow it."""
        made = generate(
            session.session_id,
            [stored.pair for stored in self._directory.pairs_of(session.session_id)],
            access_key_id_random=self._id_bytes(),
            secret_key_random=self._random_bytes(SECRET_KEY_RANDOM_BYTES),
            now=change.now,
            policy=self.policy,
            calendar=self.calendar_of(session),
            delete=chosen,
            cut_over_at=cut_over_at,
        )
        stored = self._insert(change, session, made, label)
        for pair in made.changed:
            self._follow(change, self._stored(pair), pair, successor=made.pair)
        if cut_over_at is not None:
            self.record_cut_over(change, stored, cut_over_at, made.changed)
        return stored

    def delete(
        self, change: Change, stored: StoredKeyPair, action: str = "key_pair.deleted", **details: object
    ) -> None:
        """Delete a pair and erase its secret. PairDeletedError when it already is."""
        self.put(change, replace(stored, pair=delete(stored.pair, change.now), secret=None))
        self.record(change, action, stored.pair, stored.entity_id, **details)

    def put(self, change: Change, stored: StoredKeyPair) -> None:
        """Write a changed pair; without its secret, the stored one is erased."""
        pair = stored.pair
        values: dict[str, object] = {
            "label": stored.label,
            "expires_at": pair.expires_at,
            "ends_by": pair.ends_by.value,
            "valid_from": pair.valid_from,
            "deactivated_at": pair.deactivated_at,
            "expired_at": pair.expired_at,
            "deleted_at": pair.deleted_at,
        }
        if stored.secret is None:
            values |= {"sealed_secret": None, "master_key_id": None}
        change.write(update(KeyPairRow).where(KeyPairRow.access_key_id == pair.access_key_id).values(values))
        change.then(lambda: self._directory.put_pair(stored))

    def record(self, change: Change, action: str, pair: KeyPair, entity_id: int, **details: object) -> None:
        """Have an audit entry written about a pair."""
        change.record(
            action,
            entity_id,
            f"session {pair.session_id}",
            session_id=pair.session_id,
            access_key_id=pair.access_key_id,
            **details,
        )

    def record_cut_over(self, change: Change, to: StoredKeyPair, at: int, changed: Iterable[KeyPair]) -> None:
        """Have an audit entry written about a cut-over to a pair."""
        ends = [
            pair.access_key_id for pair in changed if pair.ends_by is EndReason.CUT_OVER and pair.deleted_at is None
        ]
        self.record(change, "key_pair.cut_over_scheduled", to.pair, to.entity_id, at=at, ends=ends)

    def _id_bytes(self) -> bytes:
        """Draw the bytes of an Access Key ID that does not begin with a hyphen: a command line would take it for an
        option. That is one draw in 64."""
        while True:
            drawn = self._random_bytes(ACCESS_KEY_ID_RANDOM_BYTES)
            if not base64url(drawn).startswith("-"):
                return drawn

    def _insert(self, change: Change, session: AnySession, made: Generated, label: str) -> StoredKeyPair:
        pair = made.pair
        bound_to = row_identity(session.entity_id, session.session_id, pair.access_key_id)
        sealed = self._master_keys.seal(made.secret, bound_to)
        stored = StoredKeyPair(pair, session.entity_id, sealed, label)
        change.write(
            insert(KeyPairRow).values(
                access_key_id=pair.access_key_id,
                session_id=pair.session_id,
                label=label,
                created_at=pair.created_at,
                expires_at=pair.expires_at,
                ends_by=pair.ends_by.value,
                valid_from=pair.valid_from,
                sealed_secret=sealed.sealed,
                master_key_id=sealed.master_key_id,
            )
        )
        self.record(
            change,
            "key_pair.generated",
            pair,
            session.entity_id,
            expires_at=pair.expires_at,
            valid_from=pair.valid_from,
            **({"label": label} if label else {}),
        )
        change.then(lambda: self._directory.put_pair(stored))
        return stored

    def _follow(self, change: Change, stored: StoredKeyPair, pair: KeyPair, successor: KeyPair) -> None:
        """Write what became of an older pair when its successor was made."""
        if pair.deleted_at is not None:
            self.delete(change, stored, successor=successor.access_key_id)
            return
        self.put(change, replace(stored, pair=pair))
        if pair.expires_at != stored.pair.expires_at and pair.ends_by is EndReason.SUNSET:
            self.record(
                change,
                "key_pair.sunset_set",
                pair,
                stored.entity_id,
                expires_at=pair.expires_at,
                successor=successor.access_key_id,
            )

    def _stored(self, pair: KeyPair) -> StoredKeyPair:
        stored = self._directory.pair(pair.access_key_id)
        assert stored is not None  # the rules only change pairs that they were given
        return stored
