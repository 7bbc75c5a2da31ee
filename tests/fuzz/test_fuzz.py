"""The short version of `python -m tests.fuzz`."""

import subprocess
import sys

import pytest

from .__main__ import ROUND, TARGETS


@pytest.mark.parametrize("target", [name for name in TARGETS if name != "conversation"])  # tests/ilink has that one
def test_no_random_case_breaks_a_rule(target: str) -> None:
    for seed in range(10 * ROUND[target]):
        TARGETS[target](seed)


def test_the_command_runs_one_case_alone() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--target", "client", "--case", "7"]
    assert subprocess.run(command, check=False, timeout=60).returncode == 0
