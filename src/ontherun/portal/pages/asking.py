"""How a page asks for something: a form, then what it would do and when, then the request itself.

Works without scripts: what was typed travels through the review as hidden fields, and is checked at each step.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, Response

from ontherun.portal.pages.guard import REASON_FIELD
from ontherun.portal.pages.key_forms import FormError, Problem, problem_of
from ontherun.portal.pages.shell import redirect, render
from ontherun.registry import LARGEST_ID, AnyTerms, InvalidError, Principal, Registry, terms_to_json
from ontherun.registry import Request as SubmittedRequest

Values = dict[str, list[str]]
"""What a form holds: each field's name and its values."""

_OWN = ("csrf", "agreed", "fee", "back", REASON_FIELD)
"""Fields of the review itself."""

AMEND, REVISION = "amend", "revision"
"""Fields of a form that amends a request: its number, and which amendment of it was looked at."""

Amend = Annotated[int, Query(ge=0, le=LARGEST_ID)]
"""The request that a form is to amend; 0: none."""


async def values_of(request: Request) -> Values:
    """Return what a form holds, without its token."""
    found: Values = {}
    for name, value in (await request.form()).multi_items():
        if isinstance(value, str) and name != "csrf":
            found.setdefault(name, []).append(value)
    return found


def one(values: Mapping[str, Sequence[str]], name: str, otherwise: str = "") -> str:
    """Return a field's value, trimmed."""
    found = values.get(name)
    return found[0].strip() if found else otherwise


def number(values: Mapping[str, Sequence[str]], name: str, otherwise: int | None = None) -> int:
    """Return a field's number. InvalidError when it is none."""
    text = one(values, name)
    if not text and otherwise is not None:
        return otherwise
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise InvalidError(name, "is no number.", "digits only")
    return int(text)


def lines(values: Mapping[str, Sequence[str]], name: str) -> list[str]:
    """Return what a field lists, separated by spaces, commas or line ends."""
    return re.split(r"[\s,]+", one(values, name).strip(" ,\r\n\t")) if one(values, name) else []


def listed(values: Mapping[str, Sequence[str]], name: str) -> list[str]:
    """Return what the fields of this name list together: ticked boxes, or one text."""
    return [part for text in values.get(name, ()) for part in lines({name: [text]}, name)]


def settings_of(values: Mapping[str, Sequence[str]], *names: str) -> dict[str, Any]:
    """Return what the forms of all services have in common, and the texts of `names`: for terms."""
    return {
        "front_end_system": one(values, "front_end_system"),
        "allowed_sources": tuple(lines(values, "allowed_sources")),
        "live_date": one(values, "live_date") or None,
        **{name: one(values, name) for name in names},
    }


def typed(terms: AnyTerms) -> Values:
    """Return what a form holds that asks for these terms; what they leave as it is, is left out."""
    values: Values = {}
    for name, value in terms_to_json(terms).items():
        match name, value:
            case "firms", (primary, *others):
                values |= {"primary": [primary], "secondary": others}
            case "allowed_sources", _:
                values[name] = ["\n".join(value)]
            case _, bool():
                values[name] = ["yes"] if value else []
            case _, tuple():
                values[name] = list(map(str, value))
            case _:
                values[name] = [str(value)]
    return values


async def amending(registry: Registry, viewer: Principal, request_id: int) -> Values:
    """Return what a form holds that amends an open request: its terms, and which amendment of them is looked at.

    Nothing for `request_id` 0: the form submits a new request.
    """
    if not request_id:
        return {}
    found = await registry.requests.get(viewer, request_id)
    return typed(found.terms) | {AMEND: [str(request_id)], REVISION: [str(found.revision)]}


FormPage = Callable[[Values, Problem | None], HTMLResponse]
"""Shows the form again: with what was typed, and what was wrong with it."""

Reader = Callable[[Values], AnyTerms]
"""Makes terms of what was typed. InvalidError names the field."""


async def ask(
    request: Request,
    registry: Registry,
    viewer: Principal,
    read: Reader,
    again: FormPage,
    *,
    title: str,
    crumbs: Sequence[tuple[str, str]],
    where_to: Callable[[SubmittedRequest], str],
    wording: Mapping[str, str] | None = None,
) -> Response:
    """Take a form one step further: show it again, show what it would do, or submit it.

    A form that `amending` filled amends the open request that it names. `where_to` is the page that is shown once the
    request is completed; an open one has its own page. `wording` gives the fields of the form for names in errors where
    they differ.
    """
    values = await values_of(request)
    if "back" in values:
        return again(values, None)
    try:
        terms = read(values)
        preview = registry.requests.preview(viewer, terms, amended_by(values))
        problem = None
        if "agreed" in values:
            if not preview.fee_text or one(values, "fee") == "yes":
                return await _submit(request, registry, viewer, terms, where_to, values)
            problem = Problem("fee", "The fees have to be acknowledged.", 422)
    except FormError as error:
        return again(values, problem_of(error, wording))
    return render(
        request,
        "requests/review.html",
        200 if problem is None else problem.status,
        title=title,
        crumbs=crumbs,
        preview=preview,
        reason=one(values, REASON_FIELD),
        hidden=[(name, value) for name, typed in values.items() if name not in _OWN for value in typed],
        action=request.url.path,
        problem=problem,
    )


async def _submit(
    request: Request,
    registry: Registry,
    viewer: Principal,
    terms: AnyTerms,
    where_to: Callable[[SubmittedRequest], str],
    values: Values,
) -> Response:
    done = await submit_or_amend(registry, viewer, terms, values)
    if done.status.open:
        verb = "amended" if AMEND in values else "submitted"
        return redirect(request, f"/requests/{done.request_id}", f"Request {done.request_id} was {verb}.")
    return redirect(request, where_to(done), f"{done.summary}: done.")


async def submit_or_amend(registry: Registry, viewer: Principal, terms: AnyTerms, values: Values) -> SubmittedRequest:
    """Submit a request, or amend the one that a form names."""
    if AMEND not in values:
        return await registry.requests.submit(viewer, terms)
    return await registry.requests.amend(viewer, number(values, AMEND), terms, number(values, REVISION))


def amended_by(values: Values) -> int | None:
    """Return the request that a form amends; None where it submits a new one."""
    return number(values, AMEND) if AMEND in values else None


def wrong_at(problem: Problem | None) -> Callable[[str], str]:
    """Return what tells a template what was wrong with a field."""

    def error_at(name: str) -> str:
        if problem is None:
            return ""
        place = re.sub(r"\[.*", "", problem.where)
        return problem.text if place == name else ""

    return error_at


def common_context(problem: Problem | None, names: Sequence[str]) -> dict[str, Any]:
    """Return what every form shows of an error: at its field, or above the form when it has none."""
    place = "" if problem is None else re.sub(r"\[.*", "", problem.where)
    return {
        "problem": problem,
        "error_at": wrong_at(problem),
        "form_problem": problem.text if problem is not None and place not in names else "",
    }
