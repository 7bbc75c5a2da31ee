"""What a started venue says of itself: for scripts as a JSON file, and to the commands through DIR/up.json."""

import json
import os
from pathlib import Path
from typing import TypedDict

from ontherun.portal.status import GatewayAddress as Address


class GatewayAddress(TypedDict):
    """Where one market segment's gateway listens."""

    segment: int
    role: str
    host: str
    port: int
    tls_certificate: str | None
    """The file of the certificate that it shows; null where it speaks no TLS."""


class Tradable(TypedDict):
    """An instrument, as orders name it."""

    symbol: str
    security_id: int
    segment: int
    description: str


class DemoLogin(TypedDict):
    """A session of the demo that is ready for use. The key file holds `access_key_id` and `secret_key`."""

    session_id: str
    firm: str
    access_key_id: str
    key_file: str
    party_details_list_req_id: int


class Ready(TypedDict):
    """A running venue. `pair`: it serves no backups, which is for a standby; `standby`: `pid` is such a one."""

    version: str
    pid: int
    data: str
    api_url: str
    portal_url: str
    token_file: str
    lab: bool
    pair: bool
    standby: bool
    gateways: list[GatewayAddress]
    instruments: list[Tradable]
    demo: list[DemoLogin]


def address(gateway: Address) -> GatewayAddress:
    """Where a gateway listens, as the file says it."""
    return {
        "segment": gateway.segment,
        "role": gateway.role,
        "host": gateway.host,
        "port": gateway.port,
        "tls_certificate": gateway.tls_certificate,
    }


def write(path: Path, ready: Ready) -> None:
    """Write the file whole or not at all: a reader that polls for it never sees half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(ready, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)
