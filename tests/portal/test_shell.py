"""The frame of the pages: what it needs, what it says of every state, and the message that a redirect leaves."""

import re
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import DictLoader
from jinja2.loaders import ChoiceLoader

import ontherun.portal
from ontherun.portal.pages import moments, shell, tones
from ontherun.registry import EVERY_RIGHT, Principal, PrincipalKind

from .browser import signed_in
from .conftest import Portal

ROOM = Path(ontherun.portal.__file__).parent
TEMPLATES = sorted((ROOM / "templates").rglob("*.html"))
SECOND = 1_000_000_000
DAY = 86_400 * SECOND


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.relative_to(ROOM / "templates").as_posix())
def test_no_template_needs_what_the_content_security_policy_forbids(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)", text), "a script in the page"
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:|\|\s*safe(?!\s+if url)", text)
    loaded = re.findall(r'<(?:script|img|link|iframe|source)[^>]*?(?:href|src)="([^"]*)"', text)
    assert all(link.startswith(("/", "#", "{{ static(")) for link in loaded), loaded


def test_the_style_sheet_and_the_pictures_load_nothing() -> None:
    assert "url(" not in (ROOM / "static" / "portal.css").read_text()
    assert "@import" not in (ROOM / "static" / "portal.css").read_text()
    assert "<style" not in (ROOM / "static" / "icon.svg").read_text()
    assert "<style" not in (ROOM / "static" / "icons.svg").read_text()


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_keeps_the_contrast_of_wcag_aa_on_its_ground(theme: int) -> None:
    css = (ROOM / "static" / "portal.css").read_text()
    colours = {
        name: (light, dark)[theme]
        for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", css)
    }
    texts = ("ink", "quiet", "accent", "good", "warn", "bad", "busy")
    pairs = [(text, ground) for text in texts for ground in ("card", "paper", "sunk")]
    pairs += [(tone, f"{tone}-ground") for tone in ("good", "warn", "bad", "busy", "idle", "accent")]
    pairs += [("on-accent", "accent")]
    poor = {pair: round(_contrast(*(colours[name] for name in pair)), 2) for pair in pairs}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 4.5} == {}
    assert _contrast(colours["line-strong"], colours["card"]) >= 3, "the border of a control"


@pytest.mark.parametrize("environment", ["local", "cert", "newrelease", "prod"])
def test_each_environment_has_its_own_colour_with_readable_text(environment: str) -> None:
    css = (ROOM / "static" / "portal.css").read_text()
    found = re.search(rf'data-environment="{environment}"\][^}}]*light-dark\((#\w+), (#\w+)\)', css)
    grounds = found or re.search(r"--environment: light-dark\((#\w+), (#\w+)\)", css)
    texts = re.search(r"--on-environment: light-dark\((#\w+), (#\w+)\)", css)
    assert grounds is not None
    assert texts is not None
    assert all(_contrast(text, ground) >= 4.5 for text, ground in zip(texts.groups(), grounds.groups(), strict=True))


def test_a_moment_is_shown_in_central_new_york_and_the_viewers_zone() -> None:
    at = 1_798_000_200 * SECOND  # 2026-12-23 05:10 UTC
    shown = moments.moment(at, "Europe/Berlin")
    assert (shown.iso, shown.central.date, shown.central.minute) == ("2026-12-23T04:30:00Z", "2026-12-22", "22:30")
    assert [(other.minute, other.zone, other.day) for other in shown.others] == [
        ("23:30", "NY", 0),
        ("05:30", "CET", 1),
    ]
    assert len(moments.moment(at, "America/Chicago").others) == 1
    assert moments.moment(at, "Nowhere/At-All").others[1].zone == "UTC"


@pytest.mark.parametrize(
    ("away", "words"),
    [
        (0, "now"),
        (59 * SECOND, "now"),
        (60 * SECOND, "in 1 minute"),
        (-5 * 3600 * SECOND, "5 hours ago"),
        (10 * DAY, "in 10 days"),
        (28 * DAY, "in 4 weeks"),
        (-365 * DAY, "52 weeks ago"),
        (800 * DAY, "in 2 years"),
    ],
)
def test_a_distance_in_time_is_said_in_words(away: int, words: str) -> None:
    assert moments.distance(1_800_000_000 * SECOND + away, 1_800_000_000 * SECOND) == words


@pytest.mark.parametrize(
    ("state", "tone"),
    [
        ("active", "good"),
        ("Pending Approval", "warn"),
        ("Failed", "bad"),
        ("In-Progress", "busy"),
        ("<deleted>", "idle"),
    ],
)
def test_a_state_has_a_tone_and_an_unknown_one_the_quiet_tone(state: str, tone: str) -> None:
    assert tones.tone_of(state) == tone


@pytest.mark.parametrize("text", ["//evil.example/", "https://evil.example", "/\\evil.example", "evil", "", "/a\r\nb"])
def test_nobody_is_sent_on_to_another_site(text: str) -> None:
    assert shell.local_path(text) == "/"
    assert shell.local_path("/sessions?firm=A&b=1") == "/sessions?firm=A&b=1"


HOSTILE = "\"><script>alert(1)</script>\u202e'{{ 7 * 7 }}"
SHOWCASE = (Path(__file__).parent / "showcase.html").read_text()


