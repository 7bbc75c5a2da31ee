"""ontherun key test: frames and values from the command line, in words and as JSON."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from tests.support.venue_process import VenueProcess
from typer.testing import CliRunner, Result

from ontherun.cli import app
from ontherun.ilink.messages import Negotiate
from ontherun.ilink.signing import decode_secret, negotiate_text, sign


def run(process: VenueProcess, *words: str) -> Result:
    return CliRunner().invoke(app, ["key", "test", *words, "--data", str(process.data)])


@pytest.fixture
def login(process: VenueProcess) -> tuple[dict[str, Any], Negotiate]:
    key = process.key()
    now = time.time_ns()
    session, firm = key["session_id"].encode(), key["firm"].encode()
    text = negotiate_text(now, 7, session, firm)
    message = Negotiate(
        hmac_signature=sign(decode_secret(key["secret_key"]), text),
        access_key_id=key["access_key_id"].encode(),
        uuid=7,
        request_timestamp=now,
        session=session,
        firm=firm,
    )
    return key, message


def test_a_right_frame_is_said_to_be_right(process: VenueProcess, login: tuple[dict[str, Any], Negotiate]) -> None:
    key, message = login
    done = run(process, key["session_id"], "--frame", message.encode().hex())
    assert done.exit_code == 0, done.output
    assert "The signature is right." in done.output
    assert f"Session               {key['session_id']}\\n" in done.output


def test_a_file_of_raw_bytes_is_read(
    process: VenueProcess, login: tuple[dict[str, Any], Negotiate], tmp_path: Path
) -> None:
    key, message = login
    (tmp_path / "frame.bin").write_bytes(message.encode())
    assert run(process, key["session_id"], "--frame", str(tmp_path / "frame.bin")).exit_code == 0


def test_a_mistake_is_named_and_the_exit_code_says_no(
    process: VenueProcess, login: tuple[dict[str, Any], Negotiate], tmp_path: Path
) -> None:
    key, message = login
    signed = negotiate_text(message.request_timestamp, 7, message.session, message.firm) + b"\n"
    (tmp_path / "signed.txt").write_bytes(signed)
    done = run(
        process,
        key["session_id"],
        *("--request-timestamp", str(message.request_timestamp), "--uuid", "7"),
        *("--access-key-id", key["access_key_id"], "--signature", sign(decode_secret(key["secret_key"]), signed).hex()),
        *("--signed-text", str(tmp_path / "signed.txt"), "--json"),
    )
    assert done.exit_code == 1
    found = json.loads(done.output)
    assert any("a line feed stands at the end" in line for line in found["advice"])
    assert any("the end is right, you signed a line feed" in line for line in found["advice"])
    assert key["secret_key"] not in done.output


def test_missing_values_are_named(process: VenueProcess) -> None:
    done = run(process, "A00", "--uuid", "7")
    assert done.exit_code == 1
    assert "--request-timestamp, --access-key-id, --signature is not there" in done.output
