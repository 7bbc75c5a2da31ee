#!/usr/bin/env python3
"""Set everything up in `.venv` and run: the one file a fresh machine needs (Python >= 3.11, nothing else).

python3 run.py demo          two firms log in, trade, and the conversation is printed
python3 run.py up            start the venue: portal, REST API, gateways
python3 run.py <command>     any other `ontherun` command
python3 run.py check         everything the project asks of itself: lint, types, import contracts, tests
python3 run.py check -k key  the same, with arguments for pytest
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / "python"

WANTED = {
    "cc": ("the benchmark client's tests, which need a C compiler", "gcc libc6-dev"),
    "chromium": ("the browser tests, which need Chromium", "chromium"),
    "c++": ("the C++ sample of a login signature", "g++"),
    "java": ("the Java sample of a login signature", "default-jdk-headless"),
    "openssl": ("the shell sample of a login signature", "openssl"),
}
"""Programs that some tests need: which tests, and the packages that bring the program."""


def run(*command: str | Path) -> None:
    """Run one command from the project's root; stop with its exit code when it fails."""
    done = subprocess.run([str(part) for part in command], cwd=ROOT, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def set_up(extra: str) -> None:
    """Create `.venv` and install the pinned, hashed requirements of `extra` ("server" or "dev") and the project.

    Does nothing when the last set-up was made from the same files; "dev" includes "server".
    """
    wanted = ROOT / "requirements" / f"{extra}.txt"
    mark = VENV / f"{extra}.installed"
    content = hashlib.sha256(wanted.read_bytes() + (ROOT / "pyproject.toml").read_bytes() + sys.version.encode())
    if mark.is_file() and mark.read_text() == content.hexdigest():
        return
    if not PYTHON.exists():
        print(f"setting up {VENV} (once, about half a minute)", file=sys.stderr)
        venv.create(VENV, with_pip=True)
    pip = (PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run(*pip, "--require-hashes", "--requirement", wanted)
    run(*pip, "--no-deps", "--no-build-isolation", "--editable", ROOT)
    run(PYTHON, "-m", "compileall", "-q", ROOT / "src")
    mark.write_text(content.hexdigest())


def check(arguments: list[str]) -> None:
    """Run the whole check, in the order in which a mistake is cheapest to find, and say what could not be run."""
    set_up("dev")
    run(PYTHON, "-m", "ruff", "check")
    run(PYTHON, "-m", "ruff", "format", "--check")
    run(PYTHON, "-m", "mypy")
    run(BIN / "lint-imports")
    run(PYTHON, "-m", "pytest", "-n", "auto", *arguments)
    for program, (tests, packages) in WANTED.items():
        if not shutil.which(program):
            print(f"left out: {tests} (Debian: apt-get install {packages})")


def main(arguments: list[str]) -> None:
    """Set up, then run what was asked for."""
    if sys.version_info < (3, 11):  # noqa: UP036 -- this file is what an older Python is told by
        sys.exit(f"ontherun needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    if not arguments or arguments[0] in {"-h", "--help"}:
        print(__doc__)
    elif arguments[0] == "check":
        check(arguments[1:])
    else:
        set_up("server")
        os.execv(PYTHON, [str(PYTHON), "-m", "ontherun", *arguments])  # noqa: S606 -- no shell wanted


if __name__ == "__main__":
    main(sys.argv[1:])
