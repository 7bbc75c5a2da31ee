"""The two C programs, compiled when they are needed."""

import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
BUILD = HERE / "build"
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def program(name: str) -> Path:
    """Return the program of benchmarks/NAME.c, compiled again when a source is newer. SystemExit without a compiler."""
    if COMPILER is None:
        raise SystemExit("the benchmarks need a C compiler for their client (Debian: apt-get install gcc libc6-dev)")
    built, source = BUILD / name, HERE / f"{name}.c"
    newest = max(file.stat().st_mtime for file in HERE.glob("*.[ch]"))
    if not built.exists() or built.stat().st_mtime < newest:
        BUILD.mkdir(exist_ok=True)
        subprocess.run([COMPILER, "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-o", built, source], check=True)
    return built
