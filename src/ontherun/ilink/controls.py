"""Messaging Controls: how many business messages a session may send, and what happens beyond.

Three modules count for themselves, in one window of 3 s per session and market segment that its first message begins.
Limits are messages a second, averaged over the window. Above `reject` a message is refused (BusinessReject 8), above
`logout` the session is ended (Terminate 9). Source: CME client wiki, Messaging Controls, and for mass quotes BrokerTec
Markets.

Not said there, and our reading: when a window ends above the limit it is not begun anew but goes on, and messages are
refused until the average over all of it has fallen to the limit; refused messages count; a message that ends the
session does not, since it is not applied.

A message costs nothing here as long as the limits are far: their count is the difference of two sequence numbers, and
`last` is the number up to which no limit can be reached, whatever comes.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import Enum, IntEnum
from typing import NamedTuple

from ontherun.ilink.messages import (
    MassQuote,
    OrderCancelRequest,
    OrderMassActionRequest,
    QuoteCancel,
    QuoteCancelByGroup,
    QuoteCancelByInstrument,
    QuoteCancelBySet,
)
from ontherun.ilink.templates import MAX_SEQ_NUM

SECOND = 1_000_000_000
WINDOW = 3 * SECOND


class Module(IntEnum):
    """What is counted together."""

    COMMON = 0
    """Everything that the two others do not name."""
    CANCEL = 1
    """OrderCancelRequest, OrderMassActionRequest."""
    MASS_QUOTE = 2
    """MassQuote and its cancels."""


MODULES: dict[int, Module] = {
    OrderCancelRequest.TEMPLATE_ID: Module.CANCEL,
    OrderMassActionRequest.TEMPLATE_ID: Module.CANCEL,
    MassQuote.TEMPLATE_ID: Module.MASS_QUOTE,
    QuoteCancel.TEMPLATE_ID: Module.MASS_QUOTE,
    QuoteCancelBySet.TEMPLATE_ID: Module.MASS_QUOTE,
    QuoteCancelByGroup.TEMPLATE_ID: Module.MASS_QUOTE,
    QuoteCancelByInstrument.TEMPLATE_ID: Module.MASS_QUOTE,
}
"""The module of each template that does not count as Common."""


class Verdict(Enum):
    """What becomes of a message."""

    ALLOW = "carried out"
    REJECT = "refused, its number is used"
    LOGOUT = "the session ends, its number is not used"


@dataclass(frozen=True, slots=True)
class Limits:
    """Messages a second, averaged over 3 s: above `reject` they are refused, above `logout` the session ends."""

    reject: int
    logout: int


UNLIMITED = Limits(10**9, 10**9)


@dataclass(frozen=True, slots=True)
class ControlPolicy:
    """The limits of a market segment.

    Published for futures (CME client wiki, Messaging Controls) and taken for BrokerTec too, which has figures of its
    own only for mass quotes: refused above 400 a second in production; its logout limit is the one for futures.
    `common_closed` holds while the market is closed.
    """

    common: Limits = Limits(500, 750)
    common_closed: Limits = Limits(100, 150)
    cancel: Limits = Limits(1000, 1500)
    mass_quote: Limits = Limits(400, 750)

    def of(self, module: Module, *, closed: bool) -> Limits:
        """The limits of one module."""
        if module is Module.COMMON:
            return self.common_closed if closed else self.common
        return self.cancel if module is Module.CANCEL else self.mass_quote

    def to_json(self) -> dict[str, object]:
        """The policy as plain values, for the journal and the REST API."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> "ControlPolicy":
        """The inverse of `to_json`; a module that is not named keeps its default. Raises ValueError."""
        known = [field.name for field in fields(cls)]
        unknown = sorted(value.keys() - known)
        if unknown:
            raise ValueError(f"there is no module {unknown[0]!r}; there are {', '.join(known)}")
        return cls(**{name: _limits(name, limits) for name, limits in value.items()})


def _limits(name: str, value: object) -> Limits:
    if not (isinstance(value, Mapping) and value.keys() == {"reject", "logout"}):
        raise ValueError(f"{name}: expected reject and logout, in messages a second")
    reject, logout = value["reject"], value["logout"]
    if not (isinstance(reject, int) and isinstance(logout, int) and 1 <= reject <= logout):
        raise ValueError(f"{name}: expected 1 <= reject <= logout, got reject {reject!r} and logout {logout!r}")
    return Limits(reject, logout)


