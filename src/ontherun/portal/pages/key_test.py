"""Test a key: paste a login, and see whether its signature is right, and if not, what made it."""

from functools import cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from ontherun.ilink.key_test import LONGEST_TEXT, Finding
from ontherun.portal.dependencies import Serving
from ontherun.portal.models_key_test import PastedEstablish, PastedFrame, PastedNegotiate
from ontherun.portal.pages.guard import CsrfChecked, Viewer
from ontherun.portal.pages.shell import render
from ontherun.portal.routes_key_test import carry_out
from ontherun.registry import ForbiddenError, NotFoundError, Principal, Registry, TooManyError, UnavailableError

SAMPLES = (("Python", "sign.py"), ("Java", "Sign.java"), ("C++", "sign.cpp"), ("Shell", "sign.sh"))
"""Language and file of the samples under /static/samples."""

NUMBERS = ("request_timestamp", "uuid", "next_seq_no", "keep_alive_interval")
TEXTS = ("access_key_id", "signature", "session", "firm")
ESTABLISH = ("trading_system_name", "trading_system_version", "trading_system_vendor")

_FOLDER = Path(__file__).parent.parent / "static" / "samples"
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (NotFoundError, 404),
    (ForbiddenError, 403),
    (TooManyError, 429),
    (UnavailableError, 503),
)

router = APIRouter(include_in_schema=False)


@router.get("/keys/test", response_class=HTMLResponse)
async def key_test_page(
    request: Request, viewer: Viewer, session_id: Annotated[str, Query(max_length=10)] = ""
) -> HTMLResponse:
    """Show the form."""
    assert viewer.name
    return _page(request, {"session_id": session_id})


@router.post("/keys/test", dependencies=[CsrfChecked], response_class=HTMLResponse)
async def judge(
    request: Request,
    registry: Serving,
    viewer: Viewer,
    frame: Annotated[str, Form(max_length=LONGEST_TEXT)] = "",
    signed_text: Annotated[str, Form(max_length=1000)] = "",
) -> HTMLResponse:
    """Judge what was pasted."""
    kept = {name: str(value) for name, value in (await request.form()).items() if name != "csrf"}
    try:
        pasted = _pasted(kept | {"frame": frame, "signed_text": signed_text.replace("\r\n", "\n")})
        found = await _judged(registry, viewer, kept.get("session_id", "").strip().upper(), pasted)
    except ValidationError as error:
        wrong = {str(fault["loc"][-1]): fault["msg"] for fault in error.errors()}
        return _page(request, kept, 422, wrong=wrong)
    except tuple(sort for sort, _ in _STATUS) as error:
        status = next(status for sort, status in _STATUS if isinstance(error, sort))
        return _page(request, kept, status, wrong={"session_id" if status == 404 else "": str(error)})
    return _page(request, kept, found=found)


async def _judged(registry: Registry, viewer: Principal, session_id: str, pasted: Any) -> Finding:
    return await carry_out(registry, viewer, session_id, pasted)


def _pasted(values: dict[str, str]) -> PastedFrame | PastedEstablish | PastedNegotiate:
    """What the form holds: a frame, or the values of a message. ValidationError names the fields that are wrong."""
    compared: dict[str, Any] = {"signed_text": values["signed_text"]} if values["signed_text"] else {}
    if values["frame"].strip():
        return PastedFrame(frame=values["frame"], **compared)
    given: dict[str, Any] = {name: value for name in TEXTS if (value := values.get(name, "").strip())}
    given |= {name: _number(value) for name in NUMBERS[:2] if (value := values.get(name, "").strip())}
    if values.get("message") == "Establish":
        given |= {name: values.get(name, "").strip() for name in ESTABLISH}
        given |= {name: _number(value) for name in NUMBERS[2:] if (value := values.get(name, "").strip())}
        return PastedEstablish(**given, **compared)
    return PastedNegotiate(**given, **compared)


def _number(text: str) -> int | str:
    """A number as the model takes it; what is none is left for the model to refuse."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 30 else text


def _page(
    request: Request,
    kept: dict[str, str],
    status: int = 200,
    wrong: dict[str, str] | None = None,
    found: Finding | None = None,
) -> HTMLResponse:
    names = ("session_id", "frame", "signed_text", "message", *NUMBERS, *TEXTS, *ESTABLISH)
    values = {name: kept.get(name, "") for name in names}
    return render(request, "keys/test.html", status, kept=values, wrong=wrong or {}, found=found, samples=_samples())


@cache
def _samples() -> tuple[tuple[str, str, str], ...]:
    return tuple((language, name, (_FOLDER / name).read_text("utf-8")) for language, name in SAMPLES)
