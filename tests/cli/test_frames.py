import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ontherun.cli.frames import app
from ontherun.ilink.messages import Terminate

SEQUENCE = "1a00feca0e00fa0108000900004020464847060001000000ff00"
TERMINATE = Terminate(uuid=1767225600000000, request_timestamp=1767225600001000002, error_codes=0).encode().hex()


def run(*arguments: str, code: int = 0, text: str | None = None) -> Result:
    result = CliRunner().invoke(app, list(arguments), input=text)
    assert result.exit_code == code, result.output
    return result


def test_a_frame_becomes_json_and_the_same_frame_again() -> None:
    document = run("decode", SEQUENCE).stdout
    assert json.loads(document)["fields"]["NextSeqNo"] == {"tag": 39013, "value": 1}
    assert run("encode", document).stdout == SEQUENCE + "\n"


@pytest.mark.parametrize(
    "text", [SEQUENCE.upper(), "0x1a 0x00 feca" + SEQUENCE[8:], ":".join(SEQUENCE[i : i + 2] for i in range(0, 52, 2))]
)
def test_hexadecimal_text_may_be_written_as_tools_write_it(text: str) -> None:
    assert "Sequence next number 1" in run("decode", text, "--words").stdout


def test_files_of_bytes_or_text_and_standard_input_are_read(tmp_path: Path) -> None:
    both = SEQUENCE + TERMINATE
    (tmp_path / "bytes").write_bytes(bytes.fromhex(both))
    (tmp_path / "text").write_text(f"{SEQUENCE}\n{TERMINATE}\n")
    for result in (
        run("decode", str(tmp_path / "bytes"), "--words"),
        run("decode", str(tmp_path / "text"), "--words"),
        run("decode", "--words", text=both),
    ):
        assert result.stdout.splitlines() == ["Sequence next number 1", "Terminate finished"]


def test_many_messages_survive_the_way_there_and_back(tmp_path: Path) -> None:
    (tmp_path / "documents").write_text(run("decode", SEQUENCE + TERMINATE).stdout)
    assert run("encode", str(tmp_path / "documents")).stdout.split() == [SEQUENCE, TERMINATE]
    lines = run("decode", "--compact", SEQUENCE + TERMINATE).stdout.splitlines()
    assert run("encode", f"[{','.join(lines)}]").stdout.split() == [SEQUENCE, TERMINATE]
    run("encode", str(tmp_path / "documents"), "--out", str(tmp_path / "frames"))
    assert (tmp_path / "frames").read_bytes().hex() == SEQUENCE + TERMINATE


def test_plain_values_are_enough_to_encode() -> None:
    fields = {"UUID": 1767225600000000, "NextSeqNo": 1, "KeepAliveIntervalLapsed": 0}
    assert run("encode", json.dumps({"message": "Sequence", "fields": fields})).stdout == SEQUENCE + "\n"


@pytest.mark.parametrize(
    ("command", "text", "words"),
    [
        ("decode", "nothing", "neither hexadecimal text nor a file"),
        ("decode", SEQUENCE[:-2], "the last 25 bytes are no whole frame"),
        ("decode", "1a00" + "abcd" + SEQUENCE[8:], "encoding"),
        ("decode", SEQUENCE[:12] + "ffff" + SEQUENCE[16:], "template"),
        ("decode", SEQUENCE.replace("1a00", "1300", 1)[:38], "1300feca"),
        ("encode", "{", "not JSON"),
        ("encode", "[1]", "a message is a JSON object"),
        ("encode", '{"message": "Sequel", "fields": {}}', "unknown message 'Sequel'"),
        ("encode", '{"message": "Sequence", "fields": {"UUID": 1}}', "NextSeqNo"),
        ("encode", "nothing.json", "neither"),
    ],
)
def test_what_cannot_be_read_is_explained(command: str, text: str, words: str) -> None:
    result = run(command, text, code=1)
    assert words in result.stderr


def test_an_empty_input_holds_no_frame(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert "no frame" in run("decode", str(tmp_path / "empty"), code=1).stderr
    assert "cannot be written" in run("encode", "[]", "--out", str(tmp_path / "no" / "file"), code=1).stderr
