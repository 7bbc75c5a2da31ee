"""People, their rights, and API tokens."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request

from ontherun.keys import utc_text
from ontherun.portal import models, models_people, views_people
from ontherun.portal.addresses import sign_in_url
from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.paging import page_after
from ontherun.portal.problems import answers
from ontherun.registry import LOCAL_OPERATOR, InvalidError, LinkPurpose, NotFoundError, Right, Role, token_text
from ontherun.registry.records_people import DAY

_READ = answers(HTTPStatus.NOT_FOUND)
_CHANGE = answers(HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE)

router = APIRouter()


@router.post(
    "/sign-in-links",
    status_code=HTTPStatus.CREATED,
    responses=_CHANGE,
    tags=["people"],
    summary="Make a one-time link that signs somebody in (operator of the venue only)",
)
async def create_sign_in_link(
    by: Asking, registry: Serving, request: Request, new: models_people.NewSignInLink
) -> models_people.SignInLink:
    """Make a one-time sign-in link."""
    by.require_operator()
    email = new.email or LOCAL_OPERATOR
    user = registry.directory.people.user_of_email(email)
    if user is None:
        raise NotFoundError(f"user {email}")
    token = await registry.users.link(by, user.user_id, LinkPurpose.SIGN_IN)
    return models_people.SignInLink(
        url=sign_in_url(request.app.state.status.public_url, token.text),
        email=user.email,
        expires_at=utc_text(registry.clock.now() + registry.people_policy.link_life),
    )


@router.get("/tokens", tags=["API tokens"], summary="List the API tokens you see")
async def list_tokens(by: Asking, registry: Serving) -> models.Page[models_people.TokenView]:
    """List API tokens."""
    return models.Page(items=[views_people.token(token, registry) for token in registry.tokens.list(by)])


@router.post(
    "/tokens",
    status_code=HTTPStatus.CREATED,
    responses=_CHANGE,
    tags=["API tokens"],
    summary="Create an API token, which is shown this once",
)
async def create_token(by: Asking, registry: Serving, new: models_people.NewToken) -> models_people.IssuedToken:
    """Create an API token."""
    scopes = Role(new.scopes) if isinstance(new.scopes, str) else frozenset(map(_right, new.scopes))
    if not isinstance(scopes, Role) and len(scopes) < len(new.scopes):
        raise InvalidError("scopes", "name something twice.", "each once")
    token, secret = await registry.tokens.create(
        by, new.name, scopes, new.entity_id, service=new.service, life=new.expires_in_days * DAY
    )
    return models_people.IssuedToken(token=token_text(secret), about=views_people.token(token, registry))


@router.delete(
    "/tokens/{token_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_CHANGE,
    tags=["API tokens"],
    summary="Revoke an API token with immediate effect",
)
async def revoke_token(by: Asking, registry: Serving, token_id: models.Id) -> None:
    """Revoke an API token."""
    await registry.tokens.revoke(by, token_id)


def _right(scope: str) -> Right:
    return Right(scope.replace("-", " "))


@router.get("/users", responses=_READ, tags=["people"], summary="List the people you see")
async def list_users(
    by: Asking,
    registry: Serving,
    entity_id: Annotated[models.Id | None, Query(description="only those with a role there")] = None,
    after: Annotated[models.Id | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> models.Page[models_people.UserView]:
    """List people."""
    found, following = page_after(
        registry.people.list(by, entity_id),
        lambda user: str(user.user_id),
        None if after is None else str(after),
        limit,
    )
    return models.Page(items=[views_people.user(user, registry, by) for user in found], next=following)


@router.get("/users/{user_id}", responses=_READ, tags=["people"], summary="Show a person")
async def show_user(by: Asking, registry: Serving, user_id: models.Id) -> models_people.UserView:
    """Show a person."""
    return views_people.user(registry.people.get(by, user_id), registry, by)


@router.post("/users/{user_id}/roles", responses=_CHANGE, tags=["people"], summary="Give a person a role at an entity")
async def grant_role(
    by: Asking, registry: Serving, user_id: models.Id, new: models_people.NewRole
) -> models_people.UserView:
    """Give a role."""
    user = await registry.people.grant(by, user_id, new.entity_id, Role(new.role), None)
    return views_people.user(user, registry, by)


@router.delete(
    "/users/{user_id}/roles/{entity_id}/{role}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_CHANGE,
    tags=["people"],
    summary="Take a role at an entity from a person, with immediate effect",
)
async def revoke_role(
    by: Asking, registry: Serving, user_id: models.Id, entity_id: models.Id, role: models_people.RoleName
) -> None:
    """Take a role."""
    await registry.people.revoke(by, user_id, entity_id, Role(role), None)


@router.put(
    "/users/{user_id}/registered-administrator",
    responses=_CHANGE,
    tags=["people"],
    summary="Have a person get an entity's expiry mail, or not",
)
async def mark_administrator(
    by: Asking, registry: Serving, user_id: models.Id, mark: models_people.AdministratorMark
) -> models_people.UserView:
    """Mark a registered administrator."""
    user = await registry.people.mark_administrator(by, user_id, mark.entity_id, marked=mark.marked)
    return views_people.user(user, registry, by)


@router.post(
    "/users/{user_id}/unlock",
    responses=_CHANGE,
    tags=["people"],
    summary="Forget a person's failed attempts to sign in",
)
async def unlock_user(by: Asking, registry: Serving, user_id: models.Id) -> models_people.UserView:
    """Unlock a person."""
    return views_people.user(await registry.people.unlock(by, user_id), registry, by)


@router.post(
    "/users/{user_id}/reset",
    responses=_CHANGE,
    tags=["people"],
    summary="Take a person's password and second factors away, and make a link for a new password",
)
async def reset_user(by: Asking, registry: Serving, request: Request, user_id: models.Id) -> models_people.ResetLink:
    """Reset a person."""
    token = await registry.people.reset(by, user_id, None)
    return models_people.ResetLink(
        url=new_password_url(request.app.state.status.public_url, token),
        email=registry.people.get(by, user_id).email,
        expires_at=utc_text(registry.clock.now() + registry.people_policy.link_life),
    )


def new_password_url(public_url: str, token: str) -> str:
    """Return the address at which a new password is set."""
    return f"{public_url}/new-password/{token}"


@router.get("/invitations", tags=["people"], summary="List the invitations to what you manage")
async def list_invitations(by: Asking, registry: Serving) -> models.Page[models_people.InvitationView]:
    """List invitations."""
    now = registry.clock.now()
    return models.Page(items=[views_people.invitation(found, now) for found in registry.invitations.list(by)])


@router.post(
    "/invitations",
    status_code=HTTPStatus.CREATED,
    responses=_CHANGE,
    tags=["people"],
    summary="Invite a person; the code is shown this once",
)
async def invite(
    by: Asking, registry: Serving, request: Request, new: models_people.NewInvitation
) -> models_people.IssuedInvitation:
    """Invite a person."""
    invited = await registry.invitations.invite(
        by,
        new.email,
        new.entity_id,
        [Role(role) for role in new.roles],
        registered_administrator=new.registered_administrator,
    )
    return models_people.IssuedInvitation(
        code=invited.code,
        accept_at=f"{request.app.state.status.public_url}/invitation",
        about=views_people.invitation(invited.invitation, registry.clock.now()),
    )


@router.delete(
    "/invitations/{invitation_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_CHANGE,
    tags=["people"],
    summary="Withdraw an invitation",
)
async def withdraw_invitation(by: Asking, registry: Serving, invitation_id: models.Id) -> None:
    """Withdraw an invitation."""
    await registry.invitations.withdraw(by, invitation_id)


@router.post(
    "/leavers",
    responses=_CHANGE,
    tags=["people"],
    summary="End everything that a person has where you manage people: roles, browsers, tokens, invitations",
)
async def leave(by: Asking, registry: Serving, leaver: models_people.Leaver) -> models_people.LeaverView:
    """Let a person go."""
    return views_people.left(await registry.people.leave(by, leaver.email), leaver.email)
