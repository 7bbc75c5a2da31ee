"""The client's side of the recoverable flow: each business message of the gateway once, in order, across connections.

Live messages that arrive behind a gap are held until the gap is filled by retransmission. What was missed under an
earlier UUID comes first. Sources: CME client wiki, Session Layer and Retransmit Request; no limit but 2,500 messages in
one request is stated, and one request at a time.
"""

from collections import deque
from dataclasses import dataclass, field

from ontherun.ilink.client_events import BusinessMessage, MessagesLost
from ontherun.ilink.stream import FAILURE_WINDOW, FAILURES_TO_CLOSE
from ontherun.ilink.templates import MAX_RETRANSMIT

_MARGIN = 1_000_000_000
"""ns by which the peers may see a bad login at different times."""


@dataclass(slots=True)
class Missed:
    """Messages to fetch under an earlier UUID: `next_seq_no` .. `last_seq_no` (0: the end is unknown)."""

    uuid: int
    next_seq_no: int
    last_seq_no: int


@dataclass(slots=True)
class ClientMemory:
    """What a client must keep between connections, on every market segment of its own. Blank at the start of the week.

    - `uuid`: established last, 0 before the first login; `negotiated_uuid`: accepted last, to be established next;
      `unheard`: negotiated between the two, and perhaps established without our hearing of it, oldest first;
    - `next_outbound`: our next business number; `next_inbound`: the next of the gateway that we have not passed on;
    - `request_timestamp`: the last one used, ns;
    - `missed`: what is still to fetch under earlier UUIDs, oldest first;
    - `bad_logins`: when the last refused logins were answered, ns, oldest first. It outlives the week.
    """

    uuid: int = 0
    negotiated_uuid: int = 0
    next_outbound: int = 1
    next_inbound: int = 1
    request_timestamp: int = 0
    unheard: list[int] = field(default_factory=list)
    missed: list[Missed] = field(default_factory=list)
    bad_logins: list[int] = field(default_factory=list)

    def refused(self, now: int) -> None:
        """Note a bad login."""
        self.bad_logins = [*self.bad_logins[2 - FAILURES_TO_CLOSE :], now]

    def login_at(self) -> int:
        """From when on another login is safe, ns: a fifth bad one within 60 s would close the session's ports.

        Source: CME, Automated Port Closure.
        """
        if len(self.bad_logins) < FAILURES_TO_CLOSE - 1:
            return 0
        return self.bad_logins[0] + FAILURE_WINDOW + _MARGIN


@dataclass(slots=True)
class Wanted:
    """One RetransmitRequest: numbers `first` .. `last` under `uuid`."""

    uuid: int
    first: int
    last: int


Delivery = BusinessMessage | MessagesLost


