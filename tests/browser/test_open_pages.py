"""The pages that need no sign-in, in a real browser; and that the looking finds what is wrong."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .looking import looking

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = [("/sign-in", "sign-in"), ("/api", "api")]

POOR_PAGE = """<!doctype html><html><head><title></title></head><body><main>
<h1>One</h1><h3>Three</h3><p id="x" style="color: #aaa; background: #fff">pale</p><p id="x" aria-describedby="y">two</p>
<form method="post"><input name="q"></form><button></button><a href="/" style="outline: none">x</a><img src="">
<table class="stack"><tr><td>1</td></tr></table><div style="width: 2000px">wide</div></main></body></html>"""


@pytest.mark.parametrize(("path", "name"), PAGES)
def test_a_page_is_sound_at_both_widths_and_in_both_colours(
    chromium: "Browser", live_portal: Any, pictures: Path, path: str, name: str
) -> None:
    with looking(chromium, live_portal.url, pictures) as looker:
        looker.go(path, name)
        looker.check_tabbing(name)


@pytest.mark.parametrize(("path", "name"), PAGES)
def test_a_page_says_the_same_without_script(chromium: "Browser", live_portal: Any, path: str, name: str) -> None:
    texts = []
    for script in (True, False):
        with looking(chromium, live_portal.url, Path(), java_script_enabled=script) as looker:
            looker.go(path)
            texts.append(looker.page.locator("main").text_content())
    assert texts[0] == texts[1]


def test_the_colours_are_chosen_without_script(chromium: "Browser", live_portal: Any) -> None:
    with looking(chromium, live_portal.url, Path(), java_script_enabled=False) as looker:
        looker.go("/sign-in")
        looker.page.get_by_role("button", name="Dark").click()
        assert looker.page.locator("html").get_attribute("data-theme") == "dark"


def test_looking_finds_what_is_wrong_with_a_page(chromium: "Browser", tmp_path: Path) -> None:
    with looking(chromium, "", tmp_path) as looker:
        looker.page.set_content(POOR_PAGE)
        looker.look("poor")
        found, looker.complaints = "\n".join(looker.complaints), []
    for fault in (
        "no language",
        "no title",
        "level 3 follows level 1",
        "ids are there twice: x",
        "aria-describedby names no element",
        "a control has no label",
        "nothing names: <button>",
        "a picture has no text",
        "a table has no column headers",
        "no label on a phone",
        "no csrf field",
        "too small to touch",
        "contrast 2.32",
        "scrolls sideways",
    ):
        assert fault in found
    assert len(list(tmp_path.glob("poor-*.png"))) == 4
