"""Who is asking, and what they may do.

The roles follow the exchange's self-service (CME Customer Center help, User Administration and Order Entry Sessions:
Admin Manager, Full Access, Read Only, a separate Key Management User). Its table of BrokerTec roles is not public, and
the split of the Key Manager into generate, download and delete is ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from types import MappingProxyType

from ontherun.registry.errors import ForbiddenError, SecondFactorRequiredError


@unique
class Right(StrEnum):
    """One thing that somebody may do with what belongs to an entity; OPERATE is for the venue itself."""

    VIEW = "view"
    MANAGE_SESSIONS = "manage sessions"
    APPROVE_REQUESTS = "approve requests"
    GENERATE_KEYS = "generate keys"
    DOWNLOAD_KEYS = "download keys"
    DELETE_KEYS = "delete keys"
    MANAGE_PEOPLE = "manage people"
    MANAGE_NOTICES = "manage notices"
    READ_AUDIT = "read the audit"
    OPERATE = "operate the venue"


@unique
class Role(StrEnum):
    """A set of rights that a person or an API token is given at an entity; one may have several."""

    ADMIN_MANAGER = "admin-manager"
    FULL_ACCESS = "full-access"
    READ_ONLY = "read-only"
    KEY_GENERATOR = "key-generator"
    KEY_DOWNLOADER = "key-downloader"
    KEY_DELETER = "key-deleter"
    AUDITOR = "auditor"


_KEYS = {Right.GENERATE_KEYS, Right.DOWNLOAD_KEYS, Right.DELETE_KEYS}

RIGHTS_OF: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {
        Role.ADMIN_MANAGER: frozenset(Right) - {Right.OPERATE},
        Role.FULL_ACCESS: frozenset({Right.VIEW, Right.MANAGE_SESSIONS} | _KEYS),
        Role.READ_ONLY: frozenset({Right.VIEW}),
        Role.KEY_GENERATOR: frozenset({Right.VIEW, Right.GENERATE_KEYS}),
        Role.KEY_DOWNLOADER: frozenset({Right.VIEW, Right.DOWNLOAD_KEYS}),
        Role.KEY_DELETER: frozenset({Right.VIEW, Right.DELETE_KEYS}),
        Role.AUDITOR: frozenset({Right.VIEW, Right.READ_AUDIT}),
    }
)
"""Role -> the rights that it gives."""

EVERY_RIGHT = frozenset(Right)


@unique
class PrincipalKind(StrEnum):
    """How somebody was recognised: the process itself, by an API token, or as a person at the portal."""

    PROCESS = "process"
    TOKEN = "token"  # noqa: S105 - a kind, no token
    PERSON = "person"


SECOND_FACTOR_LIFE = 120 * 1_000_000_000
"""How long a proof of a second factor may wait for the action that it was given for: two minutes, in nanoseconds."""


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """A person has just proved a second factor. `registry.people.prove` makes it, one action uses it."""

    user_id: int
    at: int


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who was recognised, with the rights of this moment."""

    name: str
    kind: PrincipalKind
    grants: Mapping[int, frozenset[Right]] = field(default_factory=dict)
    """Entity id -> rights there."""
    everywhere: frozenset[Right] = frozenset()
    """Rights at every entity and at the venue itself: the operator's."""
    source: str | None = None
    """Where the request came from: a network address, or None inside the process."""
    user_id: int | None = None
    """The person, None for a token of no person and for the process."""
    signed_in_at: int | None = None
    """When the person signed in, in the machine's own time, nanoseconds since 1970 UTC; None where nobody did."""

    def sees(self, entity_id: int | None) -> bool:
        """Whether things of this entity (None: of the venue itself) exist for the principal."""
        return bool(self.everywhere) or entity_id in self.grants

    def may(self, right: Right, entity_id: int) -> bool:
        """Whether the principal has a right at an entity."""
        return right in self.everywhere or right in self.grants.get(entity_id, ())

    def entities(self, right: Right) -> frozenset[int] | None:
        """Return the entities at which the principal has a right; None stands for all of them."""
        if right in self.everywhere:
            return None
        return frozenset(entity_id for entity_id, rights in self.grants.items() if right in rights)

    @property
    def operator(self) -> bool:
        """Whether the principal runs the venue."""
        return Right.OPERATE in self.everywhere

    def require(self, right: Right, entity_id: int) -> None:
        """ForbiddenError unless the principal has a right at an entity, which it must see already."""
        if not self.may(right, entity_id):
            roles = [role for role, rights in RIGHTS_OF.items() if right in rights]
            raise ForbiddenError(
                f"{self.name} may not {right} here. It takes a role of: {', '.join(roles)}.", entity_id
            )

    def require_operator(self) -> None:
        """ForbiddenError unless the principal may act on the venue itself."""
        if not self.operator:
            raise ForbiddenError(f"Only the operator of the venue may do this, and {self.name} is not.")

    def require_second_factor(self, second_factor: SecondFactor | None, now: int) -> None:
        """SecondFactorRequiredError unless a person has just proved one; tokens and the process have none to prove."""
        if self.kind is not PrincipalKind.PERSON:
            return
        if (
            second_factor is None
            or second_factor.user_id != self.user_id
            or not 0 <= now - second_factor.at <= SECOND_FACTOR_LIFE
        ):
            raise SecondFactorRequiredError


SYSTEM = Principal("system", PrincipalKind.PROCESS, everywhere=EVERY_RIGHT)
"""The process itself."""