EXCHANGE_CONTROLS = ControlPolicy()
NO_CONTROLS = ControlPolicy(UNLIMITED, UNLIMITED, UNLIMITED, UNLIMITED)


class Rate(NamedTuple):
    """How much of a module's limits the present window has used."""

    module: Module
    messages: int
    """In the present window."""
    per_second: float
    """The same, averaged as the limits are."""
    limits: Limits


@dataclass(slots=True)
class Controls:
    """The present window of one session on one market segment.

    `start`, `until`: ns; past `until` each message must be looked at, and the first one that finds the window calm
    begins another. `last`: the client's number up to which nothing can go over a limit; `base`: the number of the
    window's first message, as if numbers had no gaps; `cancels`, `quotes`: messages of these modules in the window.
    """

    start: int = 0
    until: int = 0
    last: int = 0
    base: int = 1
    cancels: int = 0
    quotes: int = 0

    def judge(self, template: int, number: int, policy: ControlPolicy, now: int, *, closed: bool) -> Verdict:
        """Look at the message with this number, the next one of its client, and at what may follow it unseen."""
        if not self.start <= now < self.until and self._calm(number, policy, now, closed=closed):
            self.start, self.until, self.base, self.cancels, self.quotes = now, now + WINDOW, number, 0, 0
        module = MODULES.get(template, Module.COMMON)
        limits = policy.of(module, closed=closed)
        sent = self._sent(module, number)
        span = max(now - self.start, WINDOW)
        self.last = 0
        if sent * SECOND >= limits.logout * span:
            return Verdict.LOGOUT
        if sent * SECOND >= limits.reject * span:
            if module is Module.CANCEL:
                self.count_cancel()
            elif module is Module.MASS_QUOTE:
                self.count_quote()
            return Verdict.REJECT
        self.last = min(number + self._room(number, policy, closed=closed), MAX_SEQ_NUM)
        return Verdict.ALLOW

    def count_cancel(self) -> None:
        """Count an allowed message as one of Cancel."""
        self.cancels += 1

    def count_quote(self) -> None:
        """Count an allowed message as one of Mass Quote."""
        self.quotes += 1

    def look_again(self) -> None:
        """Look at the next message: the limits have changed."""
        self.last = 0

    def renumbered(self, expected: int, now_expected: int) -> None:
        """The client's next number is another one, though nothing was sent: a gap was filled, a new UUID begins."""
        self.base += now_expected - expected
        self.last = 0

    def rates(self, next_inbound: int, policy: ControlPolicy, now: int, *, closed: bool) -> list[Rate]:
        """What was sent, for people. `next_inbound` is the client's next number."""
        if not self.start <= now < self.until and self._calm(next_inbound, policy, now, closed=closed):
            return [Rate(module, 0, 0.0, policy.of(module, closed=closed)) for module in Module]
        span = max(now - self.start, WINDOW)
        return [
            Rate(module, sent, sent * SECOND / span, policy.of(module, closed=closed))
            for module in Module
            for sent in (self._sent(module, next_inbound),)
        ]

    def _sent(self, module: Module, number: int) -> int:
        """Messages of the module in this window before the one with `number`."""
        if module is Module.COMMON:
            return number - self.base - self.cancels - self.quotes
        return self.cancels if module is Module.CANCEL else self.quotes

    def _calm(self, number: int, policy: ControlPolicy, now: int, *, closed: bool) -> bool:
        """Whether no module's average over the window that is over is above its limit. A clock that was moved back
        begins a window too."""
        span = now - self.start
        return span < 0 or all(
            self._sent(module, number) * SECOND <= policy.of(module, closed=closed).reject * span for module in Module
        )

    def _room(self, number: int, policy: ControlPolicy, *, closed: bool) -> int:
        """How many messages of any kind may follow the one with `number` before some module reaches its limit."""
        return min(
            policy.of(module, closed=closed).reject * (WINDOW // SECOND) - self._sent(module, number) - 1
            for module in Module
        )
