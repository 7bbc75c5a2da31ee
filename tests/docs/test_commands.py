"""The commands that the documents show, run as they stand there: a reader who types them sees them work."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.venue_process import ROOT, VenueProcess

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"```(?:console|sh|bash|shell)\n(.*?)```", re.DOTALL)
SET_UP = re.compile(r"^(python3 run\.py|git |uv |.*python -m benchmarks|python -m ontherun\.journal)")
"""What the check itself is started by, what takes minutes, and what wants the venue to be stopped."""


def commands(document: Path) -> list[str]:
    """Every command line behind a `$`, with its continuation lines."""
    found: list[str] = []
    for block in BLOCK.findall(document.read_text()):
        lines = iter(block.splitlines())
        for line in lines:
            if line.startswith("$ "):
                command = line[2:]
                while command.endswith("\\"):
                    command = command[:-1] + next(lines).strip()
                if not SET_UP.match(command):
                    found.append(command)
    return found


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path / ".ontherun", "--no-fsync", "--lab") as running:
        yield running


@pytest.mark.parametrize("document", [path for path in DOCUMENTS if commands(path)], ids=lambda path: path.name)
def test_every_command_of_a_document_works(document: Path, venue: VenueProcess, tmp_path: Path) -> None:
    shown = commands(document)
    if any(command.startswith("curl") for command in shown) and not shutil.which("curl"):
        pytest.skip("needs curl (Debian: apt-get install curl)")
    port = venue.ready["api_url"].rpartition(":")[2]
    for command in shown:
        script = "\n".join(
            [*PRELUDE, *(line for line in shown[: shown.index(command)] if ASSIGNMENT.match(line)), command]
        )
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", fill(script, venue).replace(":8040/", f":{port}/")],
            cwd=tmp_path,
            env=os.environ | {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT / "src"), "PYTHON": sys.executable},
            input="y\n",  # a reader who is asked says yes
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        assert '"status":4' not in done.stdout, f"{command}\n{done.stdout}"


ASSIGNMENT = re.compile(r"^\w+=")
PRELUDE = [
    'ontherun() { "$PYTHON" -m ontherun "$@"; }',
    'python() { "$PYTHON" "$@"; }',
    'python3() { "$PYTHON" "$@"; }',
]


def fill(script: str, venue: VenueProcess) -> str:
    """The script with what a reader puts in: the key ids that the venue has by now, the place of the command."""
    script = script.replace(".venv/bin/ontherun", "ontherun").replace(".venv/bin/python", "python")
    if "ACCESS_KEY_ID" not in script:
        return script
    listed = subprocess.run(
        [sys.executable, "-m", "ontherun", "key", "list", "A02", "--json"],
        env=os.environ | {"ONTHERUN_DATA": str(venue.data), "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    ids = [pair["access_key_id"] for pair in json.loads(listed.stdout) if pair["state"] != "expired"]
    return script.replace("OLD_ACCESS_KEY_ID", ids[0]).replace("ACCESS_KEY_ID", ids[-1])
