"""People of the entities that one manages: roles, invitations, leavers, accounts that are locked."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from ontherun.portal.dependencies import Serving
from ontherun.portal.models import Id
from ontherun.portal.pages.guard import CsrfChecked, Viewer, public_url
from ontherun.portal.pages.profile import error_status
from ontherun.portal.pages.shell import redirect, render
from ontherun.portal.pages.sign_in import Answer, Text
from ontherun.portal.routes_people import new_password_url
from ontherun.registry import (
    RIGHTS_OF,
    ConflictError,
    Entity,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    NotRecognisedError,
    Principal,
    Registry,
    RegistryError,
    Right,
    Role,
    TooManyAttemptsError,
    User,
)

router = APIRouter(include_in_schema=False)

_REFUSALS = (
    NotRecognisedError,
    TooManyAttemptsError,
    ForbiddenError,
    InvalidError,
    ConflictError,
)


@dataclass(frozen=True, slots=True)
class RoleHeld:
    """A role of a user at an entity, and whether the viewer may take it."""

    entity: Entity
    role: Role
    managed: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One person on the page."""

    user: User
    roles: list[RoleHeld]
    administrator_of: list[Entity]
    second_factor: bool
    locked_until: int | None
    managed: list[Entity]


@router.get("/people", response_class=HTMLResponse)
async def people(request: Request, by: Viewer, registry: Serving) -> HTMLResponse:
    """Show the people that one sees."""
    return _people(request, by, registry)


