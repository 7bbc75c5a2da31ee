"""`ontherun up`: start the venue, say what runs, stop in order on Ctrl-C."""

import gc
import os
import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ontherun.cli import notice_options, sso_options
from ontherun.cli.api import DEFAULT_DATA
from ontherun.cli.program import program

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping, Sequence

    from ontherun.ilink.controls import ControlPolicy
    from ontherun.market.instruments import Instrument
    from ontherun.service.settings import Settings
    from ontherun.service.standby import Standby
    from ontherun.service.venue import Venue

DataDir = Annotated[
    Path, typer.Option(envvar="ONTHERUN_DATA", help="Folder of everything that lasts.", show_default="~/.ontherun")
]


class EnvironmentName(StrEnum):
    """What a venue may be to its users."""

    LOCAL = "LOCAL"
    CERT = "CERT"
    NEWRELEASE = "NEWRELEASE"
    PROD = "PROD"


class Controls(StrEnum):
    """Named limits of Messaging Controls."""

    EXCHANGE = "exchange"
    OFF = "off"


def up(
    data: DataDir = DEFAULT_DATA,
    host: Annotated[str, typer.Option(envvar="ONTHERUN_HOST", help="Address to listen on.")] = "127.0.0.1",
    portal_port: Annotated[
        int,
        typer.Option(
            envvar="ONTHERUN_PORTAL_PORT", min=0, max=65535, help="Port of the portal and REST API; 0: a free one."
        ),
    ] = 8040,
    gateway_port_base: Annotated[
        int,
        typer.Option(
            envvar="ONTHERUN_GATEWAY_PORT_BASE",
            min=0,
            max=64_700,
            help="A primary gateway listens on this plus its market segment id, its backup 500 above (segment 40: 9040 "
            "and 9540); 0: free ports.",
        ),
    ] = 9000,
    ready_file: Annotated[
        Path | None, typer.Option(envvar="ONTHERUN_READY_FILE", help="JSON file to write once everything listens.")
    ] = None,
    hours: Annotated[
        str,
        typer.Option(
            envvar="ONTHERUN_HOURS", help="When the market is open: always, or at the exchange's hours (exchange)."
        ),
    ] = "always",
    fsync: Annotated[
        bool,
        typer.Option(
            envvar="ONTHERUN_FSYNC",
            help="Acknowledge only what survives loss of power. Without it: what survives the death of the process.",
        ),
    ] = True,
    poll: Annotated[
        int,
        typer.Option(
            envvar="ONTHERUN_POLL",
            min=0,
            max=1_000_000,
            help="Adaptive polling: microseconds to stay awake after input; 0: none.",
        ),
    ] = 0,
    tls_certificate: Annotated[
        Path | None,
        typer.Option(envvar="ONTHERUN_TLS_CERTIFICATE", help="PEM file: the order entry gateways speak TLS with it."),
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(envvar="ONTHERUN_TLS_KEY", help="PEM file of the certificate's key, not encrypted.")
    ] = None,
    split_safeguard: Annotated[
        bool,
        typer.Option(
            "--split-safeguard",
            envvar="ONTHERUN_SPLIT_SAFEGUARD",
            help="Tell messages that arrive in pieces by SplitMsg, and end sessions that have more than 50 at once.",
        ),
    ] = False,
    session_ends_with_key: Annotated[
        bool,
        typer.Option(
            "--session-ends-with-key",
            envvar="ONTHERUN_SESSION_ENDS_WITH_KEY",
            help="End a live session once its key pair is no longer valid. Without it: it stays until its next login.",
        ),
    ] = False,
    messaging_controls: Annotated[
        Controls | None,
        typer.Option(
            envvar="ONTHERUN_MESSAGING_CONTROLS",
            help="How much sessions may send: the exchange's limits, or off. Without it: as it was.",
        ),
    ] = None,
    drain: Annotated[
        float,
        typer.Option(
            envvar="ONTHERUN_DRAIN", min=0, help="Seconds that a stop waits for clients to take their last messages."
        ),
    ] = 5.0,
    smtp_host: notice_options.SmtpHost = None,
    smtp_port: notice_options.SmtpPort = 587,
    smtp_user: notice_options.SmtpUser = "",
    smtp_password_file: notice_options.SmtpPasswordFile = None,
    smtp_tls: notice_options.SmtpTls = None,
    smtp_ca_file: notice_options.SmtpCaFile = None,
    mail_from: notice_options.MailFrom = "",
    public_url: notice_options.PublicUrl = "",
    webhook_network: notice_options.WebhookNetwork = None,
    oidc_issuer: sso_options.Issuer = None,
    oidc_client_id: sso_options.ClientId = "",
    oidc_client_secret_file: sso_options.ClientSecretFile = None,
    instruments: Annotated[
        Path | None,
        typer.Option(
            envvar="ONTHERUN_INSTRUMENTS",
            exists=True,
            dir_okay=False,
            help="The markets' instruments (TOML), in place of the seven benchmarks: ontherun market instruments.",
        ),
    ] = None,
    lab: Annotated[
        bool, typer.Option("--lab", envvar="ONTHERUN_LAB", help="A clock that can be moved: ontherun lab --help.")
    ] = False,
    environment: Annotated[
        EnvironmentName,
        typer.Option(
            envvar="ONTHERUN_ENVIRONMENT",
            help="What this venue is. But for LOCAL: everybody needs a second factor, and no sign-in link is made.",
        ),
    ] = EnvironmentName.LOCAL,
    pair: Annotated[
        bool,
        typer.Option(
            "--pair",
            envvar="ONTHERUN_PAIR",
            help="One of two processes on the same data: this one is the venue, or stands by for the other one.",
        ),
    ] = False,
) -> None:
    """Start the portal, the REST API and the gateways, and run until Ctrl-C."""
    if hours not in ("always", "exchange"):
        raise typer.BadParameter(f"{hours!r} is not known: 'always' or 'exchange'", param_hint="--hours")
    if (tls_certificate is None) != (tls_key is None):
        raise typer.BadParameter("a certificate needs its key, and a key its certificate", param_hint="--tls-key")
    if pair and lab:
        raise typer.BadParameter("a lab's clock is moved in one process", param_hint="--pair")
    if lab and environment is EnvironmentName.PROD:
        raise typer.BadParameter("the clock of PROD is nobody's to move", param_hint="--lab")
    gc.disable()  # at once: what is imported holds nothing that a collection would free
    from ontherun.service.settings import Settings

    notices = notice_options.settings_of(
        host,
        smtp_host,
        smtp_port,
        smtp_user,
        smtp_password_file,
        smtp_tls,
        smtp_ca_file,
        mail_from,
        public_url,
        webhook_network,
    )
    from ontherun.market.benchmarks import SEGMENTS

    settings = Settings(
        data.expanduser(),
        host,
        portal_port,
        gateway_port_base,
        ready_file,
        "exchange" if hours == "exchange" else "always",
        fsync,
        drain,
        poll,
        segments=SEGMENTS if instruments is None else _instruments(instruments),
        lab=lab,
        environment=environment.value,
        tls=None if tls_certificate is None or tls_key is None else (tls_certificate, tls_key),
        pair=pair,
        split_safeguard=split_safeguard,
        session_ends_with_key=session_ends_with_key,
        messaging_controls=None if messaging_controls is None else _limits(messaging_controls),
        notices=notices,
        identity_provider=sso_options.provider_of(oidc_issuer, oidc_client_id, oidc_client_secret_file),
    )
    import uvloop

    sys.exit(uvloop.run(run(settings)))


