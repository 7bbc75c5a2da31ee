"""What a gateway asks of its surroundings, beyond what its sessions ask: a log, and the registry in memory."""

from collections.abc import Mapping
from typing import Protocol

from ontherun.ilink.authority import Authority
from ontherun.ilink.trace import LoginTrace


class Log(Protocol):
    """A structured log: an event and its facts."""

    def info(self, event: str, **facts: object) -> None:
        """Something that happened."""

    def warning(self, event: str, **facts: object) -> None:
        """Something that its owner should look at."""

    def error(self, event: str, **facts: object) -> None:
        """Something that stopped us."""

    def end_turn(self) -> None:
        """Write what was logged where somebody should look at it now."""

    def flush(self) -> None:
        """Write what was logged."""


class RegisteredPartyDetails(Protocol):
    """Party details as the registry holds them."""

    @property
    def account(self) -> bytes:
        """The customer account (PartyDetailRole 24), empty without one."""

    @property
    def self_match_prevention_id(self) -> int | None:
        """SelfMatchPreventionID (2362)."""


class Directory(Authority, Protocol):
    """What the gateway asks of the registry, synchronously and from memory."""

    def session(self, session_id: str) -> object | None:
        """The session, or None where there is none."""

    def key_used(self, trace: LoginTrace, source: str) -> None:
        """A login from the address `source` named the key pair `trace.access_key_id`, and ended like this."""

    def cancel_on_disconnect(self, session: str) -> bool:
        """Whether the session's resting Day orders go when its connection is lost."""

    def party_details(self, session: str, firm: str) -> Mapping[int, RegisteredPartyDetails]:
        """The registered party details of a session and firm by PartyDetailsListReqID."""
