"""The portal's pages: HTML for people, each a door to the same registry that the API serves."""

from fastapi import APIRouter

from ontherun.portal.pages import display

ROUTERS: tuple[APIRouter, ...] = (display.router,)
"""Every router of pages. A place of the navigation is shown once its page is among them."""
