"""Which machines a webhook may reach. A webhook's URL comes from a user, and must not open this machine's network to
them: no private, loopback or link-local address, unless the operator allows its network.

A name is looked up once, every address that it has is checked, and the connection goes to one of the checked
addresses: a name that answers differently the second time gains nothing.
"""

import asyncio
import socket
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address

LOOPBACK = ("127.0.0.0/8", "::1/128")
"""What a venue that only this machine reaches allows: its users sit here."""

_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))  # NAT64 (RFC 6052, RFC 8215)


class NotReachableError(Exception):
    """An address that webhooks may not reach, or a name without an address. The text says which."""


class Networks:
    """The networks that webhooks may reach besides the public internet, in CIDR form. ValueError for another form."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = [ip_network(network) for network in allowed]

    def allows(self, address: Address) -> bool:
        """Whether a webhook may reach the address."""
        return self.named(address) or _public(address)

    def named(self, address: Address) -> bool:
        """Whether the operator allows the address by name; only there a webhook may go without TLS."""
        return any(address.version == network.version and address in network for network in self._allowed)

    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        """Return the addresses of a host. NotReachableError when there is none, or one of them is not allowed."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise NotReachableError(f"{host} has no address ({error}).") from None
        addresses = list(dict.fromkeys(ip_address(str(each[4][0]).partition("%")[0]) for each in found))
        for address in addresses:
            if not self.allows(address):
                raise NotReachableError(
                    f"{host} is at {address}, which is no public address. "
                    "The operator can allow its network with --webhook-network."
                )
        return addresses


def _public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if inner:
            return _public(inner)
        if any(address in network for network in _TRANSLATED):
            return _public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address.is_global and not address.is_multicast
