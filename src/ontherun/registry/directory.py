"""What the registry holds, in memory: read by gateways at each login and by the portal for each page.

It changes right after each commit and never before, always as a whole record. Looking up never waits.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from types import MappingProxyType

from ontherun.registry.desk import Desk
from ontherun.registry.people_book import PeopleBook
from ontherun.registry.records import (
    AnySession,
    Entity,
    GlobexFirm,
    OrderEntrySession,
    PartyDetails,
    StoredKeyPair,
)
from ontherun.registry.records_people import User
from ontherun.registry.sealing import MasterKeys, row_identity


@dataclass(frozen=True, slots=True)
class KeyFound:
    """The HMAC key for a login, and when its pair expires (nanoseconds since 1970-01-01 UTC)."""

    secret: bytes = field(repr=False)
    expires_at: int


@dataclass(frozen=True, slots=True)
class KeyRefused:
    """Why there is no key for a login: "unknown", "belongs to another session", or the state of the pair: "expired",
    "deleted", "deactivated" or "not yet valid".

    For the owner's login trace only. On the wire every one of them is code 0, HMAC not authenticated (inferred: the
    exchange lists no code for an expired or deleted key).
    """

    state: str


_UNKNOWN = KeyRefused("unknown")
_OTHER_SESSION = KeyRefused("belongs to another session")


class Directory:
    """Every record by its name, as last committed."""

    __slots__ = (
        "_entities",
        "_firms",
        "_master_keys",
        "_pairs",
        "_pairs_of",
        "_party_details",
        "_sessions",
        "desk",
        "people",
        "touched_pairs",
    )

    def __init__(self, master_keys: MasterKeys) -> None:
        self._master_keys = master_keys
        self.desk = Desk()
        self._entities: dict[int, Entity] = {}
        self._firms: dict[str, GlobexFirm] = {}
        self._sessions: dict[str, AnySession] = {}
        self._pairs: dict[str, StoredKeyPair] = {}
        self._pairs_of: dict[str, dict[str, StoredKeyPair]] = {}
        self._party_details: dict[tuple[str, str], dict[int, PartyDetails]] = {}
        self.people = PeopleBook()
        self.touched_pairs: set[str] = set()
        """Access Key IDs of pairs that were put since the expiry ladder last looked."""

    # What a gateway asks.

    def allowed(self, session: str, firm: str, segment: int) -> bool:
        """Whether the session may carry the firm on the market segment."""
        found = self.order_entry_session(session)
        return found is not None and firm in found.firms and segment in found.market_segments

    def source_allowed(self, session: str, source: str) -> bool:
        """Whether the session may log in from the network address `source`; any address will do without a list."""
        found = self._sessions.get(session)
        if found is None or not found.allowed_sources:
            return True
        address = ip_address(source)
        return any(address in ip_network(network) for network in found.allowed_sources)

    def key(self, access_key_id: str, session: str, now: int) -> KeyFound | KeyRefused:
        """Return the HMAC key for a login of `session` at `now`, or why there is none.

        MasterKeyError when the stored secret does not open.
        """
        stored = self._pairs.get(access_key_id)
        if stored is None:
            return _UNKNOWN
        pair = stored.pair
        if pair.session_id != session:
            return _OTHER_SESSION
        state = pair.state(now)
        if stored.secret is None or not state.valid:
            return KeyRefused(state.value)
        bound_to = row_identity(stored.entity_id, session, access_key_id)
        return KeyFound(self._master_keys.open(stored.secret, bound_to), pair.expires_at)

    def key_is_valid(self, access_key_id: str, now: int) -> bool:
        """Whether a key pair may log in `now`; its secret is not looked at."""
        stored = self._pairs.get(access_key_id)
        return stored is not None and stored.secret is not None and stored.pair.state(now).valid

    def cancel_on_disconnect(self, session: str) -> bool:
        """Whether the session's resting Day orders are cancelled when its connection is lost. True for a deleted one,
        whose orders nobody else would cancel."""
        found = self.order_entry_session(session)
        return found is None or found.cancel_on_disconnect

    def order_entry_session(self, session_id: str) -> OrderEntrySession | None:
        """Return the Order Entry session, or None when there is none or it was deleted."""
        found = self._sessions.get(session_id)
        return found if isinstance(found, OrderEntrySession) and found.deleted_at is None else None

    def party_details(self, session: str, firm: str) -> Mapping[int, PartyDetails]:
        """Return the registered party details by PartyDetailsListReqID: a live view, which later ones enter."""
        return MappingProxyType(self._party_details.setdefault((session, firm), {}))

    # What a person asks. Lists are in the order of creation.

    def entity(self, entity_id: int) -> Entity | None:
        """Return the entity, or None."""
        return self._entities.get(entity_id)

    def entities(self) -> Collection[Entity]:
        """Return every entity."""
        return self._entities.values()

    def firm(self, gfid: str) -> GlobexFirm | None:
        """Return the firm, or None when there is none or it was withdrawn."""
        found = self._firms.get(gfid)
        return found if found is not None and found.withdrawn_at is None else None

    def gfid_taken(self, gfid: str) -> bool:
        """Whether a firm has or had this Globex Firm ID."""
        return gfid in self._firms

    def firms(self) -> list[GlobexFirm]:
        """Return every firm, without the withdrawn ones."""
        return [firm for firm in self._firms.values() if firm.withdrawn_at is None]

    def sessions_with(self, gfid: str) -> list[AnySession]:
        """Return the sessions that carry a firm."""
        return [session for session in self._sessions.values() if gfid in session.firms and session.deleted_at is None]

    def session(self, session_id: str) -> AnySession | None:
        """Return the session of any service, deleted or not, or None."""
        return self._sessions.get(session_id)

    def sessions(self) -> Collection[AnySession]:
        """Return every session of every service, deleted ones too."""
        return self._sessions.values()

    def pair(self, access_key_id: str) -> StoredKeyPair | None:
        """Return the key pair, valid or not, or None."""
        return self._pairs.get(access_key_id)

    def pairs(self) -> Collection[StoredKeyPair]:
        """Return every key pair of every session, valid or not."""
        return self._pairs.values()

    def pairs_of(self, session_id: str) -> Collection[StoredKeyPair]:
        """Return every key pair of the session, valid or not."""
        return self._pairs_of.get(session_id, {}).values()

    def valid_pairs_of(self, session_id: str, now: int) -> list[StoredKeyPair]:
        """Return the session's key pairs that a login at `now` may use."""
        return [stored for stored in self.pairs_of(session_id) if stored.state(now).valid]

    def user(self, user_id: int) -> User | None:
        """Return the user, left or not, or None."""
        return self.people.user(user_id)

    def registered_administrators(self, entity_id: int) -> list[User]:
        """Return who gets an entity's expiry mail: its Admin Managers and those marked as registered administrators."""
        return self.people.registered_administrators(entity_id)

    # How it changes: after a commit, by the registry alone.

    def put_entity(self, entity: Entity) -> None:
        """Add or replace."""
        self._entities[entity.entity_id] = entity

    def put_firm(self, firm: GlobexFirm) -> None:
        """Add or replace."""
        self._firms[firm.gfid] = firm

    def put_session(self, session: AnySession) -> None:
        """Add or replace."""
        self._sessions[session.session_id] = session

    def put_pair(self, stored: StoredKeyPair) -> None:
        """Add or replace."""
        pair = stored.pair
        self._pairs[pair.access_key_id] = stored
        self._pairs_of.setdefault(pair.session_id, {})[pair.access_key_id] = stored
        self.touched_pairs.add(pair.access_key_id)

    def put_party_details(self, details: PartyDetails) -> None:
        """Add or replace."""
        registered = self._party_details.setdefault((details.session_id, details.firm), {})
        registered[details.party_details_list_req_id] = details
