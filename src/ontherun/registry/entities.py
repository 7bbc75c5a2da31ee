"""Registered entities."""

from sqlalchemy import insert

from ontherun.registry.checks import checked_name
from ontherun.registry.errors import ConflictError, NotFoundError
from ontherun.registry.principal import Principal
from ontherun.registry.records import Entity
from ontherun.registry.store import Store
from ontherun.registry.tables import EntityRow


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
