"""Entities and their Globex firms: registered, renamed, withdrawn, authorised; and how many sessions each may have."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, Response

from ontherun.portal.dependencies import Serving
from ontherun.portal.models import Gfid, Id
from ontherun.portal.pages.asking import Amend, FormPage, Values, amending, ask, common_context, number, one
from ontherun.portal.pages.guard import CsrfChecked, Viewer
from ontherun.portal.pages.key_forms import FormError, Problem, problem_of
from ontherun.portal.pages.shell import redirect, render
from ontherun.registry import (
    AnyTerms,
    Entity,
    GlobexFirm,
    InvalidError,
    Principal,
    RegisterFirm,
    Registry,
    RenameFirm,
    Right,
    WithdrawFirm,
)
from ontherun.registry import Request as SubmittedRequest

PAGE = 20
"""Entities on one page."""

_CRUMBS = [("Entities and firms", "/firms")]

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=200)]


@dataclass(frozen=True, slots=True)
class Row:
    """An entity as the page shows it: its firms with how many sessions carry each, and its allowance."""

    entity: Entity
    firms: list[tuple[GlobexFirm, int]]
    used: int
    allowance: int
    own_allowance: bool
    may_register: bool


@router.get("/firms", response_class=HTMLResponse)
async def list_firms(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    q: Annotated[str, Query(max_length=100)] = "",
    page: Annotated[int, Query(ge=1, le=10**6)] = 1,
) -> HTMLResponse:
    """List the entities that the viewer sees, with their firms and allowances."""
    return _list_page(request, registry, viewer, q, page)


@router.post("/firms/entities", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def register_entity(request: Request, registry: Serving, viewer: Viewer, name: Text = "") -> Response:
    """Register an entity."""
    try:
        entity = await registry.entities.create(viewer, name.strip())
    except FormError as error:
        return _list_page(request, registry, viewer, problem=problem_of(error), typed=name)
    return redirect(request, f"/firms?{urlencode({'q': entity.name})}", f"{entity.name} is registered.")


@router.post("/firms/entities/{entity_id}/allowance", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def set_allowance(
    request: Request, registry: Serving, viewer: Viewer, entity_id: Id, sessions: Text = ""
) -> Response:
    """Set how many sessions an entity may have; nothing: the venue's default."""
    entity = registry.entities.get(viewer, entity_id)
    try:
        wanted = number({"sessions": [sessions]}, "sessions") if sessions.strip() else None
        allowance = await registry.policies.set_allowance(viewer, entity_id, wanted)
    except FormError as error:
        problem = problem_of(error, {"allowance": "sessions"})
        return _list_page(request, registry, viewer, entity.name, problem=problem, at=entity_id)
    done = f"{entity.name} may have {allowance} Order Entry sessions."
    return redirect(request, f"/firms?{urlencode({'q': entity.name})}", done)


@router.get("/firms/new", response_class=HTMLResponse)
async def new_firm(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    entity: Annotated[int, Query(ge=0, le=2**62)] = 0,
    amend: Amend = 0,
) -> HTMLResponse:
    """Ask what a new firm is to be called."""
    values: Values = {"entity_id": [str(entity)]}
    return _new_page(request, registry, viewer)(values | await amending(registry, viewer, amend), None)


