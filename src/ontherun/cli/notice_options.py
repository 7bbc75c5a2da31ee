"""The options of `ontherun up` for notices: the mail server, and what webhooks may reach."""

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ontherun.notices import NoticeSettings


class Tls(StrEnum):
    """How the connection to the mail server is encrypted."""

    STARTTLS = "starttls"
    IMPLICIT = "implicit"
    NONE = "none"


SmtpHost = Annotated[
    str | None,
    typer.Option(
        envvar="ONTHERUN_SMTP_HOST",
        help="Mail server for notices. Without one the outbox keeps what would have been sent.",
    ),
]
SmtpPort = Annotated[int, typer.Option(envvar="ONTHERUN_SMTP_PORT", min=1, max=65535, help="Its port.")]
SmtpUser = Annotated[str, typer.Option(envvar="ONTHERUN_SMTP_USER", help="User name there.")]
SmtpPasswordFile = Annotated[
    Path | None,
    typer.Option(
        envvar="ONTHERUN_SMTP_PASSWORD_FILE",
        help="File that holds the password, and nothing else. Or set ONTHERUN_SMTP_PASSWORD.",
    ),
]
SmtpTls = Annotated[
    Tls | None,
    typer.Option(
        envvar="ONTHERUN_SMTP_TLS",
        help="How the connection is encrypted. [starttls; implicit on port 465]",
    ),
]
SmtpCaFile = Annotated[
    Path | None,
    typer.Option(
        envvar="ONTHERUN_SMTP_CA_FILE",
        help="Certificates (PEM) to trust besides the machine's.",
    ),
]
MailFrom = Annotated[str, typer.Option(envvar="ONTHERUN_MAIL_FROM", help="Address that notices come from.")]
PublicUrl = Annotated[
    str,
    typer.Option(
        envvar="ONTHERUN_PUBLIC_URL",
        help="Where people reach the portal, for links in notices. [the address that it listens on]",
    ),
]
WebhookNetwork = Annotated[
    list[str] | None,
    typer.Option(
        envvar="ONTHERUN_WEBHOOK_NETWORK",
        metavar="CIDR",
        help="A network that webhooks may reach besides the public internet. Repeatable. "
        "[this machine, while --host is this machine's own]",
    ),
]


def settings_of(
    listening_on: str,
    smtp_host: str | None,
    smtp_port: int,
    smtp_user: str,
    smtp_password_file: Path | None,
    smtp_tls: Tls | None,
    smtp_ca_file: Path | None,
    mail_from: str,
    public_url: str,
    webhook_network: list[str] | None,
) -> "NoticeSettings":
    """Put the options together. typer.BadParameter when they do not fit each other."""
    from ontherun.notices import LOOPBACK, NoticeSettingsError, notice_settings

    alone = listening_on in ("127.0.0.1", "::1", "localhost")
    networks = tuple(webhook_network or (LOOPBACK if alone else ()))
    try:
        return notice_settings(
            smtp_host=smtp_host,
            smtp_port=smtp_port,
            smtp_user=smtp_user,
            smtp_password_file=smtp_password_file,
            smtp_tls=None if smtp_tls is None else smtp_tls.value,
            smtp_ca_file=smtp_ca_file,
            mail_from=mail_from,
            public_url=public_url,
            webhook_networks=networks,
            variables=os.environ,
        )
    except NoticeSettingsError as error:
        raise typer.BadParameter(str(error)) from None
