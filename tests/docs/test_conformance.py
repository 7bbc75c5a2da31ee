"""Every test that the conformance page names exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_every_test_that_the_conformance_page_names_exists() -> None:
    named = NAMED.findall((ROOT / "docs" / "conformance.md").read_text(encoding="utf-8"))
    assert len(named) > 60
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file()
        or not re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert missing == []


def test_every_behaviour_of_the_conformance_page_names_a_test() -> None:
    lines = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| ") and not line.startswith(("| ---", "| behaviour", "| case"))]
    assert [row for row in rows if not NAMED.search(row)] == []
