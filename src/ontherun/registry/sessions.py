"""Order Entry sessions, and the party details that their orders refer to."""

import re
from collections.abc import Collection, Sequence

from sqlalchemy import insert

from ontherun.registry.checks import checked_distinct, checked_name
from ontherun.registry.errors import ConflictError, InvalidError, NotFoundError
from ontherun.registry.principal import Principal, Right
from ontherun.registry.records import (
    ACCOUNT_PATTERN,
    LABEL_PATTERN,
    LARGEST_ID,
    ON_DEMAND_PARTY_IDS,
    OrderEntrySession,
    PartyDetails,
)
from ontherun.registry.store import Store
from ontherun.registry.tables import PartyDetailsRow, SessionFirmRow, SessionRow

_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SESSION_IDS = len(_CHARACTERS) ** 3
_FIRST_SESSION_ID = 10 * len(_CHARACTERS) ** 2  # A00, so that the first 33,696 ids begin with a letter


class Sessions:
    """Create and find Order Entry sessions. `market_segments` are those that the venue has."""

    def __init__(self, store: Store, market_segments: frozenset[int]) -> None:
        self._store = store
        self._directory = store.directory
        self._market_segments = market_segments

    async def create(
        self,
        by: Principal,
        firms: Sequence[str],
        market_segments: Sequence[int],
        *,
        cancel_on_disconnect: bool = True,
        label: str = "",
    ) -> OrderEntrySession:
        """Create a session and assign its Session ID.

        `firms` are GFIDs of one entity, the primary one first. NotFoundError for a firm that the principal does not see
        or a market segment that the venue does not have, ConflictError for firms of different entities or when all ids
        are given away.
        New sessions start with cancel on disconnect, as at the exchange (CME client wiki, Cancel on Disconnect).
        """
        gfids = checked_distinct("firms", firms)
        segments = self._checked_segments(market_segments)
        label = checked_name("label", label, LABEL_PATTERN)
        async with self._store.change(by) as change:
            entity_id = self._entity_of(by, gfids)
            by.require(Right.MANAGE_SESSIONS, entity_id)
            position = len(self._directory.sessions())
            if position == _SESSION_IDS:
                raise ConflictError(f"All {_SESSION_IDS} Session IDs are given away.")
            session = OrderEntrySession(
                session_id=session_id_at(position),
                entity_id=entity_id,
                firms=gfids,
                created_at=change.now,
                label=label,
                market_segments=segments,
                cancel_on_disconnect=cancel_on_disconnect,
            )
            change.write(
                insert(SessionRow).values(
                    session_id=session.session_id,
                    position=position,
                    service=session.service.value,
                    entity_id=entity_id,
                    label=label,
                    notes=session.notes,
                    front_end_system=session.front_end_system,
                    live_date=session.live_date,
                    allowed_sources=list(session.allowed_sources),
                    settings={"market_segments": list(segments), "cancel_on_disconnect": cancel_on_disconnect},
                    created_at=change.now,
                ),
                *(
                    insert(SessionFirmRow).values(session_id=session.session_id, gfid=gfid, position=place)
                    for place, gfid in enumerate(gfids)
                ),
            )
            change.record(
                "session.created",
                entity_id,
                f"session {session.session_id}",
                firms=gfids,
                market_segments=segments,
                cancel_on_disconnect=cancel_on_disconnect,
                label=label,
            )
            change.then(lambda: self._directory.put_session(session))
        return session

    async def record_port_opening(
        self, by: Principal, session_id: str, closed_ports: Collection[str]
    ) -> OrderEntrySession:
        """Write into the audit that the session's ports, closed by bad logins, are opened; the gateways then do it.

        At the exchange this is done by its own desk (CME, Automated Port Closure), hence by the operator of the venue.
        NotFoundError when there is no such session for the principal, ConflictError when its ports are not closed.
        """
        session = self.get(by, session_id)
        by.require_operator()
        async with self._store.change(by) as change:
            if session_id not in closed_ports:
                raise ConflictError(f"The ports of session {session_id} are open.")
            change.record("session.port_opened", session.entity_id, f"session {session_id}")
        return session

    def get(self, by: Principal, session_id: str) -> OrderEntrySession:
        """Return a session. NotFoundError when there is none for this principal."""
        session = self._directory.order_entry_session(session_id)
        if session is None or not by.sees(session.entity_id):
            raise NotFoundError(f"session {session_id}")
        return session

    def list(self, by: Principal) -> list[OrderEntrySession]:
        """Return the sessions that the principal sees, in the order of their creation."""
        return [
            session
            for session in self._directory.sessions()
            if isinstance(session, OrderEntrySession) and session.deleted_at is None and by.sees(session.entity_id)
        ]

    def _checked_segments(self, market_segments: Sequence[int]) -> tuple[int, ...]:
        segments = checked_distinct("market_segments", market_segments)
        if unknown := set(segments) - self._market_segments:
            known = ", ".join(map(str, sorted(self._market_segments)))
            raise NotFoundError(f"market segment {min(unknown)} in this venue, which has {known}")
        return segments

    def _entity_of(self, by: Principal, gfids: Sequence[str]) -> int:
        owners = {}
        for gfid in gfids:
            firm = self._directory.firm(gfid)
            if firm is None or not by.sees(firm.entity_id):
                raise NotFoundError(f"Globex firm {gfid}")
            owners[firm.entity_id] = gfid
        if len(owners) > 1:
            raise ConflictError(
                f"{' and '.join(owners.values())} belong to different entities. A session carries firms of one entity."
            )
        return next(iter(owners))


