"""Venue: what a running ontherun tells about itself, so that a program finds it without being told an address."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ontherun.client.errors import VenueError
from ontherun.client.instruments import Instruments
from ontherun.client.keyfile import KeyFile
from ontherun.client.login import Login
from ontherun.client.tls import trusting

UP_FILE = "up.json"


@dataclass(frozen=True, slots=True)
class Gateway:
    """An order entry gateway: `role` is "primary" or "backup"; `tls_certificate` is the file that it shows, None
    where it speaks no TLS."""

    segment: int
    role: str
    host: str
    port: int
    tls_certificate: Path | None = None


@dataclass(frozen=True, slots=True)
class DemoSession:
    """A session that the venue made for trying things out, with its key file and its registered party details."""

    session_id: str
    firm: str
    access_key_id: str
    key_file: Path
    party_details_list_req_id: int


@dataclass(frozen=True, slots=True)
class Venue:
    """A running venue. `Venue.load()` finds it; `login()` is what `connect` needs."""

    source: Path
    api_url: str
    portal_url: str
    gateways: tuple[Gateway, ...]
    instruments: Instruments
    demo: tuple[DemoSession, ...]

    @classmethod
    def load(cls, path: str | os.PathLike[str] | None = None) -> "Venue":
        """Read a ready file, or `up.json` of a data folder: by default that of ONTHERUN_DATA or ~/.ontherun.

        Raises VenueError when there is none, or when it is not a venue's.
        """
        source = default_data() if path is None else Path(path)
        if source.is_dir():
            source /= UP_FILE
        try:
            values = json.loads(source.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise VenueError(
                f"no running venue found ({source} does not exist): start one with `ontherun up`"
            ) from None
        except (OSError, ValueError) as error:
            raise VenueError(f"{source} cannot be read: {error}") from error
        return cls.from_values(values, source)

    @classmethod
    def from_values(cls, values: Mapping[str, Any], source: Path) -> "Venue":
        """Make one from a ready file's content; relative key files are found beside `source`. Raises VenueError."""
        try:
            return cls(
                source=source,
                api_url=values["api_url"],
                portal_url=values["portal_url"],
                gateways=tuple(_gateway(gateway, source) for gateway in values["gateways"]),
                instruments=Instruments({i["symbol"]: i["security_id"] for i in values["instruments"]}),
                demo=tuple(
                    DemoSession(
                        demo["session_id"],
                        demo["firm"],
                        demo["access_key_id"],
                        source.parent / demo["key_file"],
                        demo["party_details_list_req_id"],
                    )
                    for demo in values["demo"]
                ),
            )
        except (KeyError, TypeError) as error:
            raise VenueError(f"{source} does not describe a venue: {error!r}") from error

    def backup(self, segment: int) -> tuple[str, int] | None:
        """Host and port of a segment's designated backup; None where it has none."""
        for gateway in self.gateways:
            if (gateway.role, gateway.segment) == ("backup", segment):
                return gateway.host, gateway.port
        return None

    def gateway(self, segment: int | None = None, role: str = "primary") -> Gateway:
        """The gateway of a market segment, or the first one. Raises VenueError."""
        for gateway in self.gateways:
            if gateway.role == role and segment in (None, gateway.segment):
                return gateway
        raise VenueError(f"{self.source}: no {role} gateway{'' if segment is None else f' for segment {segment}'}")

    def login(self, session: str | int = 0, *, segment: int | None = None) -> Login:
        """What `connect` needs for a demo session, given by its id or its place in the list. Raises VenueError."""
        for place, demo in enumerate(self.demo):
            if session in (place, demo.session_id):
                gateway = self.gateway(segment)
                return Login(
                    key=KeyFile.load(demo.key_file),
                    host=gateway.host,
                    port=gateway.port,
                    tls=None if gateway.tls_certificate is None else trusting(gateway.tls_certificate),
                    backup=self.backup(gateway.segment),
                    instruments=self.instruments,
                    party_details_list_req_id=demo.party_details_list_req_id,
                )
        raise VenueError(f"{self.source}: no demo session {session!r}")


def _gateway(value: Mapping[str, Any], source: Path) -> Gateway:
    shown = value.get("tls_certificate")
    certificate = None if shown is None else source.parent / shown
    return Gateway(value["segment"], value["role"], value["host"], value["port"], certificate)


def default_data() -> Path:
    """The data folder of `ontherun up`: ONTHERUN_DATA, or ~/.ontherun."""
    return Path(os.environ.get("ONTHERUN_DATA") or Path.home() / ".ontherun")
