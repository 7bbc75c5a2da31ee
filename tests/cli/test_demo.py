import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.venue_process import ROOT

from ontherun.cli.venue_process import VenueProcessError, venue_process
from ontherun.ilink import messages


def demo(*options: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "ontherun", "demo", *options]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr
    return done


def test_the_demo_shows_a_conversation_of_two_firms_and_a_stranger() -> None:
    output = demo().stdout
    assert max(map(len, output.splitlines())) <= 110
    for words in (
        "DEMO1 ─▶ Negotiate",
        "DEMO2 ◀─ EstablishmentAck",
        "sell 10 UB10 at 99-16+, day",
        "traded: bought 10 UB10 at 99-16+, 5 open",
        "traded: sold 10 UB10 at 99-16+, filled",
        "replaced: buy 8 UB10 at 99-16, 8 open",
        "eliminated: sell 10 UB10 at 99-16, FAK, 8 of 10 filled",
        "cancelled: buy 2 UB30",
        "rejected: buy 1 UB10 at 99-163",
        "0 (hmac not authenticated)",
        "Terminate                       finished",
    ):
        assert words in output


def test_the_demo_draws_a_picture_that_fetches_nothing(tmp_path: Path) -> None:
    demo("--svg", str(tmp_path / "demo.svg"))
    picture = (tmp_path / "demo.svg").read_text(encoding="utf-8")
    assert picture.startswith("<svg")
    assert "NegotiationReject" in picture
    assert "//" not in picture.replace("http://www.w3.org/2000/svg", "").replace("http://127.0.0.1", "")


def test_the_demo_as_json_holds_every_message_readable_and_as_bytes() -> None:
    lines: list[dict[str, Any]] = [json.loads(line) for line in demo("--json").stdout.splitlines()]
    shown = [line for line in lines if "message" in line]
    assert len([line for line in lines if "scene" in line]) == 9
    for line in shown:
        assert type(messages.decode(bytes.fromhex(line["frame"]))).__name__ == line["message"]
    names = [line["message"] for line in shown if line["from"] == "venue"]
    assert [name for name in names if name.startswith("ExecutionReport")] == [
        "ExecutionReportNew",
        "ExecutionReportNew",
        "ExecutionReportTradeOutright",
        "ExecutionReportTradeOutright",
        "ExecutionReportModify",
        "ExecutionReportNew",
        "ExecutionReportTradeOutright",
        "ExecutionReportElimination",
        "ExecutionReportTradeOutright",
        "ExecutionReportNew",
        "ExecutionReportCancel",
        "ExecutionReportReject",
    ]
    assert names.count("NegotiationReject") == 1
    assert names.count("Terminate") == 2


def test_a_venue_that_cannot_start_is_told_with_what_it_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(VenueProcessError, match="did not start"), venue_process(tmp_path):
        pass


def test_a_venue_that_died_is_told(tmp_path: Path) -> None:
    with pytest.raises(VenueProcessError, match="exit code"), venue_process(tmp_path) as ready:
        os.kill(json.loads(ready.read_text())["pid"], 9)
