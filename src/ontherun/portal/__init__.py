"""The web side of a venue: the REST API, and a start page that says what runs."""

from ontherun.portal.app import create_app
from ontherun.portal.status import GatewayAddress, InstrumentSummary, Status

__all__ = ["GatewayAddress", "InstrumentSummary", "Status", "create_app"]