class Inbound:
    """Order and completeness of what arrives on one connection; progress is kept in the ClientMemory."""

    __slots__ = ("_held", "_live_next", "memory")

    def __init__(self, memory: ClientMemory) -> None:
        self.memory = memory
        self._live_next = 0  # the number that the next live message should have
        self._held: deque[BusinessMessage] = deque()

    def week_began(self, previous_uuid: int) -> list[MessagesLost] | None:
        """When a UUID was negotiated: whether the gateway knows no earlier one any more: a new trading week began.

        None when it does. Otherwise what was still to fetch, and cannot be any more; the memory is blank then.
        """
        memory = self.memory
        if previous_uuid or not memory.uuid:
            return None
        lost = [
            MessagesLost(m.uuid, m.next_seq_no, m.last_seq_no - m.next_seq_no + 1, "a new trading week began")
            for m in memory.missed
            if m.last_seq_no
        ]
        memory.uuid, memory.next_inbound = 0, 1
        memory.unheard.clear()
        memory.missed.clear()
        return lost

    def established(self, uuid: int, next_seq_no: int, previous_uuid: int, previous_seq_no: int) -> bool:
        """Take over EstablishmentAck; False when the gateway counts less than it has sent."""
        memory = self.memory
        if uuid != memory.uuid:
            self._missed_before(previous_uuid, previous_seq_no)
            memory.uuid = uuid
            memory.next_inbound = 1
            memory.next_outbound = 1
        return self.told(max(next_seq_no, 1)) if next_seq_no >= memory.next_inbound else False

    def _missed_before(self, previous_uuid: int, previous_seq_no: int) -> None:
        """Note what is to fetch when a new UUID begins."""
        memory = self.memory
        known = memory.next_inbound
        if previous_uuid != memory.uuid:
            # Bindings between the two never reached us: where they and ours ended was not told and has to be probed.
            # Not so for a blank memory: what others were told before is not its own to miss.
            if memory.uuid or memory.unheard:
                memory.missed.append(Missed(memory.uuid, known, 0))
            memory.missed += [Missed(uuid, 1, 0) for uuid in memory.unheard if uuid < previous_uuid]
            known = 1
        if previous_seq_no >= known:
            memory.missed.append(Missed(previous_uuid, known, previous_seq_no))
        memory.unheard.clear()

    def told(self, next_seq_no: int) -> bool:
        """The gateway says what its next number is; False when that is less than it has sent."""
        if next_seq_no < max(self._live_next, self.memory.next_inbound):
            return False
        self._live_next = next_seq_no
        return True

    def live(self, message: BusinessMessage) -> list[Delivery] | None:
        """A message sent for the first time: what can be passed on now; None when its number was used already."""
        number = message.seq_num
        if number < self._live_next:
            return None
        self._live_next = number + 1
        memory = self.memory
        if number == memory.next_inbound and not memory.missed:
            memory.next_inbound = number + 1
            return [message]
        self._held.append(message)
        return []

    def wanted(self) -> Wanted | None:
        """The next messages to ask for, at most 2,500; None when nothing is missing."""
        memory = self.memory
        if memory.missed:
            missed = memory.missed[0]
            uuid, first, last = missed.uuid, missed.next_seq_no, missed.last_seq_no or missed.next_seq_no
        else:
            uuid, first = memory.uuid, memory.next_inbound
            last = (self._held[0].seq_num if self._held else self._live_next) - 1
        return Wanted(uuid, first, min(last, first + MAX_RETRANSMIT - 1)) if first <= last else None

    def replayed(self, message: BusinessMessage, wanted: Wanted) -> list[Delivery]:
        """A message sent again, while `wanted` is asked for: what can be passed on now."""
        if message.uuid != wanted.uuid or not self.next_of(wanted) <= message.seq_num <= wanted.last:
            return []
        passed: list[Delivery] = []
        if message.seq_num > self.next_of(wanted):
            passed += self.give_up(Wanted(wanted.uuid, wanted.first, message.seq_num - 1), "left out in the reply")
        passed.append(message)
        return passed + self._advance(message.seq_num + 1)

    def give_up(self, wanted: Wanted, reason: str) -> list[Delivery]:
        """Go on without the rest of what was asked for."""
        first = self.next_of(wanted)
        lost = MessagesLost(wanted.uuid, first, wanted.last - first + 1, reason)
        return [lost, *self._advance(wanted.last + 1)]

    def reached_unknown_end(self) -> list[Delivery] | None:
        """Take a refusal as the unknown end: what can be passed on now; None when the end is known."""
        missed = self.memory.missed
        if not missed or missed[0].last_seq_no:
            return None
        del missed[0]
        return self._released()

    def finished(self, wanted: Wanted) -> bool:
        """Whether all that was asked for has come."""
        return self.next_of(wanted) > wanted.last

    def next_of(self, wanted: Wanted) -> int:
        """The first of the wanted numbers that has not come; beyond the last one when all have."""
        missed = self.memory.missed
        if missed and missed[0].uuid == wanted.uuid:
            return missed[0].next_seq_no
        return self.memory.next_inbound if wanted.uuid == self.memory.uuid else wanted.last + 1

    def _advance(self, number: int) -> list[Delivery]:
        memory = self.memory
        if memory.missed:
            missed = memory.missed[0]
            missed.next_seq_no = number
            if 0 < missed.last_seq_no < number:
                del memory.missed[0]
        else:
            memory.next_inbound = number
        return self._released()

    def _released(self) -> list[Delivery]:
        """Held messages that are next."""
        memory = self.memory
        passed: list[Delivery] = []
        while not memory.missed and self._held and self._held[0].seq_num == memory.next_inbound:
            passed.append(self._held.popleft())
            memory.next_inbound += 1
        return passed
