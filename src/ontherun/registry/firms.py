"""Globex firms: registered, renamed, withdrawn, and authorised to be carried by the sessions of another entity.

Whose sessions may carry a firm is a policy. The exchange says that secondary firms are those that are authorised at the
primary one (CME Customer Center help, Order Entry Sessions), and not who authorises them. Here the firms of one entity
may route through each other, and a firm of another entity once somebody who manages sessions there has authorised the
primary one. Whoever takes that back takes the firm off every such session with it.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import delete, insert, or_, update

from ontherun.registry.checks import checked_gfid, checked_name
from ontherun.registry.errors import ConflictError, NotFoundError
from ontherun.registry.plans import Origin, Plan, counted
from ontherun.registry.principal import Principal, Right
from ontherun.registry.records import GlobexFirm
from ontherun.registry.session_changes import change_session
from ontherun.registry.store import Change, Store
from ontherun.registry.tables import GlobexFirmRow, RouteThroughRow
from ontherun.registry.terms import RegisterFirm, RenameFirm, WithdrawFirm


class Firms:
    """Find Globex firms, plan what is asked of them, and authorise them to be carried."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._directory = store.directory
        self._authorised = store.directory.desk.route_through

    async def create(self, by: Principal, entity_id: int, gfid: str, name: str) -> GlobexFirm:
        """Give an entity a firm, without a request. A GFID is unique in the venue: ConflictError."""
        async with self._store.change(by) as change:
            plan = self.register(by, RegisterFirm(entity_id=entity_id, gfid=gfid, name=name))
            plan.carry_out(change, {})
        return self.get(by, gfid)

    def get(self, by: Principal, gfid: str) -> GlobexFirm:
        """Return a firm. NotFoundError when there is none for this principal."""
        firm = self._directory.firm(gfid)
        if firm is None or not by.sees(firm.entity_id):
            raise NotFoundError(f"Globex firm {gfid}")
        return firm

    def list(self, by: Principal) -> list[GlobexFirm]:
        """Return the firms that the principal sees, in the order of their creation."""
        return [firm for firm in self._directory.firms() if by.sees(firm.entity_id)]

    def managed(self, by: Principal, gfid: str) -> GlobexFirm:
        """Return a firm whose sessions the principal may manage. NotFoundError, ForbiddenError."""
        firm = self.get(by, gfid)
        by.require(Right.MANAGE_SESSIONS, firm.entity_id)
        return firm

    # What is asked for.

    def register(self, by: Principal, terms: RegisterFirm) -> Plan:
        """Plan a new firm. A GFID is unique in the venue, for it is all that the wire shows: ConflictError."""
        checked_gfid("gfid", terms.gfid), checked_name("name", terms.name)
        if self._directory.entity(terms.entity_id) is None or not by.sees(terms.entity_id):
            raise NotFoundError(f"entity {terms.entity_id}")
        by.require(Right.MANAGE_SESSIONS, terms.entity_id)
        if self._directory.gfid_taken(terms.gfid):
            raise ConflictError(f"The Globex Firm ID {terms.gfid} is taken. Choose another.")
        return Plan(
            terms,
            terms.entity_id,
            None,
            f"Register Globex firm {terms.gfid} ({terms.name})",
            ("Sessions can be created for it, and log in with it as their firm.",),
            lambda change, origin: self._create(change, terms, origin),
        )

    def rename(self, by: Principal, terms: RenameFirm) -> Plan:
        """Plan another name. ConflictError when the firm has it already."""
        was = self.managed(by, terms.gfid)
        if was.name == checked_name("name", terms.name):
            raise ConflictError(f"Nothing would change: Globex firm {was.gfid} has this name already.")
        return Plan(
            terms,
            was.entity_id,
            None,
            f"Rename Globex firm {was.gfid}",
            (f"Name: {was.name} becomes {terms.name}.", "Its Globex Firm ID stays: logins do not notice."),
            lambda change, origin: self._rename(change, was, terms.name, origin),
        )

    def withdraw(self, by: Principal, terms: WithdrawFirm) -> Plan:
        """Plan the end of a firm. ConflictError while sessions carry it."""
        firm = self.managed(by, terms.gfid)
        if carrying := self._directory.sessions_with(firm.gfid):
            named = [session.session_id for session in carrying[:5] if by.sees(session.entity_id)]
            raise ConflictError(
                f"Globex firm {firm.gfid} is carried by {counted(len(carrying), 'session')}"
                f"{' (' + ', '.join(named) + ')' if named else ''}. Delete them, or take the firm off them, first."
            )
        return Plan(
            terms,
            firm.entity_id,
            None,
            f"Withdraw Globex firm {firm.gfid} ({firm.name})",
            (
                "No session can be created for it any more.",
                f"The Globex Firm ID {firm.gfid} is never given again.",
            ),
            lambda change, origin: self._withdraw(change, firm, origin),
        )

    # Routing through another entity.

    async def authorise(self, by: Principal, gfid: str, primary: str) -> int:
        """Let sessions of `primary`, a firm of another entity, carry the firm; return since when (ns since 1970 UTC).

        NotFoundError where the principal does not see `gfid`, or there is no firm `primary`; ConflictError where it
        needs no authorisation, or has it.
        """
        async with self._store.change(by) as change:
            firm, through = self.managed(by, gfid), self._directory.firm(primary)
            if through is None:
                raise NotFoundError(f"Globex firm {primary}")
            if through.entity_id == firm.entity_id:
                raise ConflictError(f"{gfid} and {primary} are of one entity, and may route through each other.")
            if (gfid, primary) in self._authorised:
                raise ConflictError(f"{gfid} has authorised {primary} already.")
            now = change.now
            change.write(insert(RouteThroughRow).values(gfid=gfid, primary_gfid=primary, authorised_at=now))
            _record_both(change, "firm.route_through_authorised", firm, through)
            change.then(lambda: self._authorised.__setitem__((gfid, primary), now))
        return now

    async def unauthorise(self, by: Principal, gfid: str, primary: str) -> Sequence[str]:
        """Take that back; return the Session IDs that the firm was taken off. NotFoundError without it."""
        async with self._store.change(by) as change:
            firm, through = self.managed(by, gfid), self._directory.firm(primary)
            if through is None or (gfid, primary) not in self._authorised:
                raise NotFoundError(f"authorisation of {primary} to carry {gfid}")
            carrying = [
                session
                for session in self._directory.sessions_with(gfid)
                if session.firms[0] == primary and session.entity_id == through.entity_id
            ]
            for session in carrying:
                others = tuple(other for other in session.firms if other != gfid)
                why = {"reason": f"{gfid} took its authorisation back"}
                change_session(change, self._directory, session, replace(session, firms=others), why)
            change.write(
                delete(RouteThroughRow).where(RouteThroughRow.gfid == gfid, RouteThroughRow.primary_gfid == primary)
            )
            _record_both(change, "firm.route_through_withdrawn", firm, through)
            change.then(lambda: self._authorised.pop((gfid, primary)))
        return [session.session_id for session in carrying]

    def authorised_by(self, by: Principal, gfid: str) -> Sequence[tuple[str, int]]:
        """Return the primary firms that a firm authorised, and since when."""
        self.get(by, gfid)
        return [(primary, at) for (each, primary), at in self._authorised.items() if each == gfid]

    def carried_by(self, by: Principal, gfid: str) -> Sequence[GlobexFirm]:
        """Return the firms of other entities that sessions of a firm may carry."""
        self.get(by, gfid)
        found = (self._directory.firm(each) for each, primary in self._authorised if primary == gfid)
        return [firm for firm in found if firm is not None]

    def _create(self, change: Change, terms: RegisterFirm, origin: Origin) -> tuple[str, ...]:
        firm = GlobexFirm(terms.gfid, terms.entity_id, terms.name, change.now)
        change.write(
            insert(GlobexFirmRow).values(
                gfid=firm.gfid, entity_id=firm.entity_id, name=firm.name, created_at=change.now
            )
        )
        change.record("firm.created", firm.entity_id, f"firm {firm.gfid}", **{"name": firm.name, **origin})
        change.then(lambda: self._directory.put_firm(firm))
        return ()

    def _rename(self, change: Change, was: GlobexFirm, name: str, origin: Origin) -> tuple[str, ...]:
        change.write(update(GlobexFirmRow).where(GlobexFirmRow.gfid == was.gfid).values(name=name))
        details = {"name": name, "before": was.name, **origin}
        change.record("firm.renamed", was.entity_id, f"firm {was.gfid}", **details)
        change.then(lambda: self._directory.put_firm(replace(was, name=name)))
        return ()

    def _withdraw(self, change: Change, firm: GlobexFirm, origin: Origin) -> tuple[str, ...]:
        gone = replace(firm, withdrawn_at=change.now)
        change.write(
            update(GlobexFirmRow).where(GlobexFirmRow.gfid == firm.gfid).values(withdrawn_at=change.now),
            delete(RouteThroughRow).where(
                or_(RouteThroughRow.gfid == firm.gfid, RouteThroughRow.primary_gfid == firm.gfid)
            ),
        )
        change.record("firm.withdrawn", firm.entity_id, f"firm {firm.gfid}", **{"name": firm.name, **origin})
        change.then(lambda: self._directory.put_firm(gone))
        for pair in [pair for pair in self._authorised if firm.gfid in pair]:
            change.then(lambda pair=pair: self._authorised.pop(pair))  # type: ignore[misc]
        return ()


def _record_both(change: Change, action: str, firm: GlobexFirm, primary: GlobexFirm) -> None:
    """Have both entities' audits say what happened between their firms."""
    for entity_id in (firm.entity_id, primary.entity_id):
        change.record(action, entity_id, f"firm {firm.gfid}", gfid=firm.gfid, primary=primary.gfid)
