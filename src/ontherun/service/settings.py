"""What a person may choose when starting a venue."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ontherun.ilink.controls import ControlPolicy
from ontherun.ilink.policy import SessionPolicy
from ontherun.ilink.records import Role
from ontherun.market.benchmarks import SEGMENTS
from ontherun.market.instruments import Instrument
from ontherun.notices import NoticeSettings
from ontherun.portal.single_sign_on import Provider
from ontherun.service.environment import Environment

Hours = Literal["always", "exchange"]

BACKUP_PORT_OFFSET = 500
"""How far a backup's port lies above its primary's; segment ids are below 255."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices of `ontherun up`; each is an option of the command and an environment variable."""

    data: Path
    """Folder of everything that lasts: registry, journal, master key, key files."""
    host: str = "127.0.0.1"
    """Address that the portal and the gateways listen on."""
    portal_port: int = 8040
    """Port of the portal and the REST API; 0 takes a free one."""
    gateway_port_base: int = 9000
    """A market segment's primary listens on this plus the segment's id, its backup BACKUP_PORT_OFFSET above (segment
    40: 9040 and 9540); 0 takes free ports."""
    ready_file: Path | None = None
    """Written once everything listens, see `ready.py`."""
    hours: Hours = "always"
    """When the market is open: `exchange` keeps the hours and trading days of `ontherun.market.hours`; `always` lets a
    developer trade on a Sunday, and ends no day."""
    fsync: bool = True
    """True: what is acknowledged survives loss of power. False: it survives the death of the process only, and is
    faster."""
    drain_seconds: float = 5.0
    """How long a stop waits for the clients to take their last messages and their Terminate."""
    poll_microseconds: int = 0
    """Adaptive polling: how long the loop stays awake after input. 0 sleeps at once."""

    notices: NoticeSettings = field(default_factory=NoticeSettings)
    """Where mail goes out, and what webhooks may reach."""
    lab: bool = False
    """True: the venue's clock can be moved, see `ontherun.registry.lab`. False: it is the machine's."""

    tls: tuple[Path, Path] | None = None
    """PEM files of a certificate and its key: the order entry gateways then speak TLS, which the exchange's do not."""

    pair: bool = False
    """True: one of two processes on the same data, see `ontherun.service.standby`. The one that is the venue serves the
    primaries, the other one the backups."""

    split_safeguard: bool = False
    """Whether business messages that arrive in pieces are told as such and limited, see `SessionPolicy`."""

    session_ends_with_key: bool = False
    """Whether a live session ends once its key pair is expired, deleted or deactivated, see `SessionPolicy`."""

    messaging_controls: ControlPolicy | None = None
    """How much sessions may send. None: as it was; a new venue begins with the exchange's limits."""

    environment: Environment = "LOCAL"
    """What the venue is to its users. LOCAL is easy on people; elsewhere a second factor is required."""

    identity_provider: Provider | None = None
    """Where people may sign in as well."""

    segments: Mapping[int, Sequence[Instrument]] = field(default_factory=lambda: SEGMENTS)
    """The market segments and the instruments that each begins with."""

    def session_policy(self, clock_offset: Callable[[], int] | None = None) -> SessionPolicy:
        """How gateway sessions behave; `clock_offset` is a lab clock's, see `SessionPolicy`."""
        return SessionPolicy(
            split_safeguard=self.split_safeguard,
            session_ends_with_key=self.session_ends_with_key,
            clock_offset=clock_offset,
        )

    def gateway_port(self, segment: int, role: Role) -> int:
        """The port of one market segment's primary or backup listener, or 0 for a free one."""
        if not self.gateway_port_base:
            return 0
        return self.gateway_port_base + segment + (BACKUP_PORT_OFFSET if role is Role.BACKUP else 0)
