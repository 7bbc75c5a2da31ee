"""Every Python example of the documents is run as it stands, against a venue in another process."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.venue_process import ROOT, VenueProcess

EXAMPLE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PORT = "9040"
"""Where `ontherun up` puts segment 40; the venue of the tests is on a free port."""


def examples() -> list[object]:
    return [
        pytest.param(code, id=f"{name}-{number}")
        for name in ("README.md", "docs/client.md")
        for number, code in enumerate(EXAMPLE.findall((ROOT / name).read_text(encoding="utf-8")), 1)
    ]


@pytest.mark.parametrize("code", examples())
def test_an_example_runs_as_it_stands(process: VenueProcess, tmp_path: Path, code: str) -> None:
    shutil.copy(process.ready["demo"][0]["key_file"], tmp_path / "key.json")
    (tmp_path / "example.py").write_text(code.replace(PORT, str(process.address[1])), encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "ONTHERUN_DATA": str(process.data)}
    command = [sys.executable, "-W", "error", "example.py"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert not done.stderr
