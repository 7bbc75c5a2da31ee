"""TLS to a gateway of ontherun, which may be started with a certificate; the exchange's own gateways speak none."""

import os
import ssl

from ontherun.client.errors import VenueError


def trusting(certificate: str | os.PathLike[str]) -> ssl.SSLContext:
    """A client's context that trusts this certificate (a PEM file: the gateway's own, or its authority's), no other.

    The certificate must name the host that is connected to. Raises VenueError when the file cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=certificate)
    except (OSError, ssl.SSLError) as error:
        raise VenueError(f"the certificate {certificate} cannot be used: {error}") from error