def _limits(controls: Controls) -> "ControlPolicy":
    from ontherun.ilink.controls import EXCHANGE_CONTROLS, NO_CONTROLS

    return EXCHANGE_CONTROLS if controls is Controls.EXCHANGE else NO_CONTROLS


def _instruments(file: Path) -> "Mapping[int, Sequence[Instrument]]":
    """The instruments of a file; leaves the command with a message when it cannot be used."""
    from ontherun.market.reference_data import ReferenceDataError, read_instruments

    try:
        return read_instruments(file.read_text("utf-8"))
    except (ReferenceDataError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file}: {error}", param_hint="--instruments") from error


async def run(settings: "Settings") -> int:
    """Run a venue, or stand by for one, until SIGINT or SIGTERM; the process's exit code."""
    import asyncio

    from ontherun.gateway.recovery import RecoveryError
    from ontherun.journal import JournalError
    from ontherun.registry import RegistryError
    from ontherun.service.tls import TlsFilesError
    from ontherun.service.venue import Venue
    from ontherun.trace import TraceError

    stop = asyncio.Event()
    try:
        venue = await (_one_of_two(settings, stop) if settings.pair else Venue.start(settings))
    except (RegistryError, JournalError, RecoveryError, TraceError, TlsFilesError, OSError) as error:
        sys.stderr.write(f"ontherun cannot start: {error}\n")
        return 1
    if venue is None:
        sys.stdout.write("stopped\n")
        return 0
    _stop_on_signals(stop)
    if hasattr(signal, "SIGHUP"):
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, venue.log.reopen)
    try:
        link = await venue.sign_in_link()
    except RegistryError as error:  # the gateways run; `ontherun sign-in-link` makes one later
        link = None
        sys.stderr.write(f"No sign-in link could be made: {error}\n")
    show(venue, link)
    stopping = asyncio.create_task(stop.wait())
    waiting: set[asyncio.Future[Any]] = {stopping, venue.failed}
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not venue.failed.done():
        await venue.drain()
    await venue.stop()
    if venue.failed.done():
        sys.stderr.write(f"ontherun stopped: {venue.failed.result()}\n")
        return 1
    sys.stdout.write("stopped\n")
    return 0


