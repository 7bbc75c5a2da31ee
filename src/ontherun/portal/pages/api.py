"""The REST API to read: every operation with its fields, answers and a call to copy, from the API's own description."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ontherun.portal.pages.api_description import subjects
from ontherun.portal.pages.shell import render

router = APIRouter(include_in_schema=False)


@router.get("/api", response_class=HTMLResponse)
async def api_page(request: Request) -> HTMLResponse:
    """Show the whole API."""
    return render(request, "api/reference.html", subjects=subjects(request.app.openapi()))
