"""Looking at pages: at desk and phone width, light and dark; what is wrong with one; where the tab key leads."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

DESK, PHONE = 1280, 390
HEIGHTS = {DESK: 860, PHONE: 844}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

_FAULTS = (Path(__file__).parent / "faults.js").read_text()
_REACHABLE = """() => [...document.querySelectorAll(
  'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')]
  .filter(e => e.checkVisibility({visibilityProperty: true}) && !e.disabled && e.tabIndex >= 0
    && !(e.type === 'radio' && !e.checked))
  .map((e, place) => { e.dataset.place = place; return e.outerHTML.slice(0, 120) })"""
_FOCUSED = """() => { const e = document.activeElement; const s = getComputedStyle(e);
  const seen = s.outlineStyle !== 'none' || s.boxShadow !== 'none';
  return [e.dataset.place === undefined ? -1 : Number(e.dataset.place), seen] }"""


@dataclass
class Looker:
    """Someone at a browser, signed in or not: takes pictures and notes what is wrong."""

    context: "BrowserContext"
    page: "Page"
    folder: Path
    url: str
    complaints: list[str] = field(default_factory=list)

    def note(self, complaint: str, wrong: bool = True) -> None:
        """Keep a complaint of the present page."""
        if wrong:
            self.complaints.append(f"{complaint} ({self.page.url})")

    def look(self, name: str) -> None:
        """Keep pictures of the present page in four ways, and check it."""
        for width in (DESK, PHONE):
            self.page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
            for theme in THEMES:
                self.page.emulate_media(color_scheme=theme)
                self.page.screenshot(path=self.folder / f"{name}-{width}-{theme}.png", full_page=True)
                faults: list[str] = self.page.evaluate(_FAULTS, width == PHONE)
                self.complaints += [f"{name} at {width}, {theme}: {fault}" for fault in faults]
        self.page.set_viewport_size({"width": DESK, "height": HEIGHTS[DESK]})
        self.page.emulate_media(color_scheme="light")

    def go(self, path: str, name: str | None = None) -> None:
        """Open a page; with a `name`, look at it too."""
        answer = self.page.goto(self.url + path)
        assert answer is not None
        assert answer.status < 400, f"{path}: {answer.status}"
        if name is not None:
            self.look(name)

    def sign_in(self, link: str, name: str | None = None) -> None:
        """Sign in with a one-time link; with a `name`, look at its page too."""
        self.page.goto(link)
        if name is not None:
            self.look(name)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"{self.url}/")

    def check_tabbing(self, name: str) -> None:
        """Check that the tab key leads to everything that can be used, and shows where one is."""
        reachable: list[str] = self.page.evaluate(_REACHABLE)
        reached: set[int] = set()
        self.page.evaluate("() => { document.activeElement.blur(); window.scrollTo(0, 0) }")
        parts = 4 * sum('type="date' in element for element in reachable)  # a date is three fields and a button
        for _ in range(len(reachable) + parts + 5):
            self.page.keyboard.press("Tab")
            place, seen = self.page.evaluate(_FOCUSED)
            if place >= 0 and not seen:
                self.complaints.append(f"{name}: the focus cannot be seen on {reachable[place]}")
            reached.add(place)
        missed = [reachable[place] for place in range(len(reachable)) if place not in reached]
        self.complaints += [f"{name}: the tab key never reaches {element}" for element in missed]


@contextmanager
def looking(browser: "Browser", url: str, folder: Path, **options: Any) -> Iterator[Looker]:
    """Open a browser profile of its own; every complaint of the page, the console or the policy fails the test."""
    context = browser.new_context(
        viewport={"width": DESK, "height": HEIGHTS[DESK]},
        timezone_id="Europe/London",
        locale="en-GB",
        reduced_motion="reduce",
        **options,
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    looker = Looker(context, page, folder, url)
    page.on("console", lambda line: looker.note(f"console: {line.text}", line.type in ("error", "warning")))
    page.on("pageerror", lambda error: looker.note(f"script: {error}"))
    page.on(
        "requestfailed", lambda asked: looker.note(f"not loaded: {asked.url}", "ERR_ABORTED" not in str(asked.failure))
    )
    yield looker
    context.close()
    assert not looker.complaints, "\n".join(looker.complaints)