@router.post("/people/invite", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def invite(
    request: Request,
    by: Viewer,
    registry: Serving,
    email: Text = "",
    entity_id: Annotated[int, Form(ge=0, le=2**62)] = 0,
    roles: Annotated[list[str], Form(max_length=10)] = [],  # noqa: B006 - never changed
    administrator: Text = "",
    second_factor: Answer = "",
) -> Response:
    """Invite somebody, and show the code once. Entity 0 stands for the venue."""
    try:
        proof = await registry.people.prove(by, second_factor)
        invited = await registry.invitations.invite(
            by,
            email.strip(),
            entity_id or None,
            [role for role in Role if role in roles],
            registered_administrator=bool(administrator),
            second_factor=proof,
        )
    except _REFUSALS as error:
        return _people(request, by, registry, error, email=email)
    return render(
        request,
        "people/invited.html",
        invitation=invited.invitation,
        code=invited.code,
        accept_at=f"{public_url(request)}/invitation",
    )


@router.post("/people/invitations/{invitation_id}/withdraw", dependencies=[CsrfChecked])
async def withdraw(request: Request, by: Viewer, registry: Serving, invitation_id: Id) -> Response:
    """Withdraw an invitation."""
    invitation = await registry.invitations.withdraw(by, invitation_id)
    return redirect(request, "/people", f"The invitation of {invitation.email} is withdrawn.")


@router.get("/people/{user_id}", response_class=HTMLResponse)
async def person(request: Request, by: Viewer, registry: Serving, user_id: Id) -> HTMLResponse:
    """Show one person."""
    return _person(request, by, registry, user_id)


@router.post("/people/{user_id}/roles", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def grant(
    request: Request,
    by: Viewer,
    registry: Serving,
    user_id: Id,
    entity_id: Annotated[int, Form(ge=1, le=2**62)],
    role: Text = "",
    second_factor: Answer = "",
) -> Response:
    """Give a role."""
    try:
        proof = await registry.people.prove(by, second_factor)
        user = await registry.people.grant(by, user_id, entity_id, _role(role), proof)
    except _REFUSALS as error:
        return _person(request, by, registry, user_id, error)
    return redirect(request, f"/people/{user_id}", f"{user.email} has the role {role}.")


@router.post("/people/{user_id}/roles/{entity_id}/{role}/revoke", dependencies=[CsrfChecked])
async def revoke(
    request: Request, by: Viewer, registry: Serving, user_id: Id, entity_id: Id, role: str, second_factor: Answer = ""
) -> Response:
    """Take a role."""
    try:
        proof = await registry.people.prove(by, second_factor)
        user = await registry.people.revoke(by, user_id, entity_id, _role(role), proof)
    except _REFUSALS as error:
        return _person(request, by, registry, user_id, error)
    return redirect(request, "/people", f"{user.email} has the role {role} no more.")


@router.post("/people/{user_id}/administrator", dependencies=[CsrfChecked])
async def mark_administrator(
    request: Request,
    by: Viewer,
    registry: Serving,
    user_id: Id,
    entity_id: Annotated[int, Form(ge=1, le=2**62)],
    marked: Text = "",
) -> Response:
    """Have somebody get an entity's expiry mail, or not."""
    try:
        user = await registry.people.mark_administrator(by, user_id, entity_id, marked=bool(marked))
    except _REFUSALS as error:
        return _person(request, by, registry, user_id, error)
    words = "gets" if marked else "does not get"
    return redirect(request, f"/people/{user_id}", f"{user.email} {words} the expiry mail.")


@router.post("/people/{user_id}/unlock", dependencies=[CsrfChecked])
async def unlock(request: Request, by: Viewer, registry: Serving, user_id: Id) -> Response:
    """Forget failed attempts to sign in."""
    user = await registry.people.unlock(by, user_id)
    return redirect(request, f"/people/{user_id}", f"{user.email} may sign in again.")


@router.post("/people/{user_id}/reset", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def reset(
    request: Request, by: Viewer, registry: Serving, user_id: Id, confirm: Text = "", second_factor: Answer = ""
) -> Response:
    """Take somebody's credentials away, and show a link for a new password once."""
    try:
        user = registry.people.get(by, user_id)
        _confirmed(confirm, user.email)
        proof = await registry.people.prove(by, second_factor)
        token = await registry.people.reset(by, user_id, proof)
    except _REFUSALS as error:
        return _person(request, by, registry, user_id, error)
    return render(request, "people/reset.html", user=user, url=new_password_url(public_url(request), token))


@router.post("/people/{user_id}/leave", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def leave(
    request: Request, by: Viewer, registry: Serving, user_id: Id, confirm: Text = "", second_factor: Answer = ""
) -> Response:
    """End everything that somebody has where the viewer manages people."""
    try:
        user = registry.people.get(by, user_id)
        _confirmed(confirm, user.email)
        await registry.people.prove(by, second_factor)
        left = await registry.people.leave(by, user.email)
    except _REFUSALS as error:
        return _person(request, by, registry, user_id, error)
    return render(request, "people/left.html", left=left, user=user)


def _role(name: str) -> Role:
    role = next((role for role in Role if role == name), None)
    if role is None:
        raise InvalidError("role", "is no role.", ", ".join(Role))
    return role


def _confirmed(typed: str, email: str) -> None:
    if typed.strip().lower() != email:
        raise InvalidError("confirm", "is something else.", f"{email}, typed out")


def _managed(registry: Registry, by: Principal) -> list[Entity]:
    return [entity for entity in registry.entities.list(by) if by.may(Right.MANAGE_PEOPLE, entity.entity_id)]


def _row(registry: Registry, by: Principal, user: User) -> Row:
    book, directory = registry.directory.people, registry.directory
    managed = _managed(registry, by)
    roles = [
        RoleHeld(entity, role, entity in managed)
        for entity_id, held in sorted(registry.people.roles_seen(by, user).items())
        if (entity := directory.entity(entity_id))
        for role in sorted(held)
    ]
    return Row(
        user,
        roles,
        [entity for entity in managed if user.user_id in book.administrators.get(entity.entity_id, ())],
        book.has_second_factor(user.user_id),
        registry.people.locked_until(user),
        managed,
    )


def _people(
    request: Request, by: Principal, registry: Registry, error: RegistryError | None = None, email: str = ""
) -> HTMLResponse:
    now, book = registry.clock.now(), registry.directory.people
    managed = _managed(registry, by)
    return render(
        request,
        "people/people.html",
        200 if error is None else error_status(error) if not isinstance(error, ForbiddenError) else 403,
        rows=[_row(registry, by, user) for user in registry.people.list(by)],
        managed=managed,
        short_of_managers=[entity for entity in managed if not registry.people.enough_managers(entity.entity_id)],
        minimum=registry.people_policy.minimum_admin_managers,
        invitations=[found for found in registry.invitations.list(by) if found.open(now)],
        entity_names={entity.entity_id: entity.name for entity in registry.entities.list(by)},
        role_choices=[(role.value, f"{role.value}: {', '.join(sorted(RIGHTS_OF[role]))}") for role in Role],
        enrolled=book.has_second_factor(by.user_id or 0),
        has_passkey=bool(book.passkeys_of(by.user_id or 0)),
        error=str(error or ""),
        email=email,
    )


def _person(
    request: Request, by: Principal, registry: Registry, user_id: int, error: RegistryError | None = None
) -> HTMLResponse:
    if isinstance(error, NotFoundError):
        raise error
    book, user = registry.directory.people, registry.people.get(by, user_id)
    row = _row(registry, by, user)
    theirs = book.grants.get(user_id, {})
    return render(
        request,
        "people/person.html",
        200 if error is None else error_status(error) if not isinstance(error, ForbiddenError) else 403,
        row=row,
        user=user,
        helps=by.operator or any(entity.entity_id in theirs for entity in row.managed),
        role_names=[role.value for role in Role],
        tokens=[token for token in registry.tokens.list(by) if token.owner == user_id],
        enrolled=book.has_second_factor(by.user_id or 0),
        has_passkey=bool(book.passkeys_of(by.user_id or 0)),
        now_at=registry.clock.now(),
        error=str(error or ""),
    )
