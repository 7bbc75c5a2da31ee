"""What a gateway has counted since its start: plain numbers that cost an order nothing, read when somebody scrapes.

A new order is not counted at all where it is carried out: the market's own count of accepted orders tells how many
there were, and each refused one is in `refusals`.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ontherun.ilink.messages import (
    BY_TEMPLATE,
    ExecutionReportCancel,
    ExecutionReportElimination,
    ExecutionReportModify,
    ExecutionReportNew,
    ExecutionReportTradeOutright,
    NewOrderSingle,
)
from ontherun.ilink.trace import LoginTrace
from ontherun.market.events import Event, OrderCancelled, OrderEliminated, OrderModified, OrderTraded

if TYPE_CHECKING:
    from ontherun.gateway.engine import Engine
    from ontherun.gateway.rejects import Refusal

_REPORTS: Mapping[type[Event], int] = {
    OrderTraded: ExecutionReportTradeOutright.TEMPLATE_ID,
    OrderEliminated: ExecutionReportElimination.TEMPLATE_ID,
    OrderModified: ExecutionReportModify.TEMPLATE_ID,
    OrderCancelled: ExecutionReportCancel.TEMPLATE_ID,
}
_NEW_ORDER = NewOrderSingle.TEMPLATE_ID
_THROTTLE = 8  # BusinessRejectReason THROTTLE_LIMIT_EXCEEDED


class Spread:
    """How values are spread over `bounds` (upper ends, ascending): `counts` has one more for what is beyond."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Counts:
    """The counts of one gateway. `logins` by message, verdict and code name; `refusals` by template of the request,
    template of the answer, and reason."""

    __slots__ = ("_accepted_before", "_engine", "accepted", "bad_frames", "lag", "logins", "refusals", "slow_consumers")

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._accepted_before = -1
        self.accepted = 0
        """TCP connections."""
        self.slow_consumers = 0
        self.bad_frames = 0
        self.logins: Counter[tuple[str, str, str]] = Counter()
        self.refusals: Counter[tuple[int, int, int]] = Counter()
        self.lag = Spread((0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0))
        """How late the timer of the loop was, in seconds: what a message may wait for others."""

    def begin(self) -> None:
        """Count from here on: what a recovery carried out again is not counted."""
        self._accepted_before = self._engine.market.orders_accepted
        self._engine.received.clear()
        self._engine.reported.clear()

    def login(self, trace: LoginTrace) -> None:
        """A login attempt ended."""
        self.logins[trace.message, trace.verdict.value, trace.code_name] += 1

    def refused(self, refusal: "Refusal") -> None:
        """A business message was refused."""
        self.refusals[refusal.template_id, refusal.answer, refusal.reason] += 1

    def received(self) -> dict[str, int]:
        """Business messages of clients that were in sequence, by name."""
        refused: Counter[int] = Counter()
        throttled: Counter[int] = Counter()
        for (template, _, reason), count in self.refusals.items():
            refused[template] += count
            throttled[template] += count if reason == _THROTTLE else 0
        counted = Counter(self._engine.received) + throttled
        counted[_NEW_ORDER] = self._accepted() + refused[_NEW_ORDER]
        return _named(counted)

    def sent(self) -> dict[str, int]:
        """Numbered messages to clients, by name."""
        counted = Counter({_REPORTS[kind]: count for kind, count in self._engine.reported.items() if kind in _REPORTS})
        counted[ExecutionReportNew.TEMPLATE_ID] = self._accepted()
        for (_, answer, _), count in self.refusals.items():
            counted[answer] += count
        return _named(counted)

    def _accepted(self) -> int:
        return self._engine.market.orders_accepted - self._accepted_before


def _named(counted: Mapping[int, int]) -> dict[str, int]:
    return {BY_TEMPLATE[template].__name__: count for template, count in sorted(counted.items()) if count}
