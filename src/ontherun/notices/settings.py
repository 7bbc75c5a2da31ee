"""How a venue sends notices."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ontherun.keys import Secret
from ontherun.notices.mail import MailSettings, Tls
from ontherun.notices.networks import LOOPBACK, Networks

PASSWORD_VARIABLE = "ONTHERUN_SMTP_PASSWORD"  # noqa: S105 - a name
_IMPLICIT_TLS_PORT = 465


class NoticeSettingsError(Exception):
    """Settings of notices that do not go together. The text says what would be right."""


@dataclass(frozen=True, slots=True)
class NoticeSettings:
    """Where mail goes out, and what webhooks may reach. Without `mail` the outbox keeps what would have been sent."""

    mail: MailSettings | None = None
    public_url: str = ""
    """Where people reach the portal, for the links in notices; "": the address that it listens on."""
    webhook_networks: tuple[str, ...] = LOOPBACK
    """Networks that webhooks may reach besides the public internet."""


def notice_settings(
    *,
    smtp_host: str | None = None,
    smtp_port: int = 587,
    smtp_user: str = "",
    smtp_password_file: Path | None = None,
    smtp_tls: Tls | None = None,
    smtp_ca_file: Path | None = None,
    mail_from: str = "",
    public_url: str = "",
    webhook_networks: tuple[str, ...] = LOOPBACK,
    variables: Mapping[str, str],
) -> NoticeSettings:
    """Put settings together and check them. The password comes from a file, or from ONTHERUN_SMTP_PASSWORD.

    NoticeSettingsError when they do not go together, or the file cannot be read.
    """
    try:
        Networks(webhook_networks)
    except ValueError as error:
        raise NoticeSettingsError(f"--webhook-network: {error}. Give a network as 10.1.0.0/16.") from None
    if smtp_host is None:
        return NoticeSettings(None, public_url, webhook_networks)
    if "@" not in mail_from:
        raise NoticeSettingsError("--smtp-host needs --mail-from ADDRESS as well: who the notices come from.")
    tls = smtp_tls or ("implicit" if smtp_port == _IMPLICIT_TLS_PORT else "starttls")
    password = _password(smtp_password_file, variables)
    if smtp_user and password is None:
        raise NoticeSettingsError(
            f"--smtp-user needs a password: name its file with --smtp-password-file, or set {PASSWORD_VARIABLE}."
        )
    if smtp_user and tls == "none":
        raise NoticeSettingsError("A password is not sent without TLS. Use --smtp-tls starttls or implicit.")
    mail = MailSettings(smtp_host, mail_from, smtp_port, smtp_user, password, tls, smtp_ca_file)
    return NoticeSettings(mail, public_url, webhook_networks)


def _password(path: Path | None, variables: Mapping[str, str]) -> Secret | None:
    if path is None:
        text = variables.get(PASSWORD_VARIABLE)
        return None if text is None else Secret(text.encode())
    try:
        content = path.expanduser().read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise NoticeSettingsError(f"The SMTP password cannot be read: {error}") from None
    if not content:
        raise NoticeSettingsError(f"{path} is empty. It should hold the SMTP password, and nothing else.")
    return Secret(content.encode())