async def _one_of_two(settings: "Settings", stop: "asyncio.Event") -> "Venue | None":
    """Be the venue, or stand by until its process ends and go on with it; None when `stop` was set before."""
    import asyncio

    from ontherun.service.standby import Standby, start

    started = await start(settings)
    if not isinstance(started, Standby):
        return started
    _stop_on_signals(stop)
    show_standby(started)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({stopping, started.ended}, return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        await started.stop()
        return None
    stopping.cancel()
    sys.stdout.write("The venue's process has ended: this one takes over.\n")
    sys.stdout.flush()
    return await started.take_over()


def _stop_on_signals(stop: "asyncio.Event") -> None:
    """End in order at a signal, and at the second one at once: whatever was acknowledged is durable."""
    import asyncio

    def end(number: int) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, end, number)


def show_standby(standby: "Standby") -> None:
    """Print where the backups listen."""
    at = ", ".join(f"{gateway.host}:{gateway.port}" for gateway in standby.gateways())
    sys.stdout.write(f"Standing by on {standby.settings.data}: backups listen on {at}. Ctrl-C ends this.\n")
    sys.stdout.flush()


def show(venue: "Venue", link: str | None) -> None:
    """Print what runs, where the keys are, and what to try next. `link` signs the reader in at the portal, once."""
    from rich.console import Console, Group
    from rich.panel import Panel
    from rich.table import Table

    from ontherun.keys import utc_text

    ready = venue.ready
    places = Table.grid(padding=(0, 2))
    places.add_row("Portal and REST API", f"[link={ready['portal_url']}]{ready['portal_url']}[/link]")
    for gateway in ready["gateways"]:
        places.add_row(
            f"Gateway, segment {gateway['segment']}", f"{gateway['host']}:{gateway['port']}  iLink 3, {gateway['role']}"
        )
    places.add_row("Data", ready["data"])
    if (lab_clock := venue.registry.lab.clock) is not None:
        places.add_row(
            "LAB CLOCK", f"[bold yellow]{utc_text(lab_clock.now())}[/bold yellow]  move it: ontherun lab --help"
        )
    if venue.recovered.batches:
        places.add_row(
            "Continues", f"{venue.recovered.messages} messages of {venue.recovered.batches} commits are back"
        )
    places.add_row("Key files", str(Path(ready["demo"][0]["key_file"]).parent))
    demo = Table("Session", "Firm", "Access Key ID", "Key file", "Party details", box=None, padding=(0, 2, 0, 0))
    for login in ready["demo"]:
        demo.add_row(
            login["session_id"],
            login["firm"],
            login["access_key_id"],
            Path(login["key_file"]).name,
            str(login["party_details_list_req_id"]),
        )
    symbols = " ".join(instrument["symbol"] for instrument in ready["instruments"])
    option = "" if venue.settings.data == DEFAULT_DATA.expanduser() else f" --data {venue.settings.data}"
    hints = Table.grid(padding=(0, 2))
    called = program()
    hints.add_row("a first order", f"[bold]{called} order buy UB10 99-16+ 5{option}[/bold]")
    hints.add_row("your own key pair", f"[bold]{called} key generate {ready['demo'][0]['session_id']}{option}[/bold]")
    if venue.settings.environment != "LOCAL":
        hints.add_row("the first operator", f"[bold]{called} people invite YOU@EXAMPLE.COM{option}[/bold]")
    hints.add_row("stop", "[bold]Ctrl-C[/bold]  (orders, sessions and numbers are kept)")
    Console(soft_wrap=False).print(
        Panel(
            Group(places, "", f"[dim]Trading[/dim] {symbols}", "", demo, "", "[dim]In another terminal[/dim]", hints),
            title=f"ontherun {ready['version']}",
            title_align="left",
            border_style="green",
            expand=False,
        )
    )
    if link is not None:  # outside of the panel, which would break it into lines
        sys.stdout.write(f"Sign in at the portal, once, within a quarter of an hour:\n  {link}\n")
        sys.stdout.flush()
