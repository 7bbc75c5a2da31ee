"""Order Entry sessions, and the party details that their orders refer to."""

import re
from collections.abc import Collection, Sequence

from sqlalchemy import insert

from ontherun.registry.errors import ConflictError, InvalidError, NotFoundError
from ontherun.registry.order_entry import OrderEntryPlans
from ontherun.registry.principal import Principal, Right
from ontherun.registry.records import (
    ACCOUNT_PATTERN,
    LARGEST_ID,
    ON_DEMAND_PARTY_IDS,
    AnySession,
    OrderEntrySession,
    PartyDetails,
)
from ontherun.registry.store import Store
from ontherun.registry.tables import PartyDetailsRow
from ontherun.registry.terms import CreateSessions


class Sessions:
    """Find Order Entry sessions. They are created, changed and deleted by requests (`ontherun.registry.requests`)."""

    def __init__(self, store: Store, plans: OrderEntryPlans) -> None:
        self._store = store
        self._directory = store.directory
        self._plans = plans

    async def create(
        self,
        by: Principal,
        firms: Sequence[str],
        market_segments: Sequence[int],
        *,
        cancel_on_disconnect: bool = True,
        label: str = "",
    ) -> OrderEntrySession:
        """Create one session without a request, as the process itself does for its demo.

        The errors are those of `OrderEntryPlans.create`. New sessions start with cancel on disconnect, as at the
        exchange (CME client wiki, Cancel on Disconnect).
        """
        terms = CreateSessions(
            firms=tuple(firms),
            market_segments=tuple(market_segments),
            cancel_on_disconnect=cancel_on_disconnect,
            label=label,
        )
        async with self._store.change(by) as change:
            (session_id,) = self._plans.create(by, terms).carry_out(change, {})
        return self.get(by, session_id)

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

    async def record_ending(self, by: Principal, session_id: str, *, connected: bool) -> OrderEntrySession:
        """Write into the audit that somebody ends the session's connections; the gateways then do it.

        NotFoundError when there is no such session for the principal, ForbiddenError without the right to manage it,
        ConflictError when it is not `connected`.
        """
        session = self.get(by, session_id)
        by.require(Right.MANAGE_SESSIONS, session.entity_id)
        async with self._store.change(by) as change:
            if not connected:
                raise ConflictError(f"Session {session_id} has no connection to end.")
            change.record("session.ended", session.entity_id, f"session {session_id}")
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

    def check(self, by: Principal, terms: CreateSessions) -> None:
        """Check what one line of an import asks for, but for the allowance; the errors are those of `create`."""
        self._plans.checked(by, terms)

    def any_service(self, by: Principal, session_id: str) -> AnySession:
        """Return a session of any service. NotFoundError when there is none for this principal."""
        session = self._directory.session(session_id)
        if session is None or session.deleted_at is not None or not by.sees(session.entity_id):
            raise NotFoundError(f"session {session_id}")
        return session

    def allowance(self, by: Principal, entity_id: int) -> tuple[int, int]:
        """Return how many Order Entry sessions an entity may have, and how many it has. NotFoundError."""
        if self._directory.entity(entity_id) is None or not by.sees(entity_id):
            raise NotFoundError(f"entity {entity_id}")
        return self._directory.desk.allowance(entity_id), self._plans.count(entity_id)


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
