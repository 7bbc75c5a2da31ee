"""People and tokens as the API shows them."""

from ontherun.keys import utc_text
from ontherun.portal import models_people
from ontherun.registry import ApiToken, Registry, Right


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
