"""One market segment of a running venue: its engine, its journal, its outbox, and a gateway with two listeners."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from ontherun.gateway.engine import Engine, instruments_body
from ontherun.gateway.entries import Kind
from ontherun.gateway.gateway import Directory, Gateway, Log
from ontherun.gateway.recovery import Recovered, recover
from ontherun.gateway.witness import Note
from ontherun.ilink.controls import EXCHANGE_CONTROLS
from ontherun.ilink.policy import SessionPolicy
from ontherun.ilink.records import Role
from ontherun.journal import FileJournal, JournalError, Outbox
from ontherun.market.instruments import Instrument
from ontherun.market.policy import SegmentPolicy
from ontherun.portal.status import GatewayAddress
from ontherun.service.settings import Settings


class SegmentRuntime:
    """A market segment as it runs: `engine`, `gateway`, where it listens, and what its start `recovered`."""

    def __init__(self, segment_id: int, settings: Settings) -> None:
        self.segment_id = segment_id
        self.addresses: list[GatewayAddress] = []
        self.recovered = Recovered(0, 0)
        self.engine = Engine(segment_id, SegmentPolicy())
        self.gateway: Gateway
        self._settings = settings
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
        journal = FileJournal(journal_file, fsync=settings.fsync)
        self._close.callback(journal.close)
        if journal.cut:
            log.warning("journal_torn", segment=self.segment_id, cut_off=journal.cut)
        outbox: Outbox[tuple[str, int]] = Outbox(outbox_file)
        self._close.callback(outbox.close)
        self.recovered = recover(engine, journal, outbox)
        poll = settings.poll_microseconds * 1000
        self.gateway = gateway = Gateway(engine, journal, outbox, directory, policy, clock, log, broken, note, poll)
        if not engine.instruments:
            gateway.journal(Kind.MARKET, 0, gateway.now(), instruments_body(instruments))
            engine.open_market(instruments)
            gateway.set_controls(EXCHANGE_CONTROLS)
        if settings.messaging_controls is not None and engine.controls != settings.messaging_controls:
            gateway.set_controls(settings.messaging_controls)
        gateway.keep_weeks()
        gateway.unbind_all()
        gateway.flush()

    async def listen(self) -> None:
        """Listen on the primary and the backup. Raises OSError for a port that is taken."""
        self._close.push_async_callback(self.gateway.close, "the gateway is going down")
        host = self._settings.host
        for role in (Role.PRIMARY, Role.BACKUP):
            port = await self.gateway.listen(host, self._settings.gateway_port(self.segment_id, role), role)
            self.addresses.append(GatewayAddress(self.segment_id, role.name.lower(), host, port))

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
