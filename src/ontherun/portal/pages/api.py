"""The REST API to read: every operation with its fields, answers and a call to copy, from the API's own description."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from ontherun.portal.pages.api_description import subjects
from ontherun.portal.pages.guard import signed_in
from ontherun.portal.pages.shell import render
from ontherun.registry import SignedIn

router = APIRouter(include_in_schema=False)


@router.get("/api", response_class=HTMLResponse)
async def api_page(request: Request, _viewer: Annotated[SignedIn | None, Depends(signed_in)]) -> HTMLResponse:
    """Show the whole API, to anybody: its description is open too."""
    state = request.app.state
    if not hasattr(state, "api_subjects"):
        state.api_subjects = subjects(request.app.openapi())
    return render(request, "api/reference.html", subjects=state.api_subjects)
