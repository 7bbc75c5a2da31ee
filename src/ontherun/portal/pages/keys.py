"""The key pairs of every session that the viewer sees: a list with filters, and many in one go."""

from collections.abc import Collection, Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, Response

from ontherun.keys import Finding, Health, KeyPairState, score_of_entity
from ontherun.portal import views_keys
from ontherun.portal.dependencies import Serving
from ontherun.portal.pages.guard import CsrfChecked, Viewer
from ontherun.portal.pages.key_forms import Answer, FormError, Problem, problem_of, proof, question
from ontherun.portal.pages.key_rows import rows_of
from ontherun.portal.pages.shell import redirect, render
from ontherun.portal.routes_keys import attachment
from ontherun.registry import (
    AnySession,
    InvalidError,
    Outcome,
    Principal,
    Registry,
    Right,
    StoredKeyPair,
)

PAGE = 50
"""Key pairs on one page."""

OFFERED = 200
"""Sessions that are offered to be chosen for new pairs; a search finds the others."""

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=200)]
Many = Annotated[list[str], Form(default_factory=list, max_length=1000)]
_STATES = ("living", *(state.value for state in KeyPairState), "not well")


@router.get("/keys", response_class=HTMLResponse)
async def all_keys(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    state: Annotated[str, Query(max_length=20)] = "living",
    q: Annotated[str, Query(max_length=100)] = "",
    page: Annotated[int, Query(ge=1, le=10**6)] = 1,
) -> HTMLResponse:
    """List the key pairs that the viewer sees."""
    state = state if state in _STATES else "living"
    scores = _healths(registry, viewer)
    unwell = {concern.access_key_id for _, health in scores for concern in health.concerns}
    found = _filtered(registry, viewer, state, q.strip(), unwell)
    shown = found[(page - 1) * PAGE : page * PAGE]

    def link(number: int) -> str:
        return "/keys?" + urlencode({"state": state, "q": q, "page": number})

    return render(
        request,
        "keys/all.html",
        rows=rows_of(registry, shown),
        states=_STATES,
        state=state,
        q=q,
        count=len(found),
        first=(page - 1) * PAGE + 1,
        newer=link(page - 1) if page > 1 else None,
        older=link(page + 1) if len(found) > page * PAGE else None,
        score=score_of_entity(health for _, health in scores),
        sessions=len(scores),
        unwell=[(session, health) for session, health in scores if health.concerns][:10],
        figures=_figures(registry, viewer, scores),
        may_generate=bool(_generating(viewer, [session for session, _ in scores])),
    )


@router.get("/keys/new", response_class=HTMLResponse)
async def ask_for_many(
    request: Request, registry: Serving, viewer: Viewer, q: Annotated[str, Query(max_length=100)] = ""
) -> HTMLResponse:
    """Ask for which sessions pairs are generated."""
    return _new_page(request, registry, viewer, q=q.strip())


