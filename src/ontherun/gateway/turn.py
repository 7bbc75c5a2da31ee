"""The turn in which everything becomes durable and leaves.

All connections that had input in one turn of the event loop leave their journal entries and their frames here; then one
commit, then one write per connection. Nothing of a turn is written before its commit has returned.
"""

import asyncio
from collections.abc import Callable
from time import monotonic_ns
from typing import TYPE_CHECKING, NoReturn

from ontherun.gateway.counts import Counts
from ontherun.gateway.engine import Engine
from ontherun.gateway.entries import HEAD, Kind
from ontherun.gateway.lane import Lane
from ontherun.gateway.surroundings import Log
from ontherun.gateway.telling import tell_refusals
from ontherun.journal import Journal, JournalError, Outbox

if TYPE_CHECKING:
    from ontherun.gateway.connection import Connection

_ONE_ENTRY = 2  # pieces: its head and its body
_FRAMES = Kind.FRAMES.value
_head = HEAD.pack


class Turn:
    """The ground floor of a Gateway: its engine, its journal, and what a turn of the loop has brought so far.

    `poll` is how long, in ns, the loop is kept awake after input; 0: not at all.
    """

    def __init__(
        self,
        engine: Engine,
        journal: Journal | None,
        outbox: "Outbox[tuple[str, int]]",
        clock: Callable[[], int],
        log: Log,
        broken: Callable[[Exception], None],
        poll: int,
    ) -> None:
        self.engine = engine
        self.outbox = outbox
        self.log = log
        self.last_now = clock()
        self.counts = Counts(engine)
        self._keep = nobody if journal is None else journal.commit
        self._clock = clock
        self._broken = broken
        self._poll = poll
        self._awake_until = 0
        self._awake = False
        self._entries: list[bytes] = []
        self._speakers: list[Connection] = []
        self._scheduled = False
        self._failed = False
        self._alone = False
        self._syncs = getattr(journal, "fsync", False)
        self._loop = asyncio.get_running_loop()
        self._call_soon = self._loop.call_soon

    @property
    def failed(self) -> bool:
        """Whether the journal could not be written: nothing is acknowledged any more."""
        return self._failed

    def now(self) -> int:
        """The time of what is about to happen, ns; it never runs backwards by itself, only when a lab moves it."""
        now = self._clock()
        if now < self.last_now:
            return self.last_now
        self.last_now = now
        return now

    def write_to(self, journal: Journal) -> None:
        """Be the journal's writer from here on."""
        self._keep = journal.commit
        self._syncs = getattr(journal, "fsync", False)

    def journal(self, kind: Kind, lane: int, now: int, body: bytes) -> None:
        """Put an entry into this turn's batch."""
        self._entries += (HEAD.pack(kind, lane, len(body), now), body)
        if not self._scheduled:
            self._schedule()

    def took(self, lane: Lane, frames: bytes, now: int) -> None:
        """Journal business frames that were carried out.

        They are committed and answered at once if they seem to be alone in their turn, as those before them were.
        """
        self._entries += (_head(_FRAMES, lane.number, len(frames), now), frames)
        if not self._scheduled:
            if self._alone:
                self._commit()
            self._schedule()

    def speak(self, connection: "Connection") -> None:
        """Write what the connection has queued at the end of this turn."""
        self._speakers.append(connection)
        if not self._scheduled:
            self._schedule()

    def flush(self) -> None:
        """End this turn: commit what is left of it, then write it."""
        self._scheduled = False
        entries = self._entries
        self._alone = not self._syncs and len(entries) <= (0 if self._alone else _ONE_ENTRY)
        if entries:
            self._commit()
        if self._failed:
            return
        self.log.end_turn()  # why a login was refused is known before the refusal leaves
        if self._speakers:
            speakers = dict.fromkeys(self._speakers)
            self._speakers.clear()
            for connection in speakers:
                connection.write()
        if self.engine.refusals or self.engine.errors:
            tell_refusals(self.engine, self.log, self.counts, self.last_now)
        if self._poll:
            self._awake_until = monotonic_ns() + self._poll
            if not self._awake:
                self._stay_awake()

    def _commit(self) -> None:
        """Commit what the turn has brought so far, and answer it."""
        if self._failed:
            return
        try:
            self._keep(b"".join(self._entries), self.engine.outputs_crc())
            self._entries.clear()
            self._deliver()
        except Exception as error:  # noqa: BLE001 -- whatever it is, from here on nothing may be acknowledged
            self._failed = True
            self._broken(error)
            self.log.error("journal_failed", error=str(error))
            self.log.flush()

    def _deliver(self) -> None:
        """Write what was said to whoever is there, then store it for those who ask again."""
        engine = self.engine
        for lane in engine.touched:
            if lane.connection is not None:
                lane.connection.write(lane.joined)
        append = self.outbox.append
        for lane in engine.touched:
            append(lane.key, lane.first, len(lane.out), lane.joined)
        engine.end_turn()

    def _schedule(self) -> None:
        self._scheduled = True
        self._call_soon(self.flush)

    def _stay_awake(self) -> None:
        """Keep the loop from sleeping until `poll` has passed since a turn: saves the wake-up of a sleeping core."""
        self._awake = monotonic_ns() < self._awake_until
        if self._awake:
            self._call_soon(self._stay_awake)


def nobody(_batch: bytes, _outputs_crc: int, /) -> NoReturn:
    """Commit nothing: another process has the journal. To come here is our mistake, and stops the venue."""
    raise JournalError("this process follows the journal, and may not write it")