@pytest.fixture
def showcase(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> Portal:
    """A page with every part, shown to a person, and one that redirects."""
    routes = APIRouter()
    person = Principal("<b>Ada</b>", PrincipalKind.PERSON, everywhere=EVERY_RIGHT, user_id=1)

    async def page(request: Request, text: str = HOSTILE) -> HTMLResponse:
        request.state.viewer = person
        request.state.csrf = "the-token"
        return shell.render(request, "showcase.html", text=text)

    async def go(request: Request, done: str) -> RedirectResponse:
        return shell.redirect(request, "/showcase", done)

    routes.add_api_route("/showcase", page, methods=["GET"])
    routes.add_api_route("/go", go, methods=["GET"])
    portal.app.include_router(routes)
    templates = shell.templates()
    monkeypatch.setattr(templates, "loader", ChoiceLoader([DictLoader({"showcase.html": SHOWCASE}), templates.loader]))
    return portal


async def test_every_part_escapes_what_it_is_given(showcase: Portal) -> None:
    text = (await showcase.ask(None, "GET", "/showcase")).text
    assert "<script>" not in text
    assert "<b>Ada" not in text
    assert "49" not in re.sub(r"\?v=\w+", "", text)
    assert "&#34;&gt;&lt;script&gt;" in text
    assert not re.search(r'"[^"<>]*"><script', text)
    assert text.count('name="csrf" value="the-token"') >= 2


async def test_an_error_stands_beside_its_field_and_is_tied_to_it(showcase: Portal) -> None:
    text = (await showcase.ask(None, "GET", "/showcase", params={"text": "wrong"})).text
    assert 'id="field-a" name="a" required aria-describedby="field-a-hint field-a-error" aria-invalid="true"' in text
    assert '<p class="error" id="field-a-error">wrong</p>' in text
    assert '<input type="password" id="field-g" name="g">' in text, "a password is never sent back"


async def test_every_id_of_a_page_is_its_only_one(showcase: Portal) -> None:
    ids = re.findall(r'\sid="([^"]*)"', (await showcase.ask(None, "GET", "/showcase", params={"text": "x"})).text)
    assert len(ids) == len(set(ids))


async def test_a_message_is_shown_once_on_the_next_page(showcase: Portal) -> None:
    answer = await showcase.ask(None, "GET", "/go", params={"done": "Key pair <made> ü."})
    assert (answer.status_code, answer.headers["location"]) == (303, "/showcase")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "SameSite=strict" in answer.headers["set-cookie"]
    left = _cookie(answer)
    shown = await showcase.ask(None, "GET", "/showcase", headers={"Cookie": f"done={left}"})
    assert "Key pair &lt;made&gt; ü." in shown.text
    assert _cookie(shown) == ""
    assert "made" not in (await showcase.ask(None, "GET", "/showcase")).text


@pytest.mark.parametrize("cookie", ["", "x", "A" * 60, "%%%", "é"])
async def test_nobody_else_can_write_on_a_page(showcase: Portal, cookie: str) -> None:
    answer = await showcase.ask(None, "GET", "/showcase", headers={"Cookie": f"done={cookie}".encode()})
    assert answer.status_code == 200
    assert 'role="status"' not in answer.text


def _cookie(answer: httpx2.Response) -> str:
    return SimpleCookie(answer.headers["set-cookie"])["done"].value


@pytest.mark.parametrize(("theme", "schemes"), [("dark", "dark"), ("light", "light"), ("auto", "light dark")])
async def test_the_chosen_colours_are_kept(portal: Portal, theme: str, schemes: str) -> None:
    answer = await portal.ask(None, "POST", "/display", data={"theme": theme, "back": "/?x=1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/?x=1")
    page = (await portal.ask(None, "GET", "/api", headers={"Cookie": f"theme={theme}"})).text
    assert f'data-theme="{theme}"' in page
    assert f'<meta name="color-scheme" content="{schemes}">' in page


@pytest.mark.parametrize(
    ("headers", "form", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, {"theme": "dark"}, 403),
        ({}, {"theme": "pink"}, 422),
        ({}, {"theme": "dark", "back": "//evil.example"}, 303),
    ],
)
async def test_the_colours_are_chosen_here_only(
    portal: Portal, headers: dict[str, str], form: dict[str, Any], status: int
) -> None:
    answer = await portal.ask(None, "POST", "/display", data=form, headers=headers)
    assert answer.status_code == status
    assert answer.headers.get("location", "/") == "/"


async def test_the_navigation_leads_only_to_pages_that_there_are(showcase: Portal) -> None:
    text = (await showcase.ask(None, "GET", "/showcase")).text
    side = text[text.index('<nav class="side"') : text.index("</nav>")]
    for path in re.findall(r'<a href="([^"]*)"', side):
        assert path in showcase.app.state.page_paths


async def test_an_error_is_a_page_for_a_person_and_a_document_for_a_program(portal: Portal) -> None:
    accept = {"Accept": "text/html,*/*;q=0.8"}
    page = await portal.ask(None, "GET", "/nothing/<b>here", headers=accept)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is nothing at /nothing/&lt;b&gt;here" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'self';")
    for path, headers in (("/nothing", {}), ("/api/v1/nothing", accept)):
        answer = await portal.ask(None, "GET", path, headers=headers)
        assert answer.headers["content-type"] == "application/problem+json", path


async def test_a_fault_of_the_portal_is_a_page_that_says_nothing_of_its_inside(
    showcase: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "redirect", lambda *_: 1 / 0)
    page = await showcase.ask(None, "GET", "/go", params={"done": "x"}, headers={"Accept": "text/html"})
    assert page.status_code == 500
    assert "This is a fault of ontherun" in page.text
    assert "ZeroDivision" not in page.text


async def test_a_path_that_names_nothing_is_not_found_without_words_of_programs(portal: Portal) -> None:
    browser = await signed_in(portal)
    for path in ("/notices/deliveries/xx", "/people/zz", "/requests/-1", "/sessions/nothing"):
        page = await browser.get(path)
        assert (page.status_code, f"There is nothing at {path}." in page.text) == (404, True), path
