"""What an operator runs into: requests that never end, files that are damaged, a log that cannot be written."""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.support.raw_client import RawClient
from tests.support.venue_process import ROOT, VenueProcess

from ontherun.ilink import messages as m

PRICE = 99 * 10**9


def http(venue: VenueProcess) -> socket.socket:
    where = urlsplit(venue.ready["api_url"])
    return socket.create_connection((where.hostname, where.port), timeout=10)


def refused_start(data: Path, *options: str) -> str:
    """What `ontherun up` says when it does not start."""
    ended = subprocess.run(
        [sys.executable, "-m", "ontherun", "up", "--data", str(data), "--portal-port", "0", *options],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (ended.returncode, "Traceback" in ended.stderr) == (1, False), ended.stderr
    assert ended.stderr.startswith("ontherun cannot start: ")
    return ended.stderr


def test_what_a_venue_writes_is_for_its_owner_only_wherever_it_lies(tmp_path: Path) -> None:
    """In a directory that others may enter, and over files that an earlier version left open to them."""
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    for name in ("registry.sqlite3", "journal-40.bin"):
        (data / name).touch(mode=0o644)
    with VenueProcess(data, "--no-fsync") as venue, RawClient(venue.address, venue.key()) as client:
        client.log_in()
        written = [path for path in data.rglob("*") if path.is_file() and path.name != "up.json"]
        assert len(written) >= 9
        assert not [path for path in written if path.stat().st_mode & 0o077]


def test_a_request_that_never_ends_does_not_keep_the_venue_from_stopping(tmp_path: Path) -> None:
    with VenueProcess(tmp_path / "data", "--no-fsync") as venue, http(venue) as hanging:
        token = Path(venue.ready["token_file"]).read_text().strip()
        hanging.sendall(
            f"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
            "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{".encode()
        )
        code, output = venue.stop()
        assert (code, output.endswith("stopped\n"), "Traceback" in output) == (0, True, False), output


def test_a_peer_that_stays_connected_does_not_spoil_the_stop(tmp_path: Path) -> None:
    with VenueProcess(tmp_path / "data", "--no-fsync") as venue:
        peers = [RawClient(venue.address, venue.key(number % 2)) for number in range(20)]
        peers[0].log_in()
        peers[1].log_in()
        peers[0].order(venue.security_id("UB10"), 1, PRICE, 1, b"LAST")
        venue.process.send_signal(signal.SIGTERM)
        output = venue.process.communicate(timeout=20)[0]
        assert (venue.process.returncode, "Traceback" in output, "Exception" in output) == (0, False, False), output
        assert peers[1].expect(m.Terminate).error_codes == 0
        for peer in peers:
            peer.close()


@pytest.mark.parametrize("head", [b"X: " + b"a" * 1_000_000, b"X: y\r\n" * 200_000])
def test_an_endless_http_head_is_cut_off(tmp_path: Path, head: bytes) -> None:
    with VenueProcess(tmp_path / "data", "--no-fsync") as venue:
        with http(venue) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
            with pytest.raises((ConnectionResetError, BrokenPipeError)):
                client.sendall(head * 50)
        with http(venue) as client:
            client.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("file", ["registry.sqlite3", "journal-40.bin"])
def test_a_damaged_file_is_refused_with_a_clear_message(tmp_path: Path, file: str) -> None:
    data = tmp_path / "data"
    with VenueProcess(data, "--no-fsync") as venue:
        venue.stop()
    (data / file).write_bytes(b"no database at all\n" * 500)
    assert file.split(".")[0] in refused_start(data)


_OPEN = """
import asyncio, sys
from pathlib import Path
from ontherun.journal import JournalError
from ontherun.registry import RegistryError
from ontherun.service.settings import Settings
from ontherun.service.venue import Venue

async def main():
    try:
        venue = await Venue.start(Settings(Path(sys.argv[1]), portal_port=0, gateway_port_base=0, fsync=False))
    except (RegistryError, JournalError) as refused:
        print(refused)
    else:
        await venue.stop()

asyncio.run(main())
"""


def test_a_disk_that_takes_no_more_stops_the_venue_and_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk: the log, the journal and the outbox all meet it."""
    data = tmp_path / "data"
    accepted = 0
    with VenueProcess(data, "--no-fsync") as venue, RawClient(venue.address, venue.key()) as client:
        client.log_in()
        resource.prlimit(venue.process.pid, resource.RLIMIT_FSIZE, (200_000, 200_000))
        with contextlib.suppress(EOFError, OSError):
            while True:
                client.order(venue.security_id("UB10"), 1, PRICE, 1, b"%d" % accepted)
                client.order(venue.security_id("UB10"), 9, PRICE, 1, b"refused, and logged")
                client.expect(m.ExecutionReportNew)
                client.expect(m.BusinessReject)
                accepted += 1
        output = venue.process.communicate(timeout=20)[0]
        assert (venue.process.returncode, "Traceback" in output) == (1, False), output
        assert "ontherun stopped: the journal" in output
    with VenueProcess(data, "--no-fsync") as venue, RawClient(venue.address, venue.key()) as again:
        again.uuid = client.uuid
        again.establish(client.next_seq_no)
        assert again.expect(m.EstablishmentAck).next_seq_no >= 2 * accepted + 1


def test_a_clock_that_was_set_back_between_two_starts_is_no_obstacle(tmp_path: Path) -> None:
    data, back = tmp_path / "data", tmp_path / "back"
    with VenueProcess(data, "--no-fsync") as venue, RawClient(venue.address, venue.key()) as client:
        client.log_in()
        client.order(venue.security_id("UB10"), 1, PRICE, 1, b"BEFORE")
        client.expect(m.ExecutionReportNew)
    back.mkdir()
    (back / "sitecustomize.py").write_text(
        "import time\nreal = time.time_ns\ntime.time_ns = lambda: real() - 3600 * 10**9\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", _OPEN, str(data)],
        env=os.environ | {"PYTHONPATH": f"{back}:{ROOT / 'src'}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    with VenueProcess(data, "--no-fsync") as venue, RawClient(venue.address, venue.key()) as client:
        client.log_in()


@pytest.mark.parametrize("loss", ["deleted", "emptied"])
def test_a_journal_that_is_gone_is_not_begun_anew_in_silence(tmp_path: Path, loss: str) -> None:
    with VenueProcess(tmp_path / "data", "--no-fsync") as venue:
        venue.stop()
    journal = tmp_path / "data" / "journal-40.bin"
    if loss == "deleted":
        journal.unlink()
    else:
        journal.write_bytes(b"")
    assert "journal-40.bin is gone or empty" in refused_start(tmp_path / "data")
