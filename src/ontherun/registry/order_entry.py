"""What requests about Order Entry sessions come to (CME Customer Center help, BrokerTec Order Entry Sessions)."""

from collections.abc import Sequence
from dataclasses import replace

from ontherun.calendar import RequestKind as Run
from ontherun.registry.checks import checked_distinct, checked_name, checked_notes, checked_sources
from ontherun.registry.directory import Directory
from ontherun.registry.drop_copy import groups_copying, leave_group
from ontherun.registry.errors import ConflictError, InvalidError, NotFoundError
from ontherun.registry.pairs_changes import PairChanges
from ontherun.registry.plans import Origin, Plan, change_effects, changed_fields, counted, words
from ontherun.registry.principal import Principal, Right
from ontherun.registry.records import (
    LABEL_PATTERN,
    AnySession,
    OrderEntrySession,
    SessionProtocol,
)
from ontherun.registry.session_changes import change_session, create_sessions, delete_session, free_session_ids
from ontherun.registry.store import Change
from ontherun.registry.terms import ChangeSession, CreateSessions, DeleteSession, ImportSessions, SetProtocol

MOST_SESSIONS = 1000
"""The most sessions of one request."""

_FREELY_CHANGED = ("label", "notes")
"""What a session is called by its own people: it changes without approval and without waiting for a run."""


