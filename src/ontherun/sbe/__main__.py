"""`python -m ontherun.sbe SCHEMA.xml OUT_DIR`: writes the Python package of a schema."""

import sys
from pathlib import Path

from ontherun.sbe.errors import SchemaError
from ontherun.sbe.generator import generate
from ontherun.sbe.schema import load_schema


def main(arguments: list[str]) -> int:
    """Write the package; return the exit status."""
    if len(arguments) != 2:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    source, target = map(Path, arguments)
    try:
        modules = generate(load_schema(source.read_text(encoding="utf-8")))
    except (OSError, SchemaError) as error:
        sys.stderr.write(f"{source}: {error}\n")
        return 1
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("*.py"):
        if old.name not in modules:
            old.unlink()
    for name, text in modules.items():
        (target / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(modules)} modules in {target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
