"""Who is asking, and what they may do."""

from dataclasses import dataclass
from enum import StrEnum, unique

from ontherun.registry.errors import ForbiddenError


@unique
class Role(StrEnum):
    """What a principal may do with the things it sees."""

    ADMIN = "admin"
    READ_ONLY = "read-only"


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who was recognised. `entity_id` None: the operator of the venue, who sees every entity."""

    name: str
    role: Role
    entity_id: int | None
    source: str | None = None
    """Where the request came from: a network address, or None inside the process."""

    def sees(self, entity_id: int | None) -> bool:
        """Whether things of this entity (None: of the venue itself) exist for the principal."""
        return self.entity_id is None or self.entity_id == entity_id

    def require_admin(self) -> None:
        """ForbiddenError unless the principal may change things and read secrets."""
        if self.role is not Role.ADMIN:
            raise ForbiddenError(f"This takes the role {Role.ADMIN}; {self.name} has the role {self.role}.")

    def require_operator(self) -> None:
        """ForbiddenError unless the principal may act on the venue itself."""
        if self.entity_id is not None:
            raise ForbiddenError(f"Only the operator of the venue may do this; {self.name} belongs to one entity.")


SYSTEM = Principal("system", Role.ADMIN, None)
"""The process itself."""
