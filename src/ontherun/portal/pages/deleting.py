"""The end of a session or of a Drop Copy group: what it means, the name that has to be typed, and the review."""

from dataclasses import dataclass, replace

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from ontherun.portal.pages.asking import FormPage, Values, amending, ask, common_context, one
from ontherun.portal.pages.key_forms import Problem
from ontherun.portal.pages.shell import render
from ontherun.registry import (
    AnyTerms,
    DeleteDropCopyGroup,
    DeleteMarketDataSession,
    DeleteSession,
    InvalidError,
    Principal,
    Registry,
)

_FIELDS = ("confirm", "live_date")


@dataclass(frozen=True, slots=True)
class Ending:
    """What is to end. `name` has to be typed; `page` is its own page, `every` (name, URL) the list of such things."""

    terms: DeleteSession | DeleteDropCopyGroup | DeleteMarketDataSession
    name: str
    page: str
    every: tuple[str, str]
    by_api: str
    by_command: str

    @property
    def url(self) -> str:
        """The page that asks."""
        return f"{self.page}/delete"

    @property
    def crumbs(self) -> list[tuple[str, str]]:
        """The pages that lead to it."""
        return [self.every, (self.name, self.page)]


async def show(request: Request, registry: Registry, viewer: Principal, ending: Ending, amend: int) -> HTMLResponse:
    """Show what the end of something means, and ask for its name to be typed."""
    return _page(request, registry, viewer, ending)(await amending(registry, viewer, amend), None)


async def ask_to_end(request: Request, registry: Registry, viewer: Principal, ending: Ending) -> Response:
    """Review or submit the end of something."""

    def read(values: Values) -> AnyTerms:
        if one(values, "confirm") != ending.name:
            raise InvalidError("confirm", "is not the name.", ending.name)
        terms = replace(ending.terms, live_date=one(values, "live_date") or None)
        return replace(terms, end_session="end_session" in values) if isinstance(terms, DeleteSession) else terms

    return await ask(
        request,
        registry,
        viewer,
        read,
        _page(request, registry, viewer, ending),
        title=f"Delete {ending.name}",
        crumbs=ending.crumbs,
        where_to=lambda _done: ending.every[1],
    )


def _page(request: Request, registry: Registry, viewer: Principal, ending: Ending) -> FormPage:
    def page(values: Values, problem: Problem | None) -> HTMLResponse:
        effects = registry.requests.preview(viewer, ending.terms).effects
        return render(
            request,
            "requests/delete.html",
            200 if problem is None else problem.status,
            ending=ending,
            values=values,
            connected=isinstance(ending.terms, DeleteSession),
            effects=[effect for effect in effects if "connection" not in effect],
            **common_context(problem, _FIELDS),
        )

    return page
