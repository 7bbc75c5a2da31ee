"""The copyable samples run, each with its own tool, and sign the published test vectors."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.venue_process import ROOT

SAMPLES = ROOT / "src" / "ontherun" / "portal" / "static" / "samples"
SECRET_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
NEGOTIATE = ["1700000000000000000", "1700000000000000", "ABC", "XYZ12"]
ESTABLISH = [*NEGOTIATE, "DemoSys", "1.0", "DemoVendor", "1", "10000"]
VECTORS = {
    "aa7d063833987c5823ddbce3dc23a149655b134052007bfccd6c7a66ec8e726c": NEGOTIATE,
    "5b3ceb0e553692b5d554409945e5d704d2289ee4c7f87377ff401cf0497bd5ac": ESTABLISH,
}
LANGUAGES = ["python", "java", "c++", "shell"]


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name}")
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("samples")


@pytest.fixture(scope="module")
def command(request: pytest.FixtureRequest, folder: Path) -> list[str]:
    match request.param:
        case "python":
            return [sys.executable, str(SAMPLES / "sign.py")]
        case "java":
            return [tool("java"), str(SAMPLES / "Sign.java")]
        case "shell":
            tool("openssl")
            return [tool("sh"), str(SAMPLES / "sign.sh")]
    flags = ["-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([tool("g++"), *flags, "-o", folder / "sign", SAMPLES / "sign.cpp"], check=True)
    return [str(folder / "sign")]


@pytest.mark.parametrize("command", LANGUAGES, indirect=True)
def test_a_sample_signs_the_published_vectors(command: list[str], folder: Path) -> None:
    key_file = folder / "key.json"
    for secret_key in (SECRET_KEY, SECRET_KEY + "="):
        key_file.write_text(json.dumps({"access_key_id": "x", "secret_key": secret_key}, indent=2))
        for signature, values in VECTORS.items():
            done = subprocess.run([*command, key_file, *values], capture_output=True, text=True, check=False)
            assert (done.returncode, done.stdout.strip(), done.stderr) == (0, signature, "")


@pytest.mark.parametrize("command", LANGUAGES, indirect=True)
def test_a_sample_says_how_it_is_called(command: list[str], folder: Path) -> None:
    done = subprocess.run([*command, "key.json"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "KEYFILE REQUEST_TIMESTAMP UUID SESSION FIRM" in done.stderr
