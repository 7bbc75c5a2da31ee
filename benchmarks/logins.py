"""`python -m benchmarks.logins`: logins a second for as long as you like, with every one of them traced."""

import argparse
import sqlite3
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.client import run_load
from benchmarks.frames import script
from benchmarks.venue import prepare, venue

BATCH = 500
"""Logins that are signed before and then sent, each on a connection of its own."""

IN_FLIGHT = 64
GOAL = 3_000
"""Logins a second."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long logins go on")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--client-core", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        identities = prepare(data, options.server_core)
        rates: list[float] = []
        cpu: list[float] = []
        with venue(data, identities, options.server_core, "--no-fsync") as server:
            before, end = server.memory_mb(), time.perf_counter() + options.seconds
            while time.perf_counter() < end:
                made = script(server.connections(BATCH))
                result = run_load(
                    server.pid, server.port, made, options.client_core, **server.options, in_flight=IN_FLIGHT
                )
                rates.append(result.rate)
                cpu.append(result.cpu)
            grown = server.memory_mb() - before
        logins = BATCH * len(rates)
        print(f"{logins:,} logins in {len(rates)} batches, {IN_FLIGHT} in flight")
        print(f"logins/s: median {median(rates):,.0f}, slowest batch {min(rates):,.0f} (goal {GOAL:,})")
        print(f"CPU per login: median {median(cpu):.0f} us; memory {grown:+.1f} MB")
        print(f"trace entries kept: {kept(data):,} of {3 * logins:,} noted, the last 500 of each session")


def kept(data: Path) -> int:
    """How many trace entries the venue left."""
    with sqlite3.connect(data / "traces.sqlite3") as database:
        (count,) = database.execute("SELECT count(*) FROM trace").fetchone()
        return int(count)


if __name__ == "__main__":
    main()
