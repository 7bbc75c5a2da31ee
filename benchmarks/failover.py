"""How long a kill of the venue's process takes a client that waits on the backup.

    python -m benchmarks.failover [--orders 100000] [--rounds 5]

A pair of `ontherun up --pair` processes; one session on both, with so many orders resting and more on their way. Then
SIGKILL, and the times from there: the Sequence that promotes the backup, the acceptance of a first order there, and the
portal of the new venue.
"""

import argparse
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.frames import KEEP_ALIVE_MS, SYSTEM, Identity, ilink_connection
from benchmarks.servers import PATIENCE, running
from benchmarks.venue import environment, when_ready
from ontherun.ilink.messages import Establish, ExecutionReportNew, NewOrderSingle, Sequence, decode
from ontherun.ilink.signing import decode_secret, establish_text, sign
from ontherun.sbe import Framer

BURST = 500
"""Orders in one write."""

PRICES = 200


class Client:
    """One blocking connection."""

    def __init__(self, gateway: dict[str, Any]) -> None:
        self.socket = socket.create_connection((gateway["host"], gateway["port"]), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._framer = Framer()
        self._frames: list[bytes] = []

    def frame(self) -> bytes:
        while not self._frames:
            data = self.socket.recv(1 << 20)
            if not data:
                raise SystemExit("the gateway closed the connection")
            self._frames = self._framer.feed(data)
        return self._frames.pop(0)

    def until(self, kind: type[Any], count: int = 1) -> Any:
        """Read on to the `count`-th message of a kind, the only one that is decoded."""
        template = kind.TEMPLATE_ID.to_bytes(2, "little")
        while count:
            frame = self.frame()
            count -= frame[6:8] == template
        return decode(frame)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.failover", description="Measure a failover.")
    parser.add_argument("--orders", type=int, default=100_000, help="resting orders (100000)")
    parser.add_argument("--rounds", type=int, default=5, help="kills (5)")
    chosen = parser.parse_args()
    found = []
    for _ in range(chosen.rounds):
        with tempfile.TemporaryDirectory() as folder:
            found.append(measure(Path(folder), chosen.orders))
        print("  ".join(f"{name} {value * 1000:8.1f} ms" for name, value in found[-1].items()))
    print("\nmedian")
    for name in found[0]:
        print(f"  {name:<18}{statistics.median(one[name] for one in found) * 1000:8.1f} ms")


def measure(folder: Path, orders: int) -> dict[str, float]:
    """One kill: seconds from it to each milestone."""
    with ExitStack() as stack:
        first, venue = stack.enter_context(process(folder, "first"))
        _, standby = stack.enter_context(process(folder, "second"))
        demo = venue["demo"][0]
        key = json.loads(Path(demo["key_file"]).read_text())
        identity = Identity(
            demo["session_id"].encode(),
            demo["firm"].encode(),
            demo["access_key_id"].encode(),
            decode_secret(key["secret_key"]),
        )
        security_id = venue["instruments"][0]["security_id"]
        uuid = time.time_ns()
        login = ilink_connection(identity, uuid, security_id)
        primary = Client(venue["gateways"][0])
        for frame in login.login:
            primary.socket.sendall(frame)
            primary.frame()
        backup = Client(next(at for at in standby["gateways"] if at["role"] == "backup"))
        backup.socket.sendall(establish(identity, uuid))
        backup.frame()
        order = NewOrderSingle.decode(login.order)
        for number in range(1, orders + 1, BURST):
            primary.socket.sendall(b"".join(numbered(order, n) for n in range(number, number + BURST)))
            primary.until(ExecutionReportNew, BURST)
        primary.socket.sendall(b"".join(numbered(order, n) for n in range(orders + 1, orders + 1 + BURST)))
        ready = folder / "second.json"
        began = time.perf_counter()
        first.kill()
        promotion = backup.until(Sequence)
        while promotion.fault_tolerance_indicator != 1:
            promotion = backup.until(Sequence)
        promoted = time.perf_counter()
        backup.socket.sendall(numbered(order, promotion.next_seq_no))
        backup.until(ExecutionReportNew)
        accepted = time.perf_counter()
        while json.loads(ready.read_text())["standby"]:
            time.sleep(0.001)
        whole = time.perf_counter()
    return {"promoted": promoted - began, "order accepted": accepted - began, "portal serves": whole - began}


@contextmanager
def process(folder: Path, name: str) -> Iterator[tuple["subprocess.Popen[str]", Any]]:
    """One of the pair, and what its ready file says."""
    ready, log = folder / f"{name}.json", folder / f"{name}.log"
    command = [sys.executable, "-m", "ontherun", "up", "--pair", "--no-fsync", "--messaging-controls", "off"]
    command += ["--data", str(folder / "data"), "--ready-file", str(ready)]
    command += ["--portal-port", "0", "--gateway-port-base", "0"]
    with (
        log.open("w") as output,
        running(command, None, stdout=output, stderr=output, env=environment()) as started,
    ):
        yield started, when_ready(started, ready, log)


def establish(identity: Identity, uuid: int) -> bytes:
    """Establish on the backup."""
    at, (name, version, vendor) = time.time_ns(), SYSTEM
    text = establish_text(at, uuid, identity.session, identity.firm, name, version, vendor, 0, KEEP_ALIVE_MS)
    return Establish(
        hmac_signature=sign(identity.secret, text),
        access_key_id=identity.access_key_id,
        trading_system_name=name,
        trading_system_version=version,
        trading_system_vendor=vendor,
        uuid=uuid,
        request_timestamp=at,
        next_seq_no=0,
        session=identity.session,
        firm=identity.firm,
        keep_alive_interval=KEEP_ALIVE_MS,
    ).encode()


def numbered(order: NewOrderSingle, number: int) -> bytes:
    """The order under a number and a ClOrdID of its own, at one of many prices."""
    order.seq_num = order.order_request_id = number
    order.cl_ord_id = b"%020d" % number
    order.price = 100 * 10**9 - number % PRICES * 15_625_000
    return order.encode()


if __name__ == "__main__":
    main()
