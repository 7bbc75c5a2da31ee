"""Market Data sessions: what requests about them come to (CME Customer Center help, BrokerTec Market Data Sessions)."""

from collections.abc import Sequence
from dataclasses import replace

from ontherun.calendar import RequestKind as Run
from ontherun.registry.checks import checked_distinct, checked_name, checked_notes, checked_sources
from ontherun.registry.directory import Directory
from ontherun.registry.errors import InvalidError, NotFoundError
from ontherun.registry.pairs_changes import PairChanges
from ontherun.registry.plans import Origin, Plan, change_effects, changed_fields, counted, words
from ontherun.registry.principal import Principal, Right
from ontherun.registry.records import LABEL_PATTERN, AnySession, Market, MarketDataSession
from ontherun.registry.session_changes import change_session, create_sessions, delete_session, free_session_ids
from ontherun.registry.store import Change
from ontherun.registry.terms import (
    PRODUCTS,
    ChangeMarketDataSession,
    CreateMarketDataSessions,
    DeleteMarketDataSession,
)

MOST_SESSIONS = 15
"""The most Market Data sessions of one request (CME Customer Center help, EBS Market Data Sessions)."""


class MarketDataSessions:
    """Find Market Data sessions, and plan what is asked of them."""

    def __init__(self, directory: Directory, pair_changes: PairChanges) -> None:
        self._directory = directory
        self._pair_changes = pair_changes

    def list(self, by: Principal) -> list[MarketDataSession]:
        """Return the sessions that the principal sees, in the order of their creation."""
        return [
            session
            for session in self._directory.sessions()
            if isinstance(session, MarketDataSession) and session.deleted_at is None and by.sees(session.entity_id)
        ]

    def get(self, by: Principal, session_id: str) -> MarketDataSession:
        """Return a session. NotFoundError when there is none for this principal."""
        session = self._directory.session(session_id)
        if not isinstance(session, MarketDataSession) or session.deleted_at or not by.sees(session.entity_id):
            raise NotFoundError(f"Market Data session {session_id}")
        return session

    def create(self, by: Principal, terms: CreateMarketDataSessions) -> Plan:
        """Plan new sessions. InvalidError for products of the other market, NotFoundError for the firm."""
        firm = self._directory.firm(terms.firm)
        if firm is None or not by.sees(firm.entity_id):
            raise NotFoundError(f"Globex firm {terms.firm}")
        by.require(Right.MANAGE_SESSIONS, firm.entity_id)
        if not 1 <= terms.number_of_sessions <= MOST_SESSIONS:
            raise InvalidError("number_of_sessions", "is out of range.", f"1 to {MOST_SESSIONS}")
        terms = replace(
            terms,
            products=_checked_products(terms.market, terms.products),
            label=checked_name("label", terms.label, LABEL_PATTERN),
            notes=checked_notes(terms.notes),
            front_end_system=checked_name("front_end_system", terms.front_end_system, LABEL_PATTERN),
            allowed_sources=checked_sources(terms.allowed_sources),
        )
        sessions = counted(terms.number_of_sessions, "Market Data session")
        return Plan(
            terms,
            firm.entity_id,
            Run.MARKET_DATA_SESSION,
            f"Create {sessions} of {terms.firm} for BrokerTec {terms.market}",
            (
                f"{counted(terms.number_of_sessions, 'Session ID')} will be assigned.",
                f"Entitled to {' and '.join(PRODUCTS[terms.market][product] for product in terms.products)}.",
            ),
            lambda change, origin: self._create(change, firm.entity_id, terms, origin),
        )

    def change(self, by: Principal, terms: ChangeMarketDataSession) -> Plan:
        """Plan another setting. ConflictError when nothing would change."""
        was = self.found(by, terms.session_id)
        session = replace(
            was,
            products=was.products if terms.products is None else _checked_products(was.market, terms.products),
            label=was.label if terms.label is None else checked_name("label", terms.label, LABEL_PATTERN),
            notes=was.notes if terms.notes is None else checked_notes(terms.notes),
            front_end_system=was.front_end_system
            if terms.front_end_system is None
            else checked_name("front_end_system", terms.front_end_system, LABEL_PATTERN),
            allowed_sources=was.allowed_sources
            if terms.allowed_sources is None
            else checked_sources(terms.allowed_sources),
        )
        changed = changed_fields(was, session, f"session {was.session_id}")
        return Plan(
            terms,
            was.entity_id,
            Run.MARKET_DATA_SESSION,
            f"Change {', '.join(words(name) for name in changed)} of Market Data session {was.session_id}",
            change_effects(was, session, changed),
            lambda change, origin: self._replace(change, was, session, origin),
            routine=set(changed) <= {"label", "notes"},
        )

    def delete(self, by: Principal, terms: DeleteMarketDataSession) -> Plan:
        """Plan the end of a session."""
        session = self.found(by, terms.session_id)
        held = [stored for stored in self._directory.pairs_of(session.session_id) if stored.pair.deleted_at is None]
        return Plan(
            terms,
            session.entity_id,
            Run.MARKET_DATA_SESSION,
            f"Delete Market Data session {session.session_id}",
            (
                f"{counted(len(held), 'key pair')} will be deleted, and the secrets erased.",
                f"The Session ID {session.session_id} is never given again.",
            ),
            lambda change, origin: self._delete(change, session, origin),
        )

    def found(self, by: Principal, session_id: str) -> MarketDataSession:
        """Return a session that the principal may manage. NotFoundError, ForbiddenError."""
        session = self.get(by, session_id)
        by.require(Right.MANAGE_SESSIONS, session.entity_id)
        return session

    def _create(
        self, change: Change, entity_id: int, terms: CreateMarketDataSessions, origin: Origin
    ) -> tuple[str, ...]:
        ids = free_session_ids(self._directory, terms.number_of_sessions)
        sessions: list[AnySession] = [
            MarketDataSession(
                session_id=session_id,
                entity_id=entity_id,
                firms=(terms.firm,),
                created_at=change.now,
                label=terms.label,
                notes=terms.notes,
                front_end_system=terms.front_end_system,
                live_date=terms.live_date,
                allowed_sources=terms.allowed_sources,
                market=terms.market,
                products=terms.products,
            )
            for session_id in ids
        ]
        create_sessions(change, self._directory, sessions, origin)
        return tuple(ids)

    def _replace(
        self, change: Change, was: MarketDataSession, session: MarketDataSession, origin: Origin
    ) -> tuple[str, ...]:
        change_session(change, self._directory, was, session, origin)
        return (session.session_id,)

    def _delete(self, change: Change, session: MarketDataSession, origin: Origin) -> tuple[str, ...]:
        delete_session(change, self._directory, self._pair_changes, session, origin)
        return (session.session_id,)


def _checked_products(market: Market, products: Sequence[str]) -> tuple[str, ...]:
    for product in checked_distinct("products", products):
        if product not in PRODUCTS[market]:
            raise InvalidError(
                "products", f"names what BrokerTec {market} does not have.", " or ".join(PRODUCTS[market])
            )
    return tuple(sorted(products))
