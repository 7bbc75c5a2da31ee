"""The choice of colours: light, dark, or as the system has it. Kept by the browser in a cookie."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from ontherun.portal.pages.shell import THEME_COOKIE, Theme, local_path, redirect

_YEAR = 365 * 86_400

router = APIRouter(include_in_schema=False)


@router.post("/display")
async def choose_display(
    request: Request, theme: Annotated[Theme, Form()], back: Annotated[str, Form()] = "/"
) -> RedirectResponse:
    """Keep the choice, and go back to the page that it was made on."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise HTTPException(HTTPStatus.FORBIDDEN, "This form was sent by another site.")
    response = redirect(request, local_path(back))
    response.set_cookie(THEME_COOKIE, theme, max_age=_YEAR, samesite="strict", httponly=True)
    return response
