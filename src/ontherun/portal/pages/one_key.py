"""The page of one key pair: its life, its use, its download, and what can be done with it."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ontherun.keys import FILE_FORMATS
from ontherun.portal import views_keys
from ontherun.portal.dependencies import Serving
from ontherun.portal.models import AccessKeyId, SessionId
from ontherun.portal.pages.guard import CsrfChecked, Viewer
from ontherun.portal.pages.key_forms import Answer, FormError, Problem, problem_of, proof, question, typed_time, zones
from ontherun.portal.pages.key_rows import rows_of
from ontherun.portal.pages.shell import redirect, render
from ontherun.portal.routes_keys import attachment
from ontherun.registry import (
    LONGEST_PUBLIC_KEY,
    InvalidError,
    Principal,
    Registry,
    Right,
    read_public_key,
)

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=200)]
_PAIR = "/sessions/{session_id}/keys/{access_key_id}"
FORMS = ("download", "label", "cut-over", "delete")


@router.get(_PAIR, response_class=HTMLResponse)
async def key_page(
    request: Request, registry: Serving, viewer: Viewer, session_id: SessionId, access_key_id: AccessKeyId
) -> HTMLResponse:
    """Show a key pair."""
    return _page(request, registry, viewer, session_id, access_key_id)


@router.post(f"{_PAIR}/download", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def download(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    session_id: SessionId,
    access_key_id: AccessKeyId,
    form: Text = "json",
    public_key: Annotated[str, Form(max_length=LONGEST_PUBLIC_KEY)] = "",
    reason: Text = "",
    second_factor: Answer = "",
) -> Response:
    """Hand out the key file."""
    pairs = registry.pairs
    try:
        if form != "sealed" and form not in FILE_FORMATS:
            raise InvalidError("form", "is no form of a key file.", ", ".join((*FILE_FORMATS, "sealed")))
        pairs.readable(viewer, session_id, access_key_id)
        if form == "sealed":
            read_public_key(public_key)  # before the second factor is used up
        proved = await proof(registry, viewer, second_factor)
        if form == "sealed":
            text = await pairs.download_sealed(
                viewer, session_id, access_key_id, public_key, reason=reason, second_factor=proved
            )
            return attachment(text, f"{session_id}-{access_key_id}.sealed.json", "application/json")
        key_file = await pairs.download(viewer, session_id, access_key_id, form, reason=reason, second_factor=proved)
    except FormError as error:
        typed = {"form": form, "public_key": public_key, "reason": reason}
        return _page(request, registry, viewer, session_id, access_key_id, "download", problem_of(error), typed)
    return attachment(FILE_FORMATS[form](key_file), views_keys.file_name(key_file, form), views_keys.MEDIA_TYPES[form])


@router.post(f"{_PAIR}/label", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def set_label(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    session_id: SessionId,
    access_key_id: AccessKeyId,
    label: Text = "",
) -> Response:
    """Call a pair something else."""
    try:
        await registry.pairs.label(viewer, session_id, access_key_id, label.strip())
    except FormError as error:
        typed = {"label": label}
        return _page(request, registry, viewer, session_id, access_key_id, "label", problem_of(error), typed)
    return _done(request, session_id, access_key_id, f"Key pair {access_key_id} has its label.")


@router.post(f"{_PAIR}/deactivate", dependencies=[CsrfChecked])
async def deactivate(
    request: Request, registry: Serving, viewer: Viewer, session_id: SessionId, access_key_id: AccessKeyId
) -> RedirectResponse:
    """Take a pair out of use."""
    await registry.pairs.deactivate(viewer, session_id, access_key_id)
    return _done(request, session_id, access_key_id, f"Key pair {access_key_id} is deactivated.")


@router.post(f"{_PAIR}/activate", dependencies=[CsrfChecked])
async def activate(
    request: Request, registry: Serving, viewer: Viewer, session_id: SessionId, access_key_id: AccessKeyId
) -> RedirectResponse:
    """Bring a pair back into use."""
    await registry.pairs.activate(viewer, session_id, access_key_id)
    return _done(request, session_id, access_key_id, f"Key pair {access_key_id} is in use again.")


@router.post(f"{_PAIR}/cut-over", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def schedule_cut_over(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    session_id: SessionId,
    access_key_id: AccessKeyId,
    at: Text = "",
    zone: Text = "UTC",
) -> Response:
    """Schedule when the pair takes over."""
    try:
        await registry.pairs.cut_over(viewer, session_id, access_key_id, typed_time("at", at, zone))
    except FormError as error:
        typed = {"at": at, "zone": zone}
        return _page(request, registry, viewer, session_id, access_key_id, "cut-over", problem_of(error), typed)
    return _done(request, session_id, access_key_id, f"The cut-over to {access_key_id} is scheduled.")


@router.post(f"{_PAIR}/delete", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def delete(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    session_id: SessionId,
    access_key_id: AccessKeyId,
    confirm: Text = "",
) -> Response:
    """Delete a pair. Where the session could not log in afterwards, its Session ID has to be typed."""
    try:
        (row,) = rows_of(registry, [registry.pairs.get(viewer, session_id, access_key_id)])
        if row.state.valid and not row.others_valid and confirm.strip() != session_id:
            raise InvalidError("confirm", "is not what was asked for.", session_id)
        await registry.pairs.delete(viewer, session_id, access_key_id)
    except FormError as error:
        return _page(request, registry, viewer, session_id, access_key_id, "delete", problem_of(error))
    return redirect(request, f"/sessions/{session_id}/keys", f"Key pair {access_key_id} is deleted.")


def _done(request: Request, session_id: str, access_key_id: str, done: str) -> RedirectResponse:
    return redirect(request, f"/sessions/{session_id}/keys/{access_key_id}", done)


def _page(
    request: Request,
    registry: Registry,
    viewer: Principal,
    session_id: str,
    access_key_id: str,
    form: str = "",
    problem: Problem | None = None,
    typed: dict[str, str] | None = None,
) -> HTMLResponse:
    """Return the page, with a problem at one of its forms."""
    (row,) = rows_of(registry, [registry.pairs.get(viewer, session_id, access_key_id)])
    entity_id = row.stored.entity_id
    defaults = {"form": "json", "public_key": "", "reason": "", "at": "", "zone": zones(request)[0][0]}
    return render(
        request,
        "keys/one.html",
        problem.status if problem else 200,
        row=row,
        may_download=viewer.may(Right.DOWNLOAD_KEYS, entity_id) and row.stored.secret is not None,
        may_label=viewer.may(Right.GENERATE_KEYS, entity_id),
        may_delete=viewer.may(Right.DELETE_KEYS, entity_id),
        question=question(registry, viewer),
        zones=zones(request),
        problems={each: problem if each == form else None for each in FORMS},
        typed={"label": row.stored.label, **defaults, **(typed or {})},
    )
