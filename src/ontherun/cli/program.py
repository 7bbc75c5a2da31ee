"""How this program is called from the shell that it runs in, so that what it says to type can be typed."""

import shutil
import sys
from pathlib import Path

NAME = "ontherun"


def program() -> str:
    """Return `ontherun` where the shell finds it, else the path of what runs: `.venv/bin/ontherun`."""
    called = Path(sys.argv[0])
    if called.name != NAME or shutil.which(NAME) is not None:
        return NAME
    called = called.absolute()
    return str(called.relative_to(Path.cwd())) if called.is_relative_to(Path.cwd()) else str(called)
