"""A gateway that speaks TLS: ours, off by default; the same session over it, and clear words about files that are no
good."""

import asyncio
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.support.api import ask
from tests.support.raw_client import RawClient
from tests.support.venue_process import ROOT, VenueProcess

from ontherun.client import Disconnected, Venue, connect, trusting
from ontherun.ilink import messages as m
from ontherun.service.tls import TlsFilesError, server_context

PRICE = 99 * 10**9


def written(folder: Path, name: str = "gateway") -> tuple[Path, Path]:
    """A certificate of its own for 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(1))
        .not_valid_after(now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    shown, kept = folder / f"{name}.pem", folder / f"{name}.key"
    shown.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    kept.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return shown, kept


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return written(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory, files: tuple[Path, Path]) -> Iterator[VenueProcess]:
    options = ("--tls-certificate", str(files[0]), "--tls-key", str(files[1]))
    with VenueProcess(tmp_path_factory.mktemp("venue") / "data", "--no-fsync", *options) as running:
        yield running


class TlsClient(RawClient):
    """A raw client whose socket speaks TLS."""

    def __init__(self, venue: VenueProcess, certificate: Path) -> None:
        super().__init__(venue.address, venue.key())
        context = ssl.create_default_context(cafile=certificate)
        self.socket = context.wrap_socket(self.socket, server_hostname=venue.address[0])


def test_a_session_over_tls_is_a_session(venue: VenueProcess, files: tuple[Path, Path]) -> None:
    with TlsClient(venue, files[0]) as client:
        client.log_in()
        client.order(venue.security_id("UB10"), 1, PRICE, 1, b"ONE")
        client.expect(m.ExecutionReportNew)
    with TlsClient(venue, files[0]) as back:  # at once: the lost one is not a first one that is alive
        back.uuid = client.uuid
        back.establish(2)
        assert back.expect(m.EstablishmentAck).next_seq_no == 3  # its order went with it
        back.terminate()
        assert back.closed()


def test_a_client_without_tls_gets_no_answer_and_harms_nobody(venue: VenueProcess, files: tuple[Path, Path]) -> None:
    with RawClient(venue.address, venue.key()) as plain:
        plain.negotiate()
        with pytest.raises((EOFError, ConnectionError)):
            plain.receive()
    with TlsClient(venue, files[0]) as client:
        client.log_in()
        client.terminate()


def test_the_sdk_finds_the_certificate_in_the_ready_file(venue: VenueProcess, files: tuple[Path, Path]) -> None:
    found = Venue.load(venue.ready_file)
    assert found.gateway().tls_certificate == files[0].resolve()
    assert {gateway["tls"] for gateway in ask(venue, "GET", "gateways")["items"]} == {True}

    async def trade() -> int:
        async with connect(found.login(1)) as session:
            order = await session.buy("UB10", "96", 1)
            return (await order.accepted()).order_id

    assert asyncio.run(trade()) > 0


def test_the_sdk_refuses_a_certificate_that_it_does_not_trust(venue: VenueProcess, tmp_path: Path) -> None:
    other, _ = written(tmp_path, "other")
    login = Venue.load(venue.ready_file).login(1).with_(tls=trusting(other))

    async def refused() -> None:
        await connect(login, reconnect=None)

    with pytest.raises(Disconnected, match=r"cannot connect to .*certificate"):
        asyncio.run(refused())


def test_files_that_are_no_good_are_named_with_the_reason(files: tuple[Path, Path], tmp_path: Path) -> None:
    certificate, key = files
    text = tmp_path / "text"
    text.write_text("hello")
    broken = tmp_path / "broken"
    broken.write_text(certificate.read_text().replace("A", "!"))
    sealed = tmp_path / "sealed"
    sealed.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    _, other_key = written(tmp_path, "other")
    for wrong, why in (
        ((tmp_path / "none", key), "certificate .*none cannot be read: No such file"),
        ((certificate, tmp_path / "none"), "key .*none cannot be read"),
        ((text, key), "certificate .*text is no PEM file"),
        ((certificate, sealed), "key .*sealed is encrypted"),
        ((certificate, other_key), "do not go together: the key is not that of the certificate"),
        ((broken, key), "do not go together: one of them is damaged"),
    ):
        with pytest.raises(TlsFilesError, match=why):
            server_context(*wrong)


def test_a_venue_with_bad_files_does_not_start_and_says_why(files: tuple[Path, Path], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ontherun", "up", "--data", str(tmp_path / "data"), "--portal-port", "0"]
    command += ["--gateway-port-base", "0", "--tls-certificate", str(files[0])]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    for key, code, said in (
        (["--tls-key", str(tmp_path / "none")], 1, "ontherun cannot start: the TLS key"),
        ([], 2, "a certificate needs its key"),
    ):
        ended = subprocess.run(
            [*command, *key], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert ended.returncode == code
        assert said in ended.stderr
        assert "Traceback" not in ended.stderr
