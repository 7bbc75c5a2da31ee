"""The master key: where it comes from, and its rotation."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.models import Label, Strict
from ontherun.portal.problems import answers
from ontherun.registry import Principal, Registry

router = APIRouter(
    prefix="/master-key",
    tags=["venue"],
    responses=answers(HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE),
)


class NewRotation(Strict):
    """A rotation of the master key."""

    reason: Annotated[Label, Field(description="why, for the audit")] = ""


class SealedWith(Strict):
    """How many stored secrets are sealed with one master key."""

    master_key_id: str
    secrets: int
    current: bool


class MasterKeyView(Strict):
    """The master key: where it comes from, never the key. `done` of `total` secrets are sealed anew."""

    source: str
    current: str
    keys: list[SealedWith]
    rotating: bool
    done: int
    total: int
    problem: str


@router.get("", summary="Show where the master key comes from, and how far a rotation is (operator only)")
async def show_master_key(by: Asking, registry: Serving) -> MasterKeyView:
    """Show the master key's state."""
    return await view(registry, by)


@router.post(
    "/rotations",
    status_code=HTTPStatus.ACCEPTED,
    responses=answers(HTTPStatus.CONFLICT),
    summary="Rotate the master key, or go on with a rotation, while logins go on (operator only)",
)
async def rotate_master_key(by: Asking, registry: Serving, rotation: NewRotation) -> MasterKeyView:
    """Rotate the master key."""
    await registry.master_key.rotate(by, reason=rotation.reason)
    return await view(registry, by)


async def view(registry: Registry, by: Principal) -> MasterKeyView:
    """Show where things stand. ForbiddenError for all but the operator."""
    status = await registry.master_key.status(by)
    names = sorted({status.current, *status.sealed}, key=lambda name: name != status.current)
    return MasterKeyView(
        source=status.source,
        current=status.current,
        keys=[
            SealedWith(master_key_id=name, secrets=status.sealed.get(name, 0), current=name == status.current)
            for name in names
        ],
        rotating=status.rotating,
        done=status.done,
        total=status.total,
        problem=status.problem,
    )
