"""A lane: one session on one market segment, as the engine sees it."""

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ontherun.ilink.codes import TerminateCode
from ontherun.ilink.messages import UINT64_NULL
from ontherun.ilink.stream import Stream
from ontherun.market.terms import PartyUser

if TYPE_CHECKING:
    from ontherun.gateway.witness import Witness

READS_KEPT = 50
"""How many reads of a session are kept for whoever looks at it."""

LARGE_READ = 4096
"""Bytes of a read that holds some thirty messages by itself: none before it need be kept."""


@dataclass(frozen=True, slots=True)
class PartyDetails:
    """A registered set of party details that orders name by PartyDetailsListReqID (1505)."""

    party_details_list_req_id: int
    account: bytes = b""
    """The customer account (PartyDetailRole 24), empty without one."""
    self_match_prevention_id: int = UINT64_NULL
    """SelfMatchPreventionID (2362); the null of its type without one."""
    self_match_prevention_instruction: int = 0
    """SelfMatchPreventionInstruction (8000), 0 where it is absent: oldest."""


class Peer(Protocol):
    """A connection, as far as a lane knows it."""

    @property
    def id(self) -> str:
        """What names it in the log and in traces."""

    @property
    def witness(self) -> "Witness":
        """What tells its session's owner."""

    def write(self, numbered: bytes) -> None:
        """Write what is queued and then `numbered`."""

    def drop_if_hung_up(self, now: int) -> None:
        """End the binding when the peer is gone, which may not have been read yet."""

    def end(self, code: TerminateCode, reason: str, now: int) -> None:
        """End the session with Terminate, unprompted."""

    def promote(self, now: int) -> None:
        """Go on as the primary."""


class OnDemand(NamedTuple):
    """Party details that came in a request of their own, for the message that follows it."""

    seq_num: int
    """The number of the request."""
    details: PartyDetails


class Owner:
    """Who owns an order: a session trading for one firm. The market knows it by `sender_comp`, the gateway by
    `lane`."""

    __slots__ = ("firm", "lane", "party_details", "sender_comp")

    def __init__(self, lane: "Lane", firm: str) -> None:
        self.lane = lane
        self.firm = firm
        self.sender_comp = lane.stream.session + firm
        self.party_details: dict[int, PartyDetails] = {}

    def on_demand(self, request: PartyUser) -> PartyDetails | None:
        """The on-demand party details that came right before this request; None where there are none."""
        last = self.lane.on_demand
        if last is None or request.seq_num != last.seq_num + 1:
            return None
        details = last.details
        return details if details.party_details_list_req_id == request.party_details_list_req_id else None


class Lane:
    """The stream of one session on one segment, its owners (one for each firm), and what the present turn says to
    it."""

    __slots__ = (
        "backup",
        "connection",
        "controls",
        "first",
        "heard",
        "joined",
        "key",
        "missed_from",
        "missed_to",
        "missed_uuid",
        "number",
        "on_demand",
        "out",
        "over_limit",
        "owner",
        "owners",
        "stream",
    )

    def __init__(self, number: int, stream: Stream) -> None:
        self.number = number
        self.stream = stream
        self.controls = stream.controls
        self.connection: Peer | None = None
        """Where the session is logged in now, as primary."""
        self.backup: Peer | None = None
        """Where it waits on the backup."""
        self.key = (stream.session, stream.uuid)
        """What the outbox files its messages under."""
        self.owners: dict[str, Owner] = {}
        self.on_demand: OnDemand | None = None
        self.over_limit = False
        """Messaging Controls end the session."""
        self.owner: Owner = self.owner_for("")
        self.out: list[bytes] = []
        """Numbered frames of this turn, in order; they leave after the turn's commit."""
        self.joined = b""
        """The same, joined when the turn ends."""
        self.first = 0
        """The number of the first of them."""
        self.heard: deque[bytes] = deque(maxlen=READS_KEPT)
        """The last reads of whole frames in sequence, for whoever looks at the session."""
        self.missed_uuid = 0
        self.missed_from = 0
        """The number of the first message that no connection got, under `missed_uuid`; 0 without one."""
        self.missed_to = 0
        """The number behind the last of them; 0 while there may be more."""

    def owner_for(self, firm: str) -> Owner:
        """The owner for one firm, made at first use."""
        owner = self.owners.get(firm)
        if owner is None:
            owner = self.owners[firm] = Owner(self, firm)
        return owner

    def bind(self) -> None:
        """Trade for the firm that logged in last, under the UUID that was established last."""
        self.owner = self.owner_for(self.stream.firm)
        self.key = (self.stream.session, self.stream.uuid)

    def hear(self, frames: bytes) -> None:
        """Keep a read for whoever looks at the session; a large one in place of all that went before."""
        if len(frames) > LARGE_READ:
            self.heard.clear()
        self.heard.append(frames)

    # What nobody was there for.

    def left(self) -> None:
        """The session's connection is gone: from here on messages are missed."""
        if not self.missed_from or self.missed_uuid != self.stream.uuid:
            self.missed_uuid, self.missed_from = self.stream.uuid, self.stream.next_outbound
        self.missed_to = 0

    def came_back(self, stop: int) -> None:
        """A connection is there again: what was missed ends before the number `stop`."""
        self.missed_to = stop
        if self.missed_from >= stop:
            self.missed_from = 0

    def told_again(self, uuid: int, from_seq_no: int, count: int) -> None:
        """Messages go out again: those are no longer missed."""
        if uuid == self.missed_uuid and from_seq_no <= self.missed_from:
            self.missed_from = max(self.missed_from, from_seq_no + count)
            if self.missed_to and self.missed_from >= self.missed_to:
                self.missed_from = 0

    def missed(self, stored: int) -> range:
        """The numbers that no connection got, where those below `stored` are stored; empty without any."""
        return range(self.missed_from, self.missed_to or stored) if self.missed_from else range(0)