class OrderEntryPlans:
    """Plans for Order Entry sessions. `market_segments` are those that the venue has."""

    def __init__(self, directory: Directory, pair_changes: PairChanges, market_segments: frozenset[int]) -> None:
        self._directory = directory
        self._pair_changes = pair_changes
        self._market_segments = market_segments

    def create(self, by: Principal, terms: CreateSessions) -> Plan:
        """Plan new sessions.

        InvalidError for values that cannot be, NotFoundError for firms and segments that are not there for the
        principal, ConflictError for firms of different entities or more sessions than the entity may have.
        """
        terms, entity_id = self.checked(by, terms)
        self._check_allowance(entity_id, terms.number_of_sessions)
        firm, others = terms.firms[0], len(terms.firms) - 1
        segments = " and ".join(map(str, terms.market_segments))
        sessions = counted(terms.number_of_sessions, "Order Entry session")
        return Plan(
            terms,
            entity_id,
            Run.ORDER_ENTRY_SESSION,
            f"Create {sessions} of {firm} on market segment {segments}",
            (
                f"{counted(terms.number_of_sessions, 'Session ID')} will be assigned.",
                *([f"{counted(others, 'other firm')} may route through {firm}."] if others else []),
                *self._remaining(entity_id, terms.number_of_sessions),
                "A session can log in once it has a key pair.",
            ),
            lambda change, origin: self._create(change, entity_id, [terms], origin),
        )

    def import_(self, by: Principal, terms: ImportSessions) -> Plan:
        """Plan the sessions of a file: all of them, or none. InvalidError names the line as sessions[i]."""
        if not 1 <= len(terms.sessions) <= MOST_SESSIONS:
            raise InvalidError("sessions", f"has {len(terms.sessions)} lines.", f"1 to {MOST_SESSIONS}")
        lines, entities = [], set()
        for place, line in enumerate(terms.sessions):
            try:
                checked, entity_id = self.checked(by, line)
            except InvalidError as error:
                raise InvalidError(f"sessions[{place}].{error.where}", error.what, error.expected) from None
            lines.append(checked)
            entities.add(entity_id)
        if len(entities) > 1:
            raise ConflictError("The lines name firms of different entities. Import each entity's sessions by itself.")
        (entity_id,) = entities
        total = sum(line.number_of_sessions for line in lines)
        self._check_allowance(entity_id, total)
        return Plan(
            ImportSessions(sessions=tuple(lines)),
            entity_id,
            Run.ORDER_ENTRY_SESSION,
            f"Import {counted(total, 'Order Entry session')} from {counted(len(lines), 'line')}",
            (f"{counted(total, 'Session ID')} will be assigned.", *self._remaining(entity_id, total)),
            lambda change, origin: self._create(change, entity_id, lines, origin),
        )

    def change(self, by: Principal, terms: ChangeSession) -> Plan:
        """Plan another setting. ConflictError when nothing would change."""
        was = self.found(by, terms.session_id)
        firms = was.firms if terms.firms is None else checked_distinct("firms", terms.firms)
        if self.entity_of(by, firms) != was.entity_id:
            raise ConflictError(f"Session {was.session_id} belongs to the entity of {was.firms[0]} and stays there.")
        session = replace(
            was,
            firms=firms,
            market_segments=was.market_segments
            if terms.market_segments is None
            else self.checked_segments(terms.market_segments),
            cancel_on_disconnect=was.cancel_on_disconnect
            if terms.cancel_on_disconnect is None
            else terms.cancel_on_disconnect,
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
            Run.ORDER_ENTRY_SESSION,
            f"Change {', '.join(words(name) for name in changed)} of session {was.session_id}",
            change_effects(was, session, changed),
            lambda change, origin: self._replace(change, was, session, origin),
            routine=set(changed) <= set(_FREELY_CHANGED),
        )

    def delete(self, by: Principal, terms: DeleteSession) -> Plan:
        """Plan the end of a session."""
        session = self.found(by, terms.session_id)
        held = [stored for stored in self._directory.pairs_of(session.session_id) if stored.pair.deleted_at is None]
        groups = [group.name for group in groups_copying(self._directory, session.session_id)]
        return Plan(
            terms,
            session.entity_id,
            Run.ORDER_ENTRY_SESSION,
            f"Delete session {session.session_id}" + (" and end its connection" if terms.end_session else ""),
            (
                f"{counted(len(held), 'key pair')} will be deleted, and the secrets erased.",
                "Its open connection ends at once."
                if terms.end_session
                else "A connection that is open stays so until it ends; the next login is refused.",
                *(f"It is no longer copied by Drop Copy group {name}." for name in groups),
                f"The Session ID {session.session_id} is never given again.",
            ),
            lambda change, origin: self._delete(change, session, origin),
        )

    def set_protocol(self, by: Principal, terms: SetProtocol) -> Plan:
        """Plan another protocol. ConflictError when the session has it already."""
        was = self.found(by, terms.session_id)
        if was.protocol is terms.protocol:
            raise ConflictError(f"The protocol of session {was.session_id} is {was.protocol} already.")
        session = replace(was, protocol=terms.protocol)
        useful = terms.protocol is SessionProtocol.FIXP
        return Plan(
            terms,
            was.entity_id,
            Run.SESSION_PROTOCOL,
            f"Set the protocol of session {was.session_id} to {terms.protocol}",
            (
                "The session uses binary messages (FIXP, iLink 3)."
                if useful
                else "BrokerTec is reached by binary messages only: the setting is kept, the gateways stay with FIXP.",
            ),
            lambda change, origin: self._replace(change, was, session, origin),
        )

    def found(self, by: Principal, session_id: str) -> OrderEntrySession:
        """Return a session that the principal may manage. NotFoundError, ForbiddenError."""
        session = self._directory.order_entry_session(session_id)
        if session is None or not by.sees(session.entity_id):
            raise NotFoundError(f"session {session_id}")
        by.require(Right.MANAGE_SESSIONS, session.entity_id)
        return session

    def checked_segments(self, market_segments: Sequence[int]) -> tuple[int, ...]:
        """Return market segments, each of which the venue has: NotFoundError."""
        segments = checked_distinct("market_segments", market_segments)
        if unknown := set(segments) - self._market_segments:
            known = ", ".join(map(str, sorted(self._market_segments)))
            raise NotFoundError(f"market segment {min(unknown)} in this venue, which has {known}")
        return segments

    def entity_of(self, by: Principal, gfids: Sequence[str]) -> int:
        """Return the entity of the first of these firms, which the others may route through.

        Those are firms of the same entity, and firms of others that have authorised it (see `registry.firms`).
        NotFoundError for a firm that the principal does not see, ConflictError for one that has not authorised it.
        """
        primary, *others = gfids
        owner = self._directory.firm(primary)
        if owner is None or not by.sees(owner.entity_id):
            raise NotFoundError(f"Globex firm {primary}")
        for gfid in others:
            firm = self._directory.firm(gfid)
            if (gfid, primary) in self._directory.desk.route_through:
                continue
            if firm is None or not by.sees(firm.entity_id):
                raise NotFoundError(f"Globex firm {gfid}")
            if firm.entity_id != owner.entity_id:
                raise ConflictError(
                    f"{gfid} belongs to another entity than {primary}, and has not authorised it. Somebody who manages "
                    f"sessions of {gfid} does that: ontherun firm authorise {gfid} {primary}"
                )
        return owner.entity_id

    def count(self, entity_id: int) -> int:
        """Return how many Order Entry sessions an entity has."""
        return sum(
            session.entity_id == entity_id and session.deleted_at is None
            for session in self._directory.sessions()
            if isinstance(session, OrderEntrySession)
        )

    def checked(self, by: Principal, terms: CreateSessions) -> tuple[CreateSessions, int]:
        """Return what is asked for, in its normal form, and the entity that it is for."""
        firms = checked_distinct("firms", terms.firms)
        if not 1 <= terms.number_of_sessions <= MOST_SESSIONS:
            raise InvalidError("number_of_sessions", "is out of range.", f"1 to {MOST_SESSIONS}")
        checked = replace(
            terms,
            firms=firms,
            market_segments=self.checked_segments(terms.market_segments),
            label=checked_name("label", terms.label, LABEL_PATTERN),
            notes=checked_notes(terms.notes),
            front_end_system=checked_name("front_end_system", terms.front_end_system, LABEL_PATTERN),
            allowed_sources=checked_sources(terms.allowed_sources),
        )
        entity_id = self.entity_of(by, firms)
        by.require(Right.MANAGE_SESSIONS, entity_id)
        return checked, entity_id

    def _check_allowance(self, entity_id: int, wanted: int) -> None:
        allowance, used = self._directory.desk.allowance(entity_id), self.count(entity_id)
        if used + wanted > allowance:
            raise ConflictError(
                f"The entity may have {counted(allowance, 'Order Entry session')} and has {used}: {wanted} more do not "
                "fit. Delete sessions, or have the operator of the venue raise the allowance."
            )

    def _remaining(self, entity_id: int, wanted: int) -> list[str]:
        left = self._directory.desk.allowance(entity_id) - self.count(entity_id) - wanted
        return [f"{counted(left, 'session')} of the entity's allowance will be left."]

    def _create(
        self, change: Change, entity_id: int, lines: Sequence[CreateSessions], origin: Origin
    ) -> tuple[str, ...]:
        ids = free_session_ids(self._directory, sum(line.number_of_sessions for line in lines))
        each = [line for line in lines for _ in range(line.number_of_sessions)]
        sessions: list[AnySession] = [
            OrderEntrySession(
                session_id=session_id,
                entity_id=entity_id,
                firms=line.firms,
                created_at=change.now,
                label=line.label,
                notes=line.notes,
                front_end_system=line.front_end_system,
                live_date=line.live_date,
                allowed_sources=line.allowed_sources,
                market_segments=line.market_segments,
                cancel_on_disconnect=line.cancel_on_disconnect,
            )
            for session_id, line in zip(ids, each, strict=True)
        ]
        create_sessions(change, self._directory, sessions, origin)
        return tuple(ids)

    def _replace(
        self, change: Change, was: OrderEntrySession, session: OrderEntrySession, origin: Origin
    ) -> tuple[str, ...]:
        change_session(change, self._directory, was, session, origin)
        return (session.session_id,)

    def _delete(self, change: Change, session: OrderEntrySession, origin: Origin) -> tuple[str, ...]:
        delete_session(change, self._directory, self._pair_changes, session, origin)
        for group in groups_copying(self._directory, session.session_id):
            leave_group(change, self._directory, group, session.session_id, origin)
        return (session.session_id,)
