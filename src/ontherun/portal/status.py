"""What the portal shows of the running venue: the Protocol that whoever starts it fulfils."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ontherun.gateway.live import LastFrames, LiveStream
from ontherun.ilink.controls import ControlPolicy
from ontherun.market.hours import Phase
from ontherun.portal.measures import Measure
from ontherun.trace import TraceStore


@dataclass(frozen=True, slots=True)
class GatewayAddress:
    """Where a market segment's gateway listens. `role` is "primary" or "backup"; `tls_certificate` is the file of
    the certificate that it shows, None where it speaks no TLS."""

    segment: int
    role: str
    host: str
    port: int
    tls_certificate: str | None = None


@dataclass(frozen=True, slots=True)
class InstrumentSummary:
    """An instrument that can be traded. `tick` is the smallest price step as text, for people."""

    symbol: str
    security_id: int
    segment: int
    description: str
    tick: str


@dataclass(frozen=True, slots=True)
class MarketSummary:
    """A market segment as it trades. `trade_date` is in days since the epoch, 0 where the market keeps no hours; `next`
    is what its hours do next."""

    segment: int
    status: int
    trade_date: int
    next: Phase | None


class Status(Protocol):
    """The running venue."""

    @property
    def api_url(self) -> str:
        """Where the REST API is reached, without a trailing slash: http://127.0.0.1:8040."""

    @property
    def public_url(self) -> str:
        """Where people reach the portal, without a trailing slash: `api_url` unless it was set."""

    @property
    def traces(self) -> TraceStore:
        """What happened at logins and on connections."""

    def gateways(self) -> Sequence[GatewayAddress]:
        """The gateways that listen now."""

    def instruments(self) -> Sequence[InstrumentSummary]:
        """The instruments that can be traded."""

    def markets(self) -> Sequence[MarketSummary]:
        """The market segments as they trade now."""

    def market_command(self, segment: int, name: str, **given: int) -> int:
        """Do something to a market (`ontherun.gateway.venue_commands`): how many reports that led to; durable on
        return. LookupError where it cannot be done."""

    def change_trade(self, segment: int, trade: int, price: int | None, qty: int | None) -> int:
        """Cancel the trade with this OrderEventExecID, or correct it to this price (1e-9) and quantity: its new number;
        durable on return. LookupError where there is no such trade."""

    def connected(self) -> Collection[str]:
        """The Session IDs that are logged in (established) at some gateway now."""

    def closed_ports(self) -> Collection[str]:
        """The Session IDs whose ports too many bad logins closed: every login is refused until they are opened."""

    def open_port(self, session_id: str) -> None:
        """Open the ports of a session, one of `closed_ports`, again; durable on return."""

    async def unready(self) -> Sequence[str]:
        """Why clients cannot log in and trade now; empty when they can."""

    async def measures(self) -> Sequence[Measure]:
        """What the venue has counted, for /metrics."""

    def live(self, session_id: str) -> Sequence[LiveStream]:
        """How the session stands at the gateways where it ever was."""

    def last_frames(self, session_id: str, count: int) -> Sequence[LastFrames]:
        """Up to `count` of the session's last business messages each way, of each gateway where it ever was."""

    def promotable(self) -> Collection[int]:
        """The market segments whose backup `promote` can have take over: those that this process serves."""

    def promote(self, segment: int) -> int:
        """Have a market segment's backup gateway, one of `promotable`, take over: how many sessions go on there.

        Connections to the primary break, as when its gateway fails. Durable on return.
        """

    def end_session(self, session_id: str, reason: str) -> bool:
        """End what a session has open at the gateways, telling the client why; whether there was anything to end."""

    def weeks(self) -> Mapping[int, tuple[int, int]]:
        """By market segment: when its trading week began and when the next one begins, ns since the epoch."""

    def start_week(self) -> None:
        """Begin a new trading week on every segment now; durable on return."""

    def messaging_controls(self) -> ControlPolicy:
        """How much sessions may send."""

    def set_messaging_controls(self, policy: ControlPolicy) -> None:
        """Change how much sessions may send; durable on return."""
