"""`python -m benchmarks.storm`: every session loses its connection at once and comes back; how long until all are in.

A signed login is made when it is due, as a client would make it; client and venue share the machine.
"""

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import Sequence as Several
from pathlib import Path

from benchmarks.frames import KEEP_ALIVE_MS, SYSTEM, Identity
from benchmarks.self_service import portal
from ontherun.ilink.messages import (
    Establish,
    EstablishmentAck,
    EstablishmentReject,
    Negotiate,
    NegotiationReject,
    NegotiationResponse,
    Sequence,
    Terminate,
    decode,
)
from ontherun.ilink.signing import decode_secret, establish_text, negotiate_text, sign
from ontherun.registry import SYSTEM as VENUE
from ontherun.registry import CreateSessions, Registry
from ontherun.sbe import Framer
from ontherun.service.clock import SystemClock

Answer = NegotiationResponse | EstablishmentAck


class StormError(Exception):
    """A login was not accepted: who was told what."""


class Peer:
    """One session that connects, logs in, breaks off and comes back under its UUID."""

    def __init__(self, address: tuple[str, int], identity: Identity) -> None:
        self.address = address
        self.identity = identity
        self.uuid = 0

    async def log_in(self, keep_alive_ms: int = KEEP_ALIVE_MS) -> None:
        """Log in: with Negotiate the first time, then with Establish alone. Raises StormError."""
        self._reader, self._writer = await asyncio.open_connection(*self.address)
        self._framer = Framer()
        if not self.uuid:
            self.uuid = time.time_ns() // 1000
            await self._ask(self._negotiate(time.time_ns()), NegotiationResponse)
        await self._ask(self._establish(time.time_ns(), keep_alive_ms), EstablishmentAck)

    async def stay(self, every: float) -> None:
        """Say that we are there, every so many seconds, until the gateway closes the connection."""
        alive = Sequence(uuid=self.uuid, next_seq_no=1, keep_alive_interval_lapsed=0).encode()
        reading = asyncio.create_task(self._read_on())
        while not reading.done():
            self._writer.write(alive)
            await asyncio.wait([reading], timeout=every)

    async def _read_on(self) -> None:
        while await self._reader.read(65_536):
            pass

    def break_off(self) -> None:
        """Lose the connection, without a word."""
        self._writer.transport.abort()

    async def _ask(self, frame: bytes, wanted: type[Answer]) -> None:
        self._writer.write(frame)
        while not (frames := self._framer.feed(await self._reader.read(65_536))):
            if self._reader.at_eof():
                raise StormError(f"{self.identity.session.decode()}: the gateway closed the connection")
        message = decode(frames[0])
        if not isinstance(message, wanted):
            code = (
                message.error_codes if isinstance(message, NegotiationReject | EstablishmentReject | Terminate) else 0
            )
            raise StormError(f"{self.identity.session.decode()}: {type(message).__name__} {code}")

    def _negotiate(self, now: int) -> bytes:
        who = self.identity
        text = negotiate_text(now, self.uuid, who.session, who.firm)
        return Negotiate(
            hmac_signature=sign(who.secret, text),
            access_key_id=who.access_key_id,
            uuid=self.uuid,
            request_timestamp=now,
            session=who.session,
            firm=who.firm,
        ).encode()

    def _establish(self, now: int, keep_alive_ms: int) -> bytes:
        who, (name, version, vendor) = self.identity, SYSTEM
        text = establish_text(now, self.uuid, who.session, who.firm, name, version, vendor, 1, keep_alive_ms)
        return Establish(
            hmac_signature=sign(who.secret, text),
            access_key_id=who.access_key_id,
            trading_system_name=name,
            trading_system_version=version,
            trading_system_vendor=vendor,
            uuid=self.uuid,
            request_timestamp=now,
            next_seq_no=1,
            session=who.session,
            firm=who.firm,
            keep_alive_interval=keep_alive_ms,
        ).encode()


def most_files() -> None:
    """Allow this process, and those that it starts, as many open files as the machine does."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def storm(peers: Several[Peer]) -> tuple[float, float]:
    """Log everybody in, break every connection at once, log everybody in again: the seconds of both logins."""
    first = await _all_in(peers)
    for peer in peers:
        peer.break_off()
    again = await _all_in(peers)
    for peer in peers:
        peer.break_off()
    await asyncio.sleep(0)
    return first, again


async def _all_in(peers: Several[Peer]) -> float:
    began = time.perf_counter()
    await asyncio.gather(*(peer.log_in() for peer in peers))
    return time.perf_counter() - began


async def filled(data: Path, sessions: int) -> list[Identity]:
    """Make a registry with so many sessions of one key pair each."""
    registry = await Registry.open(data, SystemClock(), variables={})
    await registry.seed_demo()
    await registry.policies.set_allowance(VENUE, 1, sessions + 10)
    terms = CreateSessions(firms=("DEMO1",), market_segments=(40,), number_of_sessions=sessions, label="Storm")
    ids = (await registry.requests.submit(VENUE, terms)).session_ids
    identities: list[Identity] = []
    for start in range(0, len(ids), 100):
        made = await registry.pairs_in_bulk.generate(VENUE, ids[start : start + 100])
        named = [(one.session_id, one.access_key_id or "") for one in made]
        for file in await registry.pairs_in_bulk.download(VENUE, named, "json"):
            fields = file.fields()
            identities.append(
                Identity(
                    fields["session_id"].encode(),
                    b"DEMO1",
                    fields["access_key_id"].encode(),
                    decode_secret(fields["secret_key"]),
                )
            )
    await registry.close()
    return identities


def main() -> int:
    """Measure and print; 1 when somebody was not let in."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.storm", description="A storm of reconnects.")
    parser.add_argument("--sessions", type=int, default=1_000, help="how many (1000)")
    parser.add_argument("--rounds", type=int, default=3, help="storms (3)")
    chosen = parser.parse_args()
    most_files()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        identities = asyncio.run(filled(data, chosen.sessions))
        with portal(data) as (server, _, _, _):
            up = (data / "up.json").read_text()
            address = _address(up)
            for _ in range(chosen.rounds):
                try:
                    first, again = asyncio.run(storm([Peer(address, identity) for identity in identities]))
                except StormError as error:
                    print(f"stopped: {error}")
                    return 1
                rate = len(identities) / first
                print(
                    f"{len(identities)} sessions: first logins {first:.2f} s ({rate:,.0f}/s), "
                    f"all back after a storm {again:.2f} s; venue {server.memory_mb():.0f} MB"
                )
    return 0


def _address(up: str) -> tuple[str, int]:
    gateways = json.loads(up)["gateways"]
    found = next(one for one in gateways if (one["segment"], one["role"]) == (40, "primary"))
    return found["host"], found["port"]


if __name__ == "__main__":
    sys.exit(main())
