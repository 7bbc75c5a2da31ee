"""`python -m benchmarks.self_service`: a large venue: memory, durable generation of key pairs, long pages."""

import argparse
import asyncio
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

import httpx2

from benchmarks.servers import Server, running
from benchmarks.venue import environment, when_ready
from ontherun.registry import SYSTEM, CreateSessions, Registry
from ontherun.service.clock import SystemClock

ALL_AT_ONCE = 1000
"""Sessions of one request."""

BULK = 100
"""Key pairs of one bulk generation."""


async def fill(data: Path, sessions: int) -> float:
    """Make a registry with so many sessions and two key pairs for each; seconds per key pair."""
    registry = await Registry.open(data, SystemClock(), variables={})
    await registry.seed_demo()
    await registry.policies.set_allowance(SYSTEM, 1, sessions + 10 * ALL_AT_ONCE)
    ids: list[str] = []
    while len(ids) < sessions:
        count = min(ALL_AT_ONCE, sessions - len(ids))
        terms = CreateSessions(firms=("DEMO1",), market_segments=(40,), number_of_sessions=count, label="Large")
        ids += (await registry.requests.submit(SYSTEM, terms)).session_ids
    began = time.perf_counter()
    for _ in range(2):
        for start in range(0, len(ids), BULK):
            await registry.pairs_in_bulk.generate(SYSTEM, ids[start : start + BULK])
    took = time.perf_counter() - began
    await registry.close()
    return took / (2 * len(ids))


@contextmanager
def portal(data: Path) -> Iterator[tuple[Server, str, Path, float]]:
    """Run the venue on a registry: the process, its address, its token file, and how long it took to be ready."""
    ready_file, log = data.with_suffix(".ready"), data.with_suffix(".log")
    command = [sys.executable, "-m", "ontherun", "up", "--data", str(data), "--ready-file", str(ready_file)]
    command += ["--portal-port", "0", "--gateway-port-base", "0"]
    with log.open("w") as output:
        began = time.perf_counter()
        with running(command, None, stdout=output, stderr=output, env=environment()) as process:
            ready = when_ready(process, ready_file, log)
            took = time.perf_counter() - began
            yield Server(process, 0, lambda _: []), ready["api_url"], Path(ready["token_file"]), took


def timed(times: int, action: Callable[[int], object]) -> list[float]:
    """Do something so many times; how long each took, in ms."""
    taken = []
    for number in range(times):
        began = time.perf_counter()
        action(number)
        taken.append((time.perf_counter() - began) * 1e3)
    return taken


def signed_in(url: str, data: Path) -> httpx2.Client:
    """Sign the local operator in by a one-time link, as a browser would."""
    made = subprocess.run(
        [sys.executable, "-m", "ontherun", "sign-in-link", "--data", str(data)],
        check=True,
        capture_output=True,
        text=True,
        env=environment(),
    )
    found = re.search(r"http\S+", made.stdout)
    assert found, made.stdout
    client = httpx2.Client(base_url=url, trust_env=False, timeout=60)
    page = client.get(found[0]).text
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    answer = client.post("/sign-in/link", data=form, headers={"Origin": url})
    assert answer.status_code == 303, answer.text
    return client


def p99(taken: list[float]) -> float:
    """Return the 99th percentile."""
    return quantiles(taken, n=100)[98]


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.self_service", description=__doc__)
    parser.add_argument("--sessions", type=int, default=10_000, help="two key pairs for each (10000)")
    parser.add_argument("--generate", type=int, default=500, help="key pairs to generate one by one (500)")
    parser.add_argument("--pages", type=int, default=30, help="pages to ask for (30)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        each = asyncio.run(fill(data, chosen.sessions))
        print(f"key pairs in bulk             {each * 1e6:8.0f} us each")
        with portal(data) as (server, url, token_file, ready_after):
            print(f"ready after                   {ready_after:8.2f} s")
            print(f"resident                      {server.memory_mb():8.0f} MB   (goal 180)")
            measure(url, token_file, data, chosen.generate, chosen.pages)
            print(f"resident at the end           {server.memory_mb():8.0f} MB   (goal 180)")


def measure(url: str, token_file: Path, data: Path, generate: int, pages: int) -> None:
    """Generate key pairs one by one; ask for pages of 500 sessions."""
    api = httpx2.Client(base_url=f"{url}/api/v1", trust_env=False, timeout=60)
    api.headers["Authorization"] = f"Bearer {token_file.read_text().strip()}"
    body = {"firms": ["DEMO1"], "market_segments": [40], "number_of_sessions": generate}
    made = api.post("/sessions", json=body)
    assert made.is_success, made.text
    ids = made.json()["session_ids"]
    taken = timed(generate, lambda number: api.post(f"/sessions/{ids[number]}/keys").raise_for_status())
    print(f"generate a key pair, durable  {median(taken):8.1f} ms p50 {p99(taken):8.1f} ms p99   (goal 25)")
    taken = timed(pages, lambda _: api.get("/sessions", params={"limit": 500}).raise_for_status())
    print(f"500 sessions by API           {median(taken):8.1f} ms p50")
    person = signed_in(url, data)
    for page in ("/sessions?size=500", "/keys", "/requests", "/"):
        taken = timed(pages, lambda _, page=page: person.get(page).raise_for_status())
        size = len(person.get(page).content)
        print(f"{page:<30}{median(taken):8.1f} ms p50   {size / 1000:.0f} kB")
    person.close()
    api.close()


if __name__ == "__main__":
    main()