class PartyDetailsBook:
    """Register and find party details."""

    def __init__(self, store: Store, sessions: Sessions) -> None:
        self._store = store
        self._directory = store.directory
        self._sessions = sessions

    async def register(
        self,
        by: Principal,
        session_id: str,
        firm: str,
        party_details_list_req_id: int,
        *,
        account: str = "",
        self_match_prevention_id: int | None = None,
    ) -> PartyDetails:
        """Register party details for orders of a session and one of its firms.

        NotFoundError without such a session, InvalidError for an id that cannot be registered, ConflictError for a firm
        that the session does not carry or an id that is registered already.
        """
        _check_party_details(party_details_list_req_id, account, self_match_prevention_id)
        async with self._store.change(by) as change:
            session = self._sessions.get(by, session_id)
            by.require(Right.MANAGE_SESSIONS, session.entity_id)
            if firm not in session.firms:
                raise ConflictError(
                    f"Session {session_id} does not carry firm {firm}. It carries {', '.join(session.firms)}."
                )
            if party_details_list_req_id in self._directory.party_details(session_id, firm):
                raise ConflictError(
                    f"Party details {party_details_list_req_id} of session {session_id} and firm {firm} are registered "
                    "already. Use them, or register others under another id."
                )
            details = PartyDetails(
                session_id,
                firm,
                party_details_list_req_id,
                account.encode("ascii"),
                self_match_prevention_id,
                change.now,
            )
            change.write(
                insert(PartyDetailsRow).values(
                    session_id=session_id,
                    gfid=firm,
                    party_details_list_req_id=party_details_list_req_id,
                    account=account,
                    self_match_prevention_id=self_match_prevention_id,
                    created_at=change.now,
                )
            )
            change.record(
                "party_details.registered",
                session.entity_id,
                f"session {session_id}",
                firm=firm,
                party_details_list_req_id=party_details_list_req_id,
                account=account,
                self_match_prevention_id=self_match_prevention_id,
            )
            change.then(lambda: self._directory.put_party_details(details))
        return details

    def list(self, by: Principal, session_id: str) -> list[PartyDetails]:
        """Return a session's party details, firm by firm. NotFoundError when there is no such session."""
        session = self._sessions.get(by, session_id)
        return [
            details for firm in session.firms for details in self._directory.party_details(session_id, firm).values()
        ]


def session_id_at(position: int) -> str:
    """Return the Session ID of the session that was created after `position` others: A00, A01 ... ZZZ, 000 ... 9ZZ."""
    rest, last = divmod((_FIRST_SESSION_ID + position) % _SESSION_IDS, 36)
    first, middle = divmod(rest, 36)
    return _CHARACTERS[first] + _CHARACTERS[middle] + _CHARACTERS[last]


def _check_party_details(party_details_list_req_id: int, account: str, self_match_prevention_id: int | None) -> None:
    if party_details_list_req_id in ON_DEMAND_PARTY_IDS or not 0 < party_details_list_req_id <= LARGEST_ID:
        raise InvalidError(
            "party_details_list_req_id",
            f"{party_details_list_req_id} cannot be registered.",
            f"1 to {LARGEST_ID}, without 4294967295, which announces details on demand",
        )
    if not re.fullmatch(ACCOUNT_PATTERN, account):
        raise InvalidError("account", "cannot be sent on the wire.", "up to 20 printable ASCII characters")
    if self_match_prevention_id is not None and not 0 <= self_match_prevention_id <= LARGEST_ID:
        raise InvalidError("self_match_prevention_id", "is out of range.", f"0 to {LARGEST_ID}")