@router.post("/keys/new", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def generate_many(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    sessions: Many,
    delete_oldest: Text = "",
) -> Response:
    """Generate a pair for each of the chosen sessions."""
    try:
        outcomes = await registry.pairs_in_bulk.generate(viewer, sessions, delete_oldest=bool(delete_oldest))
    except FormError as error:
        fields = {"session_ids": "sessions"}
        return _new_page(
            request, registry, viewer, problem_of(error, fields), sessions, delete_oldest=bool(delete_oldest)
        )
    return _outcomes_page(request, "Key pairs generated", outcomes)


@router.post("/keys/chosen", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def act_on_chosen(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    pairs: Many,
    do: Text = "download",
) -> Response:
    """Ask before the chosen pairs are downloaded or deleted."""
    wanted = _wanted(pairs)
    if not wanted:
        return redirect(request, "/keys", "No key pair was chosen.")
    return _chosen_page(request, registry, viewer, wanted, "delete" if do == "delete" else "download")


@router.post("/keys/download", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def download_many(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    pairs: Many,
    form: Text = "json",
    packing: Text = "zip",
    reason: Text = "",
    second_factor: Answer = "",
) -> Response:
    """Hand out many key files in one."""
    wanted = _wanted(pairs)
    try:
        if form not in views_keys.SUFFIXES or packing not in ("zip", "json"):
            raise InvalidError("form", "is no form of a key file.", ", ".join(views_keys.SUFFIXES))
        for pair in wanted:
            registry.pairs.readable(viewer, *pair)  # before the second factor is used up
        packed_as = "json" if packing == "json" else f"{form} in a zip"
        files = await registry.pairs_in_bulk.download(
            viewer, wanted, packed_as, reason=reason, second_factor=await proof(registry, viewer, second_factor)
        )
    except FormError as error:
        typed = {"form": form, "packing": packing, "reason": reason}
        return _chosen_page(request, registry, viewer, wanted, "download", problem_of(error), typed)
    if packing == "zip":
        return attachment(views_keys.zipped(files, form), "keys.zip", "application/zip")
    return attachment(views_keys.together(files), "keys.json", "application/json")


@router.post("/keys/delete", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def delete_many(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    pairs: Many,
    confirm: Text = "",
) -> Response:
    """Delete many pairs."""
    wanted = _wanted(pairs)
    try:
        if confirm.strip() != str(len(wanted)):
            raise InvalidError("confirm", "is not what was asked for.", f"{len(wanted)}, the number of key pairs")
        outcomes = await registry.pairs_in_bulk.delete(viewer, wanted)
    except FormError as error:
        return _chosen_page(request, registry, viewer, wanted, "delete", problem_of(error))
    return _outcomes_page(request, "Key pairs deleted", outcomes)


def _filtered(
    registry: Registry, viewer: Principal, state: str, text: str, unwell: Collection[str | None]
) -> list[StoredKeyPair]:
    """Return the pairs in a state whose session, label, firm or id holds a text; what ends first in front."""
    now, text = registry.clock.now(), text.lower()

    def fits(stored: StoredKeyPair) -> bool:
        if state == "not well":
            return stored.pair.access_key_id in unwell
        its = stored.state(now)
        return its.living if state == "living" else its.value == state

    found = [
        stored
        for stored in registry.pairs.every(viewer, deleted=state == KeyPairState.DELETED.value)
        if fits(stored) and (not text or text in _searched(registry, stored))
    ]
    return sorted(found, key=lambda stored: stored.pair.expires_at)


def _searched(registry: Registry, stored: StoredKeyPair) -> str:
    session = registry.directory.session(stored.pair.session_id)
    words = [stored.pair.access_key_id, stored.pair.session_id]
    return " ".join(words + ([session.label, *session.firms] if session else [])).lower()


def _healths(registry: Registry, viewer: Principal) -> list[tuple[AnySession, Health]]:
    """Return every session that the viewer sees with its health, what is worst in front."""
    found = [(session, registry.pairs.health(session.session_id)) for session in registry.pairs.sessions(viewer)]
    return sorted(found, key=lambda each: each[1].score)


def _figures(registry: Registry, viewer: Principal, scores: Sequence[tuple[AnySession, Health]]) -> dict[str, int]:
    now = registry.clock.now()
    states = [stored.state(now) for stored in registry.pairs.every(viewer)]
    findings = [concern.finding for _, health in scores for concern in health.concerns]
    return {
        "valid": sum(state.valid for state in states),
        "expiring": states.count(KeyPairState.EXPIRING),
        "without": findings.count(Finding.NO_VALID_PAIR),
        "unused": findings.count(Finding.NEVER_USED),
    }


def _generating(viewer: Principal, sessions: Sequence[AnySession]) -> list[AnySession]:
    return [session for session in sessions if viewer.may(Right.GENERATE_KEYS, session.entity_id)]


def _wanted(pairs: Sequence[str]) -> list[tuple[str, str]]:
    """Read "A00 AccessKeyID" of the boxes that were ticked."""
    split = (pair.split(" ") for pair in dict.fromkeys(pairs))
    return [(parts[0], parts[1]) for parts in split if len(parts) == 2]


def _new_page(
    request: Request,
    registry: Registry,
    viewer: Principal,
    problem: Problem | None = None,
    chosen: Sequence[str] = (),
    *,
    delete_oldest: bool = False,
    q: str = "",
) -> HTMLResponse:
    now = registry.clock.now()
    fitting = [
        (session, len(registry.directory.valid_pairs_of(session.session_id, now)))
        for session in _generating(viewer, registry.pairs.sessions(viewer))
        if not q or q.lower() in " ".join((session.session_id, session.label, *session.firms)).lower()
    ]
    fitting.sort(key=lambda each: (each[0].session_id not in chosen, each[1]))
    offered = fitting[:OFFERED]
    return render(
        request,
        "keys/new.html",
        problem.status if problem else 200,
        offered=offered,
        more=len(fitting) - len(offered),
        q=q,
        problem=problem,
        chosen=set(chosen) or {session.session_id for session, valid in offered if not valid},
        delete_oldest=delete_oldest,
    )


def _chosen_page(
    request: Request,
    registry: Registry,
    viewer: Principal,
    wanted: Sequence[tuple[str, str]],
    do: str,
    problem: Problem | None = None,
    typed: dict[str, str] | None = None,
) -> HTMLResponse:
    return render(
        request,
        f"keys/{do}_many.html",
        problem.status if problem else 200,
        rows=rows_of(registry, [registry.pairs.get(viewer, *pair) for pair in wanted]),
        question=question(registry, viewer),
        problem=problem,
        typed={"form": "json", "packing": "zip", "reason": "", **(typed or {})},
    )


def _outcomes_page(request: Request, title: str, outcomes: Sequence[Outcome]) -> HTMLResponse:
    return render(request, "keys/outcomes.html", title=title, outcomes=outcomes)
