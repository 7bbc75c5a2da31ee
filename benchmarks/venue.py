"""`ontherun up`, the server that this is about, with a hundred sessions and their keys made over its REST API."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.frames import TICK, Identity, ilink_connections
from benchmarks.servers import PATIENCE, Server, running
from ontherun.ilink.signing import decode_secret

SESSIONS = 100
SEGMENT = 40
SYMBOL = "UB10"


@dataclass
class Venue(Server):
    """A running venue, and how long it took to be ready, in seconds."""

    ready_after: float = 0.0


@contextmanager
def venue(data: Path, identities: Sequence[Identity], core: int | None, *flags: str) -> Iterator[Venue]:
    """Run `ontherun up` on the folder `data` with these flags, and with limits that no load reaches."""
    ready_file, log = data.with_suffix(".ready"), data.with_suffix(".log")
    ready_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "ontherun", "up", "--data", str(data), "--ready-file", str(ready_file)]
    command += ["--portal-port", "0", "--gateway-port-base", "0", "--messaging-controls", "off", *flags]
    with log.open("w") as output:
        began = time.perf_counter()
        with running(command, core, stdout=output, stderr=output, env=environment()) as process:
            ready = when_ready(process, ready_file, log)
            took = time.perf_counter() - began
            port = next(g["port"] for g in ready["gateways"] if g["segment"] == SEGMENT and g["role"] == "primary")
            security_id = next(i["security_id"] for i in ready["instruments"] if i["symbol"] == SYMBOL)
            connections = partial(ilink_connections, identities, security_id=security_id)
            yield Venue(process, port, connections, {"wire": "ilink", "tick": TICK}, took)


def environment() -> dict[str, str]:
    """Ours, but bytecode is kept, as where `ontherun` is installed: the first start writes it, the others read it."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def when_ready(process: "subprocess.Popen[str]", ready_file: Path, log: Path) -> Any:
    """Wait for the ready file and return what it says."""
    end = time.perf_counter() + PATIENCE
    while not ready_file.exists():
        if process.poll() is not None or time.perf_counter() > end:
            raise SystemExit(f"`ontherun up` did not get ready:\n{log.read_text()}")
        time.sleep(0.001)
    return json.loads(ready_file.read_text())


def prepare(data: Path, core: int | None) -> list[Identity]:
    """Fill the folder `data` with a venue of a hundred sessions, and return their identities."""
    with venue(data, [], core):
        up = json.loads((data / "up.json").read_text())
        token = Path(up["token_file"]).read_text().strip()
        with httpx2.Client(
            base_url=f"{up['api_url']}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=PATIENCE,
            trust_env=False,
        ) as api:
            firm = _ask(api, "GET", "/firms")["items"][0]
            allowance = {"allowance": 2 * SESSIONS}
            _ask(api, "PUT", f"/entities/{firm['entity_id']}/session-allowance", allowance)
            return [_session(api, firm["gfid"]) for _ in range(SESSIONS)]


def _session(api: httpx2.Client, firm: str) -> Identity:
    """Create a session whose orders stay when it disconnects, so that each run meets the book the last one left."""
    new = {"firms": [firm], "market_segments": [SEGMENT], "cancel_on_disconnect": False, "label": "benchmarks"}
    session_id = _ask(api, "POST", "/sessions", new)["session_ids"][0]
    _ask(api, "POST", f"/sessions/{session_id}/party-details", {"firm": firm, "party_details_list_req_id": 1001})
    access_key_id = _ask(api, "POST", f"/sessions/{session_id}/keys")["access_key_id"]
    key_file = _ask(api, "GET", f"/sessions/{session_id}/keys/{access_key_id}/download?format=json")
    return Identity(session_id.encode(), firm.encode(), access_key_id.encode(), decode_secret(key_file["secret_key"]))


def _ask(api: httpx2.Client, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    answer = api.request(method, path.lstrip("/"), json=body)
    if not answer.is_success:
        raise SystemExit(f"{method} {path}: {answer.status_code} {answer.text}")
    return answer.json()


def copied(prepared: Path, name: str) -> Path:
    """A copy of a prepared folder beside it."""
    copy = prepared.with_name(name)
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(prepared, copy)
    return copy
