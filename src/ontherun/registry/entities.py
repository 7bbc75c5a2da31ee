"""Registered entities and their Globex firms."""

from sqlalchemy import insert

from ontherun.registry.checks import checked_gfid, checked_name
from ontherun.registry.errors import ConflictError, NotFoundError
from ontherun.registry.plans import Origin, Plan
from ontherun.registry.principal import Principal, Right
from ontherun.registry.records import Entity, GlobexFirm
from ontherun.registry.store import Change, Store
from ontherun.registry.tables import EntityRow, GlobexFirmRow
from ontherun.registry.terms import RegisterFirm


class Entities:
    """Create and find registered entities. Only the operator of the venue creates them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._directory = store.directory

    async def create(self, by: Principal, name: str) -> Entity:
        """Register an entity. Its name is unique: ConflictError."""
        by.require_operator()
        name = checked_name("name", name)
        async with self._store.change(by) as change:
            if any(entity.name == name for entity in self._directory.entities()):
                raise ConflictError(f"There is an entity {name} already.")
            entity = Entity(len(self._directory.entities()) + 1, name, change.now)
            change.write(insert(EntityRow).values(entity_id=entity.entity_id, name=name, created_at=change.now))
            change.record("entity.created", entity.entity_id, f"entity {entity.entity_id}", name=name)
            change.then(lambda: self._directory.put_entity(entity))
        return entity

    def get(self, by: Principal, entity_id: int) -> Entity:
        """Return an entity. NotFoundError when there is none for this principal."""
        entity = self._directory.entity(entity_id)
        if entity is None or not by.sees(entity_id):
            raise NotFoundError(f"entity {entity_id}")
        return entity

    def list(self, by: Principal) -> list[Entity]:
        """Return the entities that the principal sees, in the order of their creation."""
        return [entity for entity in self._directory.entities() if by.sees(entity.entity_id)]


class Firms:
    """Create and find Globex firms."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._directory = store.directory

    async def create(self, by: Principal, entity_id: int, gfid: str, name: str) -> GlobexFirm:
        """Give an entity a firm, without a request. A GFID is unique in the venue: ConflictError."""
        async with self._store.change(by) as change:
            plan = self.plan(by, RegisterFirm(entity_id=entity_id, gfid=gfid, name=name))
            plan.carry_out(change, {})
        return self.get(by, gfid)

    def plan(self, by: Principal, terms: RegisterFirm) -> Plan:
        """Plan a new firm. A GFID is unique in the venue, for it is all that the wire shows: ConflictError."""
        checked_gfid("gfid", terms.gfid), checked_name("name", terms.name)
        if self._directory.entity(terms.entity_id) is None or not by.sees(terms.entity_id):
            raise NotFoundError(f"entity {terms.entity_id}")
        by.require(Right.MANAGE_SESSIONS, terms.entity_id)
        if self._directory.firm(terms.gfid) is not None:
            raise ConflictError(f"The Globex Firm ID {terms.gfid} is taken. Choose another.")
        return Plan(
            terms,
            terms.entity_id,
            None,
            f"Register Globex firm {terms.gfid} ({terms.name})",
            ("Sessions can be created for it, and log in with it as their firm.",),
            lambda change, origin: self._create(change, terms, origin),
        )

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

    def get(self, by: Principal, gfid: str) -> GlobexFirm:
        """Return a firm. NotFoundError when there is none for this principal."""
        firm = self._directory.firm(gfid)
        if firm is None or not by.sees(firm.entity_id):
            raise NotFoundError(f"Globex firm {gfid}")
        return firm

    def list(self, by: Principal) -> list[GlobexFirm]:
        """Return the firms that the principal sees, in the order of their creation."""
        return [firm for firm in self._directory.firms() if by.sees(firm.entity_id)]
