"""Key pairs: of one session."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from ontherun.keys import FILE_FORMATS
from ontherun.portal import models, views_keys
from ontherun.portal import models_keys as keys
from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.problems import answers
from ontherun.portal.routes_sessions import status_of
from ontherun.portal.status import Status
from ontherun.registry import InvalidError, Revoked, StoredKeyPair, parse_time

_READ = answers(HTTPStatus.NOT_FOUND)
_CHANGE = answers(HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE)
_PAIR = "/sessions/{session_id}/keys/{access_key_id}"

router = APIRouter(tags=["key pairs"])


@router.get("/sessions/{session_id}/keys", responses=_READ, summary="List a session's key pairs")
async def list_key_pairs(
    by: Asking,
    registry: Serving,
    session_id: models.SessionId,
    deleted: Annotated[bool, Query(description="deleted ones too")] = False,
) -> models.Page[keys.KeyPairView]:
    """List key pairs."""
    found = registry.pairs.list(by, session_id, deleted=deleted)
    return models.Page(items=[views_keys.key_pair(registry, stored) for stored in found])


@router.post(
    "/sessions/{session_id}/keys",
    status_code=HTTPStatus.CREATED,
    responses=_CHANGE,
    summary="Generate a key pair, valid at once or from a cut-over on. Its secret is read by downloading it",
)
async def generate_key_pair(
    by: Asking, registry: Serving, session_id: models.SessionId, new: keys.NewKeyPair | None = None
) -> keys.KeyPairView:
    """Generate a key pair."""
    new = new or keys.NewKeyPair()
    cut_over_at = None if new.cut_over_at is None else instant("cut_over_at", new.cut_over_at)
    stored = await registry.pairs.generate(by, session_id, delete=new.delete, cut_over_at=cut_over_at, label=new.label)
    return views_keys.key_pair(registry, stored)


@router.get(_PAIR, responses=_READ, summary="Show a key pair, not its secret")
async def show_key_pair(
    by: Asking, registry: Serving, session_id: models.SessionId, access_key_id: models.AccessKeyId
) -> keys.KeyPairView:
    """Show a key pair."""
    return views_keys.key_pair(registry, registry.pairs.get(by, session_id, access_key_id))


@router.delete(
    _PAIR,
    status_code=HTTPStatus.NO_CONTENT,
    responses=_CHANGE,
    summary="Delete a key pair: the next login with it is refused, and its secret is erased",
)
async def delete_key_pair(
    by: Asking, registry: Serving, session_id: models.SessionId, access_key_id: models.AccessKeyId
) -> None:
    """Delete a key pair."""
    await registry.pairs.delete(by, session_id, access_key_id)


@router.patch(_PAIR, responses=_CHANGE, summary="Call a key pair something else")
async def label_key_pair(
    by: Asking,
    registry: Serving,
    session_id: models.SessionId,
    access_key_id: models.AccessKeyId,
    change: keys.PairChange,
) -> keys.KeyPairView:
    """Label a key pair."""
    return views_keys.key_pair(registry, await registry.pairs.label(by, session_id, access_key_id, change.label))


@router.post(f"{_PAIR}/deactivate", responses=_CHANGE, summary="Take a key pair out of use; it can come back")
async def deactivate_key_pair(
    by: Asking, registry: Serving, session_id: models.SessionId, access_key_id: models.AccessKeyId
) -> keys.KeyPairView:
    """Deactivate a key pair."""
    return views_keys.key_pair(registry, await registry.pairs.deactivate(by, session_id, access_key_id))


@router.post(f"{_PAIR}/activate", responses=_CHANGE, summary="Bring a deactivated key pair back into use")
async def activate_key_pair(
    by: Asking, registry: Serving, session_id: models.SessionId, access_key_id: models.AccessKeyId
) -> keys.KeyPairView:
    """Activate a key pair."""
    return views_keys.key_pair(registry, await registry.pairs.activate(by, session_id, access_key_id))


@router.post(
    f"{_PAIR}/cut-over",
    responses=_CHANGE,
    summary="Schedule when a key pair takes over: every other pair of the session ends then",
)
async def schedule_cut_over(
    by: Asking,
    registry: Serving,
    session_id: models.SessionId,
    access_key_id: models.AccessKeyId,
    new: keys.NewCutOver,
) -> models.Page[keys.KeyPairView]:
    """Schedule a cut-over."""
    found = await registry.pairs.cut_over(by, session_id, access_key_id, instant("at", new.at))
    return models.Page(items=[views_keys.key_pair(registry, stored) for stored in found])


@router.get(
    f"{_PAIR}/download",
    response_class=Response,
    responses={
        **_CHANGE,
        200: {
            "description": "The key file",
            "content": {
                "application/json": {"schema": keys.KeyFileView.model_json_schema()},
                "text/plain": {},
                "text/csv": {},
            },
        },
    },
    summary="Download a key pair with its secret, as often as wanted. Each time is an audit entry",
)
async def download_key_pair(
    by: Asking,
    registry: Serving,
    session_id: models.SessionId,
    access_key_id: models.AccessKeyId,
    file_format: Annotated[keys.FileFormat, Query(alias="format")] = "json",
    reason: Annotated[keys.Reason, Query()] = "",
) -> Response:
    """Download a key pair."""
    key_file = await registry.pairs.download(by, session_id, access_key_id, file_format, reason=reason)
    return attachment(
        FILE_FORMATS[file_format](key_file),
        views_keys.file_name(key_file, file_format),
        views_keys.MEDIA_TYPES[file_format],
    )


@router.post(
    f"{_PAIR}/sealed-download",
    response_class=Response,
    responses={
        **_CHANGE,
        200: {
            "description": "The key file, its secret sealed",
            "content": {"application/json": {"schema": keys.SealedKeyFileView.model_json_schema()}},
        },
    },
    summary="Download a key pair with its secret sealed to a public key, so that only its owner can read it",
)
async def download_sealed(
    by: Asking,
    registry: Serving,
    session_id: models.SessionId,
    access_key_id: models.AccessKeyId,
    to: keys.Receiver,
) -> Response:
    """Download a key pair for a receiver."""
    text = await registry.pairs.download_sealed(by, session_id, access_key_id, to.public_key, reason=to.reason)
    return attachment(text, f"{session_id}-{access_key_id}.sealed.json", "application/json")


@router.post(
    "/sessions/{session_id}/key-revocation",
    responses=_CHANGE,
    summary="In an emergency, delete every key pair of a session, and end its live logins where that is asked for",
)
async def revoke_session(
    by: Asking, registry: Serving, request: Request, session_id: models.SessionId, why: keys.Revocation
) -> keys.RevokedView:
    """Revoke the key pairs of a session."""
    revoked = await registry.pairs.revoke_session(
        by, session_id, reason=why.reason, end_live_sessions=why.end_live_sessions
    )
    return _revoked(revoked, status_of(request), why.reason)


@router.post(
    "/firms/{gfid}/key-revocation",
    responses=_CHANGE,
    summary="In an emergency, delete every key pair of every session that carries a firm",
)
async def revoke_firm(
    by: Asking, registry: Serving, request: Request, gfid: models.Gfid, why: keys.Revocation
) -> keys.RevokedView:
    """Revoke the key pairs of a firm."""
    revoked = await registry.pairs.revoke_firm(by, gfid, reason=why.reason, end_live_sessions=why.end_live_sessions)
    return _revoked(revoked, status_of(request), why.reason)


def instant(where: str, text: str) -> int:
    """Read a time that a field of a request holds, as ns since 1970 UTC. InvalidError, which names the field."""
    try:
        return parse_time(text.upper())
    except InvalidError as error:
        raise InvalidError(where, error.what, "RFC 3339, such as 2027-01-04T17:30:00-05:00 or ...Z") from None


def attachment(content: str | bytes, name: str, media_type: str) -> Response:
    """Answer with a file. `name` holds nothing that a header could be made of."""
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def end_live_sessions(revoked: Revoked, status: Status, reason: str) -> list[str]:
    """End the live logins that a revocation asks to end; return the sessions that were logged in."""
    why = f"key pairs revoked: {reason}" if reason else "key pairs revoked"
    return [session_id for session_id in revoked.end_live_sessions if status.end_session(session_id, why)]


def _revoked(revoked: Revoked, status: Status, reason: str) -> keys.RevokedView:
    ended = end_live_sessions(revoked, status, reason)
    return keys.RevokedView(revoked=[_name(stored) for stored in revoked.pairs], ended_sessions=ended)


def _name(stored: StoredKeyPair) -> keys.PairName:
    return keys.PairName(session_id=stored.pair.session_id, access_key_id=stored.pair.access_key_id)
