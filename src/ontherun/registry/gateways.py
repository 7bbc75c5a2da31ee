"""What the operator does with the gateways of the venue's market segments: the audit of it."""

from collections.abc import Collection

from ontherun.registry.errors import ConflictError, NotFoundError
from ontherun.registry.principal import Principal
from ontherun.registry.store import Store


class Gateways:
    """The gateways, as far as somebody answers for what is done with them. `segments` are the venue's."""

    def __init__(self, store: Store, segments: tuple[int, ...]) -> None:
        self._store = store
        self._segments = segments

    async def record_promotion(self, by: Principal, segment: int, promotable: Collection[int]) -> None:
        """Note that a backup gateway is about to be made the primary; the caller then does it.

        ForbiddenError for all but the operator, NotFoundError when the venue has no such market segment, ConflictError
        when it is none of those `promotable`, since the backup is another process.
        """
        by.require_operator()
        if segment not in self._segments:
            raise NotFoundError(f"market segment {segment} in this venue")
        if segment not in promotable:
            raise ConflictError(
                f"The backup of segment {segment} is the venue's standby: it takes over when the venue's process ends."
            )
        async with self._store.change(by) as change:
            change.record("gateway.promoted", None, f"market segment {segment}")
