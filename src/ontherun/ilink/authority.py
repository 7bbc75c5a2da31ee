"""What a gateway session asks of its surroundings, as Protocols that the gateway fulfils."""

from dataclasses import dataclass, field
from typing import Protocol

from ontherun.ilink.stream import Stream


class AuthorityUnavailable(Exception):  # noqa: N818 - it names a condition, not a mistake
    """The keys cannot be asked now. The login gets code 1, HMACNotAvailable, and is not counted as a bad one."""


class Key(Protocol):
    """The key of a valid pair of this session."""

    @property
    def secret(self) -> bytes:
        """The decoded secret key, 32 bytes."""

    @property
    def expires_at(self) -> int:
        """When the pair expires, ns since the epoch; 0 when it does not."""


class NoKey(Protocol):
    """No valid pair of this session has this Access Key ID. A NoKey has no attribute `secret`."""

    @property
    def state(self) -> str:
        """Why, for the owner's trace only: "unknown", "expired", "deleted", "belongs to another session"..."""


@dataclass(slots=True)
class KeyFound:
    """A Key."""

    secret: bytes = field(repr=False)
    expires_at: int = 0


@dataclass(slots=True)
class KeyRefused:
    """A NoKey."""

    state: str


@dataclass(slots=True)
class KeyPending:
    """The answer comes later, by `GatewaySession.resolve`. Until then the session is checking."""


KeyAnswer = Key | NoKey | KeyPending


class Authority(Protocol):
    """Who may log in."""

    def allowed(self, session: str, firm: str, segment: int) -> bool:
        """Whether this session may log in for this firm on this market segment."""

    def source_allowed(self, session: str, source: str) -> bool:
        """Whether this session may log in from the network address `source`. True for a session that there is not."""

    def key(self, access_key_id: str, session: str, now: int) -> KeyAnswer:
        """The key pair with this id if it is valid `now` (ns) and belongs to `session`; or AuthorityUnavailable."""

    def key_is_valid(self, access_key_id: str, now: int) -> bool:
        """Whether a key pair that somebody logged in with is still valid `now` (ns)."""


class Streams(Protocol):
    """The streams of the market segments."""

    def get(self, session: str, segment: int) -> Stream | None:
        """The stream of a session on a segment; None when there is no such session, so that strangers store nothing."""


class SentMessages(Protocol):
    """The business messages numbered for clients this week."""

    def stored(self, stream: Stream, uuid: int) -> range:
        """The numbers that can be sent again under `uuid`; empty when none can."""