@router.post("/firms/new", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def register(request: Request, registry: Serving, viewer: Viewer) -> Response:
    """Review or submit a new firm."""

    def read(values: Values) -> AnyTerms:
        gfid, name = one(values, "gfid").upper(), one(values, "name")
        return RegisterFirm(entity_id=number(values, "entity_id"), gfid=gfid, name=name)

    return await ask(
        request,
        registry,
        viewer,
        read,
        _new_page(request, registry, viewer),
        title="Register a Globex firm",
        crumbs=_CRUMBS,
        where_to=lambda done: f"/firms/{done.terms.gfid}" if isinstance(done.terms, RegisterFirm) else "/firms",
    )


@router.get("/firms/{gfid}", response_class=HTMLResponse)
async def show_firm(request: Request, registry: Serving, viewer: Viewer, gfid: Gfid, amend: Amend = 0) -> HTMLResponse:
    """Show a firm, the sessions that carry it, and what can be done with it."""
    firm = registry.firms.get(viewer, gfid)
    return _firm_page(request, registry, viewer, firm)(await amending(registry, viewer, amend), None)


@router.post("/firms/{gfid}/rename", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def rename(request: Request, registry: Serving, viewer: Viewer, gfid: Gfid) -> Response:
    """Review or submit another name."""
    firm = registry.firms.managed(viewer, gfid)

    def read(values: Values) -> AnyTerms:
        return RenameFirm(gfid=gfid, name=one(values, "name"))

    return await ask(
        request,
        registry,
        viewer,
        read,
        _firm_page(request, registry, viewer, firm),
        title=f"Rename {gfid}",
        crumbs=[*_CRUMBS, (gfid, f"/firms/{gfid}")],
        where_to=lambda _done: f"/firms/{gfid}",
    )


@router.post("/firms/{gfid}/withdraw", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def withdraw(request: Request, registry: Serving, viewer: Viewer, gfid: Gfid) -> Response:
    """Review or submit the end of a firm."""
    firm = registry.firms.managed(viewer, gfid)

    def read(values: Values) -> AnyTerms:
        if one(values, "confirm") != gfid:
            raise InvalidError("confirm", "is not the Globex Firm ID.", gfid)
        return WithdrawFirm(gfid=gfid)

    def where_to(_done: SubmittedRequest) -> str:
        return "/firms"

    return await ask(
        request,
        registry,
        viewer,
        read,
        _firm_page(request, registry, viewer, firm),
        title=f"Withdraw {gfid}",
        crumbs=[*_CRUMBS, (gfid, f"/firms/{gfid}")],
        where_to=where_to,
    )


@router.post("/firms/{gfid}/authorise", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def authorise(request: Request, registry: Serving, viewer: Viewer, gfid: Gfid, primary: Text = "") -> Response:
    """Let sessions of another entity's firm carry this one."""
    firm = registry.firms.managed(viewer, gfid)
    through = primary.strip().upper()
    try:
        if registry.directory.firm(through) is None:
            raise InvalidError("primary", "is no Globex firm of this venue.", "the Globex Firm ID that you were told")
        await registry.firms.authorise(viewer, gfid, through)
    except FormError as error:
        return _firm_page(request, registry, viewer, firm)({"primary": [primary]}, problem_of(error))
    return redirect(request, f"/firms/{gfid}", f"Sessions of {through} may carry {gfid}.")


@router.post("/firms/{gfid}/unauthorise", dependencies=[CsrfChecked])
async def unauthorise(request: Request, registry: Serving, viewer: Viewer, gfid: Gfid, primary: Text = "") -> Response:
    """Take an authorisation back."""
    off = await registry.firms.unauthorise(viewer, gfid, primary)
    words = f" It was taken off {', '.join(off)}." if off else ""
    return redirect(request, f"/firms/{gfid}", f"{primary} may carry {gfid} no more.{words}")


def _list_page(
    request: Request,
    registry: Registry,
    viewer: Principal,
    q: str = "",
    page: int = 1,
    *,
    problem: Problem | None = None,
    typed: str = "",
    at: int = 0,
) -> HTMLResponse:
    firms: dict[int, list[GlobexFirm]] = {}
    for firm in registry.firms.list(viewer):
        firms.setdefault(firm.entity_id, []).append(firm)
    every = registry.entities.list(viewer)
    text = q.strip().lower()
    found = [entity for entity in every if _matches(entity, firms.get(entity.entity_id, []), text)]
    shown = found[(page - 1) * PAGE : page * PAGE]

    def link(to: int) -> str:
        return f"/firms?{urlencode({'q': q, 'page': to})}"

    return render(
        request,
        "firms/list.html",
        200 if problem is None else problem.status,
        rows=[_row(registry, viewer, entity, firms.get(entity.entity_id, [])) for entity in shown],
        q=q,
        some=bool(every),
        many=len(every) > PAGE or bool(q),
        default=registry.policies.current.session_allowance,
        problem=problem,
        typed=typed,
        at=at,
        newer=link(page - 1) if page > 1 else None,
        older=link(page + 1) if len(found) > page * PAGE else None,
        may_register=any(viewer.may(Right.MANAGE_SESSIONS, entity.entity_id) for entity in every),
    )


def _matches(entity: Entity, firms: list[GlobexFirm], text: str) -> bool:
    names = (entity.name, *(f"{firm.gfid} {firm.name}" for firm in firms))
    return not text or any(text in name.lower() for name in names)


def _row(registry: Registry, viewer: Principal, entity: Entity, firms: list[GlobexFirm]) -> Row:
    allowance, used = registry.sessions.allowance(viewer, entity.entity_id)
    return Row(
        entity,
        [(firm, len(_carrying(registry, viewer, firm.gfid))) for firm in firms],
        used,
        allowance,
        entity.entity_id in registry.directory.desk.allowances,
        viewer.may(Right.MANAGE_SESSIONS, entity.entity_id),
    )


def _carrying(registry: Registry, viewer: Principal, gfid: str) -> list[str]:
    """Return the sessions that the viewer sees and that carry a firm."""
    sessions = registry.directory.sessions_with(gfid)
    return [session.session_id for session in sessions if viewer.sees(session.entity_id)]


def _new_page(request: Request, registry: Registry, viewer: Principal) -> FormPage:
    def page(values: Values, problem: Problem | None) -> HTMLResponse:
        return render(
            request,
            "firms/new.html",
            200 if problem is None else problem.status,
            values=values,
            entities=[
                (str(entity.entity_id), entity.name)
                for entity in registry.entities.list(viewer)
                if viewer.may(Right.MANAGE_SESSIONS, entity.entity_id)
            ],
            **common_context(problem, ("entity_id", "gfid", "name")),
        )

    return page


def _firm_page(request: Request, registry: Registry, viewer: Principal, firm: GlobexFirm) -> FormPage:
    def page(values: Values, problem: Problem | None) -> HTMLResponse:
        return render(
            request,
            "firms/one.html",
            200 if problem is None else problem.status,
            firm=firm,
            entity=registry.entities.get(viewer, firm.entity_id),
            values=values,
            sessions=_carrying(registry, viewer, firm.gfid),
            carried=bool(registry.directory.sessions_with(firm.gfid)),
            authorised=registry.firms.authorised_by(viewer, firm.gfid),
            carries=registry.firms.carried_by(viewer, firm.gfid),
            may_manage=viewer.may(Right.MANAGE_SESSIONS, firm.entity_id),
            may_revoke=viewer.may(Right.DELETE_KEYS, firm.entity_id),
            **common_context(problem, ("name", "confirm", "primary")),
        )

    return page
