"""Mail through an SMTP server: STARTTLS or TLS from the first byte, and authentication only inside it.

The commands are sent one by one, for it matters where a sending breaks off: before the message was handed over nothing
has arrived; after that, without an answer, it may have.
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ontherun.keys import Secret
from ontherun.notices.letters import Letter, as_html, as_text
from ontherun.registry import Delivery, DeliveryEvent, Notice, SendResult

if TYPE_CHECKING:
    from aiosmtplib import SMTP

Tls = Literal["starttls", "implicit", "none"]

_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The mail server and who writes. `timeout` in seconds holds for each step of the conversation.

    `tls` "none" is for a server on this machine or a test; a password is then never sent. `ca_file` names the
    certificates (PEM) that are trusted besides the machine's own.
    """

    host: str
    mail_from: str
    port: int = 587
    user: str = ""
    password: Secret | None = field(default=None, repr=False)
    tls: Tls = "starttls"
    ca_file: Path | None = None
    timeout: float = 20.0


def message_id(notice: Notice, delivery: Delivery, mail_from: str) -> str:
    """Return the Message-ID of a delivery: the same at each attempt, so that a mailbox that got two shows one."""
    return f"<{notice.notice_id}.{delivery.number}.{notice.at}@{mail_from.rpartition('@')[2]}>"


def compose(letter: Letter, to: str, message_id: str, mail_from: str, now: int) -> bytes:
    """Make the message as it goes over the wire: text, and the same as HTML."""
    message = EmailMessage(policy=SMTP_POLICY.clone(max_line_length=78))
    message["Subject"] = letter.subject
    message["From"] = Address("ontherun", addr_spec=mail_from)
    message["To"] = to
    message["Date"] = format_datetime(datetime.fromtimestamp(now // _SECOND, UTC))
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notice in return
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(as_text(letter), cte="quoted-printable")
    message.add_alternative(as_html(letter), subtype="html", cte="quoted-printable")
    return message.as_bytes()


class MailSender:
    """Sends one message after the other, each over a connection of its own."""

    def __init__(self, settings: MailSettings) -> None:
        self.settings = settings

    async def send(self, to: str, message: bytes, message_id: str) -> SendResult:
        """Send a message to one address. Every way in which that can end is an SendResult; no exception.

        `digest` of the outcome is the SHA-256 of `message`.
        """
        from aiosmtplib import SMTPException  # 40 ms that a start need not wait for

        digest = sha256(message).hexdigest()

        def ended(event: DeliveryEvent, answer: str) -> SendResult:
            return SendResult(event, " ".join(answer.split()), message_id, digest)

        try:
            smtp = self._client()
        except (OSError, ValueError) as error:  # the certificates
            return ended(DeliveryEvent.FAIL, f"{self.settings.ca_file}: {error}")
        try:
            return await self._converse(smtp, to, message, ended)
        except (SMTPException, OSError, ValueError) as error:
            return ended(_event_of(error), f"{self.settings.host}:{self.settings.port}: {_words(error)}")
        finally:
            smtp.close()

    async def _converse(
        self, smtp: "SMTP", to: str, message: bytes, ended: Callable[[DeliveryEvent, str], SendResult]
    ) -> SendResult:
        from aiosmtplib import SMTPException, SMTPResponseException

        settings = self.settings
        await smtp.connect()
        if settings.user and settings.password is not None and settings.tls != "none":
            await smtp.login(settings.user, settings.password.raw)
        await smtp.mail(settings.mail_from)
        await smtp.rcpt(to)
        try:
            answer = await smtp.data(message)
        except SMTPResponseException as error:
            return ended(_event_of(error), _words(error))
        except (SMTPException, OSError) as error:
            return ended(
                DeliveryEvent.LOSE, f"The connection ended before the server's answer, it may have arrived: {error}"
            )
        return ended(DeliveryEvent.CONFIRM, f"{answer.code} {answer.message}")

    def _client(self) -> "SMTP":
        from aiosmtplib import SMTP

        settings = self.settings
        context = ssl.create_default_context()
        if settings.ca_file is not None:
            context.load_verify_locations(settings.ca_file)
        return SMTP(
            hostname=settings.host,
            port=settings.port,
            timeout=settings.timeout,
            use_tls=settings.tls == "implicit",
            start_tls=settings.tls == "starttls",
            tls_context=None if settings.tls == "none" else context,
            local_hostname=settings.mail_from.rpartition("@")[2],
        )


def _event_of(error: Exception) -> DeliveryEvent:
    """Whether it is worth another attempt: a recipient or message that was refused for good is not (RFC 5321, 5yz).

    A refused password or connection is: somebody puts it right, and the notices wait.
    """
    from aiosmtplib import SMTPDataError, SMTPRecipientRefused

    if isinstance(error, SMTPRecipientRefused | SMTPDataError) and 500 <= error.code < 600:
        return DeliveryEvent.GIVE_UP
    return DeliveryEvent.FAIL


def _words(error: Exception) -> str:
    from aiosmtplib import SMTPAuthenticationError, SMTPResponseException

    if isinstance(error, SMTPAuthenticationError):
        return f"{error.code} the server refuses the user name or password"
    if isinstance(error, SMTPResponseException):
        return f"{error.code} {error.message}"
    return str(error) or type(error).__name__
