"""Key pairs of every session that the caller sees: lists, the calendar, health, and many in one go."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response

from ontherun.keys import score_of_entity
from ontherun.portal import models, views_keys
from ontherun.portal import models_keys as keys
from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.paging import page_after
from ontherun.portal.problems import answers
from ontherun.portal.routes_keys import attachment
from ontherun.registry import Principal, Registry, StoredKeyPair

_CHANGE = answers(HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE)

router = APIRouter(prefix="/keys", tags=["key pairs"])

After = Annotated[models.AccessKeyId | None, Query(description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("", summary="List the key pairs of every session you see, in the order of their making")
async def list_all_key_pairs(
    by: Asking,
    registry: Serving,
    state: Annotated[keys.StateName | None, Query(description="only these")] = None,
    after: After = None,
    limit: Limit = 100,
) -> models.Page[keys.KeyPairView]:
    """List all key pairs. Deleted ones only by `state=deleted`."""
    now = registry.clock.now()
    found = [
        stored
        for stored in registry.pairs.every(by, deleted=state == "deleted")
        if state is None or stored.state(now).value == state
    ]
    page, following = page_after(found, _id, after, limit)
    return models.Page(items=[views_keys.key_pair(registry, stored) for stored in page], next=following)


@router.get("/calendar", summary="List the expiries of every living key pair you see, the soonest first")
async def list_expiries(
    by: Asking, registry: Serving, after: After = None, limit: Limit = 100
) -> models.Page[keys.ExpiryView]:
    """List expiries."""
    page, following = page_after(expiries(registry, by), _id, after, limit)
    return models.Page(items=[_expiry(registry, stored) for stored in page], next=following)


@router.get("/health", summary="Show how well key pairs are looked after, what is not well first")
async def show_health(
    by: Asking,
    registry: Serving,
    after: Annotated[models.SessionId | None, Query(description="`next` of the page before")] = None,
    limit: Limit = 100,
) -> keys.HealthPage:
    """Show health."""
    found = [(session, registry.pairs.health(session.session_id)) for session in registry.pairs.sessions(by)]
    found.sort(key=lambda each: each[1].score)
    page, following = page_after(found, lambda each: each[0].session_id, after, limit)
    return keys.HealthPage(
        score=score_of_entity(health for _, health in found),
        items=[views_keys.health(session, health) for session, health in page],
        next=following,
    )


@router.post(
    "/bulk-generation",
    responses=_CHANGE,
    summary="Generate a key pair for each of many sessions; what cannot be done is said of each",
)
async def generate_in_bulk(by: Asking, registry: Serving, wanted: keys.SessionsInBulk) -> models.Page[keys.OutcomeView]:
    """Generate many key pairs."""
    outcomes = await registry.pairs_in_bulk.generate(by, wanted.session_ids, delete_oldest=wanted.delete_oldest)
    return models.Page(items=[views_keys.outcome(each) for each in outcomes])


@router.post("/bulk-deletion", responses=_CHANGE, summary="Delete many key pairs; what cannot be done is said of each")
async def delete_in_bulk(by: Asking, registry: Serving, wanted: keys.PairsInBulk) -> models.Page[keys.OutcomeView]:
    """Delete many key pairs."""
    outcomes = await registry.pairs_in_bulk.delete(by, _names(wanted))
    return models.Page(items=[views_keys.outcome(each) for each in outcomes])


@router.post(
    "/bulk-download",
    response_class=Response,
    responses={
        **_CHANGE,
        200: {
            "description": "The key files",
            "content": {
                "application/json": {"schema": {"type": "array", "items": keys.KeyFileView.model_json_schema()}},
                "application/zip": {},
            },
        },
    },
    summary="Download many key pairs with their secrets, in one file. Each of them is an audit entry",
)
async def download_in_bulk(by: Asking, registry: Serving, wanted: keys.DownloadInBulk) -> Response:
    """Download many key pairs."""
    packed_as = "json" if wanted.packing == "json" else f"{wanted.format} in a zip"
    files = await registry.pairs_in_bulk.download(by, _names(wanted), packed_as, reason=wanted.reason)
    if wanted.packing == "zip":
        return attachment(views_keys.zipped(files, wanted.format), "keys.zip", "application/zip")
    return attachment(views_keys.together(files), "keys.json", "application/json")


def expiries(registry: Registry, by: Principal) -> list[StoredKeyPair]:
    """Return the living pairs that the principal sees, the one that expires first in front."""
    now = registry.clock.now()
    found = [stored for stored in registry.pairs.every(by) if stored.state(now).living]
    return sorted(found, key=lambda stored: (stored.pair.expires_at, stored.pair.access_key_id))


def _expiry(registry: Registry, stored: StoredKeyPair) -> keys.ExpiryView:
    session = registry.directory.session(stored.pair.session_id)
    return views_keys.expiry(registry, stored, session.label if session else "")


def _id(stored: StoredKeyPair) -> str:
    return stored.pair.access_key_id


def _names(wanted: keys.PairsInBulk) -> list[tuple[str, str]]:
    return [(pair.session_id, pair.access_key_id) for pair in wanted.pairs]
