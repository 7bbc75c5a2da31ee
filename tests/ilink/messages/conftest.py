"""Where the exchange's own layout files are, and packages generated from them."""

import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from ontherun.sbe import Schema, load_schema
from ontherun.sbe.__main__ import main

ROOT = Path(__file__).parents[3]
OURS = ROOT / "src/ontherun/ilink/schema/ilink.xml"


@pytest.fixture(scope="session")
def schema_file() -> Callable[[int], Path]:
    """Find the exchange's file of a schema version; skip the test where it is absent."""
    folder = Path(os.environ.get("ONTHERUN_SCHEMA_DIR", ROOT.parent / "shared" / "schema"))

    def find(version: int) -> Path:
        path = folder / f"ilinkbinary-v{version}.xml"
        if not path.is_file():
            pytest.skip(f"{path} is absent: set ONTHERUN_SCHEMA_DIR to the folder of the exchange's ilinkbinary-v*.xml")
        return path

    return find


@pytest.fixture(scope="session")
def ours() -> Schema:
    return load_schema(OURS.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def official(schema_file: Callable[[int], Path]) -> Schema:
    return load_schema(schema_file(9).read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def generated_from(
    schema_file: Callable[[int], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[int], ModuleType]:
    """Generate a package from the exchange's file of a version, with the command, and import it."""
    packages: dict[int, ModuleType] = {}

    def make(version: int) -> ModuleType:
        if version not in packages:
            target = tmp_path_factory.mktemp("generated") / f"ilink_v{version}"
            assert main([str(schema_file(version)), str(target)]) == 0
            packages[version] = import_package(target)
        return packages[version]

    return make


def import_package(folder: Path) -> ModuleType:
    sys.path.insert(0, str(folder.parent))
    try:
        return import_module(folder.name)
    finally:
        sys.path.remove(str(folder.parent))
