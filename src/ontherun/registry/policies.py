"""How the venue treats requests, and how many sessions an entity may have: the operator's settings."""

from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import delete, insert

from ontherun.registry.checks import checked_notes
from ontherun.registry.errors import ConflictError, InvalidError, NotFoundError
from ontherun.registry.principal import Principal
from ontherun.registry.records_requests import VenuePolicies
from ontherun.registry.store import Store
from ontherun.registry.tables_requests import SessionAllowanceRow, VenuePolicyRow

MOST_SESSIONS = 36**3
"""There are no more Session IDs than this."""


class Policies:
    """Read and set them. Reading is for everybody who is recognised."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._directory = store.directory

    @property
    def current(self) -> VenuePolicies:
        """The policies as they are now."""
        return self._directory.desk.policies

    async def set(self, by: Principal, **changes: Any) -> VenuePolicies:
        """Set some policies, for requests from now on; what is accepted already keeps its time.

        ForbiddenError for anybody but the operator, InvalidError out of range, ConflictError when nothing would change.
        """
        by.require_operator()
        async with self._store.change(by) as change:
            policies = _checked(replace(self.current, **changes))
            was = asdict(self.current)
            changed = {name: value for name, value in asdict(policies).items() if value != was[name]}
            if not changed:
                raise ConflictError("Nothing would change: the policies are like this already.")
            for name, value in changed.items():
                change.write(delete(VenuePolicyRow).where(VenuePolicyRow.name == name))
                if value != asdict(VenuePolicies())[name]:
                    change.write(insert(VenuePolicyRow).values(name=name, value=value))
                change.record("policy.changed", None, f"policy {name}", value=value, before=was[name])
            change.then(lambda: self._directory.desk.put_policies(policies))
        return policies

    async def set_allowance(self, by: Principal, entity_id: int, allowance: int | None) -> int:
        """Set how many Order Entry sessions an entity may have; None: the venue's default. What it has, it keeps."""
        if self._directory.entity(entity_id) is None or not by.sees(entity_id):
            raise NotFoundError(f"entity {entity_id}")
        by.require_operator()
        if allowance is not None:
            _check_count("allowance", allowance)
        desk = self._directory.desk
        async with self._store.change(by) as change:
            change.write(delete(SessionAllowanceRow).where(SessionAllowanceRow.entity_id == entity_id))
            if allowance is not None:
                change.write(insert(SessionAllowanceRow).values(entity_id=entity_id, allowance=allowance))
            change.record("session_allowance.changed", entity_id, f"entity {entity_id}", allowance=allowance)
            change.then(lambda: desk.set_allowance(entity_id, allowance))
        return desk.allowance(entity_id)


def _checked(policies: VenuePolicies) -> VenuePolicies:
    for name in ("session_allowance", "drop_copy_sources"):
        _check_count(name, getattr(policies, name))
    return replace(policies, fee_text=checked_notes(policies.fee_text))


def _check_count(where: str, count: int) -> None:
    if not 0 <= count <= MOST_SESSIONS:
        raise InvalidError(where, "is out of range.", f"0 to {MOST_SESSIONS}")
