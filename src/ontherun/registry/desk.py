"""What self-service keeps in memory beside the directory's records: open requests, Drop Copy groups, allowances.

Like the directory it changes right after each commit and never before.
"""

from collections.abc import Collection

from ontherun.registry.records_requests import DropCopyGroup, Request, VenuePolicies


class Desk:
    """Open requests by their number, Drop Copy groups, allowances, authorisations and policies, as last committed."""

    __slots__ = ("_groups", "_open", "allowances", "last_request_id", "policies", "route_through")

    def __init__(self) -> None:
        self.policies = VenuePolicies()
        self.allowances: dict[int, int] = {}
        self.route_through: dict[tuple[str, str], int] = {}
        """(firm, primary firm of another entity) -> since when sessions of the latter may carry the former."""
        self.last_request_id = 0
        self._open: dict[int, Request] = {}
        self._groups: dict[int, DropCopyGroup] = {}

    def open_request(self, request_id: int) -> Request | None:
        """Return the request while something will still happen to it."""
        return self._open.get(request_id)

    def open_requests(self) -> Collection[Request]:
        """Return every open request, oldest first."""
        return self._open.values()

    def group(self, group_id: int) -> DropCopyGroup | None:
        """Return the Drop Copy group, deleted or not, or None."""
        return self._groups.get(group_id)

    def groups(self) -> Collection[DropCopyGroup]:
        """Return every Drop Copy group, deleted ones too, in the order of their creation."""
        return self._groups.values()

    def allowance(self, entity_id: int) -> int:
        """Return how many Order Entry sessions an entity may have."""
        return self.allowances.get(entity_id, self.policies.session_allowance)

    def put_request(self, request: Request) -> None:
        """Add or replace an open request; let a finished one go."""
        self.last_request_id = max(self.last_request_id, request.request_id)
        if request.status.open:
            self._open[request.request_id] = request
        else:
            self._open.pop(request.request_id, None)

    def put_group(self, group: DropCopyGroup) -> None:
        """Add or replace."""
        self._groups[group.group_id] = group

    def put_policies(self, policies: VenuePolicies) -> None:
        """Replace the policies."""
        self.policies = policies

    def set_allowance(self, entity_id: int, allowance: int | None) -> None:
        """Replace an entity's allowance; None: the venue's default."""
        if allowance is None:
            self.allowances.pop(entity_id, None)
        else:
            self.allowances[entity_id] = allowance
