"""docs/security.md names tests: each of them is there."""

import re

from tests.support.venue_process import ROOT


def test_every_test_that_the_security_page_names_is_there() -> None:
    written = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"def (test_\w+)", written))
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "security.md").read_text()))
    assert len(named) > 60
    assert not named - there
