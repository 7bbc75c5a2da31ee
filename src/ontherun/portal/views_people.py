"""People and tokens as the API shows them."""

from ontherun.keys import utc_text
from ontherun.portal import models_people
from ontherun.registry import ApiToken, Invitation, Left, Principal, Registry, Right, User


def _text(time: int | None) -> str | None:
    return None if time is None else utc_text(time)


def scope(right: Right) -> str:
    """Return a right as a scope of a token is written: manage-sessions."""
    return right.value.replace(" ", "-")


def token(record: ApiToken, registry: Registry) -> models_people.TokenView:
    """Show an API token."""
    owner = None if record.owner is None else registry.directory.user(record.owner)
    return models_people.TokenView(
        token_id=record.token_id,
        name=record.name,
        scopes=sorted(map(scope, record.scopes)),
        owner=None if owner is None else owner.email,
        entity_id=record.entity_id,
        created_by=record.created_by,
        created_at=utc_text(record.created_at),
        expires_at=_text(record.expires_at),
        used_at=_text(record.used_at),
        revoked_at=_text(record.revoked_at),
    )


def user(record: User, registry: Registry, by: Principal) -> models_people.UserView:
    """Show a user as far as the principal sees it."""
    people, book = registry.people, registry.directory.people
    return models_people.UserView(
        user_id=record.user_id,
        email=record.email,
        name=record.name,
        state=record.state,
        operator=record.operator,
        entities=[
            models_people.RolesView(
                entity_id=entity_id,
                roles=[role.value for role in sorted(roles)],
                registered_administrator=record.user_id in book.administrators.get(entity_id, ()),
            )
            for entity_id, roles in sorted(people.roles_seen(by, record).items())
        ],
        second_factor=book.has_second_factor(record.user_id),
        locked_until=_text(people.locked_until(record)),
        created_at=utc_text(record.created_at),
    )


def invitation(record: Invitation, now: int) -> models_people.InvitationView:
    """Show an invitation as it is at `now`."""
    over = record.state == "open" and not record.open(now)
    return models_people.InvitationView(
        invitation_id=record.invitation_id,
        email=record.email,
        entity_id=record.entity_id,
        roles=[role.value for role in record.roles],
        registered_administrator=record.registered_administrator,
        state="expired" if over else record.state,
        invited_by=record.invited_by,
        created_at=utc_text(record.created_at),
        expires_at=utc_text(record.expires_at),
    )


def left(record: Left, email: str) -> models_people.LeaverView:
    """Show what a leaver lost."""
    return models_people.LeaverView(
        email=email,
        user_id=None if record.user is None else record.user.user_id,
        account_closed=record.account_closed,
        roles=record.roles,
        web_sessions=record.web_sessions,
        api_tokens=record.api_tokens,
        invitations=record.invitations,
        service_tokens=list(record.service_tokens),
    )
