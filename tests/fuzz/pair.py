"""Two gateways of a segment, one of them standing by; the first is killed at any moment, with all that it held."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from ontherun.gateway.engine import Engine, instruments_body
from ontherun.gateway.entries import Kind
from ontherun.gateway.failover import promote, take_over
from ontherun.gateway.gateway import Gateway
from ontherun.gateway.standby import Following
from ontherun.ilink import Role
from ontherun.journal import FileJournal, Journal, JournalTail, Outbox
from ontherun.market.benchmarks import BENCHMARKS
from ontherun.market.policy import SegmentPolicy

from .gateway import Case, Client, Registry


class TwoListeners(Case):
    """Clients that like to be on both."""

    def log_in_on_both(self) -> None:
        session = self.rng.choice((b"AAA", b"BBB"))
        for role in (Role.PRIMARY, Role.BACKUP):
            client = Client(self, role)
            client.session = session
            self.clients.append(client)
            if role is Role.PRIMARY:
                self.hear(client, self.negotiate(client))
            self.hear(client, self.establish(client))

    def hear(self, client: Client, data: bytes) -> None:
        client.connection.data_received(data)
        client.connection._gateway.flush()

    def step(self) -> None:
        if self.rng.random() < 0.1 and len(self.clients) < 4:
            self.log_in_on_both()
        super().step()


class PairCase(TwoListeners):
    """A gateway and its standby over a journal in a file, with kills."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.kills = 0
        super().__init__(seed, folder)
        self.gateway.flush()
        self.stand_by()

    def new_journal(self) -> Journal:
        return FileJournal(self.folder / "journal.bin", fsync=False)

    def stand_by(self) -> None:
        """Start a process that follows."""
        self.kills += 1
        outbox: Outbox[tuple[str, int]] = Outbox(self.folder / f"outbox-{self.kills}.bin")
        self.tail = JournalTail(self.folder / "journal.bin")
        self.standby = self.new_gateway(Engine(40, SegmentPolicy()), None, outbox)
        primary = next(listener for listener, role in self.gateway.roles.items() if role is Role.PRIMARY)
        self.standby.roles = {primary: Role.PRIMARY, Role(1 - primary): Role.BACKUP}
        known = Registry().session
        self.standby.following = Following(self.standby, self.tail, lambda session: known(session) is not None)
        self.standby.following.catch_up()

    def listener(self, role: Role) -> tuple[Gateway, Role]:
        gateway = self.gateway if role is Role.PRIMARY else self.standby
        return gateway, next(listener for listener, now in gateway.roles.items() if now is role)

    def step(self) -> None:
        super().step()
        assert self.standby.following is not None
        if self.rng.random() < 0.5:
            self.standby.following.catch_up(self.rng.choice((1, None)))
        self.standby.flush()
        if self.rng.random() < 0.03:
            self.kill()

    def kill(self) -> None:
        """The first process is gone, with all that it had not committed; the other one takes over."""
        gone = [client for client in self.clients if client.connection._gateway is self.gateway]
        self.clients = [client for client in self.clients if client not in gone]
        for client in gone:
            client.closing = True
        self.journal.close()
        self.outbox.close()
        following = self.standby.following
        assert following is not None
        following.catch_up()
        self.journal = FileJournal(self.folder / "journal.bin", fsync=False, after=self.tail.position)
        following.catch_up()
        self.tail.close()
        self.gateway, self.engine, self.outbox = self.standby, self.standby.engine, self.standby.outbox
        take_over(self.gateway, self.journal)
        if not self.engine.instruments:
            self.gateway.journal(Kind.MARKET, 0, self.now, instruments_body(BENCHMARKS))
            self.engine.open_market(BENCHMARKS)
            self.gateway.flush()
        self.stand_by()

    def end(self) -> None:
        self.tail.close()
        self.standby.outbox.close()
        self.journal.close()
        super().end()


class PromotedCase(TwoListeners):
    """One process whose backup listener is promoted now and then."""

    def step(self) -> None:
        super().step()
        if self.rng.random() < 0.05:
            promote(self.gateway)


async def _run(kind: type[Case], seed: int) -> None:
    with TemporaryDirectory() as folder:
        case = kind(seed, Path(folder))
        try:
            for _ in range(case.rng.randrange(10, 100)):
                case.step()
            case.check()
        finally:
            case.end()


def a_pair_loses_nothing_and_says_nothing_twice(seed: int) -> None:
    """Whenever the first process is killed, the other one goes on in order, and the journal says it all again."""
    asyncio.run(_run(PairCase, seed))


def a_promotion_keeps_the_order_of_everything(seed: int) -> None:
    """Whenever the backup is promoted, its sessions go on in order, and the journal says it all again."""
    asyncio.run(_run(PromotedCase, seed))
