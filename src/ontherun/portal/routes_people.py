"""People, their rights, and API tokens."""

from http import HTTPStatus

from fastapi import APIRouter, Request

from ontherun.keys import utc_text
from ontherun.portal import models, models_people, views_people
from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.problems import answers
from ontherun.registry import LOCAL_OPERATOR, InvalidError, LinkPurpose, NotFoundError, Right, Role, token_text
from ontherun.registry.records_people import DAY

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


def sign_in_url(public_url: str, token: str) -> str:
    """Return the address of a one-time sign-in link."""
    return f"{public_url}/sign-in/link/{token}"


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
