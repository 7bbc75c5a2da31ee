"""`python -m ontherun.ilink` shows frames as JSON and writes frames from JSON."""

import io
import json

import pytest

from ontherun.ilink.__main__ import main

SEQUENCE = "1a00feca0e00fa0108000900004020464847060001000000ff00"
NOT_APPLIED = "1d00feca11000102080009000040204648470600650000000a000000ff"


def test_frames_are_printed_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([SEQUENCE[:20], SEQUENCE[20:], NOT_APPLIED]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["message"], second["message"]) == ("Sequence", "NotApplied")
    assert first["fields"]["NextSeqNo"] == {"tag": 39013, "value": 1}
    assert second["fields"]["SplitMsg"] == {"tag": 9553, "value": None}


def test_json_from_standard_input_becomes_frames(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SEQUENCE}\n {NOT_APPLIED}\n"))
    assert main([]) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO(capsys.readouterr().out + "\n"))
    assert main(["--encode"]) == 0
    assert capsys.readouterr().out.split() == [SEQUENCE, NOT_APPLIED]


@pytest.mark.parametrize(
    ("hexadecimal", "reason"),
    [
        ("5", "non-hexadecimal"),
        (SEQUENCE[:-2], "25 bytes at the end are no whole frame"),
        ("0b00feca", "frame size is 11"),
        ("0c00feca000000000800" + "0900", "unknown template 0"),
    ],
)
def test_what_is_no_frame_is_refused_with_the_reason(
    hexadecimal: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([hexadecimal]) == 1
    assert reason in capsys.readouterr().err


def test_the_command_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 2
    assert "--encode" in capsys.readouterr().err
