"""How the venue treats requests: policies, timetable, and how many sessions an entity may have."""

from http import HTTPStatus

from fastapi import APIRouter

from ontherun.keys import utc_text
from ontherun.portal import models
from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.models_policies import (
    AllowanceView,
    NewAllowance,
    PoliciesView,
    PolicyChange,
    RunView,
    TimetableView,
)
from ontherun.portal.problems import answers
from ontherun.registry import Principal, Registry, TimetableName, VenuePolicies

_READ = answers(HTTPStatus.NOT_FOUND)
_CHANGE = answers(HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE)

router = APIRouter(tags=["requests"])


@router.get("/policies", summary="Show how the venue treats requests")
async def show_policies(_by: Asking, registry: Serving) -> PoliciesView:
    """Show the policies."""
    return _policies(registry.policies.current)


@router.patch("/policies", responses=_CHANGE, summary="Set policies, for requests from now on (operator only)")
async def set_policies(by: Asking, registry: Serving, change: PolicyChange) -> PoliciesView:
    """Set policies."""
    changes = change.model_dump(exclude_none=True)
    if "timetable" in changes:
        changes["timetable"] = TimetableName(changes["timetable"])
    return _policies(await registry.policies.set(by, **changes))


@router.get("/timetable", summary="Show when what is asked for now takes effect")
async def show_timetable(_by: Asking, registry: Serving) -> TimetableView:
    """Show the timetable."""
    now, policies = registry.clock.now(), registry.policies.current
    return TimetableView(
        timetable=policies.timetable.value,
        four_eyes=policies.four_eyes,
        now=utc_text(now),
        runs=[
            RunView(kind=run.value, effective_at=utc_text(at), seconds_left=(at - now) // 10**9)
            for run, at in registry.requests.timetable.next_runs(now).items()
        ],
    )


@router.get(
    "/entities/{entity_id}/session-allowance",
    responses=_READ,
    summary="Show how many Order Entry sessions an entity may have",
)
async def show_allowance(by: Asking, registry: Serving, entity_id: models.Id) -> AllowanceView:
    """Show an allowance."""
    return _allowance(by, registry, entity_id)


@router.put(
    "/entities/{entity_id}/session-allowance",
    responses=_READ | _CHANGE,
    summary="Set how many Order Entry sessions an entity may have (operator only)",
)
async def set_allowance(by: Asking, registry: Serving, entity_id: models.Id, new: NewAllowance) -> AllowanceView:
    """Set an allowance."""
    await registry.policies.set_allowance(by, entity_id, new.allowance)
    return _allowance(by, registry, entity_id)


def _allowance(by: Principal, registry: Registry, entity_id: int) -> AllowanceView:
    allowance, used = registry.sessions.allowance(by, entity_id)
    return AllowanceView(
        entity_id=entity_id, allowance=allowance, used=used, own=entity_id in registry.directory.desk.allowances
    )


def _policies(policies: VenuePolicies) -> PoliciesView:
    return PoliciesView(
        four_eyes=policies.four_eyes,
        timetable=policies.timetable.value,
        session_allowance=policies.session_allowance,
        drop_copy_sources=policies.drop_copy_sources,
        fee_text=policies.fee_text,
        second_key_near_expiry_only=policies.second_key_near_expiry_only,
        third_key_deletes_oldest=policies.third_key_deletes_oldest,
    )
