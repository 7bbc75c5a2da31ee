"""`python -m benchmarks.sessions`: what a thousand idle sessions cost, and how long 2,500 messages take again."""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.client import cpu_ns
from benchmarks.failover import BURST, Client, numbered
from benchmarks.frames import Identity, ilink_connection
from benchmarks.self_service import portal
from benchmarks.storm import Peer, filled, most_files
from ontherun.ilink.messages import ExecutionReportNew, NewOrderSingle, Retransmission, RetransmitRequest
from ontherun.ilink.signing import decode_secret

MESSAGES = 2_500
"""The most that one request may ask for."""


async def idle(peers: Sequence[Peer], interval: float, seconds: float, pid: int) -> float:
    """Keep sessions alive, a Sequence each way every `interval` seconds: the share of a core that the venue takes."""
    for peer in peers:
        await peer.log_in(round(interval * 1000))
    alive = [asyncio.create_task(peer.stay(interval * 0.9)) for peer in peers]
    await asyncio.sleep(interval)
    before, began = cpu_ns(pid), time.perf_counter()
    await asyncio.sleep(seconds)
    share = (cpu_ns(pid) - before) / 1e9 / (time.perf_counter() - began)
    ended = sum(task.done() for task in alive)
    for task, peer in zip(alive, peers, strict=True):
        task.cancel()
        peer.break_off()
    await asyncio.gather(*alive, return_exceptions=True)
    if ended:
        raise SystemExit(f"{ended} sessions were ended")
    return share


def sent_again(venue: Any, rounds: int) -> list[float]:
    """Have 2,500 orders acknowledged and ask for the reports again: ms until the last one is there, each time."""
    demo = venue["demo"][0]
    key = json.loads(Path(demo["key_file"]).read_text())
    firm, key_id = demo["firm"].encode(), demo["access_key_id"].encode()
    identity = Identity(demo["session_id"].encode(), firm, key_id, decode_secret(key["secret_key"]))
    uuid = time.time_ns()
    login = ilink_connection(identity, uuid, venue["instruments"][0]["security_id"])
    client = Client(venue["gateways"][0])
    for frame in login.login:
        client.socket.sendall(frame)
        client.frame()
    order = NewOrderSingle.decode(login.order)
    for first in range(1, MESSAGES + 1, BURST):
        client.socket.sendall(b"".join(numbered(order, n) for n in range(first, first + BURST)))
        client.until(ExecutionReportNew, BURST)
        time.sleep(1.1)  # Messaging Controls allow 500 a second
    took = []
    for _ in range(rounds):
        request = RetransmitRequest(uuid=uuid, request_timestamp=time.time_ns(), from_seq_no=1, msg_count=MESSAGES)
        began = time.perf_counter()
        client.socket.sendall(request.encode())
        client.until(Retransmission)
        client.until(ExecutionReportNew, MESSAGES)
        took.append((time.perf_counter() - began) * 1e3)
    client.socket.close()
    return took


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sessions", description="Sessions that do nothing.")
    parser.add_argument("--sessions", type=int, default=1_000, help="how many (1000)")
    parser.add_argument("--interval", type=float, default=10.0, help="keep-alive interval, s (10)")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long (30)")
    parser.add_argument("--rounds", type=int, default=9, help="retransmissions (9)")
    chosen = parser.parse_args()
    most_files()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        identities = asyncio.run(filled(data, chosen.sessions))
        with portal(data) as (server, _, _, _):
            venue = json.loads((data / "up.json").read_text())
            took = sent_again(venue, chosen.rounds)
            print(f"{MESSAGES} messages sent again: median {median(took):.1f} ms, slowest {max(took):.1f} (goal 50)")
            gateway = venue["gateways"][0]
            peers = [Peer((gateway["host"], gateway["port"]), identity) for identity in identities]
            share = asyncio.run(idle(peers, chosen.interval, chosen.seconds, server.pid))
            print(
                f"{chosen.sessions} idle sessions, keep-alive {chosen.interval:g} s: {share:.1%} of a core "
                f"(goal 15 %), {server.memory_mb():.0f} MB (goal 200)"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
