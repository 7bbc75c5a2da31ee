"""One market segment of a running venue: its engine, its journal, its outbox, and a gateway with two listeners."""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AsyncExitStack
from itertools import takewhile
from pathlib import Path
from time import monotonic, sleep

from ontherun.gateway.engine import Engine, instruments_body
from ontherun.gateway.entries import Kind
from ontherun.gateway.failover import take_over
from ontherun.gateway.gateway import Gateway
from ontherun.gateway.recovery import Recovered, recover
from ontherun.gateway.standby import Following
from ontherun.gateway.surroundings import Directory, Log
from ontherun.gateway.witness import Note
from ontherun.ilink.controls import EXCHANGE_CONTROLS
from ontherun.ilink.policy import SessionPolicy
from ontherun.ilink.records import Role
from ontherun.journal import BEGIN, FileJournal, JournalError, JournalInUse, JournalTail, Outbox, Position
from ontherun.market.benchmarks import SEGMENTS
from ontherun.market.hours import Phase, hours_of_segment
from ontherun.market.instruments import Instrument
from ontherun.market.policy import SegmentPolicy
from ontherun.market.states import SecurityTradingStatus
from ontherun.portal.status import GatewayAddress
from ontherun.service.settings import Settings
from ontherun.service.tls import server_context

GOING_DOWN = "the gateway is going down"
"""What a client is told in its Terminate."""

LAST_BREATH = 5.0
"""Seconds in which the kernel releases everything that a process held which has died."""


