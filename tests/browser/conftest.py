"""A real Chromium, driven by playwright, that looks at the portal's pages. Pictures go to ONTHERUN_PICTURES."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_QUIET = ("--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update")
_ARGUMENTS = ("--no-sandbox", "--disable-sync", *_QUIET)


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """Chromium without a window; the test is skipped where there is none.

    One for each module: playwright keeps an event loop running, next to which no asynchronous test can run.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("there is no chromium on the PATH")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pictures of the pages are kept."""
    named = os.environ.get("ONTHERUN_PICTURES")
    folder = Path(named) if named else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
