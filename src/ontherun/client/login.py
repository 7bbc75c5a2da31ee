"""Login: everything a session needs to log in and trade."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ssl import SSLContext
from typing import Any, Self

from ontherun import __version__
from ontherun.client.instruments import Instruments
from ontherun.client.keyfile import KeyFile

ON_DEMAND_PARTY_DETAILS = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who logs in where, and what every order of the session says by default.

    - `key`: the secure key pair; `spare_keys`: further pairs of the same session. The pair that expires last logs in,
      and where the venue does not accept it, the next one;
    - `host`, `port`: the gateway of one market segment; `backup`: host and port of its designated backup;
    - `instruments`: symbol -> SecurityID, for orders by symbol and readable reports;
    - `party_details_list_req_id` (1505): the registered party details; `sender_id` (5392): the operator, at most 20
      characters; `location` (9537): country and state, at most 5; `manual` (1028): orders are entered by a person;
    - `keep_alive_interval`: ms, 5,000 to 60,000;
    - `tls`: how to reach a gateway that speaks TLS, see `trusting`; None: without, as the exchange's do;
    - `trading_system_name`, `_version`, `_vendor` (1603-1605): signed with Establish; at most 30, 10 and 10 characters.
    """

    key: KeyFile
    host: str
    port: int
    backup: tuple[str, int] | None = None
    spare_keys: tuple[KeyFile, ...] = ()
    instruments: Mapping[str, int] = field(default_factory=Instruments)
    party_details_list_req_id: int = ON_DEMAND_PARTY_DETAILS
    sender_id: str = "ONTHERUN"
    location: str = "US,NY"
    manual: bool = False
    keep_alive_interval: int = 10_000
    tls: SSLContext | None = None
    trading_system_name: str = "ontherun"
    trading_system_version: str = __version__
    trading_system_vendor: str = "ontherun"

    def with_(self, **changes: Any) -> Self:
        """The same login with other values: `login.with_(sender_id="TRADER1")`.

        With another `host` or `port` it has no `backup`, unless that is named too.
        """
        if changes.keys() & {"host", "port"}:
            changes.setdefault("backup", None)
        return replace(self, **changes)
