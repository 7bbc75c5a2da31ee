"""Drop Copy groups: listed, created, changed and deleted, each by way of a review."""

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from ontherun.portal.dependencies import Serving
from ontherun.portal.models import Id
from ontherun.portal.pages.asking import (
    Amend,
    FormPage,
    Values,
    amending,
    ask,
    common_context,
    listed,
    one,
    settings_of,
)
from ontherun.portal.pages.deleting import Ending, ask_to_end, show
from ontherun.portal.pages.guard import CsrfChecked, Viewer
from ontherun.portal.pages.key_forms import Problem
from ontherun.portal.pages.shell import render
from ontherun.registry import (
    AnyTerms,
    ChangeDropCopyGroup,
    CopiedMessages,
    CreateDropCopyGroup,
    DeleteDropCopyGroup,
    DropCopyGroup,
    InvalidError,
    Market,
    Principal,
    Registry,
    Right,
)

CHECKED_SOURCES = 60
"""Up to so many sessions are offered as boxes to tick; more are typed."""

FIELDS = ("name", "firm", "market", "sources", "messages", "front_end_system", "allowed_sources", "live_date")
_CRUMBS = [("Drop Copy groups", "/drop-copy")]

router = APIRouter(include_in_schema=False)


@router.get("/drop-copy", response_class=HTMLResponse)
async def list_groups(request: Request, registry: Serving, viewer: Viewer) -> HTMLResponse:
    """List the groups that the viewer sees."""
    now = registry.clock.now()
    return render(
        request,
        "drop_copy/list.html",
        rows=[
            (group, len(registry.directory.valid_pairs_of(group.target, now)))
            for group in registry.drop_copy.list(viewer)
        ],
        may_create=bool(managed_firms(registry, viewer)),
    )


@router.get("/drop-copy/new", response_class=HTMLResponse)
async def new_group(request: Request, registry: Serving, viewer: Viewer, amend: Amend = 0) -> HTMLResponse:
    """Ask what a new group is to be like."""
    every = [CopiedMessages.ACKS, CopiedMessages.EXECUTION_REPORTS, CopiedMessages.REJECTS, CopiedMessages.TRADE_BUSTS]
    values: Values = {"messages": [message.value for message in every]}
    return _form_page(request, registry, viewer, None)(values | await amending(registry, viewer, amend), None)


