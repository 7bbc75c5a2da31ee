"""The portal's pages: HTML for people, each a door to the same registry that the API serves."""

from fastapi import APIRouter
from fastapi.routing import APIRoute

from ontherun.portal.pages import (
    api,
    audit,
    display,
    drop_copy,
    firms,
    key_calendar,
    key_test,
    keys,
    lab,
    market_data,
    messages,
    notices,
    one_key,
    people,
    profile,
    requests,
    revoking,
    session,
    session_changes,
    session_keys,
    session_live,
    sessions,
    sign_in,
    single_sign_on,
    start,
    venue,
)

ROUTERS: tuple[APIRouter, ...] = (
    start.router,
    sessions.router,
    session_changes.router,
    session.router,
    session_keys.router,
    revoking.router,
    session_live.router,
    one_key.router,
    keys.router,
    key_calendar.router,
    requests.router,
    firms.router,
    drop_copy.router,
    market_data.router,
    key_test.router,
    lab.router,
    venue.router,
    messages.router,
    notices.router,
    audit.router,
    api.router,
    people.router,
    profile.router,
    sign_in.router,
    single_sign_on.router,
    display.router,
)
"""Every router of pages. A place of the navigation is shown once its page is among them."""


def paths() -> frozenset[str]:
    """Return the paths of all pages."""
    return frozenset(route.path for router in ROUTERS for route in router.routes if isinstance(route, APIRoute))
