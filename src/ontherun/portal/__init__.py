"""The web side of a venue: the REST API, and a start page that says what runs."""

from typing import TYPE_CHECKING

from ontherun.portal.status import GatewayAddress, InstrumentSummary, Status

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ontherun.portal.single_sign_on import SingleSignOn
    from ontherun.registry import Registry

__all__ = ["GatewayAddress", "InstrumentSummary", "Status", "create_app"]


def create_app(registry: "Registry", status: Status, single_sign_on: "SingleSignOn | None" = None) -> "FastAPI":
    """Make the web application. The first call imports it, which takes as long as all else that a venue starts."""
    from ontherun.portal.app import create_app as create

    return create(registry, status, single_sign_on)