class SegmentRuntime:
    """A market segment as it runs: `engine`, `gateway`, and what its start `recovered`."""

    def __init__(self, segment_id: int, settings: Settings) -> None:
        self.segment_id = segment_id
        self.recovered = Recovered(0, 0)
        self.engine = Engine(segment_id, SegmentPolicy())
        self.gateway: Gateway
        self.journal: FileJournal
        self.following: Following
        self.hours = hours_of_segment(segment_id) if settings.hours == "exchange" else None
        self._settings = settings
        self._ports: dict[Role, int] = {}
        self._tail: JournalTail
        self._close = AsyncExitStack()

    def open(
        self,
        instruments: Sequence[Instrument],
        directory: Directory,
        policy: SessionPolicy,
        clock: Callable[[], int],
        log: Log,
        broken: Callable[[Exception], None],
        note: Note,
    ) -> None:
        """Recover what the journal holds; a new one begins with `instruments`.

        Raises JournalError or RecoveryError with a message for a person; `close` then closes what was opened.
        """
        settings, engine = self._settings, self.engine
        journal_file, outbox_file = self._files()
        journal = self._write(journal_file, log)
        outbox: Outbox[tuple[str, int]] = Outbox(outbox_file)
        self._close.callback(outbox.close)
        self.recovered = recover(engine, journal, outbox)
        poll = settings.poll_microseconds * 1000
        self.gateway = gateway = Gateway(engine, journal, outbox, directory, policy, clock, log, broken, note, poll)
        if not engine.instruments:
            self._begin(instruments)
        elif settings.segments is not SEGMENTS and engine.instruments != tuple(instruments):
            raise JournalError(
                f"segment {self.segment_id} in {settings.data} began with other instruments than those of the file: "
                "start with the file that it began with, or on a fresh data folder"
            )
        self._settle()
        gateway.unbind_all()
        gateway.flush()
        self.keep_hours()

    def follow(
        self,
        directory: Directory,
        policy: SessionPolicy,
        clock: Callable[[], int],
        log: Log,
        broken: Callable[[Exception], None],
        note: Note,
    ) -> None:
        """Carry out what the journal holds, which another process writes, and go on with `following.catch_up`.

        Raises JournalError or RecoveryError with a message for a person; `close` then closes what was opened.
        """
        data, segment = self._settings.data, self.segment_id
        self._tail = tail = JournalTail(data / f"journal-{segment}.bin")
        self._close.callback(tail.close)
        outbox: Outbox[tuple[str, int]] = Outbox(data / f"outbox-{segment}.standby.bin")
        self._close.callback(outbox.close)
        poll = self._settings.poll_microseconds * 1000
        self.gateway = Gateway(self.engine, None, outbox, directory, policy, clock, log, broken, note, poll)
        self.following = Following(self.gateway, tail, lambda session: directory.session(session) is not None)
        self.gateway.following = self.following
        self.following.catch_up()

    def take_over(self, instruments: Sequence[Instrument], log: Log) -> int:
        """Write the journal on, in place of the process that wrote it; how many sessions trade on here.

        Raises JournalError or RecoveryError.
        """
        data, segment = self._settings.data, self.segment_id
        self.following.catch_up()
        journal = self._write(data / f"journal-{segment}.bin", log, self._tail.position)
        self.following.catch_up()
        self._tail.close()
        self.gateway.counts.begin()
        promoted = take_over(self.gateway, journal)
        (theirs := data / f"outbox-{segment}.bin").unlink(missing_ok=True)  # to replace it would flush ours to the disk
        self.gateway.outbox.path.rename(theirs)
        if not self.engine.instruments:
            self._begin(instruments)
        self._settle()
        self.recovered = Recovered(journal.last_row_id, self.following.messages)
        return promoted

    def _write(self, path: Path, log: Log, after: Position = BEGIN) -> FileJournal:
        self.journal = journal = self._unlocked(path, after)
        self._close.callback(journal.close)
        if journal.cut:
            log.warning("journal_torn", segment=self.segment_id, cut_off=journal.cut)
        return journal

    def _unlocked(self, path: Path, after: Position) -> FileJournal:
        """The journal; of a process that has just died the kernel may still hold it for a moment."""
        give_up = monotonic() + (LAST_BREATH if after is not BEGIN else 0)
        while True:
            try:
                return FileJournal(path, fsync=self._settings.fsync, after=after)
            except JournalInUse:
                if monotonic() > give_up:
                    raise
                sleep(0.001)

    def _begin(self, instruments: Sequence[Instrument]) -> None:
        self.gateway.journal(Kind.MARKET, 0, self.gateway.now(), instruments_body(instruments))
        self.engine.open_market(instruments)
        self.gateway.set_controls(EXCHANGE_CONTROLS)

    def _settle(self) -> None:
        """Take what the settings say, and begin the week if it is time; durable on return."""
        limits = self._settings.messaging_controls
        if limits is not None and self.engine.controls != limits:
            self.gateway.set_controls(limits)
        self.gateway.keep_weeks()
        self.gateway.flush()

    def keep_hours(self) -> None:
        """Bring the market into the state in which its hours want it now, phase after phase; durable on return.

        What an administrator sets holds until the next phase begins. A clock that was moved back only sets the state.
        """
        market, hours = self.engine.market, self.hours
        if hours is None:
            if market.trade_date:  # hours were kept before
                self.gateway.command("set_state", status=SecurityTradingStatus.OPEN, trade_date=0)
            return
        now = self.gateway.now()
        due: Iterable[Phase] = (hours.phase_at(now)._replace(ends_day=False),)
        if market.trade_date and market.state_since <= now:
            due = list(takewhile(lambda phase: phase.at <= now, hours.after(market.state_since)))
        for phase in due:
            self.gateway.command("set_state", status=phase.status, trade_date=phase.trade_date)
            if phase.ends_day:
                self.gateway.command("end_of_day")

    def next_phase(self) -> Phase | None:
        """What the hours do next; None where the market is always open."""
        return None if self.hours is None else next(self.hours.after(self.gateway.now()))

    async def listen(self) -> None:
        """Listen on the primary, and on the backup unless that is for a standby. Raises OSError for a port that is
        taken, TlsFilesError."""
        for listener in (Role.PRIMARY,) if self._settings.pair else (Role.PRIMARY, Role.BACKUP):
            await self._listen(listener)

    async def stand_by(self, taken: Collection[int]) -> None:
        """Listen as the backup, on whichever designated port is not among those that the primary has `taken`."""
        port = self._settings.gateway_port(self.segment_id, Role.BACKUP)
        listener = Role.PRIMARY if port in taken else Role.BACKUP
        self.gateway.roles = {listener: Role.BACKUP, Role(1 - listener): Role.PRIMARY}
        await self._listen(listener)

    async def _listen(self, listener: Role) -> None:
        if not self._ports:
            self._close.push_async_callback(self.gateway.close, GOING_DOWN)
        port, files = self._settings.gateway_port(self.segment_id, listener), self._settings.tls
        tls = None if files is None else server_context(*files)
        self._ports[listener] = await self.gateway.listen(self._settings.host, port, listener, tls)

    def addresses(self) -> list[GatewayAddress]:
        """Where the gateway listens, the primary of now first."""
        host, roles, files = self._settings.host, self.gateway.roles, self._settings.tls
        tls = None if files is None else str(files[0].resolve())
        return [
            GatewayAddress(self.segment_id, roles[listener].name.lower(), host, self._ports[listener], tls)
            for listener in sorted(self._ports, key=roles.__getitem__, reverse=True)
        ]

    async def close(self) -> None:
        """End the sessions in order, commit, and close everything; the reverse of the start."""
        await self._close.aclose()

    def _files(self) -> tuple[Path, Path]:
        """The journal and the outbox. Raises JournalError where a journal is missing that must be there."""
        data, segment = self._settings.data, self.segment_id
        journal_file, outbox_file = data / f"journal-{segment}.bin", data / f"outbox-{segment}.bin"
        if (old := data / "journal.bin").exists():
            raise JournalError(
                f"{old} was written when a venue had one market segment: rename it to journal-40.bin, and remove "
                f"{data / 'outbox.bin'}"
            )
        if outbox_file.exists() and not (journal_file.exists() and journal_file.stat().st_size):
            raise JournalError(
                f"{journal_file} is gone or empty, and a venue has run here: bring it back from a copy, "
                f"or give up every order and message by removing {outbox_file}"
            )
        return journal_file, outbox_file