@router.post("/drop-copy/new", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def create(request: Request, registry: Serving, viewer: Viewer) -> Response:
    """Review or submit a new group."""

    def read(values: Values) -> AnyTerms:
        return CreateDropCopyGroup(
            name=one(values, "name"),
            firm=one(values, "firm"),
            market=market_of(values),
            sources=_sources(values),
            messages=_messages(values),
            **settings_of(values),
        )

    return await ask(
        request,
        registry,
        viewer,
        read,
        _form_page(request, registry, viewer, None),
        title="New Drop Copy group",
        crumbs=_CRUMBS,
        where_to=lambda _done: "/drop-copy",
    )


@router.get("/drop-copy/{group_id}", response_class=HTMLResponse)
async def show_group(
    request: Request, registry: Serving, viewer: Viewer, group_id: Id, amend: Amend = 0
) -> HTMLResponse:
    """Show a group, in a form where the viewer may change it."""
    group = registry.drop_copy.get(viewer, group_id)
    values = _values(registry, group) | await amending(registry, viewer, amend)
    return _form_page(request, registry, viewer, group)(values, None)


@router.post("/drop-copy/{group_id}", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def change(request: Request, registry: Serving, viewer: Viewer, group_id: Id) -> Response:
    """Review or submit a change."""
    group = registry.drop_copy.found(viewer, group_id)

    def read(values: Values) -> AnyTerms:
        return ChangeDropCopyGroup(
            group_id=group_id,
            name=one(values, "name"),
            sources=_sources(values),
            messages=_messages(values),
            **settings_of(values),
        )

    return await ask(
        request,
        registry,
        viewer,
        read,
        _form_page(request, registry, viewer, group),
        title=f"Change {group.name}",
        crumbs=[*_CRUMBS, (group.name, f"/drop-copy/{group_id}")],
        where_to=lambda _done: f"/drop-copy/{group_id}",
    )


@router.get("/drop-copy/{group_id}/delete", response_class=HTMLResponse)
async def delete_page(
    request: Request, registry: Serving, viewer: Viewer, group_id: Id, amend: Amend = 0
) -> HTMLResponse:
    """Show what the end of a group means."""
    return await show(request, registry, viewer, _ending(registry, viewer, group_id), amend)


@router.post("/drop-copy/{group_id}/delete", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def delete(request: Request, registry: Serving, viewer: Viewer, group_id: Id) -> Response:
    """Review or submit the end of a group."""
    return await ask_to_end(request, registry, viewer, _ending(registry, viewer, group_id))


def _ending(registry: Registry, viewer: Principal, group_id: int) -> Ending:
    return Ending(
        DeleteDropCopyGroup(group_id=group_id),
        registry.drop_copy.found(viewer, group_id).name,
        f"/drop-copy/{group_id}",
        _CRUMBS[0],
        f"/api/v1/drop-copy-groups/{group_id}",
        f"ontherun drop-copy delete {group_id}",
    )


def managed_firms(registry: Registry, viewer: Principal) -> list[tuple[str, str]]:
    """Return the firms that the viewer may ask for sessions of, with their names."""
    return [
        (firm.gfid, f"{firm.gfid} {firm.name}")
        for firm in registry.firms.list(viewer)
        if viewer.may(Right.MANAGE_SESSIONS, firm.entity_id)
    ]


def market_of(values: Values) -> Market:
    """Return the market that was chosen. InvalidError when it is none."""
    wanted = one(values, "market")
    if wanted not in [market.value for market in Market]:
        raise InvalidError("market", "is no BrokerTec market.", " or ".join(Market))
    return Market(wanted)


def _sources(values: Values) -> tuple[str, ...]:
    return tuple(source.upper() for source in listed(values, "sources"))


def _messages(values: Values) -> tuple[CopiedMessages, ...]:
    known = [message.value for message in CopiedMessages]
    ticked = values.get("messages", [])
    if not set(ticked) <= set(known):
        raise InvalidError("messages", "names something that is not copied.", ", ".join(known))
    return tuple(CopiedMessages(text) for text in ticked)


def _values(registry: Registry, group: DropCopyGroup) -> Values:
    target = registry.drop_copy.target(group)
    return {
        "name": [group.name],
        "firm": [target.firms[0]],
        "market": [group.market.value],
        "sources": list(group.sources),
        "messages": [message.value for message in group.messages],
        "front_end_system": [target.front_end_system],
        "allowed_sources": ["\n".join(target.allowed_sources)],
    }


def _form_page(request: Request, registry: Registry, viewer: Principal, group: DropCopyGroup | None) -> FormPage:
    offered: Sequence[tuple[str, str]] = [
        (session.session_id, f"{session.session_id} {session.label}".strip())
        for session in registry.sessions.list(viewer)
        if group is None or session.entity_id == group.entity_id
    ]

    def page(values: Values, problem: Problem | None) -> HTMLResponse:
        may_change = group is None or viewer.may(Right.MANAGE_SESSIONS, group.entity_id)
        return render(
            request,
            "drop_copy/form.html",
            200 if problem is None else problem.status,
            group=group,
            values=values,
            may_change=may_change,
            firms=managed_firms(registry, viewer),
            markets=[(market.value, f"BrokerTec {market.value}") for market in Market],
            offered=offered if len(offered) <= CHECKED_SOURCES else None,
            sources_text=" ".join(values.get("sources", [])),
            messages=[(message.value, message.value.replace("-", " ")) for message in CopiedMessages],
            count=len(registry.drop_copy.list(viewer)),
            **common_context(problem, FIELDS),
        )

    return page
