"""What the operator has the market segments do, as far as the registry takes part: the right to, and the audit."""

from collections.abc import Mapping

from ontherun.registry.principal import Principal
from ontherun.registry.store import Store


class MarketControl:
    """Writes into the audit what the gateways are about to do; each is for the operator of the venue.

    ForbiddenError for anybody else, UnavailableError when the audit cannot be written: then it must not be done.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def record_week(self, by: Principal) -> None:
        """A trading week begins now, before its time."""
        by.require_operator()
        async with self._store.change(by) as change:
            change.record("week.started", None, "market segments")

    async def record_command(self, by: Principal, segment: int, command: Mapping[str, object]) -> None:
        """Something is to be done to a market; the entry says what was asked."""
        by.require_operator()
        async with self._store.change(by) as change:
            change.record("market.command", None, f"market segment {segment}", **dict(command))

    async def record_messaging_controls(self, by: Principal, limits: Mapping[str, object]) -> None:
        """The limits of Messaging Controls are changed to these."""
        by.require_operator()
        async with self._store.change(by) as change:
            change.record("messaging_controls.changed", None, "market segments", limits=dict(limits))
