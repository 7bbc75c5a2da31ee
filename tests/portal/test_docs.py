"""docs/rest-api.md names every route and every sort of problem."""

from pathlib import Path

from ontherun.portal import problems

from .conftest import Portal

DOCUMENT = (Path(__file__).parents[2] / "docs" / "rest-api.md").read_text(encoding="utf-8")


async def test_every_route_is_documented_and_no_other(portal: Portal) -> None:
    described = {
        f"| `{method.upper()}` | `{path}` |"
        for path, operations in portal.app.openapi()["paths"].items()
        for method in operations
    }
    documented = {line[: line.index("` | ", 12) + 4].strip() for line in DOCUMENT.splitlines() if "` | `/" in line}
    assert documented == described


def test_every_sort_of_problem_is_documented() -> None:
    for _, status, kind in problems._KINDS:
        assert f"| {status.value} | `{kind}` |" in DOCUMENT
