"""A mail server as a process of its own: aiosmtpd with STARTTLS and AUTH. It keeps each message as a file.

    python -m tests.support.mail_server FOLDER [PORT]

Recipients at refused.example are refused for good, those at busy.example for now; for lost.example the server dies in
the moment in which it has taken the message and not said so.
"""

import asyncio
import datetime
import ipaddress
import os
import ssl
import subprocess
import sys
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
USER, PASSWORD = "ontherun", "correct horse battery"


class MailServer:
    """The process. `port` stays the same over `stop` and `start`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca_file = folder / "ca.pem"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        self.stop()
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.mail_server", str(self.folder), str(self.port)], cwd=ROOT
        )
        while not ready.exists():
            assert self.process.poll() is None
            time.sleep(0.01)
        self.port = int(ready.read_text())
        return self

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    @property
    def messages(self) -> list[EmailMessage]:
        """What has arrived, oldest first."""
        files = sorted(self.folder.glob("*.eml"))
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]  # type: ignore[misc]

    def raw(self) -> list[bytes]:
        return [file.read_bytes() for file in sorted(self.folder.glob("*.eml"))]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def make_certificate(folder: Path) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 that signs itself: FOLDER/ca.pem is what a client trusts."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    certificate, key_file = folder / "ca.pem", folder / "key.pem"
    if not certificate.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
        now = datetime.datetime.now(datetime.UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(
                x509.SubjectAlternativeName(
                    [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
                ),
                critical=False,
            )
            .sign(key, hashes.SHA256())
        )
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        key_file.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
        certificate.write_bytes(built.public_bytes(encoding))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key_file)
    return context


def keep(folder: Path, content: bytes) -> int:
    """Keep a message whole or not at all; return its number."""
    number = len(list(folder.glob("*.eml"))) + 1
    draft = folder / f"{number:04d}.draft"
    draft.write_bytes(content)
    draft.rename(folder / f"{number:04d}.eml")
    return number


async def serve(folder: Path, port: int) -> None:
    from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

    class Keep:
        async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
            if address.endswith("@refused.example"):
                return "550 5.1.1 nobody of that name here"
            if address.endswith("@busy.example"):
                return "450 4.2.1 not now"
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            number = keep(folder, envelope.content)
            if envelope.rcpt_tos[0].endswith("@lost.example"):
                os._exit(1)
            if envelope.rcpt_tos[0].endswith("@slow.example"):
                await asyncio.sleep(60)
            return f"250 2.0.0 queued as {number}"

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        known = isinstance(data, LoginPassword) and data.login == USER.encode() and data.password == PASSWORD.encode()
        return AuthResult(success=known, handled=False)

    context = make_certificate(folder)

    def session() -> SMTP:
        return SMTP(
            Keep(),
            authenticator=authenticate,
            auth_required=True,
            auth_require_tls=True,
            require_starttls=True,
            tls_context=context,
            hostname="test",
        )

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", port)
    (folder / "ready.draft").write_text(str(server.sockets[0].getsockname()[1]))
    (folder / "ready.draft").rename(folder / "ready")
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
