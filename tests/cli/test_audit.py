"""ontherun audit: list, search, export and verify, of a running venue and offline."""

import json
import shutil
from pathlib import Path

from tests.support.venue_process import VenueProcess
from typer.testing import CliRunner, Result

from ontherun.cli import app


def run(process: VenueProcess, *words: str) -> Result:
    return CliRunner().invoke(app, ["audit", *words, "--data", str(process.data)])


def test_entries_are_listed_and_searched(process: VenueProcess) -> None:
    listed = json.loads(run(process, "list", "--action", "session.", "--json").output)
    assert {entry["action"] for entry in listed} == {"session.created"}
    assert "session.created" in run(process, "search", "A00", "--limit", "5").output
    assert run(process, "search", "no such text").output == "No entry fits.\n"


def test_an_export_verifies_and_an_altered_one_does_not(process: VenueProcess, tmp_path: Path) -> None:
    for name in ("audit.jsonl", "audit.csv"):
        assert run(process, "export", str(tmp_path / name)).exit_code == 0
        done = run(process, "verify", str(tmp_path / name))
        assert (done.exit_code, done.output.startswith("Intact: ")) == (0, True)
        content = (tmp_path / name).read_text()
        (tmp_path / name).write_text(content.replace("Demo Firm Two", "Demo Firm Six"))
        done = run(process, "verify", str(tmp_path / name), "--json")
        assert (done.exit_code, json.loads(done.output)["intact"]) == (1, False)
        done = run(process, "export", str(tmp_path / name))
        assert (done.exit_code, "cannot be written" in done.output) == (1, True)


def test_the_running_venue_verifies_itself_and_is_not_read_behind_its_back(process: VenueProcess) -> None:
    assert run(process, "verify").output.startswith("Intact: ")
    done = run(process, "verify", str(process.data))
    assert (done.exit_code, "is in use by another ontherun" in done.output) == (1, True)


def test_a_copy_of_a_killed_venues_data_is_verified_with_its_last_entry(tmp_path: Path) -> None:
    venue = VenueProcess(tmp_path / "data")
    entries = json.loads(run(venue, "list", "--limit", "1", "--json").output)
    venue.kill()
    shutil.copytree(tmp_path / "data", tmp_path / "copy")
    for folder in ("data", "copy"):
        done = CliRunner().invoke(app, ["audit", "verify", str(tmp_path / folder), "--json"])
        assert json.loads(done.output) == {
            "intact": True,
            "entries": entries[0]["sequence"],
            "last_hash": entries[0]["hash"],
            "missing": 0,
        }


def test_what_is_not_there_is_said(process: VenueProcess, tmp_path: Path) -> None:
    done = run(process, "verify", str(tmp_path / "nothing"))
    assert (done.exit_code, "There is no" in done.output) == (1, True)
    done = run(process, "export", str(tmp_path / "audit.txt"))
    assert (done.exit_code, "Call the file .jsonl or .csv" in done.output) == (1, True)
