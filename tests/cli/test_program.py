"""What a message says to type can be typed where it was read."""

import sys
from pathlib import Path

import pytest

from ontherun.cli.program import program


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


@pytest.mark.parametrize("called", [".venv/bin/ontherun", "{}/.venv/bin/ontherun"])
def test_a_program_that_the_shell_does_not_find_is_named_by_its_path(
    away: Path, monkeypatch: pytest.MonkeyPatch, called: str
) -> None:
    monkeypatch.setattr(sys, "argv", [called.format(away), "up"])
    assert program() == ".venv/bin/ontherun"


def test_a_program_elsewhere_is_named_by_its_whole_path(away: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/opt/venue/bin/ontherun", "up"])
    assert program() == "/opt/venue/bin/ontherun"


def test_a_program_that_the_shell_finds_is_named_as_it_is(away: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (away / "bin").mkdir()
    (away / "bin" / "ontherun").touch(mode=0o755)
    monkeypatch.setattr(sys, "argv", ["/opt/venue/bin/ontherun", "up"])
    assert program() == "ontherun"
